"""A database and the key of the site in; out comes what clinicians wrote with their feedback, unsealed, newest first."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from sqlalchemy import Select, select

from cds_service.ledger.feedback import Feedback
from cds_service.ledger.issued_advice import IssuedAdvice
from cds_service.report.asked import Asked
from cds_service.report.counts import ACCEPTED
from cds_service.report.make import Source
from cds_service.report.queries import moments, on_a_card_shown
from cds_service.wire.override_reasons import reason_of

UNOPENED = "(cannot be opened: the key it was sealed with is not at hand)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody wrote with one piece of feedback. `rules`: of the card; none where nobody here showed it."""

    day: date
    rules: tuple[str, ...]
    outcome: str
    reason: str
    words: str


def comments(source: Source, asked: Asked, unseal: Callable[[str], str | None], seconds: float) -> tuple[Comment, ...]:
    """Of all feedback that came on these days, the newest first; what was followed by another word too. Raises LedgerDown."""
    with source.reading(seconds) as connection:
        rows = list(connection.execute(_chosen(asked)))
    found: dict[int, Comment] = {}
    for key, received, outcome, code, system, words, rule in rows:
        known = found.get(key) or Comment(
            day=_day(received),
            rules=(),
            outcome=outcome,
            reason="" if outcome == ACCEPTED else reason_of(code, system),
            words=_opened(words or "", unseal),
        )
        found[key] = replace(known, rules=(*known.rules, rule)) if rule else known
    return tuple(found.values())


def _chosen(asked: Asked) -> Select[int, datetime, str, str | None, str | None, str | None, str | None]:
    """A row for each rule on the card; one where nobody here showed it."""
    first, after = moments(asked)
    columns = (Feedback.id, Feedback.received, Feedback.outcome, Feedback.reason_code, Feedback.reason_system)
    chosen = select(*columns, Feedback.comment, IssuedAdvice.rule).outerjoin_from(
        Feedback, IssuedAdvice, on_a_card_shown()
    )
    said = (Feedback.comment.is_not(None), Feedback.received >= first, Feedback.received < after)
    mine = (
        getattr(IssuedAdvice if name == "rule" else Feedback, name) == value for name, value in asked.filters().items()
    )
    return chosen.where(*said, *mine).order_by(Feedback.received.desc(), Feedback.id.desc(), IssuedAdvice.rule)


def _opened(sealed: str, unseal: Callable[[str], str | None]) -> str:
    with suppress(ValueError):  # sealed by nobody of ours
        return unseal(sealed) or UNOPENED
    return UNOPENED


def _day(received: datetime) -> date:
    """SQLite gives moments back without their zone, PostgreSQL in its own."""
    return (received.astimezone(UTC) if received.tzinfo else received).date()
