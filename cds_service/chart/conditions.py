"""Conditions in; out come problems by our concepts, and every sign of HIV infection among them."""

import re
from collections.abc import Iterable

from cds_service.chart.codes import concepts_of, status_code, words_of
from cds_service.chart.dates import earliest
from cds_service.chart.decode import concepts, present
from cds_service.chart.elements import Condition
from hooks.hiv import DIAGNOSIS, TYPE_2
from hooks.knowledge import Knowledge
from hooks.record import Problem, ProblemState

_ACTIVE, _PAST = ("active", "recurrence", "relapse"), ("inactive", "remission", "resolved")
_UNCONFIRMED = ("unconfirmed", "provisional", "differential")
_NAMES_HIV = re.compile(
    r"(?:known |chronic )?(?:hiv|human immunodeficiency virus|aids|acquired immun\w+ deficiency syndrome)(?:[ -]?[12])?"
    r"(?: (?:infection|disease|positive|\(?\+\)?))*(?: \(disorder\))?"
)


def problem(condition: Condition, knowledge: Knowledge) -> Problem | None:
    """The problem, by our concepts; None where it is none of ours, or not confirmed."""
    found = concepts_of(condition.code, knowledge)
    if not found or _verification(condition) not in (None, "confirmed"):
        return None
    return Problem(
        concepts=found,
        state=_state(condition),
        source=f"Condition/{condition.id}",
        onset=earliest(condition.onsetDateTime),
    )


def hiv_signs(condition: Condition, knowledge: Knowledge) -> Iterable[str]:
    """What this entry says of HIV infection: the diagnosis, or a reason for doubt (`hooks.hiv.DOUBTS`)."""
    found, verification = concepts_of(condition.code, knowledge), _verification(condition)
    if verification == "entered-in-error":
        return
    if DIAGNOSIS in found:
        yield from _diagnosis(found, verification, _state(condition))
    elif verification != "refuted":
        yield from found & {"hiv-supporting", "hiv-inconclusive"}
        if not found and any(_NAMES_HIV.fullmatch(words.strip()) for words in words_of(condition.code)):
            yield "hiv-uncoded"


def _diagnosis(found: frozenset[str], verification: str | None, state: ProblemState) -> Iterable[str]:
    if verification == "refuted":
        yield "hiv-refuted"
    elif verification in _UNCONFIRMED:
        yield "hiv-unconfirmed"
    elif state == "past":
        yield "hiv-inactive"
    else:
        yield DIAGNOSIS
        yield from found & {TYPE_2}


def _verification(condition: Condition) -> str | None:
    return status_code(concepts(condition.verificationStatus))


def _state(condition: Condition) -> ProblemState:
    code = status_code(concepts(condition.clinicalStatus))
    if code in _ACTIVE:
        return "active"
    ended = present(condition.abatementDateTime) or present(condition.abatementString)
    return "past" if code in _PAST or ended else "unknown"
