"""The name of a fault and a number in, as many FHIR servers out that have it, in a process of their own."""

import json
import multiprocessing
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from multiprocessing.connection import Connection
from typing import Any

from cds_service.fixtures import fixture
from tests import fhir_servers as fakes
from tests.faults.certificates import Certificates, context
from tests.fhir_servers import Asked, Behaviour, FakeServer

FIXTURE = "cd4-120-starting-art"
WELL, WELL_OVER_TLS, HANGS = "is well", "is well, over TLS", "hangs"
FAULTS = (
    HANGS,
    "drips",
    "drips headers",
    "is cut off",
    "redirects",
    "pages for ever",
    "floods 200 MB",
    "states 200 MB and sends them",
    "sends a gzip bomb of 200 MB",
    "answers 429",
    "has an expired certificate",
)
_KEYS = {
    "Condition": "conditions",
    "AllergyIntolerance": "allergies",
    "MedicationRequest": "medications",
    "MedicationStatement": "medicationStatements",
    "ServiceRequest": "orders",
}
_REDIRECTS, _EXPIRED = FAULTS[4], FAULTS[-1]


@cache
def good_request() -> dict[str, Any]:
    """A request whose prefetch is complete."""
    found: dict[str, Any] = fixture(FIXTURE, datetime.now(UTC).date())
    return found


def chart(_: FakeServer, connection: socket.socket, asked: Asked) -> None:
    """Answers at once with what the patient has."""
    prefetch = good_request()["prefetch"]
    kind = asked.target.removeprefix("/fhir/").partition("?")[0]
    found = prefetch["patient"] if kind.startswith("Patient/") else prefetch.get(_KEYS.get(kind, "cd4"))
    connection.sendall(fakes.whole(json.dumps(found).encode() if found else fakes.searchset()))


def endless(server: FakeServer, connection: socket.socket, asked: Asked) -> None:
    """Has the patient, and of everything else always one more page."""
    kind, _, query = asked.target.removeprefix("/fhir/").partition("?")
    if kind.startswith("Patient/"):
        return chart(server, connection, asked)
    page = int(query.rpartition("page=")[2]) if "page=" in query else 1
    one = {"resourceType": kind, "id": f"p{page}", "subject": {"reference": _patient()}}
    connection.sendall(fakes.whole(fakes.searchset(one, following=f"{server.base}/{kind}?page={page + 1}")))
    return None


def _patient() -> str:
    return f"Patient/{good_request()['context']['patientId']}"


def _behaviour(name: str, stranger: str) -> Behaviour:
    body = json.dumps(good_request()["prefetch"]["cd4"]).encode()
    return {
        WELL: chart,
        WELL_OVER_TLS: chart,
        HANGS: fakes.silent,
        "drips": fakes.dripping(fakes.whole(body)),
        "drips headers": fakes.dripping_headers,
        "is cut off": fakes.half(body),
        _REDIRECTS: fakes.redirecting(f"{stranger}/Patient/1", "307 Temporary Redirect"),
        "pages for ever": endless,
        "floods 200 MB": fakes.flooding(stated=False),
        "states 200 MB and sends them": fakes.flooding(stated=True),
        "sends a gzip bomb of 200 MB": fakes.gzip_bomb() if "gzip" in name else chart,
        "answers 429": fakes.failing("429 Too Many Requests", Retry_After="120"),
        _EXPIRED: chart,
    }[name]


@dataclass(frozen=True, slots=True)
class Servers:
    """Servers that behave alike, each an origin of its own. `strayed`: how often somebody went where a redirect leads."""

    bases: tuple[str, ...]
    strayed: Callable[[], int]


@contextmanager
def servers_here(name: str, count: int, known: Certificates) -> Iterator[Servers]:
    """They run in this process until the block ends."""
    file = {WELL_OVER_TLS: known.good, _EXPIRED: known.expired}.get(name)
    with ExitStack() as stack:
        stranger = stack.enter_context(fakes.serving(fakes.silent))
        behaviour, tls = _behaviour(name, stranger.base), context(file) if file else None
        running = [stack.enter_context(fakes.serving(behaviour, tls)) for _ in range(count)]
        yield Servers(tuple(one.base for one in running), lambda: stranger.connections)


@contextmanager
def servers(name: str, count: int, known: Certificates) -> Iterator[Servers]:
    """They run in a process of their own, which takes no turn from who measures, until the block ends."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    running = spawn.Process(target=_run, args=(name, count, known, theirs), daemon=True)
    running.start()
    try:
        yield Servers(ours.recv(), lambda: _asked(ours))
    finally:
        ours.send("end")
        running.join(20)


def _asked(line: Connection) -> int:
    line.send("count")
    found: int = line.recv()
    return found


def _run(name: str, count: int, known: Certificates, line: Connection) -> None:
    with servers_here(name, count, known) as running:
        line.send(running.bases)
        while line.recv() != "end":
            line.send(running.strayed())
