"""A clinical intent in, the FHIR R4 draft order out; every shape is validated with `fhir.resources` when the service starts."""

import re
from typing import Any

from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds_service.errors import Fault
from cds_service.wire.outcome import operation_outcome
from cds_service.wire.request import HookRequest
from hooks.assess import DrugOrder, RemoveDraft, Suggestion, TestOrder
from hooks.knowledge import Knowledge, LabTest, Regimen

RXNORM, LOINC, UCUM = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://loinc.org", "http://unitsofmeasure.org"
_USER = re.compile(r"(?:Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9\-._]{1,64}")
_ID = re.compile(r"[A-Za-z0-9\-._]{1,64}")
_CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"


def action(suggestion: Suggestion, request: HookRequest, knowledge: Knowledge) -> dict[str, Any]:
    """The CDS Hooks action of a suggestion: create a draft order, or delete one of the session."""
    described = label(suggestion, knowledge)
    if isinstance(suggestion, RemoveDraft):
        return {"type": "delete", "description": described, "resourceId": suggestion.source}
    return {"type": "create", "description": described, "resource": order(suggestion, request, knowledge)}


def order(suggestion: DrugOrder | TestOrder, request: HookRequest, knowledge: Knowledge) -> dict[str, Any]:
    """The draft order that a click would create, for the patient, user and encounter of the context."""
    if isinstance(suggestion, DrugOrder):
        return medication_request(suggestion.regimen, suggestion.dosed) | _context(request)
    return service_request(knowledge.tests[suggestion.test]) | _context(request)


def label(suggestion: Suggestion, knowledge: Knowledge) -> str:
    """What the suggestion is called."""
    if isinstance(suggestion, RemoveDraft):
        return f"Remove {suggestion.name} from these orders"
    if isinstance(suggestion, TestOrder):
        return f"Order {knowledge.tests[suggestion.test].label}"
    if suggestion.dosed:
        return f"Order {suggestion.regimen.label}"
    return f"Order {suggestion.regimen.name}, dose to be set"


def _context(request: HookRequest) -> dict[str, Any]:
    found: dict[str, Any] = {"subject": {"reference": f"Patient/{request.patient_id}"}}
    if request.encounter_id and _ID.fullmatch(request.encounter_id.removeprefix("Encounter/")):
        found["encounter"] = {"reference": f"Encounter/{request.encounter_id.removeprefix('Encounter/')}"}
    if request.user_id and _USER.fullmatch(request.user_id):
        found["requester"] = {"reference": request.user_id}
    return found


def medication_request(regimen: Regimen, dosed: bool) -> dict[str, Any]:
    """A draft MedicationRequest without its subject: the product with a dose, or the ingredient without one."""
    code, display = (regimen.code, regimen.display) if dosed else (regimen.ingredient_code, regimen.ingredient_display)
    found: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "category": [{"coding": [{"system": _CATEGORY, "code": "outpatient", "display": "Outpatient"}]}],
        "medicationCodeableConcept": {
            "coding": [{"system": RXNORM, "code": code, "display": display}],
            "text": display,
        },
    }
    return found | ({"dosageInstruction": [_dosage(regimen)]} if dosed else {})


def _dosage(regimen: Regimen) -> dict[str, Any]:
    dose = regimen.dose
    amount = int(dose.value) if dose.value == dose.value.to_integral_value() else float(dose.value)
    return {
        "text": dose.text,
        "timing": {"repeat": {"frequency": dose.frequency, "period": dose.period, "periodUnit": dose.period_unit}},
        "doseAndRate": [{"doseQuantity": {"value": amount, "unit": dose.unit, "system": UCUM, "code": dose.code}}],
    }


def service_request(test: LabTest) -> dict[str, Any]:
    """A draft ServiceRequest for a laboratory test, without its subject."""
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": LOINC, "code": test.code, "display": test.display}], "text": test.label},
    }


def check_shapes(knowledge: Knowledge) -> int:
    """Validates every resource we can send as FHIR R4 and returns how many; raises pydantic's ValidationError on a fault."""
    whose = {"subject": {"reference": "Patient/example"}, "encounter": {"reference": "Encounter/example"}}
    drugs = [medication_request(one, dosed) | whose for one in knowledge.drugs.values() for dosed in (True, False)]
    tests = [service_request(one) | whose for one in knowledge.tests.values()]
    for drug in drugs:
        MedicationRequest.model_validate(drug)
    for test in tests:
        ServiceRequest.model_validate(test)
    OperationOutcome.model_validate(operation_outcome(Fault("example")))
    return len(drugs) + len(tests) + 1
