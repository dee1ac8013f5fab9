"""The resources of a call in; out comes what is odd about their form, and how much of it the readers put up with."""

from collections.abc import Iterator
from typing import Any

from cds_service.doctor.call import Call
from cds_service.doctor.findings import Remark, Weight
from hooks.knowledge import Knowledge

_MANY = {  # elements that are lists in R4, of the kinds that are read
    "MedicationRequest": ("category", "reasonCode", "dosageInstruction", "note"),
    "MedicationStatement": ("dosage", "reasonCode"),
    "Observation": ("category", "interpretation", "referenceRange", "component"),
    "Condition": ("category", "bodySite"),
    "AllergyIntolerance": ("category", "reaction"),
    "ServiceRequest": ("category", "reasonCode"),
}
_CONCEPTS = {"Condition": ("clinicalStatus", "verificationStatus"), "AllergyIntolerance": ("clinicalStatus",)}
_EARLIER = {
    "MedicationOrder": "DSTU2",
    "DiagnosticOrder": "DSTU2",
    "ProcedureRequest": "STU3",
    "ReferralRequest": "STU3",
    "DeviceUseRequest": "DSTU2",
}
_STATED = ("Observation", "MedicationRequest", "MedicationStatement", "ServiceRequest")
_SUBJECT = ("subject", "patient", "beneficiary")
Said = Iterator[tuple[Weight, str]]


def shape_remarks(call: Call, knowledge: Knowledge) -> Iterator[Remark]:
    """Of every resource in prefetch and draft orders, each remark with the kind of resource."""
    for one in resources(call.content):
        kind = str(one["resourceType"])
        for weight, says in (*_form(kind, one), *_references(one), *_systems(one, knowledge)):
            yield Remark(weight=weight, says=says, where=kind)


def resources(content: Any) -> Iterator[dict[str, Any]]:
    """Every resource of a call, those inside Bundles and wrappers too."""
    if not isinstance(content, dict):
        return
    context, prefetch = content.get("context"), content.get("prefetch")
    drafts = [context.get("draftOrders")] if isinstance(context, dict) else []
    for one in (*(prefetch.values() if isinstance(prefetch, dict) else ()), *drafts):
        yield from _within(one)


def _within(one: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if not isinstance(one, dict) or depth > 3:
        return
    if one.get("resourceType") == "Bundle" or ("resource" in one and "resourceType" not in one):
        inner = one.get("entry") if one.get("resourceType") == "Bundle" else [one]
        for entry in inner if isinstance(inner, list) else ():
            if isinstance(entry, dict):
                yield from _within(entry.get("resource"), depth + 1)
    elif isinstance(one.get("resourceType"), str):
        yield one


def _form(kind: str, one: dict[str, Any]) -> Said:
    if kind in _EARLIER:
        yield "loses", f"a resource of FHIR {_EARLIER[kind]}: this service reads R4"
    for name in _MANY.get(kind, ()):
        if isinstance(one.get(name), dict):
            yield "harmless", f"{name} is an object where R4 has a list"
    for name in _CONCEPTS.get(kind, ()):
        if isinstance(one.get(name), str):
            yield "harmless", f"{name} is a bare code, as before R4"
    yield from _values(one)
    if kind in _STATED and "status" not in one:
        yield "harmless", "status did not come"
    if "id" not in one:
        yield "harmless", "id did not come: two copies of it count as two"


def _values(one: dict[str, Any]) -> Said:
    dosages = one.get("dosageInstruction") or one.get("dosage")
    if any(isinstance(each, dict) and "doseQuantity" in each for each in _listed(dosages)):
        yield "harmless", "doseQuantity stands on the dosage itself, as in STU3"
    quantity = one.get("valueQuantity")
    if isinstance(quantity, dict) and isinstance(quantity.get("value"), str):
        yield "loses", "valueQuantity.value is text where a number is due"
    if "modifierExtension" in one:
        yield "loses", "a modifierExtension is there: a result with one is not used"


def _references(one: dict[str, Any]) -> Said:
    named = [one[name] for name in _SUBJECT if name in one]
    told = [each.get("reference") for each in named if isinstance(each, dict)]
    if one["resourceType"] in _MANY and not any(told):
        yield "loses", "it does not say whose it is"
    if any(str(each).startswith(("http://", "https://")) for each in told if each):
        yield "harmless", "references are absolute addresses"
    if any(str(each).startswith("urn:") for each in told if each):
        yield "harmless", "references are urn:uuid, of the Bundle they came in"
    drug = one.get("medicationReference")
    if isinstance(drug, dict):
        contained = str(drug.get("reference", "")).startswith("#")
        yield "harmless", f"its drug is {'a contained Medication' if contained else 'a Medication it refers to'}"


def _systems(one: dict[str, Any], knowledge: Knowledge) -> Said:
    """Code systems that are spelled otherwise than they should be, and read all the same."""
    for name in ("code", "medicationCodeableConcept"):
        concept = one.get(name)
        for coding in _listed(concept.get("coding")) if isinstance(concept, dict) else ():
            system = coding.get("system") if isinstance(coding, dict) else None
            written = system.strip() if isinstance(system, str) else ""
            known = knowledge.systems.get(written.rstrip("/"))
            if known and known != system:
                yield "harmless", f"{known} is spelled {written}"


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found] if isinstance(found, dict) else []
