"""Feedback on issued advice in, quiet periods out: which advice about which patient is held, on which facts, until when."""

from collections.abc import Container, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Date, DateTime, String, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from cds_service.ledger.database import Database, Tables
from cds_service.ledger.issued_advice import Issued, offers
from hooks.holding import NOT_ASSESSED, Quiet
from hooks.knowledge import QuietPeriods
from hooks.sameness import Mark

ORDERED = "ordered"  # in the place of an override reason: what was suggested was then ordered
ACCEPTED = "accepted"  # likewise: the client says so; ends a quiet period, for the chart will show it


class QuietPeriod(Tables):
    """The latest word of one clinician on one rule's advice about one patient."""

    __tablename__ = "quiet_periods"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  (SQLAlchemy's own way)

    issuer: Mapped[str] = mapped_column(String(256), primary_key=True)
    patient: Mapped[str] = mapped_column(String(32), primary_key=True)
    rule: Mapped[str] = mapped_column(String(64), primary_key=True)
    clinician: Mapped[str] = mapped_column(String(32), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(32))
    newest: Mapped[str] = mapped_column(String(128))
    reason: Mapped[str] = mapped_column(String(32))
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    until: Mapped[date] = mapped_column(Date, index=True)  # the first day on which the advice may speak again


_OPEN = select(QuietPeriod.rule, QuietPeriod.fingerprint, QuietPeriod.newest, QuietPeriod.until).where(
    QuietPeriod.issuer == bindparam("issuer"),
    QuietPeriod.patient == bindparam("patient"),
    QuietPeriod.until > bindparam("as_of"),
)  # made once: this is asked at every call


class QuietPeriodsTable:
    """The quiet periods of all patients."""

    def __init__(self, database: Database, periods: QuietPeriods) -> None:
        self._database, self._periods = database, periods
        self._of_patient = _OPEN
        self._of_clinician = _OPEN.where(QuietPeriod.clinician == bindparam("clinician"))
        insert = database.insert(QuietPeriod)
        latest = ("fingerprint", "newest", "reason", "since", "until")
        self._put = insert.on_conflict_do_update(
            index_elements=["issuer", "patient", "rule", "clinician"],
            set_={name: insert.excluded[name] for name in latest},
            where=QuietPeriod.since
            <= insert.excluded["since"],  # feedback may come late: an older word changes nothing
        )

    def recall(
        self, issuer: str, patient: str, clinician: str | None, as_of: date, seconds: float
    ) -> dict[str, tuple[Quiet, ...]]:
        """What is not over on this day, by rule; of one clinician only where one is given. Raises LedgerDown."""
        chosen = self._of_patient if clinician is None else self._of_clinician
        about = {"issuer": issuer, "patient": patient, "clinician": clinician, "as_of": as_of}
        found: dict[str, tuple[Quiet, ...]] = {}
        for one in self._database.glance(chosen, about, seconds):
            quiet = Quiet(Mark(one.fingerprint, one.newest), one.until)
            found[one.rule] = (*found.get(one.rule, ()), quiet)
        return found

    def override(self, connection: Connection, rows: Iterable[Issued], reason: str, moment: datetime) -> None:
        """Everything that an overridden card said is silent from that moment on, for as long as rule and reason have it."""
        self._begin(connection, [(row, reason) for row in rows], moment)

    def accept(self, connection: Connection, rows: Iterable[Issued], accepted: Iterable[str], moment: datetime) -> None:
        """Where all the tests that advice asks for were taken, it waits for their results. Of drugs the chart will tell."""
        taken = set(accepted)
        chosen = [row for row in rows if offers(row).keys() & taken]
        self._begin(connection, [(row, ORDERED if waits(row, taken) else ACCEPTED) for row in chosen], moment)

    def order(self, connection: Connection, rows: Iterable[Issued], moment: datetime) -> None:
        """All the tests that this advice asked for were then ordered."""
        self._begin(connection, [(row, ORDERED) for row in rows], moment)

    def _begin(self, connection: Connection, said: Iterable[tuple[Issued, str]], moment: datetime) -> None:
        rows = [self._row(row, reason, moment) for row, reason in said if row.rule != NOT_ASSESSED]
        for row in rows:  # one by one: PostgreSQL lets no statement change a row twice
            connection.execute(self._put, row)

    def _row(self, row: Issued, reason: str, moment: datetime) -> Mapping[str, Any]:
        since = max(moment, in_utc(row.issued))
        days = 0 if reason == ACCEPTED else self._periods.days(row.rule, reason, row.indicator)
        return {
            "issuer": row.issuer,
            "patient": row.patient,
            "rule": row.rule,
            "clinician": row.clinician,
            "fingerprint": row.fingerprint,
            "newest": row.newest,
            "reason": reason,
            "since": since,
            "until": since.date() + timedelta(days=days),
        }


def waits(row: Issued, taken: Container[str]) -> bool:
    """Whether all that was offered was taken (by id), and is tests: an unsafe drug stays unsafe while a result is waited for."""
    offered = offers(row)
    return all(what.startswith("test ") and name in taken for name, what in offered.items()) and bool(offered)


def in_utc(moment: datetime) -> datetime:
    """SQLite gives moments back without the zone in which all are written."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
