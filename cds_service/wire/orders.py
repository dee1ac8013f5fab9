"""A clinical intent in, the FHIR R4 draft order out; every shape is validated with `fhir.resources` when the service starts."""

import re
from collections.abc import Iterable
from typing import Any

from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.servicerequest import ServiceRequest
from pydantic import ValidationError

from cds_service.errors import Fault
from cds_service.wire.draft_orders import draft_order
from cds_service.wire.outcome import operation_outcome
from cds_service.wire.request import HookRequest
from cds_service.wire.shape import STANDARD, Shape
from cds_service.wire.shaped_orders import RXNORM, shaped_order
from hooks.advice import DrugOrder, RemoveDraft, ReplaceDraft, Suggestion, TestOrder
from hooks.knowledge import Dose, Drug, Knowledge, LabTest
from hooks.sentences import Sentence, say, term
from hooks.wording import regimen_name, test_name

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
PRODUCT, DOSE, DOSE_UNIT = "product", "dose", "dose unit"  # contexts of terms
_USER = re.compile(r"(?:Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9\-._]{1,64}")
_ID = re.compile(r"[A-Za-z0-9\-._]{1,64}")
_KEPT = (  # of a draft that is replaced: what tells which order it is, by whom and why; nothing about its drug
    "id",
    "identifier",
    "status",
    "intent",
    "category",
    "priority",
    "encounter",
    "authoredOn",
    "requester",
    "reasonCode",
    "reasonReference",
    "groupIdentifier",
)
_WORDS = ("text", "display", "extension", "assigner")
_PLAIN = re.compile(r"[ !#-;=?-Z^_a-z{|}~]*")  # what codes, references, dates and order numbers are written in
_CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"


def actions(suggestion: Suggestion, request: HookRequest, knowledge: Knowledge) -> list[dict[str, Any]]:
    """The CDS Hooks actions of a suggestion: create draft orders, or delete or update one of the session."""
    described = label(suggestion, knowledge)
    if isinstance(suggestion, RemoveDraft):
        return [{"type": "delete", "description": described, "resourceId": suggestion.source}]
    if isinstance(suggestion, ReplaceDraft):
        return [{"type": "update", "description": described, "resource": _replacement(suggestion, request)}]
    made = _orders(suggestion, request, knowledge)
    named = [described] if len(made) == 1 else [_order_of(one) for one in made]
    return [{"type": "create", "description": name, "resource": one} for name, one in zip(named, made, strict=True)]


def _order_of(made: dict[str, Any]) -> Sentence:
    return say("Order {drug}", drug=made["medicationCodeableConcept"]["text"])


def _orders(suggestion: DrugOrder | TestOrder, request: HookRequest, knowledge: Knowledge) -> list[dict[str, Any]]:
    """The draft orders that a click would create, for the patient, user and encounter of the context."""
    if isinstance(suggestion, TestOrder):
        return [service_request(knowledge.tests[suggestion.test]) | _context(request)]
    return [medication_request(one, suggestion.dosed) | _context(request) for one in suggestion.regimen.drugs]


def _replacement(suggestion: ReplaceDraft, request: HookRequest) -> dict[str, Any]:
    """The whole draft anew: the other drug and its dose, and of the draft what is not about its drug, where that is valid."""
    made = medication_request(suggestion.order.regimen.drugs[0], suggestion.order.dosed) | _context(request)
    made["id"] = suggestion.source.removeprefix("MedicationRequest/")
    draft = draft_order(request, suggestion.source)
    whole = made | {key: kept for key in _KEPT if (kept := _without_words(draft.get(key))) and _is_plain(kept)}
    try:
        MedicationRequest.model_validate(whole)
    except ValidationError:  # what the client wrote does not hold: then only what is ours
        return made
    return whole


def _without_words(value: Any) -> Any:
    """Codes, references and identifiers as they came; no free words of the chart ever come back, nor the place they leave."""
    if isinstance(value, dict):
        found = {key: _without_words(one) for key, one in value.items() if key not in _WORDS}
        return {key: one for key, one in found.items() if one not in ({}, [])}
    return [one for one in map(_without_words, value) if one not in ({}, [])] if isinstance(value, list) else value


def _is_plain(value: Any) -> bool:
    """Whether no string in it could be taken for markup, or reads otherwise than it is written."""
    if isinstance(value, dict | list):
        return all(map(_is_plain, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, str) or _PLAIN.fullmatch(value) is not None


def label(suggestion: Suggestion, knowledge: Knowledge) -> Sentence:
    """What the suggestion is called."""
    if isinstance(suggestion, RemoveDraft):
        return say("Remove {drugs} from these orders", drugs=suggestion.name)
    if isinstance(suggestion, TestOrder):
        return say("Order {test}", test=test_name(knowledge.tests[suggestion.test]))
    drug = suggestion.order if isinstance(suggestion, ReplaceDraft) else suggestion
    what = regimen_name(drug.regimen, dosed=drug.dosed)
    what = what if drug.dosed else say("{drug}, dose to be set", drug=what)
    if isinstance(suggestion, ReplaceDraft):
        return say("Replace {drugs} by {what}", drugs=suggestion.name, what=what)
    return say("Order {drug}", drug=what)


def _context(request: HookRequest) -> dict[str, Any]:
    found: dict[str, Any] = {"subject": {"reference": f"Patient/{request.patient_id}"}}
    if request.encounter_id and _ID.fullmatch(request.encounter_id.removeprefix("Encounter/")):
        found["encounter"] = {"reference": f"Encounter/{request.encounter_id.removeprefix('Encounter/')}"}
    if request.user_id and _USER.fullmatch(request.user_id):
        found["requester"] = {"reference": request.user_id}
    return found


def medication_request(drug: Drug, dosed: bool) -> dict[str, Any]:
    """A draft MedicationRequest without its subject: the product with a dose, or the ingredient without one."""
    code, display = (drug.code, drug.display) if dosed else (drug.ingredient_code, drug.ingredient_display)
    found: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "category": [{"coding": [{"system": _CATEGORY, "code": "outpatient", "display": "Outpatient"}]}],
        "medicationCodeableConcept": {
            "coding": [{"system": RXNORM, "code": code, "display": display}],
            "text": term(PRODUCT, display),
        },
    }
    return found | ({"dosageInstruction": [_dosage(drug.dose)]} if dosed else {})


def _dosage(dose: Dose) -> dict[str, Any]:
    amount = int(dose.value) if dose.value == dose.value.to_integral_value() else float(dose.value)
    return {
        "text": term(DOSE, dose.text),
        "timing": {"repeat": {"frequency": dose.frequency, "period": dose.period, "periodUnit": dose.period_unit}},
        "doseAndRate": [
            {"doseQuantity": {"value": amount, "unit": term(DOSE_UNIT, dose.unit), "system": UCUM, "code": dose.code}}
        ],
    }


def service_request(test: LabTest) -> dict[str, Any]:
    """A draft ServiceRequest for a laboratory test, without its subject."""
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": LOINC, "code": test.code, "display": test.display}], "text": test_name(test)},
    }


def check_shapes(knowledge: Knowledge, shapes: Iterable[Shape] = (STANDARD,)) -> int:
    """Validates every resource we can send as FHIR R4, in the shape of each client, and returns how many.

    Raises pydantic's ValidationError on a fault, and KeyError where a product's route has no code.
    """
    whose = {"subject": {"reference": "Patient/example"}, "encounter": {"reference": "Encounter/example"}}
    parts = [one for regimen in knowledge.regimens.values() for one in regimen.drugs]
    drugs = [medication_request(one, dosed) | whose for one in parts for dosed in (True, False)]
    tests = [service_request(one) | whose for one in knowledge.tests.values()]
    every = set(shapes)
    for shape in every:
        for drug in drugs:
            MedicationRequest.model_validate(shaped_order(drug, shape, knowledge))
        for test in tests:
            ServiceRequest.model_validate(shaped_order(test, shape, knowledge))
    OperationOutcome.model_validate(operation_outcome(Fault("example")))
    return len(every) * (len(drugs) + len(tests)) + 1
