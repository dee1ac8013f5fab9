"""A fact in our words in, the FHIR resource that says it out, as a client would send it; without its patient."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from hooks.knowledge import Knowledge

Resource = dict[str, Any]
LOINC, RXNORM, SNOMED, UCUM = (
    "http://loinc.org",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://snomed.info/sct",
    "http://unitsofmeasure.org",
)
_QUANTITIES: Mapping[str, tuple[str, str]] = {  # by unit: the LOINC code of a test in it, the UCUM code
    "/uL": ("24467-3", "/uL"),
    "%": ("8123-2", "%"),
    "copies/mL": ("20447-9", "{copies}/mL"),
    "IU/mL": ("10351-5", "[IU]/mL"),
}
DRAFT = "draft"
_ANSWERS = {"positive": "LA6576-8", "negative": "LA6577-6", "detected": "LA11882-0", "not detected": "LA11883-8"}
_INTERPRETED = {"deficient": "L", "normal": "N"}
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_CRITICALITY = {"severe": "high", "cutaneous": "high", "mild": "low"}
_SULFONAMIDE = "387406002"


def quantity(number: Decimal, unit: str, comparator: str, when: str) -> Resource:
    """A CD4 count (`/uL`), a CD4 percentage (`%`) or a viral load (`copies/mL`, `IU/mL`)."""
    code, spelled = _QUANTITIES[unit]
    value = {"value": number, "unit": spelled, "system": UCUM, "code": spelled}
    return _observation(LOINC, code, when) | {
        "valueQuantity": value | ({"comparator": comparator} if comparator else {})
    }


def load_in_words(word: str, when: str) -> Resource:
    """A viral load that was detected, or not."""
    return _observation(LOINC, _QUANTITIES["copies/mL"][0], when) | _answered(word)


def in_words(test: str, word: str, when: str, knowledge: Knowledge) -> Resource:
    """A result of another test in one of the words of `choices.said_by`."""
    one = _observation(*_code_of(test, knowledge), when)
    if word not in _INTERPRETED:
        return one | _answered(word)
    meaning = {"coding": [{"system": _INTERPRETATION, "code": _INTERPRETED[word]}]}
    return one | {"dataAbsentReason": {"text": "only its interpretation is known"}, "interpretation": [meaning]}


def _answered(word: str) -> Resource:
    answer = {"system": LOINC, "code": _ANSWERS[word], "display": word.capitalize()}
    return {"valueCodeableConcept": {"coding": [answer]}}


def _code_of(test: str, knowledge: Knowledge) -> tuple[str, str]:
    if test in knowledge.tests:
        return LOINC, knowledge.tests[test].code
    return next(code for code, (measure, _) in sorted(knowledge.lab_codes.items()) if measure == test)


def _observation(system: str, code: str, when: str) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": system, "code": code}]},
        "effectiveDateTime": when,
    }


def drug(code: str, display: str, since: date, *, drafted: bool = False) -> Resource:
    """An active order of a drug by its RxNorm code, or one about to be signed."""
    return {
        "resourceType": "MedicationRequest",
        "status": DRAFT if drafted else "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code, "display": display}]},
        "authoredOn": since.isoformat(),
    }


def problem(concept: str, onset: date | None, knowledge: Knowledge) -> Resource:
    """An active, confirmed problem: by the code that says this concept and the fewest others."""
    system, code = code_of_concept(concept, knowledge)
    found: Resource = {
        "resourceType": "Condition",
        "clinicalStatus": _status("condition-clinical", "active"),
        "verificationStatus": _status("condition-ver-status", "confirmed"),
        "code": {"coding": [{"system": system, "code": code}]},
    }
    return found | ({"onsetDateTime": onset.isoformat()} if onset else {})


def code_of_concept(concept: str, knowledge: Knowledge) -> tuple[str, str]:
    """Of SNOMED CT where it has one as narrow."""
    codes = (code for code, meant in knowledge.conditions.items() if concept in meant)
    return min(codes, key=lambda code: (len(knowledge.conditions[code]), code[0] != SNOMED, code))


def _status(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def allergy(ingredient: str, severity: str, knowledge: Knowledge) -> Resource:
    """To an ingredient by its RxNorm code; without one to sulfonamides. `severity`: a key of `choices.ALLERGIES`."""
    if ingredient:
        named = {"system": RXNORM, "code": ingredient, "display": knowledge.ingredients[ingredient].name}
    else:
        named = {"system": SNOMED, "code": _SULFONAMIDE, "display": "Sulfonamide (substance)"}
    found: Resource = {"resourceType": "AllergyIntolerance", "code": {"coding": [named]}}
    if severity in _CRITICALITY:
        found["criticality"] = _CRITICALITY[severity]
    if severity == "cutaneous":
        system, code = code_of_concept("severe-cutaneous", knowledge)
        found["reaction"] = [{"manifestation": [{"coding": [{"system": system, "code": code}]}]}]
    return found
