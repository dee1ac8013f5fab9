"""Requests of a given size: about 20 KB with 10 Observations, or 330 KB with 200, as a real EHR would word them."""

import json
from datetime import date, timedelta
from typing import Any

LOINC, SNOMED, RXNORM = "http://loinc.org", "http://snomed.info/sct", "http://www.nlm.nih.gov/research/umls/rxnorm"
WHO = {"reference": "Patient/bench-1", "display": "Example, Patient"}
NARRATIVE = {
    "status": "generated",
    "div": "<div xmlns='http://www.w3.org/1999/xhtml'>" + "laboratory result " * 33 + "</div>",
}


def body(observations: int, medications: int, conditions: int, today: date) -> bytes:
    """An order-sign request in which half the Observations are CD4 counts and half viral loads."""
    counts = [_observation(n, today, "24467-3", 120 + n, "/uL") for n in range(observations // 2)]
    loads = [_observation(n, today, "20447-9", 250000 - n, "{copies}/mL") for n in range(observations - len(counts))]
    drugs = [
        _drug(n, "860975", "metformin hydrochloride 500 MG Oral Tablet", "active", today) for n in range(medications)
    ]
    problems = [_condition(n, "86406008" if n == 0 else "38341003") for n in range(conditions)]
    prefetch = {
        "patient": {"resourceType": "Patient", "id": "bench-1", "birthDate": "1988-04-12", "text": NARRATIVE},
        "cd4": _bundle(counts),
        "viralLoads": _bundle(loads),
        "conditions": _bundle(problems),
        "medications": _bundle(drugs),
        "allergies": _bundle([]),
        "labs": None,
        "medicationStatements": None,
        "orders": None,
    }
    order = _drug(999, "1433873", "dolutegravir 50 MG Oral Tablet", "draft", today)
    context = {"userId": "Practitioner/p1", "patientId": "bench-1", "draftOrders": _bundle([order])}
    return json.dumps(
        {"hook": "order-sign", "hookInstance": "bench", "context": context, "prefetch": prefetch}
    ).encode()


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [
        {"fullUrl": f"https://ehr.example.org/r4/{one['resourceType']}/{one['id']}", "resource": one}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(resources), "entry": entries}


def _observation(n: int, today: date, code: str, value: int, unit: str) -> dict[str, Any]:
    day = (today - timedelta(days=7 + 30 * n)).isoformat()
    return {
        "resourceType": "Observation",
        "id": f"{code}-{n}",
        "meta": {"versionId": "1", "lastUpdated": f"{day}T10:00:00Z"},
        "text": NARRATIVE,
        "status": "final",
        "category": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}
        ],
        "code": {
            "coding": [{"system": LOINC, "code": code, "display": "a laboratory test"}],
            "text": "a laboratory test",
        },
        "subject": WHO,
        "effectiveDateTime": f"{day}T09:00:00Z",
        "issued": f"{day}T10:00:00.000Z",
        "performer": [{"reference": "Organization/lab-1", "display": "Laboratory"}],
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        "referenceRange": [{"low": {"value": 500, "unit": unit}, "high": {"value": 1500, "unit": unit}}],
    }


def _drug(n: int, code: str, text: str, status: str, today: date) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": f"drug-{n}",
        "text": NARRATIVE,
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code, "display": text}], "text": text},
        "subject": WHO,
        "authoredOn": (today - timedelta(days=n)).isoformat(),
        "dosageInstruction": [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}],
    }


def _condition(n: int, code: str) -> dict[str, Any]:
    state = "http://terminology.hl7.org/CodeSystem/condition-"
    return {
        "resourceType": "Condition",
        "id": f"problem-{n}",
        "text": NARRATIVE,
        "clinicalStatus": {"coding": [{"system": f"{state}clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{state}ver-status", "code": "confirmed"}]},
        "code": {"coding": [{"system": SNOMED, "code": code}]},
        "subject": WHO,
    }
