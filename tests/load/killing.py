"""A number of calls and feedback in, workers killed meanwhile; how soon others served, and what was acknowledged and lost, out."""

import os
import signal
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Event

from tests.load.calling import Asked, Calls, after, call, drive, feedback
from tests.load.proxy import proxy
from tests.load.replicas import Replica, replicas
from tests.load.rolling import CLIENTS

EXPECTED = (200, 401)  # answered; or its token was used up by the worker that was killed


@dataclass(frozen=True, slots=True, kw_only=True)
class Killing:
    """`back`: seconds until a replica answered again, all of whose workers were killed at once."""

    calls: Calls
    killed: int
    back: list[float]
    kept: Counter[str]  # rows by card

    @property
    def lost(self) -> int:
        """Feedback that was acknowledged and is not there, or twice."""
        acknowledged = [one.asked.card for one in self.calls.got if one.asked.card and one.status == 200]
        return sum(self.kept[card] != 1 for card in acknowledged)

    @property
    def unexpected(self) -> int:
        """Calls that got something else than cards, an acknowledgement, or the refusal of a used token."""
        return sum(one.status not in EXPECTED for one in self.calls.got)

    def __str__(self) -> str:
        told = sum(one.status == 200 for one in self.calls.got if one.asked.card)
        return (
            f"{self.killed} workers killed; back after {max(self.back):.1f} s at most of {len(self.back)} times all at once; "
            f"{self.calls}; feedback acknowledged {told}, of that lost or double {self.lost}, "
            f"kept twice {sum(times > 1 for times in self.kept.values())}"
        )


def killing(folder: Path, calls: int, rate: float, pause: float = 3.0, lanes: int = 12) -> Killing:
    """Every second call is feedback. By turns one worker of a replica and all of the other's."""
    numbers = count()

    def either() -> Asked:
        return feedback() if next(numbers) % 2 else call()

    with (
        replicas(folder / "service", 2, CLIENTS) as found,
        proxy(folder / "proxy", [one.port for one in found]) as before,
        ThreadPoolExecutor(1) as pool,
    ):
        enough = Event()
        kills = pool.submit(_kill, found, enough, pause)
        try:
            done = drive(CLIENTS, before, either, lanes=lanes, ends=after(calls), rate=rate)
        finally:
            enough.set()
        killed, back = kills.result()
        return Killing(calls=done, killed=killed, back=back, kept=_kept(folder / "service" / "ledger.sqlite3"))


def _kill(found: list[Replica], enough: Event, pause: float) -> tuple[int, list[float]]:
    killed, back = 0, []
    while not enough.wait(pause):
        one = found[len(back) % len(found)]
        workers = one.children()
        os.kill(workers[0], signal.SIGKILL)  # the other serves on
        enough.wait(pause)
        workers = one.children()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        back.append(one.wait_until_ready())
        killed += 1 + len(workers)
    return killed, back


def _kept(ledger: Path) -> Counter[str]:
    with closing(sqlite3.connect(ledger)) as connection:
        return Counter(card for (card,) in connection.execute("SELECT card FROM feedback"))
