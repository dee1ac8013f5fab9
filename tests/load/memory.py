"""A number of mixed requests in; by how much each worker has grown out, and whether it has closed what it opened."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from time import sleep

from cds_service.app import system_clock
from tests.benchmark.bodies import body
from tests.load.calling import PATH, Asked, Calls, after, call, drive, feedback
from tests.load.replicas import Replica, replicas
from tests.load.rolling import CLIENTS

_KEPT_ALIVE = 7  # seconds until the server has closed what nobody uses
_LANES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One process at one moment."""

    pid: int
    rss: float  # megabytes
    pss: float
    descriptors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The workers after the first tenth of the requests, and after all."""

    warm: list[Worker]
    after: list[Worker]
    calls: Calls

    @property
    def growth(self) -> float:
        """Megabytes of the worker that grew most."""
        return max(after.rss - warm.rss for warm, after in zip(self.warm, self.after, strict=True))

    @property
    def more_descriptors(self) -> int:
        """Of the worker with most."""
        return max(after.descriptors - warm.descriptors for warm, after in zip(self.warm, self.after, strict=True))

    @property
    def same_workers(self) -> bool:
        """None died."""
        return [one.pid for one in self.warm] == [one.pid for one in self.after]

    def __str__(self) -> str:
        then, now = (
            ", ".join(f"RSS {one.rss:.1f} PSS {one.pss:.1f} MB {one.descriptors} descriptors" for one in moment)
            for moment in (self.warm, self.after)
        )
        return f"warm: {then}; in the end: {now}; growth at most {self.growth:.1f} MB a worker; {self.calls}"


def memory(folder: Path, requests: int) -> Memory:
    """One service with two workers, asked without a proxy."""
    choose = _mixed()
    with replicas(folder / "service", 1, CLIENTS) as (replica,):
        first = drive(CLIENTS, replica.port, choose, lanes=_LANES, ends=after(requests // 10))
        sleep(_KEPT_ALIVE)
        warm = _workers(replica)
        rest = drive(CLIENTS, replica.port, choose, lanes=_LANES, ends=after(requests - requests // 10))
        sleep(_KEPT_ALIVE)
        return Memory(warm=warm, after=_workers(replica), calls=Calls(first.got + rest.got))


@cache
def _large() -> bytes:
    return body(200, 20, 15, system_clock().date())


def _mixed() -> Callable[[], Asked]:
    """Mostly calls; feedback; now and then what is refused, and a large chart."""
    chance, lock = random.Random(7), Lock()  # noqa: S311  (no secret)
    kinds = {
        call: 60,
        feedback: 20,
        lambda: Asked(PATH, _large()): 1,
        lambda: Asked(PATH, call().body[:-9]): 5,
        lambda: Asked(PATH, b'{"hook": "order-sign"}'): 5,
        lambda: Asked("/cds-services/immune-status-patient-view", call().body): 5,
        lambda: Asked("/cds-services/none", b"{}"): 4,
    }

    def choose() -> Asked:
        with lock:
            (kind,) = chance.choices(list(kinds), list(kinds.values()))
        return kind()

    return choose


def _workers(replica: Replica) -> list[Worker]:
    return [
        Worker(
            pid=pid,
            rss=_megabytes(pid, "Rss"),
            pss=_megabytes(pid, "Pss"),
            descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        )
        for pid in sorted(replica.children())
    ]


def _megabytes(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1024
