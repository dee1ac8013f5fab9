"""A fault in, a row of figures out: so many calls whose FHIR server has it, each answered in time and as it is to be."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.faults.asking import Try, ask, percentile
from tests.faults.certificates import Certificates
from tests.faults.servers import WELL, Servers, servers
from tests.fuzz.line import Line
from tests.fuzz.live import WORKERS, Live, live
from tests.fuzz.trust import Client

AT_ONCE = 4
TRIES_OF_ONE_ORIGIN = 4  # one fewer than make the service leave a server alone
SLACK = 0.1  # seconds
_WARM = 120
_READINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of a fault. `memory`: megabytes of each worker (PSS) before, now and then, and after."""

    name: str
    origins: int
    deadline: float
    tries: list[Try]
    memory: list[list[float]]
    strayed: int
    died: int

    @property
    def growth(self) -> float:
        """By how much the worker that grew most has grown from first to last."""
        return max(last - first for first, last in zip(self.memory[0], self.memory[-1], strict=True))

    @property
    def late(self) -> list[Try]:
        """The answers beyond deadline and slack."""
        return [one for one in self.tries if one.seconds > self.deadline + SLACK]

    def faults(self) -> Counter[str]:
        """What is wrong, and how often."""
        found = Counter(one.fault for one in self.tries if one.fault)
        more = {"late": len(self.late), "connections elsewhere": self.strayed, "workers died": self.died}
        return found + Counter(more)

    def __str__(self) -> str:
        times = [one.seconds for one in self.tries]
        statuses = ", ".join(f"{status} {n}" for status, n in sorted(Counter(one.status for one in self.tries).items()))
        cards = sum(one.says_so for one in self.tries)
        spent = (
            f"p50 {percentile(times, 0.5):4.0f}, p99 {percentile(times, 0.99):4.0f}, max {1000 * max(times):4.0f} ms"
        )
        wrong = ", ".join(f"{what} {n}" for what, n in self.faults().items()) or "none"
        peak = max(max(one) for one in self.memory)
        memory = f"{max(self.memory[0]):.0f} MB, most {peak:.0f}, growth {self.growth:+.1f}"
        return f"{self.name:30} {self.origins:3} origins: {statuses}; not assessed {cards}; {spent}; {memory}; wrong: {wrong}"


def row(name: str, tries: int, deadline_ms: int, known: Certificates, one_origin: bool = False) -> Row:
    """A service and servers of their own for each row."""
    count = 1 if one_origin else -(-tries // TRIES_OF_ONE_ORIGIN)
    with (
        servers(name, count, known) as faulty,
        servers(WELL, 1, known) as well,
        tempfile.TemporaryDirectory() as folder,
    ):
        client = asking_client([*faulty.bases, *well.bases], deadline_ms)
        with live(Path(folder), [client], known.authority) as service:
            calls(service, client, well.bases * _WARM)
            return tried(name, faulty, tries, service, client)


def asking_client(bases: Sequence[str], deadline_ms: int, name: str = "first") -> Client:
    """A client whose FHIR servers these are."""
    settings = {"fhir_servers": list(bases), "allow_private_addresses": True, "deadline_ms": deadline_ms}
    return Client(f"https://{name}.example.org", settings)


def tried(name: str, faulty: Servers, tries: int, service: Live, client: Client) -> Row:
    """So many calls, each server in its turn."""
    bases = [faulty.bases[place % len(faulty.bases)] for place in range(tries)]
    found, memory = _in_parts(service, client, bases)
    return Row(
        name=name,
        origins=len(faulty.bases),
        deadline=client.settings["deadline_ms"] / 1000,
        tries=found,
        memory=memory,
        strayed=faulty.strayed(),
        died=len(service.workers()) - WORKERS,
    )


def _in_parts(service: Live, client: Client, bases: Sequence[str]) -> tuple[list[Try], list[list[float]]]:
    found, memory = [], [service.megabytes()]
    step = max(1, -(-len(bases) // _READINGS))
    for start in range(0, len(bases), step):
        found += calls(service, client, bases[start : start + step])
        memory.append(service.megabytes())
    return found, memory


def calls(service: Live, client: Client, bases: Sequence[str]) -> list[Try]:
    """One to each, in turn with nothing and with nearly everything sent, a few at once."""

    def one(place: int) -> Try:
        with Line(service.port) as line:
            return ask(line, client, bases[place], place % 2 == 0)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(len(bases))))
