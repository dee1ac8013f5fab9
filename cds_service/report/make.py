"""A database and what is asked for in; the report out: what became of each rule's advice, in all and span by span."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from time import monotonic
from typing import Protocol

from sqlalchemy import Connection

from cds_service.ledger.tallies import ANSWERS
from cds_service.report import queries
from cds_service.report.asked import Asked, Span
from cds_service.report.counts import Counts, What, counts, together

_LOOKED_EVERY = 200_000  # steps of SQLite's machine: some milliseconds


class Source(Protocol):
    """A database that can be read."""

    def reading(self, seconds: float) -> AbstractContextManager[Connection]:
        """A connection to read with for so long. Raises LedgerDown."""


@dataclass(frozen=True, slots=True)
class Part:
    """What became of one rule's advice in one span."""

    span: Span
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReport:
    """What became of one rule's advice. `patients`: about so many of them it was shown."""

    rule: str
    counts: Counts
    patients: int
    parts: tuple[Part, ...]

    @property
    def repeats_per_patient(self) -> float | None:
        """None where it was shown about nobody."""
        return self.counts.repeated / self.patients if self.patients else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of the advice of all rules. `unmatched`: feedback that came on these days about cards nobody here showed."""

    asked: Asked
    made: datetime
    answers: int
    answers_by: tuple[int, ...]  # span by span
    unmatched: int
    counts: Counts
    parts: tuple[Part, ...]
    rules: tuple[RuleReport, ...]


def make(source: Source, asked: Asked, made: datetime, seconds: float) -> Report:
    """The report, within so many seconds. Raises LedgerDown."""
    spans = asked.spans()
    firsts = [one.first for one in spans]
    found: defaultdict[str, defaultdict[date, Counter[What]]] = defaultdict(lambda: defaultdict(Counter))
    with _one_moment(source, seconds) as connection:
        for rule, day, what, why, times in queries.cells(connection, asked):
            found[rule][firsts[bisect_right(firsts, day) - 1]][what, why] += times
        patients = queries.patients(connection, asked)
        unmatched = queries.unmatched(connection, asked)
    answers = found.pop("", defaultdict(Counter))
    rules = sorted(found.items())
    return Report(
        asked=asked,
        made=made,
        answers=sum(one[ANSWERS, ""] for one in answers.values()),
        answers_by=tuple(answers[one.first][ANSWERS, ""] for one in spans),
        unmatched=unmatched,
        counts=counts(together(one for _, by_span in rules for one in by_span.values())),
        parts=tuple(Part(one, counts(together(by_span[one.first] for _, by_span in rules))) for one in spans),
        rules=tuple(_rule(rule, by_span, patients, spans) for rule, by_span in rules),
    )


def _rule(
    rule: str, by_span: Mapping[date, Counter[What]], patients: Mapping[str, int], spans: tuple[Span, ...]
) -> RuleReport:
    return RuleReport(
        rule=rule,
        counts=counts(together(by_span.values())),
        patients=patients.get(rule, 0),
        parts=tuple(Part(one, counts(by_span.get(one.first, {}))) for one in spans),
    )


@contextmanager
def _one_moment(source: Source, seconds: float) -> Iterator[Connection]:
    """All is read as of one moment, or what is written meanwhile would be in one figure and not in another."""
    ends = monotonic() + seconds
    with source.reading(seconds) as connection:
        if connection.dialect.name != "sqlite":
            yield connection.execution_options(isolation_level="REPEATABLE READ")
            return
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101  (it has just been opened)
        driver.set_progress_handler(lambda: monotonic() > ends, _LOOKED_EVERY)  # SQLite knows no limit of its own
        try:
            if not driver.in_transaction:
                connection.exec_driver_sql("BEGIN")
            yield connection
        finally:
            driver.set_progress_handler(None, 0)
