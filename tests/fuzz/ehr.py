"""A seed in, a FHIR server out whose every answer is made anew from it and from the number of the request that it is asked for."""

import gzip
import json
import re
import socket
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from random import Random
from typing import Any

from tests.fhir_servers import Asked, FakeServer, head, searchset, whole
from tests.fuzz.documents import NAME, resources
from tests.fuzz.shapes import put_differently
from tests.fuzz.texts import changed_bytes, changed_text

_NUMBER = re.compile(r"/n(\d+)/")
_KEYS = {
    "Patient": ("patient",),
    "Observation": ("cd4", "viralLoads", "labs"),
    "Condition": ("conditions",),
    "AllergyIntolerance": ("allergies",),
    "MedicationRequest": ("medications",),
    "MedicationStatement": ("medicationStatements",),
    "ServiceRequest": ("orders",),
}
_STATUSES = (
    "201 x",
    "204 x",
    "206 x",
    "301 x",
    "302 x",
    "307 x",
    "400 x",
    "401 x",
    "404 x",
    "429 x",
    "500 x",
    "503 x",
    "999 x",
    "abc",
)
_HEADS = (
    {"Content_Length": "-1"},
    {"Content_Length": "5"},
    {"Content_Length": "999999999"},
    {"Content_Length": "x"},
    {"Transfer_Encoding": "chunked"},
    {"Content_Encoding": "gzip"},
    {"Content_Encoding": "identity"},
    {"Content_Type": "text/html; charset=utf-16"},
    {"Set_Cookie": "a=b"},
    {"Link": "<http://127.0.0.1:9/>; rel=next"},
    {"X_Long": "y" * 70_000},
    {"X_Odd": "\xff\xfe"},
)
_BROKEN = (
    b"",
    b"\x00",
    b"HTTP/1.1",
    b"HTTP/1.1 200\r\n\r\n",
    b"FOO\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA\r\n\r\n",
    b"HTTP/9.9 200 OK\r\n\r\n",
)


def _random(seed: str) -> Random:
    return Random(seed)  # noqa: S311  (it is to be repeated, not secret)


class Ehr:
    """The FHIR server of a client. `stranger` is where its answers lead to that must not be followed."""

    def __init__(self, seed: str, today: date, stranger: str) -> None:
        self._seed, self._today, self._stranger = seed, today, stranger
        self._resources = lru_cache(64)(lambda number: resources(_random(f"{seed}:{number}"), today))

    def __call__(self, server: FakeServer, connection: socket.socket, asked: Asked) -> None:
        server.asked.clear()  # a long fuzz asks a lot
        found = _NUMBER.search(asked.target)
        number = int(found[1]) if found else 0
        rng = _random(f"{self._seed}:{number}:{asked.target}")
        kind = next((one for one in _KEYS if f"/{one}" in asked.target), "Patient")
        good = self._resources(number)[rng.choice(_KEYS[kind])]
        rng.choices(_WAYS, _WEIGHTS)[0](self, rng, server, connection, good)

    def good(self, _: Random, __: FakeServer, connection: socket.socket, found: Any) -> None:
        connection.sendall(whole(json.dumps(found).encode()))

    def shapes(self, rng: Random, _: FakeServer, connection: socket.socket, found: Any) -> None:
        connection.sendall(whole(json.dumps(put_differently(rng, json.loads(json.dumps(found)))).encode()))

    def texts(self, rng: Random, _: FakeServer, connection: socket.socket, found: Any) -> None:
        body = json.dumps(found)
        connection.sendall(whole(changed_text(rng, body) if rng.random() < 0.5 else changed_bytes(rng, body.encode())))

    def heads(self, rng: Random, _: FakeServer, connection: socket.socket, found: Any) -> None:
        body = json.dumps(found).encode()
        connection.sendall(whole(body, **rng.choice(_HEADS)))
        connection.shutdown(socket.SHUT_RDWR)

    def statuses(self, rng: Random, _: FakeServer, connection: socket.socket, __: Any) -> None:
        body = json.dumps({"resourceType": "OperationOutcome", "issue": [{"diagnostics": NAME}]}).encode()
        connection.sendall(whole(body, rng.choice(_STATUSES), Location=self._stranger, Retry_After="120"))

    def pages(self, rng: Random, server: FakeServer, connection: socket.socket, found: Any) -> None:
        """It goes on, somewhere."""
        own = f"{server.base}/n{rng.randrange(1000)}/Observation?page={rng.randrange(3)}"
        following = rng.choice(
            (own, own, self._stranger, "?page=2", "//evil.example/x", "file:///etc/passwd", "::", "\ud800")
        )
        entries = [one["resource"] for one in found.get("entry", [])] or [found]
        connection.sendall(whole(searchset(*entries, following=following)))

    def bare(self, rng: Random, _: FakeServer, connection: socket.socket, __: Any) -> None:
        """No HTTP, or none to its end."""
        connection.sendall(rng.choice(_BROKEN))
        connection.shutdown(socket.SHUT_RDWR)

    def packed(self, rng: Random, _: FakeServer, connection: socket.socket, __: Any) -> None:
        body = gzip.compress(b" " * rng.choice((10, 5 << 20)))
        connection.sendall(whole(body, Content_Encoding=rng.choice(("gzip", "deflate", "br", "x"))))

    def large(self, rng: Random, _: FakeServer, connection: socket.socket, found: Any) -> None:
        many = [found] * rng.choice((100, 600))
        connection.sendall(whole(searchset(*many)[: 6 << 20]))

    def slow(self, rng: Random, server: FakeServer, connection: socket.socket, found: Any) -> None:
        """Comes late, or never."""
        server.closing.wait(rng.choice((0.05, 0.2, 1.0)))
        connection.sendall(rng.choice((head(), whole(json.dumps(found).encode())[:-9])))


_WAYS: tuple[Callable[..., None], ...] = (
    Ehr.good,
    Ehr.shapes,
    Ehr.texts,
    Ehr.heads,
    Ehr.statuses,
    Ehr.pages,
    Ehr.bare,
    Ehr.packed,
    Ehr.large,
    Ehr.slow,
)
_WEIGHTS = (30, 30, 15, 5, 8, 8, 3, 2, 1, 0.3)
