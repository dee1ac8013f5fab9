"""Cards that are about to be shown in, rows out: of each rule on a card what it said, of what facts, to whom about whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Boolean, Connection, DateTime, Index, Row, String, Text, UniqueConstraint, false, select
from sqlalchemy.orm import Mapped, mapped_column

from cds_service.ledger.database import Database, Tables


class IssuedAdvice(Tables):
    """What one rule said on one card. Patient and clinician are keyed hashes; the facts are a fingerprint."""

    __tablename__ = "issued_advice"
    __table_args__ = (
        UniqueConstraint("card", "rule", "issuer", "service", name="issued_once"),
        Index("issued_of_patient", "patient", "issued"),
        Index("issued_when", "issued"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    issued: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    issuer: Mapped[str] = mapped_column(String(256))
    service: Mapped[str] = mapped_column(String(64))
    card: Mapped[str] = mapped_column(String(36))
    rule: Mapped[str] = mapped_column(String(64))
    indicator: Mapped[str] = mapped_column(String(16))
    patient: Mapped[str] = mapped_column(String(32))
    clinician: Mapped[str] = mapped_column(String(32))  # empty where the client does not say who it is
    fingerprint: Mapped[str] = mapped_column(String(32))
    newest: Mapped[str] = mapped_column(String(128))
    offered: Mapped[str] = mapped_column(Text)  # a line a suggestion: its id, what it would order
    shadow: Mapped[bool] = mapped_column(Boolean)  # judged and recorded, not shown
    ordered: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # when what it offered was then ordered


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What one rule says on one card."""

    card: str
    rule: str
    indicator: str
    fingerprint: str = ""
    newest: str = ""
    offered: Mapping[str, str] = field(default_factory=dict)  # id of a suggestion -> what it would order
    shadow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """To whom, about whom and when an answer was given; `patient` and `clinician` are keyed hashes."""

    issuer: str
    service: str
    patient: str
    clinician: str
    moment: datetime


class IssuedAdviceTable:
    """The advice of all answers."""

    def __init__(self, database: Database) -> None:
        insert = database.insert(IssuedAdvice)
        latest = ("issued", "indicator", "fingerprint", "newest", "offered", "shadow", "clinician")
        self._put = insert.on_conflict_do_update(
            index_elements=["card", "rule", "issuer", "service"],
            set_={name: insert.excluded[name] for name in latest},  # the same call again: what was seen last counts
        )

    def put(self, connection: Connection, said: Iterable[tuple[Answer, Advice]]) -> None:
        """Writes what the cards of answers say."""
        rows = [
            {
                "issued": answer.moment,
                "issuer": answer.issuer,
                "service": answer.service,
                "card": one.card,
                "rule": one.rule,
                "indicator": one.indicator,
                "patient": answer.patient,
                "clinician": answer.clinician,
                "fingerprint": one.fingerprint,
                "newest": one.newest,
                "offered": "\n".join(f"{name} {what}" for name, what in one.offered.items()),
                "shadow": one.shadow,
            }
            for answer, one in said
        ]
        if rows:
            connection.execute(self._put, rows)


Issued = Row[tuple[IssuedAdvice]]


def shown_on(connection: Connection, cards: Iterable[str], issuer: str, service: str) -> list[Issued]:
    """What was said on these cards of this issuer and service, and shown; nothing of another's."""
    chosen = select(IssuedAdvice.__table__).where(
        IssuedAdvice.card.in_(list(cards)),
        IssuedAdvice.issuer == issuer,
        IssuedAdvice.service == service,
        IssuedAdvice.shadow == false(),
    )
    return list(connection.execute(chosen))


def offers(row: Issued) -> dict[str, str]:
    """What each suggestion of a row would order, by its id."""
    lines = (line.partition(" ") for line in row.offered.splitlines())
    return {name: what for name, _, what in lines}
