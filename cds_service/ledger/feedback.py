"""Checked feedback in, rows out: all entries of a call or none, and durable before the call is answered."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import DateTime, Engine, Index, String, Text, create_engine, event, insert, make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool

from cds_service.wire.feedback import FeedbackEntry


class LedgerDown(Exception):
    """The database cannot be reached or written."""


class Tables(DeclarativeBase):
    """The tables of the ledger."""


class Feedback(Tables):
    """One outcome of one card, as its client reported it. `comment` is free text of a clinician and may name a patient."""

    __tablename__ = "feedback"
    __table_args__ = (Index("feedback_of_card", "issuer", "service", "card"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    received: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    issuer: Mapped[str] = mapped_column(String(256))
    service: Mapped[str] = mapped_column(String(64))
    card: Mapped[str] = mapped_column(String(256))
    outcome: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    accepted: Mapped[str] = mapped_column(Text)  # suggestion ids, a line each
    reason_code: Mapped[str | None] = mapped_column(String(256))
    reason_system: Mapped[str | None] = mapped_column(String(256))
    comment: Mapped[str | None] = mapped_column(Text)


class FeedbackLedger:
    """The feedback of all issuers in one database."""

    def __init__(self, url: str) -> None:
        """`url` is an SQLAlchemy URL; the tables are made where they are missing. Raises LedgerDown."""
        try:
            self._engine: Engine = create_engine(url, poolclass=_pool(url))
            if self._engine.dialect.name == "sqlite":
                event.listen(self._engine, "connect", _durable)
            Tables.metadata.create_all(self._engine)
        except (SQLAlchemyError, ImportError) as fault:  # ImportError: the driver of that database is not installed
            raise LedgerDown(type(fault).__name__) from None

    def record(self, entries: Iterable[FeedbackEntry], issuer: str, service: str, received: datetime) -> None:
        """Writes all entries in one transaction. Raises LedgerDown, and then none is written."""
        rows = [
            {
                "received": received,
                "issuer": issuer,
                "service": service,
                "card": one.card,
                "outcome": one.outcome,
                "at": one.at,
                "accepted": "\n".join(one.accepted),
                "reason_code": one.reason_code,
                "reason_system": one.reason_system,
                "comment": one.comment,
            }
            for one in entries
        ]
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(Feedback), rows)
        except SQLAlchemyError as fault:
            raise LedgerDown(type(fault).__name__) from None

    def of_card(self, card: str, issuer: str) -> list[tuple[str, str | None]]:
        """Outcome and reason code of every feedback on a card, oldest first; another issuer's are not seen."""
        chosen = select(Feedback.outcome, Feedback.reason_code).where(Feedback.card == card, Feedback.issuer == issuer)
        with self._engine.connect() as connection:
            return [(row.outcome, row.reason_code) for row in connection.execute(chosen.order_by(Feedback.id))]

    def reachable(self) -> bool:
        """Whether the database answers for its table; SQLite says yes to a bare SELECT 1 without looking at its file."""
        try:
            with self._engine.connect() as connection:
                connection.execute(select(Feedback.id).limit(1))
        except SQLAlchemyError:
            return False
        return True

    def close(self) -> None:
        """Gives the connections back, before a fork and at the end."""
        self._engine.dispose()


def _pool(url: str) -> type[NullPool] | None:
    """An SQLite file is opened anew each time: a kept connection would write on into a file that was removed."""
    where = make_url(url)
    return NullPool if where.get_backend_name() == "sqlite" and where.database not in (None, "", ":memory:") else None


def _durable(connection: object, _: object) -> None:
    """Write-ahead log, synced in full: what was acknowledged survives a power cut."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=2000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
