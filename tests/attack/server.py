"""The cases in, the service under attack out: the production server in a process of its own, and what it did outside."""

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from tests import fhir_servers
from tests.attack.asking import PUBLIC, Asking
from tests.attack.fakes import Friend, Publisher
from tests.attack.line import Line
from tests.attack.tables import Case
from tests.attack.trusted import Issuer, issuers_for, keys_url, name_of, write
from tests.fhir_servers import FakeServer
from tests.test_web import free_port

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 2
LIMIT = 512 << 10
WAYS_OUT = ("socket.connect", "socket.sendto")
LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_READY = Asking(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET", hang_up=False)


@dataclass(frozen=True, slots=True)
class Deeds:
    """What the service did outside its process since it was last asked."""

    connections: int = 0
    lookups: int = 0
    others: tuple[str, ...] = ()
    arrived: Mapping[str, int] = field(default_factory=dict)  # connections as the fakes count them


@dataclass(slots=True, kw_only=True)
class Target:
    """The service under attack and all that stands around it."""

    port: int
    folder: Path
    issuers: Mapping[str, Issuer]
    places: dict[str, str]
    fakes: Mapping[str, FakeServer]
    sent: list[str] = field(default_factory=list)  # every token
    good: object = None  # the latest answer to a good request
    _read: int = 0
    _counted: Counter[str] = field(default_factory=Counter)

    @property
    def database(self) -> Path:
        return self.folder / "ledger.sqlite3"

    def friend_of(self, case: Case) -> FakeServer:
        """The FHIR server that a case calls $friend: its own where it behaves in a way of its own."""
        return self.fakes.get(case.says) or self.fakes["friend"]

    def places_of(self, case: Case) -> dict[str, str]:
        """What the words of a case may stand for."""
        friend, issuer = self.friend_of(case), self.issuers[name_of(case)]
        own = {"friend": friend.base, "friend_port": str(friend.port), "iss": issuer.iss}
        return self.places | own | {"keys_url": keys_url(issuer, self.places)}

    def line(self) -> Line:
        return Line(self.port)

    def feedback_rows(self) -> int:
        """How many rows of feedback the database holds."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM feedback").fetchone()[0])

    def forget_feedback(self) -> None:
        """What was said before would make the same words no news."""
        with closing(sqlite3.connect(self.database, timeout=5)) as connection, connection:
            connection.execute("DELETE FROM feedback")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Somebody else writes to the database and does not finish."""
        with closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    def workers(self) -> list[int]:
        """The process of every worker that ever began."""
        return [pid for pid, event, _ in self._journal() if event == "born"]

    def new_deeds(self, expected: int = 0) -> Deeds:
        """Since the last time. `expected`: so many connections are waited for, as a fake may be a moment late to count."""
        ends = monotonic() + 1
        while sum(self._arrived().values()) < expected and monotonic() < ends:
            sleep(0.005)
        lines = self._journal()
        fresh, self._read = [(event, where) for _, event, where in lines[self._read :]], len(lines)
        arrived = self._arrived()
        self._counted.update(arrived)
        known = (*WAYS_OUT, *LOOKUPS, "born")
        return Deeds(
            sum(event in WAYS_OUT for event, _ in fresh),
            sum(event in LOOKUPS for event, _ in fresh),
            tuple(f"{event} {where}" for event, where in fresh if event not in known),
            arrived,
        )

    def _arrived(self) -> dict[str, int]:
        return {name: one.connections - self._counted[name] for name, one in self.fakes.items()}

    def _journal(self) -> list[tuple[int, str, str]]:
        path = self.folder.parent / "journal"
        return [(pid, event, where) for pid, event, where in map(json.loads, path.read_text("utf-8").splitlines())]


@contextmanager
def under_attack(cases: list[Case], folder: Path) -> Iterator[Target]:
    """Runs the service until the block ends. All it may write to is a folder of its own."""
    friends = {"friend": "answers"} | {case.says: case.friend for case in cases if case.friend != "answers"}
    publisher = Publisher()
    with ExitStack() as stack:
        behaviours: dict[str, Any] = {name: Friend(words) for name, words in friends.items()}
        behaviours |= {"publisher": publisher, "stranger": _stranger}
        fakes = {name: stack.enter_context(fhir_servers.serving(one)) for name, one in behaviours.items()}
        places = _places(fakes)
        for one in behaviours.values():
            if isinstance(one, Friend):
                one.places = places
        issuers = issuers_for(cases, [fakes[name].base for name in friends])
        publisher.issuers = {one.iss.removeprefix("https://"): one for one in issuers.values()}
        own = folder / "service"
        own.mkdir()
        settings = {
            "public_url": PUBLIC,
            "issuers": str(write(issuers, folder, places)),
            "database_url": f"sqlite:///{own / 'ledger.sqlite3'}",
            "max_body_bytes": LIMIT,
            "deadline_ms": 400,
            "audit": str(own / "audit"),
        }
        port = free_port()
        stack.enter_context(_process(settings, port, folder))
        yield Target(port=port, folder=own, issuers=issuers, places=places, fakes=fakes)


def _stranger(server: FakeServer, connection: Any, asked: fhir_servers.Asked) -> None:
    fhir_servers.answering(fhir_servers.whole(fhir_servers.searchset()))(server, connection, asked)


def _places(fakes: Mapping[str, FakeServer]) -> dict[str, str]:
    found = {name: one.base.removesuffix("/fhir") if name == "publisher" else one.base for name, one in fakes.items()}
    ports = {f"{name}_port": str(one.port) for name, one in fakes.items()}
    return found | ports | {"public": PUBLIC}


@contextmanager
def _process(settings: dict[str, Any], port: int, folder: Path) -> Iterator[None]:
    asked = {"settings": settings, "bind": f"127.0.0.1:{port}", "workers": WORKERS, "journal": str(folder / "journal")}
    own = folder / "service"
    temporary = own / "temporary"
    temporary.mkdir()
    environment = {
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(temporary),
        "HOME": str(temporary),
        "PATH": "",
        "LANG": "C.UTF-8",
    }
    command = [sys.executable, str(Path(__file__).with_name("serve.py")), json.dumps(asked)]
    with (
        (own / "stdout").open("wb") as out,
        (own / "stderr").open("wb") as err,
        subprocess.Popen(command, cwd=own, env=environment, stdout=out, stderr=err) as server,
    ):
        try:
            _wait_for(port, server, folder)
            yield
        finally:
            server.terminate()
            server.wait(20)


def _wait_for(port: int, server: subprocess.Popen[bytes], folder: Path) -> None:
    """Until every worker has begun and one of them answers."""
    ends = monotonic() + 30
    while server.poll() is None and monotonic() < ends:
        journal = folder / "journal"
        born = journal.read_text("utf-8").count('"born"') if journal.exists() else 0
        if born == WORKERS and _is_ready(port):
            return
        sleep(0.05)
    raise AssertionError(f"the server did not become ready: {(folder / 'service' / 'stderr').read_text('utf-8')}")


def _is_ready(port: int) -> bool:
    try:
        with Line(port) as line:
            return line.ask(_READY)[0].status == 200
    except OSError:
        return False
