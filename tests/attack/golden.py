"""The day in, the good request out that stands before and after every attack: small, complete, and full of canaries."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

NAME, PATIENT, LENT = "ZZCANARYNAME", "ZZCANARYID", "ZZCANARYTOKEN"
CANARIES = (NAME, PATIENT, LENT)
INSTANCE = "50d00787-862a-43db-851b-ec1ede27387c"
LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"


def request_for(service: str, fhir_server: str) -> dict[str, Any]:
    """A request whose prefetch is complete, so that nobody need be asked."""
    context: dict[str, Any] = {"patientId": PATIENT, "userId": "Practitioner/1", "encounterId": "enc-1"}
    if service != "patient-view":
        context |= {"draftOrders": searchset(draft()), "selections": ["MedicationRequest/d1"]}
    return {
        "hook": service,
        "hookInstance": INSTANCE,
        "fhirServer": fhir_server,
        "fhirAuthorization": {"access_token": LENT, "token_type": "Bearer", "expires_in": 300, "scope": "user/*.read"},
        "context": context,
        "prefetch": chart(),
    }


def feedback() -> dict[str, Any]:
    """Feedback on one card."""
    return {"feedback": [{"card": INSTANCE, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:00:00Z"}]}


def chart() -> dict[str, Any]:
    """HIV, no ART, CD4 120."""
    nothing = searchset()
    return {
        "patient": person(),
        "cd4": searchset(result("c1", "24467-3", 120, "/uL")),
        "viralLoads": searchset(result("v1", "20447-9", 50000, "{copies}/mL")),
        "conditions": searchset(hiv()),
        "allergies": nothing,
        "medications": nothing,
        "labs": nothing,
        "medicationStatements": nothing,
        "orders": nothing,
    }


def person() -> dict[str, Any]:
    return {"resourceType": "Patient", "id": PATIENT, "name": [{"family": NAME}], "birthDate": "1980-05-04"}


def result(number: str, code: str, value: float, unit: str) -> dict[str, Any]:
    """A laboratory result of ten days ago."""
    return {
        "resourceType": "Observation",
        "id": number,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": (datetime.now(UTC) - timedelta(days=10)).date().isoformat(),
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }


def hiv() -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": "h1",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "code": {"coding": [{"system": SNOMED, "code": "86406008"}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
    }


def draft() -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "d1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "paracetamol"},
        "subject": {"reference": f"Patient/{PATIENT}"},
    }


def searchset(*resources: Mapping[str, Any]) -> dict[str, Any]:
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def written(content: Any) -> str:
    """JSON as clients send it; `text` of a case is replaced in this."""
    return json.dumps(content, ensure_ascii=False)
