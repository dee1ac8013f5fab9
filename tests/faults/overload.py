"""Many more calls at once than there are places in, how soon the others are told out, and whether all is well afterwards."""

import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier, Event
from time import sleep

from tests.faults.asking import Try, ask, percentile, sent
from tests.faults.certificates import Certificates
from tests.faults.servers import HANGS, WELL, servers
from tests.fuzz.line import Answer, Line
from tests.fuzz.live import live
from tests.fuzz.trust import Client

REFUSED = (429, 503)
_HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@dataclass(slots=True)
class Overload:
    """What all calls got, how /healthz answered meanwhile, and the first calls afterwards."""

    answers: list[Answer] = field(default_factory=list)
    health: list[Answer] = field(default_factory=list)
    afterwards: list[Try] = field(default_factory=list)

    @property
    def refusals(self) -> list[Answer]:
        """Those that were told that there is no room."""
        return [one for one in self.answers if one.status in REFUSED]

    def faults(self) -> Counter[str]:
        """What is wrong, and how often."""
        unexpected = [one for one in self.answers if one.status not in (200, 412, *REFUSED)]
        silent = [one for one in self.refusals if not (one.header("retry-after") or "").isdecimal()]
        unwell = [one for one in self.afterwards if not one.complete]
        ill = [one for one in self.health if one.status != 200]
        named = {"unexpected": unexpected, "no Retry-After": silent, "not well afterwards": unwell, "health": ill}
        return +Counter({name: len(found) for name, found in named.items()})

    def __str__(self) -> str:
        statuses = ", ".join(
            f"{status} {n}" for status, n in sorted(Counter(one.status for one in self.answers).items())
        )
        parts = {
            "refusals": self.refusals,
            "all answers": self.answers,
            "/healthz": self.health,
            "afterwards": self.afterwards,
        }
        lines = [f"{len(self.answers)} calls: {statuses}"]
        for name, found in parts.items():
            times = [one.seconds for one in found]
            spent = ", ".join(f"p{int(100 * part)} {percentile(times, part):.0f} ms" for part in (0.5, 0.99))
            lines.append(f"  {name}: {len(found)}, {spent}, max {1000 * max(times, default=0):.0f} ms")
        return "\n".join(
            [*lines, f"  wrong: {', '.join(f'{what} {n}' for what, n in self.faults().items()) or 'none'}"]
        )


def overload(calls: int, rounds: int, deadline_ms: int, known: Certificates, clients: int = 4) -> Overload:
    """So many calls at one moment, of several clients whose FHIR servers all hang; and that again."""
    found = Overload()
    with (
        servers(HANGS, clients, known) as hung,
        servers(WELL, 1, known) as well,
        tempfile.TemporaryDirectory() as folder,
    ):
        settings = {"allow_private_addresses": True, "deadline_ms": deadline_ms}
        callers = [
            Client(f"https://c{n}.example.org", settings | {"fhir_servers": [one]}) for n, one in enumerate(hung.bases)
        ]
        friend = Client("https://friend.example.org", settings | {"fhir_servers": list(well.bases)})
        with live(Path(folder), [*callers, friend]) as service:
            for _ in range(rounds):
                _at_once(service.port, list(zip(callers, hung.bases, strict=True)), calls, found)
                with Line(service.port) as line:
                    found.afterwards += [ask(line, friend, well.bases[0], nothing_sent=True) for _ in range(5)]
    return found


def _at_once(port: int, callers: list[tuple[Client, str]], calls: int, found: Overload) -> None:
    start, over = Barrier(calls), Event()

    def call(place: int) -> Answer:
        client, base = callers[place % len(callers)]
        written = sent(client, base, nothing_sent=True)
        with Line(port) as line:
            start.wait(30)
            return line.ask(written)

    with ThreadPoolExecutor(calls + 1) as pool:
        watching = pool.submit(_watch, port, over)
        found.answers += pool.map(call, range(calls))
        over.set()
        found.health += watching.result()


def _watch(port: int, over: Event) -> list[Answer]:
    """Asks for the health now and then until it is over."""
    seen = []
    while not over.is_set():
        with Line(port) as line:
            seen.append(line.ask(_HEALTH, "GET"))
        sleep(0.02)
    return seen
