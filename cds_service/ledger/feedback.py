"""Checked feedback in, rows out: all entries of a call or none, and durable before the call is answered."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import DateTime, Index, String, Text, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from cds_service.ledger.database import LONGEST_WAIT, Database, Tables
from cds_service.wire.feedback import FeedbackEntry


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

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        entries: Iterable[FeedbackEntry],
        issuer: str,
        service: str,
        received: datetime,
        seconds: float = LONGEST_WAIT,
    ) -> None:
        """Writes all entries in one transaction; waits for a lock so many seconds. Raises LedgerDown, and then none is written."""
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
        with self._database.writing(seconds) as connection:
            connection.execute(insert(Feedback), rows)

    def of_card(self, card: str, issuer: str) -> list[tuple[str, str | None]]:
        """Outcome and reason code of every feedback on a card, oldest first; another issuer's are not seen."""
        chosen = select(Feedback.outcome, Feedback.reason_code).where(Feedback.card == card, Feedback.issuer == issuer)
        with self._database.reading() as connection:
            return [(row.outcome, row.reason_code) for row in connection.execute(chosen.order_by(Feedback.id))]
