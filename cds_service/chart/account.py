"""What came with a request in; of each entry out: what names it, what it was taken for, or why it was not, never its value.

The counterpart of `coverage`, for whoever connects a client: it goes through the very readers that an answer goes through.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds_service.chart import allergies, conditions
from cds_service.chart.codes import canonicals, concepts_of
from cds_service.chart.drug_codes import concepts_of_drug, named_drug, sibling_medications
from cds_service.chart.elements import (
    AllergyIntolerance,
    Concept,
    Condition,
    Known,
    Medication,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Other,
    ServiceRequest,
    Value,
    codings,
)
from cds_service.chart.identity import Subject
from cds_service.chart.lab_values import NEVER, LabReader, source
from cds_service.chart.other_results import read_other
from cds_service.chart.prefetch import Received
from hooks.facts import drug_names
from hooks.knowledge import Knowledge
from hooks.knowledge.codes import LOINC, RXNORM, SNOMED, wrong_with
from hooks.record import LabResult, OtherResult, Unreadable

NO_CODE, NO_SYSTEM = "it has no code, at most words", "its code names no code system"
NOT_READ = "its code is not known here"
NO_SUCH = "its code is none of the code system it names"
Given = tuple[str, str, str]  # system, code, display, as they came


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One entry, or one part of a result. `ours` None: nobody can tell, for its code is not recognised."""

    kind: str  # result, drug, problem, allergy, order
    source: str
    key: str
    codes: tuple[Given, ...]
    ours: bool | None
    taken_for: str = ""
    why: str = ""  # it could not be used, or was not recognised
    units: tuple[str, ...] = ()
    text: str = ""  # a result written as text
    number: str = ""


def accounts(received: Iterable[Received], subject: Subject | None, labs: LabReader) -> Iterator[Account]:
    """Of every result, drug, problem, allergy and order. `subject` None: it is not known whose these are."""
    everything = list(received)
    siblings = sibling_medications(
        (one.resource, one.url) for one in everything if isinstance(one.resource, Medication)
    )
    for one in everything:
        found = one.resource
        his = subject is None or subject.owns(one.owner)
        if isinstance(found, Observation):
            yield from _results(found, one.key, his, labs)
        elif isinstance(found, MedicationRequest | MedicationStatement):
            yield _drug(found, one.key, siblings, labs.knowledge)
        elif isinstance(found, Condition | AllergyIntolerance | ServiceRequest):
            yield _stated(found, one.key, labs)
        elif isinstance(found, Other) and found.resourceType in _KINDS:
            kind = _KINDS[found.resourceType]
            why = "the resource does not have the form of its kind"
            yield Account(kind=kind, source=_name(found), key=one.key, codes=(), ours=None, why=why)


_CHECKED = (LOINC, SNOMED, RXNORM)
_LOOK_ALIKES = frozenset(("not-a-measure",))
_DOUBTS = {"cd4": "CD4", "viral-load": "viral load", "contradictory": "CD4 and viral load"}
_KINDS = {
    "Observation": "result",
    "MedicationRequest": "drug",
    "MedicationStatement": "drug",
    "Condition": "problem",
    "AllergyIntolerance": "allergy",
    "ServiceRequest": "order",
}


def _results(whole: Observation, key: str, his: bool | None, labs: LabReader) -> Iterator[Account]:
    panel = whole.component and not labs.measures(whole.code)
    for part in (*(() if panel else (whole,)), *(whole.component or ())):
        coded = labs.measures(part.code).keys()
        doubted = labs.family(part, key if part is whole else None) if not coded else None
        ours = bool(coded - _LOOK_ALIKES) if coded else None if doubted else _none_of_ours(part.code, labs.knowledge)
        why = (
            _why_unknown(part.code, labs.knowledge) if ours is None else _why_not(whole, his, key, labs) if ours else ""
        )
        units = (part.valueQuantity.unit, part.valueQuantity.code) if part.valueQuantity else ()
        yield Account(
            kind="result",
            source=source(whole),
            key=key,
            codes=_given(part.code),
            ours=ours,
            taken_for=" or ".join(sorted(coded)) if ours else "",
            why=f"{why}; its words or its key say {_DOUBTS[doubted]}: unreadable" if doubted else why,
            units=tuple(dict.fromkeys(one for one in units if one)),
            text=part.valueString or "",
            number=_number(part),
        )


def _number(part: Value) -> str:
    return bytes(part.valueQuantity.value).decode("utf-8", "replace") if part.valueQuantity else ""


def _why_not(whole: Observation, his: bool | None, key: str, labs: LabReader) -> str:
    """Why a result of ours does not count; empty where it does."""
    if whole.status in NEVER:
        return f"its status is {whole.status}: it does not count"
    found = [*labs.read(whole, his, key), *read_other(whole, his, labs)]
    if any(isinstance(one, LabResult | OtherResult) for one in found):
        return ""
    if not found:
        return "it is no result that counts: withdrawn, not from blood, without a result, or a test that no rule reads"
    return next((one.why for one in found if isinstance(one, Unreadable)), "it is pending")


def _drug(
    one: MedicationRequest | MedicationStatement, key: str, siblings: Mapping[str, Medication], knowledge: Knowledge
) -> Account:
    named, concepts = named_drug(one, siblings, knowledge), list(concepts_of_drug(one, siblings))
    product = named.product if named else None
    ours: bool | None = True if product else None
    why = "by its name only: its code is not known" if named and named.by_name else ""
    if not product and not concepts:
        why = "it does not say which drug: the Medication it refers to did not come"
    elif not product:
        known = [_none_of_ours(concept, knowledge) for concept in concepts]
        ours = False if False in known else None
        why = "" if ours is False else _why_unknown(concepts[0], knowledge)
    return Account(
        kind="drug",
        source=_name(one),
        key=key,
        codes=tuple(code for concept in concepts for code in _given(concept)),
        ours=ours,
        taken_for=drug_names(product.ingredients, knowledge) if product else "",
        why=why,
    )


def _stated(one: Condition | AllergyIntolerance | ServiceRequest, key: str, labs: LabReader) -> Account:
    """A problem, an allergy, or an order of the chart."""
    knowledge = labs.knowledge
    kind = _KINDS[type(one).__name__]
    if isinstance(one, Condition):
        taken, doubt = ", ".join(sorted(concepts_of(one.code, knowledge))), ""
        if not taken and "hiv-uncoded" in conditions.hiv_signs(one, knowledge):
            doubt = "its words say HIV, its code does not: a card asks for a coded diagnosis"
    elif isinstance(one, AllergyIntolerance):
        taken, doubt = _allergen(one, knowledge)
    else:
        taken, doubt = " or ".join(sorted(labs.measures(one.code))), ""
    ours = bool(taken) or _none_of_ours(one.code, knowledge)
    why = doubt or (_why_unknown(one.code, knowledge) if ours is None else "")
    return Account(kind=kind, source=_name(one), key=key, codes=_given(one.code), ours=ours, taken_for=taken, why=why)


def _allergen(one: AllergyIntolerance, knowledge: Knowledge) -> tuple[str, str]:
    if allergies.says_none(one, knowledge):
        return "no known allergy", ""
    read = allergies.read_allergy(one, knowledge)
    named = [drug_names(read.ingredients, knowledge)] if read.ingredients else []
    taken = ", ".join([*named, *(["sulfonamides"] if read.sulfonamide else [])])
    coded = any(code in knowledge.products for code in canonicals(one.code, knowledge))
    return taken, "by its words only" if named and not coded and not read.sulfonamide else ""


def _none_of_ours(concept: Concept | None, knowledge: Knowledge) -> bool | None:
    """False: it is coded in a system that is read, and none of ours. None: nobody can tell."""
    read = frozenset(knowledge.systems.values())
    named = canonicals(concept, knowledge)
    return False if any(one[0] in read and not _is_no_code(one) for one in named) else None


def _is_no_code(code: tuple[str, str]) -> bool:
    """Whether a code cannot be one of the system it names: a local code under the name of LOINC, say."""
    return code[0] in _CHECKED and bool(wrong_with(*code))


def _why_unknown(concept: Concept | None, knowledge: Knowledge) -> str:
    named = canonicals(concept, knowledge)
    if any(map(_is_no_code, named)):
        return NO_SUCH
    if named:
        return NOT_READ
    return NO_SYSTEM if any(coding.code for coding in codings(concept)) else NO_CODE


def _given(concept: Concept | None) -> tuple[Given, ...]:
    return tuple((one.system or "", one.code or "", one.display or "") for one in codings(concept))


def _name(one: Known | Other) -> str:
    kind = one.resourceType if isinstance(one, Other) else type(one).__name__
    return f"{kind}/{one.id}" if one.id else kind
