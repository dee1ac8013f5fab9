"""The counts by day in; out comes how often each rule fires now, how often it did before, and how far that is from chance.

A rule that falls silent looks like a rule with nothing to say: a code that changed, a unit nobody maps any more.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

from sqlalchemy import ColumnElement, case, func, select

from cds_service.ledger.database import Database
from cds_service.ledger.tallies import Tally

WEEK, BEFORE = timedelta(days=7), timedelta(days=28)
_FIRED = ("recommended", "held")
_JUDGED = (*_FIRED, "silent", "not-assessed")  # every answer lists every rule of its service, with one of these
_ENOUGH = 50  # answers in the week, and before: of fewer nothing can be told


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """Of how many answers a rule had something to say, shown or held. `deviation` is in standard deviations of chance."""

    rule: str
    share: float  # of the last seven days, today included
    share_before: float  # of the four weeks before them
    deviation: float


def firing(database: Database, today: date, seconds: float = 2.0) -> tuple[Firing, ...]:
    """Every rule of which enough answers are counted. Raises LedgerDown."""
    since = today - WEEK
    recent, fired = Tally.day > since, Tally.outcome.in_(_FIRED)
    counted = (
        select(
            Tally.rule,
            _times(recent).label("judged"),
            _times(~recent).label("judged_before"),
            _times(recent & fired).label("fired"),
            _times(~recent & fired).label("fired_before"),
        )
        .where(Tally.day > since - BEFORE, Tally.day <= today, Tally.outcome.in_(_JUDGED))
        .group_by(Tally.rule)
        .order_by(Tally.rule)
    )
    with database.reading(seconds) as connection:
        rows = list(connection.execute(counted))
    enough = (row for row in rows if min(row.judged, row.judged_before) >= _ENOUGH)
    return tuple(
        _compared(row.rule, int(row.fired), int(row.judged), int(row.fired_before), int(row.judged_before))
        for row in enough
    )


def _times(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, Tally.times), else_=0))


def _compared(rule: str, fired: int, judged: int, fired_before: int, judged_before: int) -> Firing:
    usual = (fired_before + 0.5) / (judged_before + 1)  # never nought nor one: what never fired may yet
    return Firing(
        rule=rule,
        share=fired / judged,
        share_before=fired_before / judged_before,
        deviation=(fired - judged * usual) / sqrt(judged * usual * (1 - usual)),
    )
