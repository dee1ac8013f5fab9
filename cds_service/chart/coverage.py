"""The resources that came in; out comes how many of each kind are coded in a code system we read, and how many are not.

A site whose laboratory or formulary changes to codes of its own shows here first: advice that needs them falls silent.
"""

from collections import Counter
from collections.abc import Iterable

from cds_service.chart.codes import canonical
from cds_service.chart.elements import (
    AllergyIntolerance,
    Concept,
    Condition,
    Known,
    MedicationRequest,
    MedicationStatement,
    Observation,
    Other,
    codings,
)
from hooks.knowledge import Knowledge

Coverage = Counter[tuple[str, bool]]  # kind, and whether its code is of a system we read
KINDS = ("result", "problem", "allergy", "drug")


def coverage(resources: Iterable[Known | Other], knowledge: Knowledge) -> Coverage:
    """Of every resource that names its thing itself; a drug that refers to another resource is not counted."""
    read = frozenset(knowledge.systems.values())
    seen: dict[Concept | None, bool] = {}  # a chart repeats the same few codes
    found: Coverage = Counter()
    for kind, concept in filter(None, map(_named, resources)):
        if concept not in seen:
            seen[concept] = _is_read(concept, read, knowledge)
        found[kind, seen[concept]] += 1
    return found


def _named(one: Known | Other) -> tuple[str, Concept | None] | None:
    if isinstance(one, Observation):
        return "result", one.code
    if isinstance(one, Condition):
        return "problem", one.code
    if isinstance(one, AllergyIntolerance):
        return "allergy", one.code
    if isinstance(one, MedicationRequest | MedicationStatement) and not one.medicationReference:
        return "drug", one.medicationCodeableConcept
    return None


def _is_read(concept: Concept | None, read: frozenset[str], knowledge: Knowledge) -> bool:
    """A code of a site's own system counts only where the site's map has it: of another the laboratory may have made up more."""
    named = (canonical(coding, knowledge) for coding in codings(concept))
    return any(one is not None and (one[0] in read or one in knowledge.local) for one in named)
