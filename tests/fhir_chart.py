"""A small invented chart, and a fake FHIR server that has it."""

import json
import re
import socket
from datetime import UTC, datetime
from typing import Any

from cds_service.chart.fhir_client import FhirClient
from cds_service.chart.lab_values import LabReader
from cds_service.chart.prefetch import KEYS
from cds_service.chart.quantities import Units
from cds_service.chart.templates import prefetch_templates
from cds_service.outbound.url_guard import Guard
from hooks.knowledge import load
from tests import fhir_servers as fakes
from tests.fhir_servers import FakeServer

KNOWLEDGE = load()
TEMPLATES = prefetch_templates(KNOWLEDGE)
LABS = LabReader(datetime(2026, 11, 20, 12, tzinfo=UTC), KNOWLEDGE, Units(KNOWLEDGE))
CLIENT = FhirClient()
HERE = Guard(loopback_only=True)
PATIENT = {"resourceType": "Patient", "id": "p"}
EMPTY = json.loads(fakes.searchset())
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
HINT = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}
FULL = {"patient": PATIENT} | {key: EMPTY for key in KEYS if key != "patient"}
TOKEN = "invented"  # noqa: S105  (invented)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def cd4(name: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "24467-3"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-11-01",
        "valueQuantity": {"value": 120, "unit": "cells/uL"},
    }


def page(*entries: Any, **more: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(fakes.searchset(*entries, **more))
    return read


def chart(_: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
    """Has the patient, and one CD4 result to each search of Observations."""
    if asked.target.startswith("/fhir/Patient/"):
        connection.sendall(fakes.whole(json.dumps(PATIENT).encode()))
    elif "Observation" in asked.target:
        connection.sendall(fakes.whole(fakes.searchset(cd4("fetched"))))
    else:
        connection.sendall(fakes.whole(fakes.searchset()))


def without(*keys: str, **more: Any) -> dict[str, Any]:
    return {key: value for key, value in FULL.items() if key not in keys} | more


HIV = page(
    {
        "resourceType": "Condition",
        "id": "hiv",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "86406008"}]},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "confirmed"}]},
        "subject": {"reference": "Patient/p"},
    }
)
ADULT = PATIENT | {"birthDate": "1980-01-01"}
