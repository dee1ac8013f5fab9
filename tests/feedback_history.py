"""A ledger in; in it out what was said and heard at two sites in November 2026, small enough to count by hand (test_report.py)."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, update

from cds_service.ledger import Advice, Answer, Ledger
from cds_service.ledger.issued_advice import IssuedAdvice, IssuedAdviceTable
from cds_service.ledger.tallies import Tally
from cds_service.wire.feedback import FeedbackEntry
from cds_service.wire.override_reasons import OVERRIDE_REASONS

A, B = "https://a.example/fhir", "https://b.example/fhir"
SIGN, VIEW = "immune-status-order-sign", "immune-status-patient-view"
SYSTEMS = {one.code: one.system for one in OVERRIDE_REASONS} | {"busy": "https://a.example/reasons"}
HOSTILE = '=1+1 <script>alert(1)</script> \x1b[31m \u202e Jane, "quoted"\n@SUM | \'; --'


def at(month: int, day: int, hour: int = 10) -> datetime:
    """A moment of 2026."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


def card(number: int) -> str:
    """The UUID of a card."""
    return f"abcdef00-0000-4000-8000-{number:012d}"


def say(
    ledger: Ledger,
    number: int,
    when: datetime,
    patient: str,
    facts: str,
    *rules: str,
    issuer: str = A,
    service: str = SIGN,
    offers: str = "",
    shadow: bool = False,
) -> None:
    """Shows a card with what some rules say about a patient, or only judges it."""
    answer = Answer(issuer=issuer, service=service, patient=patient, clinician="c", moment=when)
    said = [
        Advice(
            card=card(number),
            rule=rule,
            indicator="info",
            fingerprint=facts and f"{facts} {rule}",
            offered={f"s{number}": offers} if offers else {},
            shadow=shadow,
        )
        for rule in rules or ("art-start",)
    ]
    with ledger.database.writing() as connection:
        IssuedAdviceTable(ledger.database).put(connection, [(answer, one) for one in said])


def hear(
    ledger: Ledger,
    about: str,
    received: datetime,
    reason: str | None = "accepted",
    *,
    issuer: str = A,
    service: str = SIGN,
    at: datetime | None = None,
    comment: str | None = None,
) -> None:
    """Feedback on a card: accepted, or the reason why not, which may be none."""
    taken = reason == "accepted"
    entry = FeedbackEntry(
        card=about,
        outcome="accepted" if taken else "overridden",
        at=at or received,
        accepted=("s",) if taken else (),
        reason_code=None if taken else reason,
        reason_system=None if taken else SYSTEMS.get(reason or ""),
        comment=comment,
    )
    ledger.feedback.record([entry], issuer, service, received)


def tell(ledger: Ledger) -> None:
    """The whole history."""
    _say_all(ledger)
    _hear_all(ledger)
    with ledger.database.writing() as connection:
        connection.execute(update(IssuedAdvice).where(IssuedAdvice.card == card(3)).values(ordered=at(11, 4)))
    _count_all(ledger)


def _say_all(ledger: Ledger) -> None:
    say(ledger, 1, at(11, 2), "p1", "f1")
    say(ledger, 2, at(11, 3), "p1", "f1")  # again the next day
    say(
        ledger, 3, at(11, 3, 11), "p1", "f1", service=VIEW, offers="test cd4"
    )  # twice on one day; ordered on the fourth
    say(ledger, 4, at(11, 20), "p2", "f2", "art-start", "monitoring-due")
    say(ledger, 5, at(11, 21), "p2", "f2")  # again
    say(ledger, 6, at(10, 10), "p3", "f3")
    say(ledger, 7, at(11, 8), "p3", "f3")  # again: 29 days after what was said before the period
    say(ledger, 8, at(10, 5), "p4", "f4")
    say(ledger, 9, at(11, 10), "p4", "f4")  # 36 days later
    say(ledger, 10, at(11, 5), "p1", "f1", shadow=True)
    say(ledger, 1, at(11, 12), "p5", "f5", issuer=B)  # another site has a card of that name
    say(ledger, 11, at(11, 14), "p1", "f6", "monitoring-due")
    say(ledger, 12, at(11, 15), "p1", "", "not-assessed")
    say(ledger, 13, at(11, 16), "p1", "", "not-assessed")  # what was not assessed is never the same
    say(ledger, 14, at(12, 1), "p1", "f1")  # after the period


def _hear_all(ledger: Ledger) -> None:
    hear(ledger, card(1), at(11, 2, 11))
    hear(ledger, card(2), at(11, 3, 11), "not-now", comment="seen on Thursday")
    hear(ledger, card(2), at(11, 5))  # the newest counts
    hear(ledger, card(4).upper(), at(11, 20, 11), "disagree", comment=HOSTILE)
    hear(ledger, card(5), at(12, 2), "busy")  # after the period, on a card of the period
    hear(ledger, card(1), at(11, 12, 11), "patient-refuses", issuer=B)
    hear(ledger, card(11), at(11, 14, 11), None, at=at(11, 14) + timedelta(days=400))  # a clock that runs ahead
    hear(ledger, card(11), at(11, 14, 12))
    hear(ledger, card(99), at(11, 15), "data-wrong", comment="of no card")  # nobody showed these three
    hear(ledger, card(10), at(11, 15))
    hear(ledger, card(4), at(11, 15), issuer=B)


def _count_all(ledger: Ledger) -> None:
    counted = [
        (2, A, SIGN, "", "answer", "", 30),
        (20, B, VIEW, "", "answer", "", 10),
        (2, A, SIGN, "art-start", "recommended", "", 8),
        (2, A, SIGN, "art-start", "held", "quiet-period", 3),
        (20, A, SIGN, "art-start", "held", "quiet-period", 2),
        (20, A, SIGN, "art-start", "held", "no-room", 1),
        (20, A, SIGN, "art-start", "held", "shadow", 1),
        (3, A, SIGN, "art-start", "not-assessed", "", 4),
        (3, A, SIGN, "art-start", "not-assessed", "switched-off", 2),
        (3, A, SIGN, "art-start", "lacked", "cd4-count", 3),
        (3, A, SIGN, "art-start", "lacked", "viral-load", 4),
        (20, B, VIEW, "art-start", "silent", "", 10),
        (20, B, VIEW, "mac-start", "silent", "", 7),
    ]
    names = ("day", "issuer", "service", "rule", "outcome", "why", "times")
    rows = [dict(zip(names, (at(11, day).date(), *rest), strict=True)) for day, *rest in counted]
    before = dict(zip(names, (at(10, 31).date(), A, SIGN, "art-start", "held", "no-room", 50), strict=True))
    with ledger.database.writing() as connection:
        connection.execute(insert(Tally), [*rows, before])
