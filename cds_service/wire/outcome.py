"""A refusal in, its OperationOutcome out: at most 2 KB, and nothing of the input in it."""

from typing import Any

from cds_service.errors import Refusal

MEDIA_TYPE = "application/fhir+json"
_SYSTEM = "https://immune-status-cds.org/CodeSystem/refusal"


def operation_outcome(refusal: Refusal) -> dict[str, Any]:
    """The OperationOutcome resource (R4) of a refusal."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": refusal.issue,
                "details": {"coding": [{"system": _SYSTEM, "code": refusal.code}], "text": refusal.sentence},
                "diagnostics": refusal.sentence,
            }
        ],
    }
