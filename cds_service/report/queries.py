"""A connection and what is asked for in; out come the cells of a report: rule, day, what became of it, why, how often.

Each is one statement over the rows of the period, which the database sums up itself.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, case, distinct, exists, false, func, select, text

from cds_service.ledger.feedback import Feedback
from cds_service.ledger.issued_advice import IssuedAdvice
from cds_service.ledger.tallies import ANSWERS, Tally
from cds_service.report.asked import Asked
from cds_service.report.counts import ACCEPTED, ANSWERED_ORDERED, ORDERED, OVERRIDDEN, REPEATED, SHADOWED, SHOWN
from cds_service.report.days import Days
from cds_service.wire.override_reasons import NONE, OVERRIDE_REASONS

REPEATED_WITHIN = 30  # days
_COUNTED = ("held", "not-assessed", "lacked", "silent", ANSWERS)  # of the tallies; what was said has rows of its own
_NO_TIME, _A_DAY = time(tzinfo=UTC), timedelta(days=1)
Cell = tuple[str, date, str, str, int]
_Columns = TypeVarTuple("_Columns")


def cells(connection: Connection, asked: Asked) -> Iterator[Cell]:
    """Everything that adds up over days. The answers that were given are a rule of no name."""
    days = Days(connection.dialect.name)
    yield from _shown(connection, asked, days)
    yield from _outcomes(connection, asked, days)
    yield from _repeated(connection, asked, days)
    yield from _tallied(connection, asked)


def patients(connection: Connection, asked: Asked) -> dict[str, int]:
    """About how many patients each rule spoke; over all days, for who is seen in two weeks would count twice in their sum."""
    chosen = select(IssuedAdvice.rule, func.count(distinct(IssuedAdvice.patient))).where(*_seen(asked))
    return {row[0]: row[1] for row in connection.execute(chosen.group_by(IssuedAdvice.rule))}


def unmatched(connection: Connection, asked: Asked) -> int:
    """How much feedback came on these days about cards that were shown to nobody; whatever the rule."""
    first, after = moments(asked)
    mine = (getattr(Feedback, name) == value for name, value in asked.filters().items() if name != "rule")
    chosen = select(func.count()).where(
        Feedback.received >= first, Feedback.received < after, ~exists().where(on_a_card_shown())
    )
    return int(connection.execute(chosen.where(*mine)).scalar_one())


def on_a_card_shown() -> ColumnElement[bool]:
    """Whether advice stands on the card that feedback is about. Clients may write a UUID in capitals."""
    return and_(IssuedAdvice.card == func.lower(Feedback.card), IssuedAdvice.issuer == Feedback.issuer,
                IssuedAdvice.service == Feedback.service, IssuedAdvice.shadow == false())  # fmt: skip


def moments(asked: Asked) -> tuple[datetime, datetime]:
    """The first of the period, and the first after it."""
    first, after = asked.days.first, asked.days.last + _A_DAY
    return datetime.combine(first, _NO_TIME), datetime.combine(after, _NO_TIME)


def _issued(asked: Asked, before: int = 0) -> Iterator[ColumnElement[bool]]:
    """Rows of the period, and so many days before it."""
    first, after = moments(asked)
    yield IssuedAdvice.issued >= first - timedelta(days=before)
    yield IssuedAdvice.issued < after
    yield from (getattr(IssuedAdvice, name) == value for name, value in asked.filters().items())


def _seen(asked: Asked, before: int = 0) -> Iterator[ColumnElement[bool]]:
    """Those that were not only judged."""
    yield from _issued(asked, before)
    yield IssuedAdvice.shadow == false()


def _shown(connection: Connection, asked: Asked, days: Days) -> Iterator[Cell]:
    day = days.of(IssuedAdvice.issued)
    number, ordered = func.count(), func.count(IssuedAdvice.ordered)
    chosen = select(IssuedAdvice.rule, day, IssuedAdvice.shadow, number, ordered).where(*_issued(asked))
    for rule, when, shadow, times, taken in connection.execute(_grouped(chosen, 3)):
        yield rule, _read(when), SHADOWED if shadow else SHOWN, "", times
        if not shadow:
            yield rule, _read(when), ORDERED, "", taken


def _outcomes(connection: Connection, asked: Asked, days: Days) -> Iterator[Cell]:
    """The newest outcome of each row. A client's clock may run ahead; that its word is new is then the day we heard it.

    `concat` leaves the database no index but that of cards: SQLite would else read all feedback of an issuer for each row.
    """
    said = case((Feedback.at < Feedback.received, Feedback.at), else_=Feedback.received)
    newest = func.row_number().over(partition_by=IssuedAdvice.id, order_by=(said.desc(), Feedback.id.desc()))
    same = and_(IssuedAdvice.card == func.lower(Feedback.card), IssuedAdvice.issuer == Feedback.issuer.concat(""),
                IssuedAdvice.service == Feedback.service.concat(""))  # fmt: skip
    columns = (IssuedAdvice.rule, days.of(IssuedAdvice.issued).label("day"), _became().label("became"),
               IssuedAdvice.ordered, newest.label("place"))  # fmt: skip
    heard = Feedback.received >= moments(asked)[0] - _A_DAY  # a call that is repeated moves the day of its cards
    rows = select(*columns).join_from(Feedback, IssuedAdvice, same).where(heard, *_seen(asked)).subquery()
    chosen = select(rows.c.rule, rows.c.day, rows.c.became, func.count(), func.count(rows.c.ordered))
    for rule, when, became, times, ordered in connection.execute(_grouped(chosen.where(rows.c.place == 1), 3)):
        yield rule, _read(when), *((ACCEPTED, "") if became == ACCEPTED else (OVERRIDDEN, became)), times
        yield rule, _read(when), ANSWERED_ORDERED, "", ordered


def _became() -> ColumnElement[str]:
    """Accepted, or the reason why not, as `reason_of` has it."""
    code, system = Feedback.reason_code, Feedback.reason_system
    ours = ((and_(code == one.code, system == one.system), one.code) for one in OVERRIDE_REASONS)
    return case((Feedback.outcome == ACCEPTED, ACCEPTED), *ours, else_=NONE)


def _repeated(connection: Connection, asked: Asked, days: Days) -> Iterator[Cell]:
    """Days on which the same advice was shown again. What was not assessed has no fingerprint, and is not known again.

    Two columns tell what four would: `patient` is a hash of the issuer too, and `fingerprint` of the rule.
    """
    key = (IssuedAdvice.patient, IssuedAdvice.fingerprint)
    rows = select(IssuedAdvice.rule, *key, days.of(IssuedAdvice.issued).label("day"))
    seen = rows.where(*_seen(asked, REPEATED_WITHIN), IssuedAdvice.fingerprint != "").subquery()
    before = func.lag(seen.c.day).over(partition_by=[seen.c[one.key] for one in key], order_by=seen.c.day)
    lagged = select(seen.c.rule, seen.c.day, before.label("before")).subquery()
    chosen = select(lagged.c.rule, lagged.c.day, func.count()).where(
        lagged.c.before < lagged.c.day,
        days.between(lagged.c.before, lagged.c.day) <= REPEATED_WITHIN,
        days.since(lagged.c.day, asked.days.first),
    )
    for rule, when, times in connection.execute(_grouped(chosen, 2)):
        yield rule, _read(when), REPEATED, "", times


def _tallied(connection: Connection, asked: Asked) -> Iterator[Cell]:
    named = asked.filters().items()
    mine = (getattr(Tally, name).in_((value, "") if name == "rule" else (value,)) for name, value in named)
    chosen = select(Tally.rule, Tally.day, Tally.outcome, Tally.why, func.sum(Tally.times)).where(
        Tally.day >= asked.days.first, Tally.day <= asked.days.last, Tally.outcome.in_(_COUNTED), *mine
    )
    for rule, when, outcome, why, times in connection.execute(_grouped(chosen, 4)):
        yield rule, _read(when), outcome, why, int(times)  # a sum of whole numbers is no whole number to PostgreSQL


def _grouped(chosen: Select[*_Columns], columns: int) -> Select[*_Columns]:
    """By its first columns, named by their places: an expression that stands in two places is two to PostgreSQL."""
    return chosen.group_by(*(text(str(place + 1)) for place in range(columns)))


def _read(day: object) -> date:
    """As a row has it: a date, or the text of one."""
    return date.fromisoformat(str(day))
