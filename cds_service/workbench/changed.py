"""A request, how its chart was read, and what might be otherwise in; the request as it would then be out."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from cds_service.workbench.pasted import Request
from cds_service.workbench.what_if import Value, WhatIf
from hooks.knowledge import Knowledge
from hooks.record import LabResult, PatientRecord

KEY = "whatIf"  # a resource counts under whatever key it comes
_LOINC, _RXNORM, _SNOMED, _UCUM = (
    "http://loinc.org",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://snomed.info/sct",
    "http://unitsofmeasure.org",
)
_CD4 = ("24467-3", "/uL")
_LOAD = ("20447-9", "{copies}/mL")
_SULFONAMIDE = "387406002"
_CRITICALITY = {"severe": "high", "mild": "low"}


def changed(request: Request, one: WhatIf, record: PatientRecord, knowledge: Knowledge) -> Request:
    """What is taken away is no longer sent; what is added stands under a key of its own."""
    gone = frozenset(_gone(one, record, knowledge))
    patient = f"Patient/{request['context']['patientId'].removeprefix('Patient/')}"
    added = [made | {"subject": {"reference": patient}} for made in _added(one, record.as_of, knowledge)]
    if one.allergy in _CRITICALITY:
        added.append(_allergy(one.allergy) | {"patient": {"reference": patient}})
    prefetch = {key: _without(held, gone) for key, held in (request.get("prefetch") or {}).items()}
    entries = [{"resource": made} for made in added]
    new = {KEY: {"resourceType": "Bundle", "type": "collection", "entry": entries}} if entries else {}
    return request | {"prefetch": prefetch | new}


def _gone(one: WhatIf, record: PatientRecord, knowledge: Knowledge) -> Iterator[str]:
    """The results that the new ones are the newest instead of; the drug; the allergy whose severity is said anew."""
    since = one.measured or record.as_of
    for value, results in ((one.cd4, record.cd4_counts), (one.load, record.viral_loads)):
        yield from _since(results, since) if value else ()
    regimen = knowledge.regimens.get(one.remove)
    drug = regimen.agents if regimen else frozenset({one.remove})
    yield from (taken.source for taken in record.medications or () if taken.ingredients & drug)
    if one.allergy:
        yield from (known.source for known in record.allergies or () if known.sulfonamide)


def _since(results: Iterable[LabResult], day: date) -> Iterator[str]:
    return (one.source for one in results if one.date >= day)


def _without(held: Any, gone: frozenset[str]) -> Any:
    """A Bundle without these resources, its total told anew; in place of a single one that there is none."""
    if not isinstance(held, dict) or not gone:
        return held
    entries = held.get("entry")
    if held.get("resourceType") == "Bundle" and isinstance(entries, list):
        kept = [one for one in entries if not (isinstance(one, dict) and _reference(one.get("resource")) in gone)]
        total = held.get("total")
        told = {"total": total - len(entries) + len(kept)} if isinstance(total, int) and kept != entries else {}
        return held | {"entry": kept} | told
    if "resourceType" not in held and "resource" in held:
        return held | {"resource": _without(held["resource"], gone)}
    return None if _reference(held) in gone else held


def _reference(resource: Any) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}" if isinstance(resource, dict) else ""


def _added(one: WhatIf, as_of: date, knowledge: Knowledge) -> Iterator[Request]:
    measured = (one.measured or as_of).isoformat()
    for name, value, known in (("cd4", one.cd4, _CD4), ("viral-load", one.load, _LOAD)):
        if value:
            yield _result(name, value, known, measured)
    regimen = knowledge.regimens.get(one.add)
    codes = [(drug.code, drug.display) for drug in regimen.drugs] if regimen else []
    if one.add and not regimen:
        codes = [(one.add, knowledge.ingredients[one.add].name)]
    yield from (_drug(place, *code, as_of) for place, code in enumerate(codes, 1))


def _result(name: str, value: Value, known: tuple[str, str], measured: str) -> Request:
    code, unit = known
    quantity = {"value": value.number, "unit": unit, "system": _UCUM, "code": unit}
    return {
        "resourceType": "Observation",
        "id": f"what-if-{name}",
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": code}]},
        "effectiveDateTime": measured,
        "valueQuantity": quantity | ({"comparator": value.bound} if value.bound else {}),
    }


def _drug(place: int, code: str, display: str, as_of: date) -> Request:
    return {
        "resourceType": "MedicationRequest",
        "id": f"what-if-drug-{place}",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": _RXNORM, "code": code, "display": display}]},
        "authoredOn": as_of.isoformat(),
    }


def _allergy(severity: str) -> Request:
    return {
        "resourceType": "AllergyIntolerance",
        "id": "what-if-allergy",
        "criticality": _CRITICALITY[severity],
        "code": {"coding": [{"system": _SNOMED, "code": _SULFONAMIDE, "display": "Sulfonamide (substance)"}]},
    }
