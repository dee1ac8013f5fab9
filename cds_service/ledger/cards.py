"""An answer in, its cards remembered; and what earlier cards suggested and is now being ordered recognised as done."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, update

from cds_service.ledger.database import Database
from cds_service.ledger.issued_advice import Advice, Answer, Issued, IssuedAdvice, IssuedAdviceTable, offers
from cds_service.ledger.quiet_periods import QuietPeriodsTable, waits
from cds_service.ledger.turns import take_turns
from cds_service.ledger.writer import Writer
from hooks.sameness import is_ordered

_LOOK_BACK = timedelta(days=30)  # an order signed later is hardly an answer to the card
_MOST = 200  # rows: a patient for whom more is said in a month is a test patient
_OFFERED = (  # made once: this is asked whenever something is signed that a card may suggest
    select(IssuedAdvice.__table__)
    .where(
        IssuedAdvice.issuer == bindparam("issuer"),
        IssuedAdvice.patient == bindparam("patient"),
        IssuedAdvice.issued > bindparam("since"),
        IssuedAdvice.issued <= bindparam("now"),
        IssuedAdvice.ordered.is_(None),
        IssuedAdvice.offered != "",
    )
    .order_by(IssuedAdvice.issued.desc())
    .limit(_MOST)
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be remembered of one answer. `ordered`: what is being signed (`hooks.sameness.ordered`)."""

    answer: Answer
    advice: tuple[Advice, ...]
    ordered: frozenset[str]


Match = Callable[[Connection, str, str, Mapping[str, datetime]], None]


class CardLedger:
    """What was said about whom."""

    def __init__(self, database: Database, quiet: QuietPeriodsTable, match: Match) -> None:
        """`match` is told of cards that are written (of which issuer and service, when), should feedback have been faster."""
        self._database, self._quiet, self._match = database, quiet, match
        self._issued = IssuedAdviceTable(database)
        self._writer = Writer(self._write)

    def record(self, answer: Answer, advice: Iterable[Advice], ordered: frozenset[str]) -> bool:
        """Written a moment after the answer, which does not wait for it; False where there is no room left.

        In a database in memory at once. Raises LedgerDown there.
        """
        entry = Entry(answer, tuple(advice), ordered)
        if self._database.in_memory:
            self._write([entry])
            return True
        return self._writer.put(entry)

    def flush(self, seconds: float = 5.0) -> bool:
        """Waits until everything is written that was to be; whether it is."""
        return self._writer.flush(seconds)

    def _write(self, entries: Sequence[Entry]) -> None:
        with self._database.writing() as connection:
            take_turns(connection, (each.card for one in entries for each in one.advice))
            for some in _apart(entries):
                if some[0].ordered:
                    self._recognise(connection, some[0].answer, some[0].ordered)
                self._put(connection, some)

    def _put(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """The advice of several answers, with as few statements as one needs."""
        self._issued.put(connection, [(one.answer, each) for one in entries for each in one.advice])
        shown: defaultdict[tuple[str, str], dict[str, datetime]] = defaultdict(dict)
        for one in entries:
            shown[one.answer.issuer, one.answer.service] |= {each.card: one.answer.moment for each in one.advice}
        for (issuer, service), cards in shown.items():
            if cards:
                self._match(connection, issuer, service, cards)

    def _recognise(self, connection: Connection, answer: Answer, ordered: frozenset[str]) -> None:
        """Marks what was offered lately and is now being signed; where it was tests, the advice waits for their results."""
        about = {"issuer": answer.issuer, "patient": answer.patient, "now": answer.moment}
        rows = list(connection.execute(_OFFERED, about | {"since": answer.moment - _LOOK_BACK}))
        done = [(row, taken) for row in rows if (taken := _taken(row, ordered))]
        if done:
            ids = [row.id for row, _ in done]
            connection.execute(update(IssuedAdvice).where(IssuedAdvice.id.in_(ids)).values(ordered=answer.moment))
            self._quiet.order(connection, _latest(row for row, taken in done if waits(row, taken)), answer.moment)


def _apart(entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
    """Those that can be written at once. What is being ordered may have been offered by those before, and feedback between two
    answers with the same card is about the first."""
    begins, cards = 0, set[str]()
    for place, one in enumerate(entries):
        own = {each.card for each in one.advice}
        if place and (one.ordered or own & cards):
            yield entries[begins:place]
            begins, cards = place, set()
        cards |= own
    yield entries[begins:]


def _taken(row: Issued, ordered: frozenset[str]) -> set[str]:
    """The ids of the suggestions that are being ordered."""
    return {name for name, what in offers(row).items() if is_ordered(what, ordered)}


def _latest(rows: Iterable[Issued]) -> Iterable[Issued]:
    """The newest of each rule and clinician: the advice as it was last given."""
    found: dict[tuple[str, str], Issued] = {}
    for row in rows:  # newest first
        if not row.shadow:
            found.setdefault((row.rule, row.clinician), row)
    return found.values()
