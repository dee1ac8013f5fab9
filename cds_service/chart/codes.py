"""Codings in; out come the canonical codes and what they are to us. A display never decides, it can only raise a doubt."""

from collections.abc import Iterable

from cds_service.chart.elements import Coding, Concept, codings
from hooks.knowledge import Knowledge
from hooks.knowledge.sets import fold_code

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
_STANDARD = (LOINC, SNOMED)


def canonical(coding: Coding, knowledge: Knowledge) -> tuple[str, str] | None:
    """The coding as (canonical system, code); None where it lacks either."""
    if not coding.system or not coding.code:
        return None
    system = coding.system.strip().rstrip("/")
    return knowledge.systems.get(system, system), coding.code.strip()


def canonicals(concept: Concept | None, knowledge: Knowledge) -> tuple[tuple[str, str], ...]:
    """Every usable coding of a concept."""
    return tuple(found for coding in codings(concept) if (found := canonical(coding, knowledge)))


def measures(concept: Concept | None, knowledge: Knowledge) -> dict[str, str]:
    """What laboratory codes say they measure: measure -> note."""
    found = (knowledge.lab_codes.get(code) for code in canonicals(concept, knowledge))
    return dict(filter(None, found))


def is_standard(concept: Concept | None, knowledge: Knowledge) -> bool:
    """Whether any coding is LOINC or SNOMED CT, whatever it means."""
    return any(system in _STANDARD for system, _ in canonicals(concept, knowledge))


def concepts_of(concept: Concept | None, knowledge: Knowledge) -> frozenset[str]:
    """The concepts of our condition value sets that the codings belong to."""
    table = knowledge.conditions
    found = (table.get((system, fold_code(code)), frozenset()) for system, code in canonicals(concept, knowledge))
    return frozenset().union(*found)


def result_of(concept: Concept | None, knowledge: Knowledge) -> str | None:
    """What a coded result says: not-detected, positive …; None where no code is known or two disagree."""
    found = {knowledge.results.get((system, fold_code(code))) for system, code in canonicals(concept, knowledge)} - {
        None
    }
    return found.pop() if len(found) == 1 else None


def words_of(concept: Concept | None) -> Iterable[str]:
    """The free words that come with a concept, lower case: only ever used to raise a doubt, or to name a drug."""
    if concept and concept.text:
        yield concept.text.casefold()
    for coding in codings(concept):
        if coding.display:
            yield coding.display.casefold()


def status_code(concepts: tuple[Concept, ...]) -> str | None:
    """The code of a status given as a concept or, before R4, as a bare code."""
    found = (coding.code for concept in concepts for coding in codings(concept) if coding.code)
    return next(found, None)
