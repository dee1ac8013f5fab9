"""Assessments in, counts by day out: how often each rule was said, held and why, silent, or not assessed and for want of what.

Counted in memory and written every few seconds by each process, so that no answer waits for it. What a process that is
killed had not written yet is missing from the counts; cards and feedback are written one by one and are not.
"""

from collections import Counter
from datetime import date
from threading import Lock

from sqlalchemy import BigInteger, Date, String
from sqlalchemy.orm import Mapped, mapped_column

from cds_service.ledger.database import Database, LedgerDown, Tables
from hooks.assess import Assessment

ANSWERS = "answer"  # in the place of an outcome, and no rule: how many answers there were
LACKED = "lacked"  # in the place of an outcome: `why` is a datum that was missing


class Tally(Tables):
    """How often something became of a rule on a day (UTC)."""

    __tablename__ = "tallies"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  (SQLAlchemy's own way)

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    issuer: Mapped[str] = mapped_column(String(256), primary_key=True)
    service: Mapped[str] = mapped_column(String(64), primary_key=True)
    rule: Mapped[str] = mapped_column(String(64), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(16), primary_key=True)
    why: Mapped[str] = mapped_column(String(32), primary_key=True)  # empty where there is none
    times: Mapped[int] = mapped_column(BigInteger)


Key = tuple[date, str, str, str, str, str]


class Tallies:
    """The counts of one process, and the table in which all count together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: Counter[Key] = Counter()
        self._lock = Lock()
        insert = database.insert(Tally)
        self._add = insert.on_conflict_do_update(
            index_elements=["day", "issuer", "service", "rule", "outcome", "why"],
            set_={"times": Tally.times + insert.excluded["times"]},
        )

    def count(self, day: date, issuer: str, service: str, assessment: Assessment) -> None:
        """Counts an answer. Quick, and never raises."""
        keys: list[Key] = [(day, issuer, service, "", ANSWERS, "")]
        for one in assessment.findings:
            keys.append((day, issuer, service, one.rule.id, one.outcome, one.why or ""))
            keys += ((day, issuer, service, one.rule.id, LACKED, datum) for datum in one.missing)
        with self._lock:
            self._counts.update(keys)

    def flush(self) -> bool:
        """Writes what was counted; what cannot be written now is kept for the next time. Whether all is written."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
        if not taken:
            return True
        names = ("day", "issuer", "service", "rule", "outcome", "why")
        rows = [dict(zip(names, key, strict=True)) | {"times": times} for key, times in sorted(taken.items())]
        try:
            with self._database.writing() as connection:
                connection.execute(self._add, rows)
        except LedgerDown:
            with self._lock:
                self._counts.update(taken)
            return False
        return True
