"""A number of calls in; what each got while the replicas behind nginx were restarted in turn out."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from tests.fuzz.trust import Client
from tests.load.calling import Calls, after, call, drive
from tests.load.proxy import Proxy, proxy
from tests.load.replicas import Replica, replicas

CLIENTS = [Client(f"https://{name}.example.org") for name in ("north", "east", "south", "west")]
_BETWEEN = 1.0  # seconds from one replica's being ready to the next one's being told to stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """`stopped`: exit status of each that was stopped. `started`: seconds from each start to its first 200."""

    calls: Calls
    stopped: list[int]
    started: list[float]
    tried_again: int

    @property
    def failed(self) -> int:
        """Calls that were not answered with cards."""
        return sum(one.status != 200 for one in self.calls.got)

    def __str__(self) -> str:
        return (
            f"{len(self.stopped)} restarts, exit statuses {sorted(set(self.stopped))}, start to first 200 "
            f"{min(self.started):.1f} to {max(self.started):.1f} s; {self.calls}; "
            f"tried at the next replica {self.tried_again}; failed {self.failed}"
        )


def rolling(folder: Path, calls: int, rate: float, lanes: int = 12, drain_seconds: int = 3) -> Rolling:
    """So many calls at so many a second; every SIGTERM is waited out, every restart until it answers."""
    with (
        replicas(folder / "service", 2, CLIENTS, drain_seconds=drain_seconds) as found,
        proxy(folder / "proxy", [one.port for one in found]) as before,
        ThreadPoolExecutor(1) as pool,
    ):
        enough = Event()
        turns = pool.submit(_in_turn, found, enough)
        try:
            done = drive(CLIENTS, before, call, lanes=lanes, ends=after(calls), rate=rate)
        finally:
            enough.set()
        stopped, started = turns.result()
        return Rolling(calls=done, stopped=stopped, started=started, tried_again=tried_again(before))


def tried_again(before: Proxy) -> int:
    """How many calls nginx took to a second replica."""
    lines = (before.folder / "access.log").read_text("utf-8").splitlines()
    return sum(", " in line.partition(' to "')[2].partition('"')[0] for line in lines)


def _in_turn(found: list[Replica], enough: Event) -> tuple[list[int], list[float]]:
    stopped, started = [], []
    while not enough.wait(_BETWEEN):
        one = found[len(stopped) % len(found)]
        stopped.append(one.stop())
        started.append(one.start())
    return stopped, started
