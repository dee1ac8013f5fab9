"""Checked feedback in, rows out: all entries of a call or none, each once, and durable before the call is answered."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, DateTime, Index, String, Text, UniqueConstraint, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column

from cds_service.ledger.database import LONGEST_WAIT, Database, Tables
from cds_service.ledger.issued_advice import Issued, shown_on
from cds_service.ledger.pseudonyms import Pseudonyms
from cds_service.ledger.quiet_periods import QuietPeriodsTable, in_utc
from cds_service.ledger.turns import take_turns
from cds_service.wire.feedback import FeedbackEntry
from cds_service.wire.override_reasons import reason_of

_AT_ONCE = 500  # cards looked for in one statement


class Feedback(Tables):
    """One outcome of one card, as its client reported it. `comment` is sealed: a clinician's free text may name a patient.

    A card that was never issued to that client stays unmatched: no row of `issued_advice` has it.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        Index("feedback_of_card", "issuer", "service", "card"),
        Index("feedback_when", "received"),
        UniqueConstraint("digest", name="feedback_once"),
    )

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
    digest: Mapped[str | None] = mapped_column(String(32))  # keyed, of all that the client said


_SAID_SINCE = (  # made once: this is asked for every card that is written
    select(Feedback.__table__)
    .where(
        Feedback.issuer == bindparam("issuer"),
        Feedback.service == bindparam("service"),
        Feedback.card.in_(bindparam("cards", expanding=True)),
        Feedback.received >= bindparam("since"),
    )
    .order_by(Feedback.id)
)


class FeedbackLedger:
    """The feedback of all issuers in one database."""

    def __init__(self, database: Database, quiet: QuietPeriodsTable, pseudonyms: Pseudonyms) -> None:
        self._database, self._quiet, self._pseudonyms = database, quiet, pseudonyms
        self._put = database.insert(Feedback).on_conflict_do_nothing(index_elements=["digest"])

    def record(
        self,
        entries: Iterable[FeedbackEntry],
        issuer: str,
        service: str,
        received: datetime,
        seconds: float = LONGEST_WAIT,
    ) -> None:
        """Writes all entries in one transaction; waits for a lock so many seconds. Raises LedgerDown, and then none is written.

        What was said before, word for word, is there already and changes nothing.
        """
        said = {self._digest(one, issuer, service): one for one in entries}
        with self._database.writing(seconds) as connection:
            take_turns(connection, (one.card for one in said.values()))  # with who writes what these cards said
            fresh = {digest: said[digest] for digest in said.keys() - _known(connection, list(said))}
            if fresh:
                chosen = [(digest, one) for digest, one in said.items() if digest in fresh]  # in their order
                rows = [self._row(one, digest, issuer, service, received) for digest, one in chosen]
                connection.execute(self._put, rows)
                self._begin_quiet(connection, [one for _, one in chosen], issuer, service, received)

    def of_card(self, card: str, issuer: str) -> list[tuple[str, str | None]]:
        """Outcome and reason code of every feedback on a card, oldest first; another issuer's are not seen."""
        chosen = select(Feedback.outcome, Feedback.reason_code).where(Feedback.card == card, Feedback.issuer == issuer)
        with self._database.reading() as connection:
            return [(row.outcome, row.reason_code) for row in connection.execute(chosen.order_by(Feedback.id))]

    def _begin_quiet(
        self, connection: Connection, entries: Sequence[FeedbackEntry], issuer: str, service: str, received: datetime
    ) -> None:
        """What was overridden is silent from now on for a time. A client's clock that runs ahead begins nothing in the future."""
        shown: defaultdict[str, list[Issued]] = defaultdict(list)
        cards = list(dict.fromkeys(one.card.lower() for one in entries))
        for place in range(0, len(cards), _AT_ONCE):
            for row in shown_on(connection, cards[place : place + _AT_ONCE], issuer, service):
                shown[row.card].append(row)
        for one in entries:
            self._take(connection, one, received, shown[one.card.lower()])

    def match(self, connection: Connection, issuer: str, service: str, cards: Mapping[str, datetime]) -> None:
        """Feedback on cards that are only now being written was faster than they: it begins its quiet periods now.

        `cards` tells when each was answered: what was said before was about the card as it was then.
        """
        either = [*cards, *map(str.upper, cards)]  # as they were written, and as some write a UUID
        about = {"issuer": issuer, "service": service, "cards": either, "since": min(cards.values())}
        said = list(connection.execute(_SAID_SINCE, about))
        found = [one for one in said if in_utc(one.received) >= cards[one.card.lower()]]
        rows = shown_on(connection, list(cards), issuer, service) if found else []
        for one in found:
            entry = FeedbackEntry(
                card=one.card,
                outcome=one.outcome,
                at=in_utc(one.at),
                accepted=tuple(one.accepted.splitlines()),
                reason_code=one.reason_code,
                reason_system=one.reason_system,
            )
            self._take(connection, entry, in_utc(one.received), [row for row in rows if row.card == one.card.lower()])

    def _take(self, connection: Connection, one: FeedbackEntry, received: datetime, rows: Sequence[Issued]) -> None:
        moment = min(one.at, received)
        if one.outcome == "accepted":
            self._quiet.accept(connection, rows, one.accepted, moment)
        else:
            self._quiet.override(connection, rows, reason_of(one.reason_code, one.reason_system), moment)

    def _row(self, one: FeedbackEntry, digest: str, issuer: str, service: str, received: datetime) -> Mapping[str, Any]:
        return {
            "received": received,
            "issuer": issuer,
            "service": service,
            "card": one.card,
            "outcome": one.outcome,
            "at": one.at,
            "accepted": "\n".join(one.accepted),
            "reason_code": one.reason_code,
            "reason_system": one.reason_system,
            "comment": None if one.comment is None else self._pseudonyms.seal(one.comment),
            "digest": digest,
        }

    def _digest(self, one: FeedbackEntry, issuer: str, service: str) -> str:
        """Keyed, for a comment that can be guessed would be told by a plain hash of it. Raises LedgerDown without the key."""
        reason = (one.reason_code, one.reason_system, one.comment)
        return self._pseudonyms.digest(
            "feedback", issuer, service, one.card, one.outcome, one.at.isoformat(), one.accepted, reason
        )


def _known(connection: Connection, digests: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for place in range(0, len(digests), _AT_ONCE):
        chosen = select(Feedback.digest).where(Feedback.digest.in_(digests[place : place + _AT_ONCE]))
        found.update(digest for digest in connection.scalars(chosen) if digest)
    return found
