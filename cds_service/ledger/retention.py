"""A moment and how long things are kept in; out of the database goes what is older, in portions, or all about one patient."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import sleep

from sqlalchemy import ColumnElement, Delete, Update, and_, delete, func, inspect, select, tuple_, update

from cds_service.ledger.database import LONGEST_WAIT, Database, LedgerDown, Tables
from cds_service.ledger.feedback import Feedback
from cds_service.ledger.issued_advice import IssuedAdvice
from cds_service.ledger.pseudonyms import UNKNOWN, Pseudonyms
from cds_service.ledger.quiet_periods import QuietPeriod
from cds_service.ledger.switches import Switch
from cds_service.ledger.tallies import Tally

_AT_ONCE = 500  # rows in one transaction, which keeps no call waiting for long
_TURN = 0.05  # seconds that a portion waits for its turn to write; whoever answers a call comes first
_PAUSE = 0.02  # seconds in which others write
_TRIES = 40
_QUIET_KEPT = timedelta(days=30)  # beyond their end: an older word that comes late must not begin one anew
_TO_FIND = 8.0  # seconds to look through what one client has said

Chosen = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows of each table went (of `comments`: were emptied), and whether all that was due has gone."""

    rows: Mapping[str, int]
    finished: bool


@dataclass(frozen=True, slots=True)
class _Due:
    """What is to go. `change` takes the rows out, or empties them."""

    name: str
    table: type[Tables]
    chosen: Chosen
    change: Delete | Update


def purge(
    database: Database, now: datetime, retention_days: int, comment_days: int, most: int = 20 * _AT_ONCE
) -> Purged:
    """Takes out so many rows at most: whoever has more calls again. It may be killed at any moment. Raises LedgerDown."""
    # A server lets many write at once: there the time is not for a turn but for the whole portion.
    portions = _Portions(database, _TURN if database.one_at_a_time else LONGEST_WAIT, most)
    before, comments_before = now - timedelta(days=retention_days), now - timedelta(days=comment_days)
    rows = {due.name: portions.take_out(due) for due in _overdue(now, before, comments_before)}
    return Purged(rows, finished=portions.left > 0)


def forget(database: Database, pseudonyms: Pseudonyms, issuer: str, patient: str) -> Mapping[str, int]:
    """Takes out all about one patient of a client, by the id that it sends; how many rows of each table. Raises LedgerDown.

    The advice goes last: by its cards the feedback is found, also when this was broken off and is done again.
    """
    name = pseudonyms.of(issuer, patient)
    if name == UNKNOWN:  # the rows of many, could there be any
        raise LedgerDown("NoKey")
    portions = _Portions(database, LONGEST_WAIT)
    rows = Counter({Feedback.__tablename__: 0})
    for cards in _cards(database, issuer, name):
        of_cards = and_(Feedback.issuer == issuer, func.lower(Feedback.card).in_(cards))
        rows[Feedback.__tablename__] += portions.take_out(_gone(Feedback, of_cards))
    for table in (QuietPeriod, IssuedAdvice):
        about = and_(table.issuer == issuer, table.patient == name)
        rows[table.__tablename__] = portions.take_out(_gone(table, about))
    return dict(rows)


def _overdue(now: datetime, before: datetime, comments_before: datetime) -> Iterator[_Due]:
    yield _gone(IssuedAdvice, IssuedAdvice.issued < before)
    yield _gone(Feedback, Feedback.received < before)
    yield _gone(Tally, Tally.day < before.date())
    yield _gone(QuietPeriod, QuietPeriod.until < (now - _QUIET_KEPT).date())
    holds = select(func.max(Switch.id)).group_by(Switch.rule)  # what a rule was switched to last holds, however old
    yield _gone(Switch, and_(Switch.at < before, Switch.id.not_in(holds)))
    written = and_(Feedback.received < comments_before, Feedback.comment.is_not(None))
    yield _Due("comments", Feedback, written, update(Feedback).values(comment=None))


def _gone(table: type[Tables], chosen: Chosen) -> _Due:
    return _Due(table.__tablename__, table, chosen, delete(table))


def _cards(database: Database, issuer: str, patient: str) -> Iterator[list[str]]:
    """All cards about a patient, in portions."""
    chosen = select(IssuedAdvice.card).where(IssuedAdvice.issuer == issuer, IssuedAdvice.patient == patient).distinct()
    with database.reading() as connection:
        cards = list(connection.scalars(chosen))
    for place in range(0, len(cards), _AT_ONCE):
        yield cards[place : place + _AT_ONCE]


class _Portions:
    """Rows looked for while others write, and changed a few hundred at a time."""

    def __init__(self, database: Database, seconds: float, most: int = sys.maxsize) -> None:
        """`seconds`: so long a portion waits to write. `most`: so many rows are looked at."""
        self._database, self._seconds, self.left = database, seconds, most

    def take_out(self, due: _Due) -> int:
        """How many rows were changed. Raises LedgerDown."""
        key, gone = tuple(inspect(due.table).primary_key), 0
        while size := min(_AT_ONCE, self.left):
            with self._database.reading(_TO_FIND) as connection:
                found = [tuple(one) for one in connection.execute(select(*key).where(due.chosen).limit(size))]
            if found:  # another process may be faster, or a row have become a newer one: it is chosen once more
                gone += self._change(due.change.where(tuple_(*key).in_(found), due.chosen))
            self.left -= len(found)
            if len(found) < size:
                break
            sleep(_PAUSE)
        return gone

    def _change(self, change: Delete | Update) -> int:
        for tried in range(1, _TRIES + 1):
            try:
                with self._database.writing(self._seconds) as connection:
                    return connection.execute(change).rowcount
            except LedgerDown:
                if tried == _TRIES:
                    raise
                sleep(_PAUSE)
        raise AssertionError
