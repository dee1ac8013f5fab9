"""What the site has switched in, which rules are live, shadowed or off out: for all processes, without a restart."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic

from sqlalchemy import DateTime, String, Text, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from cds_service.ledger.database import Database, LedgerDown, Tables

LIVE, SHADOW, OFF = "live", "shadow", "off"
STATES = (LIVE, SHADOW, OFF)
ALL = "all"  # in the place of a rule: the whole service
_LOOKED_EVERY = 15.0  # seconds; a switch is promised to act within a minute
_LOOKED_AGAIN = 1.0  # seconds, where the database did not answer
_PATIENCE = 0.25  # seconds


class Switch(Tables):
    """A rule was switched: the newest row of each rule holds, the others say who did what when, and why."""

    __tablename__ = "switches"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    rule: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    who: Mapped[str] = mapped_column(String(128))
    because: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Switched:
    """Which rules are judged and not shown, and which are not judged at all."""

    shadow: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()


class Switches:
    """The switches as this process last saw them."""

    def __init__(self, database: Database, clock: Callable[[], float] = monotonic) -> None:
        """`clock` gives seconds that only go forward."""
        self._database, self._clock = database, clock
        self._looking = Lock()
        self._next = 0.0
        self._seen = Switched()
        self._seen_once = False

    def now(self) -> Switched:
        """Never older than 15 seconds while the database answers; while it does not, as they were. Never raises."""
        if self._clock() >= self._next and self._looking.acquire(blocking=not self._seen_once):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._seen

    def _look(self) -> None:
        if self._clock() < self._next:
            return  # another thread has just looked
        try:
            states = {one.rule: one.state for one in self.history(_PATIENCE)}
        except LedgerDown:
            self._next = self._clock() + _LOOKED_AGAIN
            return
        of = {state: frozenset(rule for rule, known in states.items() if known == state) for state in (SHADOW, OFF)}
        self._seen, self._seen_once = Switched(of[SHADOW], of[OFF]), True
        self._next = self._clock() + _LOOKED_EVERY

    def turn(self, rule: str, state: str, *, who: str, because: str, at: datetime) -> None:
        """Switches a rule, durably; within a minute every process goes by it. Raises LedgerDown."""
        row = {"at": at, "rule": rule, "state": state, "who": who[:128], "because": because}
        with self._database.writing() as connection:
            connection.execute(insert(Switch), row)

    def history(self, seconds: float = 2.0) -> Iterable[Switch]:
        """Every turn, the oldest first. Raises LedgerDown."""
        with self._database.reading(seconds) as connection:
            return list(connection.execute(select(Switch.__table__).order_by(Switch.id)))  # type: ignore[arg-type]
