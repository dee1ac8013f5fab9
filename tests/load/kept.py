"""What was said to the service and the database in; out comes what was acknowledged and is lost, there twice, or not silent."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep, time

from tests.load.calling import Got
from tests.load.conversing import Said
from tests.load.databases import Database

_SOON = 10.0  # seconds
_AT_ONCE = 4  # answers that a process may be about to write down
_FEEDBACK = "SELECT issuer, card, received FROM feedback"
_ISSUED = "SELECT issuer, card, rule FROM issued_advice"
_SILENT = """
SELECT i.issuer, i.card, i.rule FROM issued_advice i JOIN quiet_periods q
ON q.issuer = i.issuer AND q.patient = i.patient AND q.rule = i.rule AND q.clinician = i.clinician
AND q.fingerprint = i.fingerprint
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """`again`: feedback that had been written when it was said again. `unrecorded`: answers whose advice was given and is not
    written down: there was no asking what is held (`logged`), or the process was killed some milliseconds later (`killed`)."""

    calls: int
    feedback: int
    entries: int
    tries: Counter[int]
    given_up: int
    lost: int
    doubled: int
    again: int
    advice: int
    unrecorded: int
    logged: int
    killed: int
    recorded_twice: int
    silent: int
    not_silent: int

    @property
    def wrong(self) -> str:
        """What is not as promised; empty where all is."""
        names = ("given_up", "lost", "doubled", "recorded_twice", "not_silent")
        found = [f"{getattr(self, name)} {name.replace('_', ' ')}" for name in names if getattr(self, name)]
        if self.unrecorded > self.logged + _AT_ONCE * self.killed:
            found.append(f"{self.unrecorded} answers unrecorded, {self.logged} logged, {self.killed} killed")
        return ", ".join(found)

    def __str__(self) -> str:
        tries = ", ".join(f"{status or 'no answer'} {n}" for status, n in sorted(self.tries.items()))
        return (
            f"{self.calls} calls and {self.feedback} feedback acknowledged ({self.entries} entries), given up {self.given_up}; "
            f"tries: {tries}; entries lost {self.lost}, double {self.doubled}, already there when said again {self.again}; "
            f"advice given {self.advice}, there twice {self.recorded_twice}, answers unrecorded {self.unrecorded} "
            f"(logged {self.logged}); overridden and silent {self.silent}, not silent {self.not_silent}"
        )


def kept(said: Sequence[Said], database: Database, written: Path, killed: int = 0) -> Kept:
    """`written`: what the servers logged; `killed`: how many of their processes."""
    advice = Counter((one.issuer, *pair) for one in said for pair in one.issued)
    there = _recorded(database, advice.keys())
    told = [one for one in said if one.overridden]
    received: dict[tuple[str, str], list[float]] = {}
    for issuer, card, when in database.rows(_FEEDBACK):
        received.setdefault((issuer, card), []).append(_seconds(when))
    entries = [(one, (one.issuer, card)) for one in told if one.acknowledged for card in one.overridden]
    silent = Counter(database.rows(_SILENT))
    overridden = {entry for _, entry in entries}
    due = [one for one in advice if one[:2] in overridden and one in there]
    return Kept(
        calls=sum(one.acknowledged for one in said if not one.overridden),
        feedback=sum(one.acknowledged for one in told),
        entries=len(entries),
        tries=Counter(got.status for one in said for got in one.tries),
        given_up=sum(not one.acknowledged for one in said),
        lost=sum(entry not in received for _, entry in entries),
        doubled=sum(len(times) > 1 for times in received.values()),
        again=sum(min(received[entry]) < _last_began(one) for one, entry in entries if entry in received),
        advice=len(advice),
        unrecorded=sum(any((one.issuer, *pair) not in there for pair in one.issued) for one in said),
        logged=written.read_text("utf-8", "replace").count("ledger-unanswered"),
        killed=killed,
        recorded_twice=sum(times > 1 for times in there.values()),
        silent=sum(one in silent for one in due),
        not_silent=sum(one not in silent for one in due),
    )


def _recorded(database: Database, advice: Set[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    """It is written soon after the answer; after an outage all that was waiting."""
    ends = monotonic() + _SOON
    while True:
        there = Counter(database.rows(_ISSUED))
        if advice <= there.keys() or monotonic() >= ends:
            return there
        sleep(0.5)


def partly(begun: Sequence[tuple[str, tuple[str, ...]]], database: Database) -> int:
    """How much feedback is there in part: all entries of a body are written, or none."""
    there = {(issuer, card) for issuer, card, _ in database.rows(_FEEDBACK)}
    return sum(len({(issuer, card) in there for card in cards}) > 1 for issuer, cards in begun)


def settled(tries: Sequence[Got], since: float, until: float) -> float:
    """Seconds from `since` to the first 200 and to the last answer that is none; what ends after `until` does not count."""
    ends = [got.ended - since for got in tries if since < got.ended < until and got.status != 200]
    first = min(
        (got.ended - since for got in tries if since < got.began < until and got.status == 200), default=float("inf")
    )
    return max([first, *ends])


def _last_began(one: Said) -> float:
    """By the clock on the wall."""
    return one.tries[-1].began + time() - monotonic()


def _seconds(when: datetime | str) -> float:
    """SQLite gives text, in UTC without saying so."""
    found = datetime.fromisoformat(when) if isinstance(when, str) else when
    return (found.replace(tzinfo=UTC) if found.tzinfo is None else found).timestamp()
