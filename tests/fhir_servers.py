"""FHIR servers on loopback that misbehave in one way each; every request they get is recorded."""

import gzip
import json
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

MEGABYTE = 1 << 20
Behaviour = Callable[["FakeServer", socket.socket, "Asked"], None]


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    target: str
    headers: dict[str, str]


@dataclass
class FakeServer:
    """What a test knows of a running fake: where it is, what it was asked, how many connected."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    closing: Event = field(default_factory=Event)
    scheme: str = "http"

    @property
    def base(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/fhir"

    def tokens(self) -> list[str]:
        return [one.headers["authorization"] for one in self.asked if "authorization" in one.headers]


@contextmanager
def serving(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[FakeServer]:
    """Runs a fake until the block ends; then every connection is closed."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        server = FakeServer(listening.getsockname()[1], scheme="https" if tls else "http")
        accepting = Thread(target=_accept, args=(listening, server, behaviour, tls), daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.closing.set()
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join(5)


def _accept(listening: socket.socket, server: FakeServer, behaviour: Behaviour, tls: ssl.SSLContext | None) -> None:
    serving_one = []
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            server.connections += 1
            serving_one = [one for one in serving_one if one.is_alive()]
            serving_one.append(Thread(target=_serve, args=(server, connection, behaviour, tls), daemon=True))
            serving_one[-1].start()
    for one in serving_one:
        one.join(5)


def _serve(server: FakeServer, connection: socket.socket, behaviour: Behaviour, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError, ValueError), closing(connection):  # the other side may give up, as it should
        if tls:
            connection = tls.wrap_socket(connection, server_side=True)  # closes what it wraps when it fails
        with closing(connection):
            while (asked := _read(connection)) is not None:
                server.asked.append(asked)
                behaviour(server, connection, asked)


def _read(connection: socket.socket) -> Asked | None:
    text = b""
    while b"\r\n\r\n" not in text:
        piece = connection.recv(4096)
        if not piece:
            return None
        text += piece
    first, *lines = text.decode("latin-1").rstrip().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Asked(first.split(" ")[1], {name.lower(): value.strip() for name, _, value in pairs})


def head(status: str = "200 OK", **headers: str) -> bytes:
    lines = (f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n".encode("latin-1")


def whole(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    return head(status, **{"Content_Type": "application/fhir+json", "Content_Length": str(len(body))} | headers) + body


def searchset(*entries: Any, following: str | None = None, **more: Any) -> bytes:
    links = [{"relation": "next", "url": following}] if following else []
    listed = [{"resource": one, "search": {"mode": "match"}} for one in entries]
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "link": links, "entry": listed} | more).encode()


def answering(response: bytes) -> Behaviour:
    """Always the same bytes."""
    return lambda _, connection, __: connection.sendall(response)


def failing(status: str, **headers: str) -> Behaviour:
    return answering(whole(b'{"resourceType":"OperationOutcome"}', status, **headers))


def silent(server: FakeServer, *_: object) -> None:
    server.closing.wait(60)


def dripping(text: bytes, every: float = 0.05) -> Behaviour:
    """Sends what it has byte by byte."""

    def drip(server: FakeServer, connection: socket.socket, _: Asked) -> None:
        for place in range(len(text)):
            connection.sendall(text[place : place + 1])
            if server.closing.wait(every):
                return

    return drip


def dripping_headers(server: FakeServer, connection: socket.socket, _: Asked) -> None:
    """Never comes to the end of its first header."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-More: ")
    while not server.closing.wait(0.05):
        connection.sendall(b"x")


def continuing(server: FakeServer, connection: socket.socket, _: Asked) -> None:
    """Says `100 Continue` for ever."""
    while not server.closing.wait(0.01):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def paging(server: FakeServer, connection: socket.socket, asked: Asked) -> None:
    """Always has one more page."""
    page = int(asked.target.rpartition("page=")[2]) if "page=" in asked.target else 1
    following = f"{server.base}/Observation?page={page + 1}"
    connection.sendall(whole(searchset({"resourceType": "Observation", "id": f"o{page}"}, following=following)))


def looping(server: FakeServer, connection: socket.socket, _: Asked) -> None:
    """Its next page is always the same one."""
    following = f"{server.base}/Observation?page=2"
    connection.sendall(whole(searchset({"resourceType": "Observation", "id": "o"}, following=following)))


def crowded(server: FakeServer, connection: socket.socket, _: Asked) -> None:
    """Six hundred entries on a page, and more pages."""
    many = ({"resourceType": "Observation", "id": f"o{one}"} for one in range(600))
    connection.sendall(whole(searchset(*many, following=f"{server.base}/Observation?page=2")))


def leading_to(url: str) -> Behaviour:
    """A page whose next one is elsewhere."""
    return answering(whole(searchset({"resourceType": "Observation", "id": "o"}, following=url)))


def half(body: bytes) -> Behaviour:
    """States the whole length, sends half, and closes."""

    def send(_: FakeServer, connection: socket.socket, __: Asked) -> None:
        connection.sendall(head(Content_Length=str(len(body))) + body[: len(body) // 2])
        connection.shutdown(socket.SHUT_RDWR)

    return send


def closing_at(text: bytes) -> Behaviour:
    """No length: the body ends where the connection does."""

    def send(_: FakeServer, connection: socket.socket, __: Asked) -> None:
        connection.sendall(head(Connection="close") + text)
        connection.shutdown(socket.SHUT_RDWR)

    return send


def closing_at_once(_: FakeServer, connection: socket.socket, __: Asked) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def resetting(_: FakeServer, connection: socket.socket, __: Asked) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def flooding(stated: bool, megabytes: int = 200) -> Behaviour:
    """Sends that many megabytes, with their length stated or in chunks without an end in sight."""

    def send(server: FakeServer, connection: socket.socket, _: Asked) -> None:
        block = b" " * MEGABYTE
        connection.sendall(
            head(Content_Length=str(megabytes * MEGABYTE)) if stated else head(Transfer_Encoding="chunked")
        )
        for _ in range(megabytes):
            connection.sendall(block if stated else b"100000\r\n" + block + b"\r\n")
            if server.closing.is_set():
                return

    return send


def gzip_bomb(megabytes: int = 200) -> Behaviour:
    bomb = b"".join(gzip.compress(b" " * MEGABYTE * 10, 9) for _ in range(megabytes // 10))
    return answering(whole(bomb, Content_Encoding="gzip"))


def redirecting(to: str, status: str = "302 Found", body: bytes = b"") -> Behaviour:
    return answering(whole(body, status, Location=to))


def setting_cookies(_: FakeServer, connection: socket.socket, asked: Asked) -> None:
    """Two pages, each with a cookie."""
    here = f"http://{asked.headers['host']}/fhir/Observation?page=2"
    body = searchset(following=None if "page=2" in asked.target else here)
    connection.sendall(whole(body, Set_Cookie="session=1; Path=/", WWW_Authenticate='Basic realm="x"'))


@contextmanager
def full_backlog() -> Iterator[str]:
    """An address whose connections are never completed: the queue of the listening socket is full."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        with ExitStack() as waiting:
            for _ in range(4):
                one = waiting.enter_context(socket.socket())
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            yield f"http://127.0.0.1:{port}/fhir"


@contextmanager
def mute() -> Iterator[str]:
    """An address that completes connections and never says a word, not even for TLS."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
