"""Two clients of one service in, whether the second feels that the FHIR server of the first hangs out."""

import multiprocessing
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from tests.faults.asking import Try, ask, percentile
from tests.faults.certificates import Certificates
from tests.faults.servers import HANGS, WELL, servers
from tests.faults.trying import asking_client
from tests.fuzz.line import Line
from tests.fuzz.live import live
from tests.fuzz.trust import Client

DEADLINE_MS = 500
MOST = 2.0  # times its usual
CALLERS = 8  # of the server that hangs, each calling again as soon as it is answered
RATE = 15  # calls a second of the server that is well
_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Per round the p95 (milliseconds) of the client whose server is well, alone and beside the other; what all calls got."""

    alone: list[float]
    beside: list[float]
    well: list[Try]
    hung: list[Try]

    @property
    def ratio(self) -> float:
        """Of the medians of all rounds."""
        return statistics.median(self.beside) / statistics.median(self.alone)

    def __str__(self) -> str:
        alone, beside = (
            f"{statistics.median(one):.0f} ms ({min(one):.0f} to {max(one):.0f})" for one in (self.alone, self.beside)
        )
        refused = Counter(one.status for one in self.hung)
        return (
            f"the one that is well: {len(self.well)} calls, {self.unwell} not answered in full; p95 alone {alone}, "
            f"beside {beside}, ratio {self.ratio:.2f}\n"
            f"the one that hangs: {len(self.hung)} calls, 412 {refused[412]}, not assessed "
            f"{sum(one.says_so for one in self.hung)}, 429 {refused[429]}, 503 {refused[503]}, "
            f"otherwise {len(self.hung) - refused[412] - refused[200] - refused[429] - refused[503]}"
        )

    @property
    def unwell(self) -> int:
        """Calls of the client whose server is well that were not answered as always."""
        return sum(one.status != 200 or not one.complete for one in self.well)


def neighbours(rounds: int, seconds: float, known: Certificates, origins: int = 1) -> Neighbours:
    """Rounds by turns without and with the other client. Its server hangs; `origins` of them, if it has several."""
    with (
        servers(HANGS, origins, known) as hung,
        servers(WELL, 1, known) as well,
        tempfile.TemporaryDirectory() as folder,
    ):
        first, second = (
            asking_client(one.bases, DEADLINE_MS, name) for name, one in (("first", hung), ("second", well))
        )
        with live(Path(folder), [first, second]) as service, _callers(service.port, first, hung.bases) as callers:
            _steadily(service.port, second, well.bases[0], seconds)
            found = Neighbours(alone=[], beside=[], well=[], hung=[])
            for number in range(2 * rounds):
                others = callers(seconds) if number % 2 else None
                tries = _steadily(service.port, second, well.bases[0], seconds)
                (found.beside if others else found.alone).append(percentile((one.seconds for one in tries), 0.95))
                found.well.extend(tries)
                found.hung.extend(others() if others else [])
            return found


@contextmanager
def _callers(port: int, client: Client, bases: tuple[str, ...]) -> Iterator:
    """Starts the other client's calls for so many seconds; what that returns waits for their end."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(_as_fast_as_it_goes, port, client, bases, 0.0).result()  # the process is there
        yield lambda seconds: pool.submit(_as_fast_as_it_goes, port, client, bases, seconds).result


def _as_fast_as_it_goes(port: int, client: Client, bases: tuple[str, ...], seconds: float) -> list[Try]:
    ends = monotonic() + seconds

    def call(caller: int) -> list[Try]:
        tries: list[Try] = []
        with Line(port) as line:
            while monotonic() < ends:
                tries.append(ask(line, client, bases[(caller + CALLERS * len(tries)) % len(bases)], nothing_sent=True))
        return tries

    with ThreadPoolExecutor(CALLERS) as pool:
        return [one for part in pool.map(call, range(CALLERS)) for one in part]


def _steadily(port: int, client: Client, base: str, seconds: float) -> list[Try]:
    """So many calls a second, whether the earlier ones are answered or not as long as a connection is free."""
    began = monotonic()
    each = _LINES / RATE

    def call(place: int) -> list[Try]:
        tries: list[Try] = []
        with Line(port) as line:
            while (at := began + each * (len(tries) + place / _LINES)) < began + seconds:
                sleep(max(0.0, at - monotonic()))
                tries.append(ask(line, client, base, nothing_sent=True))
        return tries

    with ThreadPoolExecutor(_LINES) as pool:
        return [one for part in pool.map(call, range(_LINES)) for one in part]
