"""Raw bytes in, what a proxy says to them out; and servers behind it that read and never say a word."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from fhir.resources.R4B.operationoutcome import OperationOutcome

from cds_service.wire.outcome import MEDIA_TYPE
from tests.fuzz.trust import Client
from tests.load.proxy import Proxy, proxy
from tests.load.replicas import Replica, replicas

GET = "GET {} HTTP/1.1\r\nHost: cds.example.org\r\nConnection: close\r\n\r\n"


CLIENT = Client("https://ehr.example.org")


class Scene(NamedTuple):
    proxy: Proxy
    replicas: list[Replica]
    folder: Path


@contextmanager
def behind_nginx(folder: Path) -> Iterator[Scene]:
    """Two replicas and nginx before them."""
    with (
        replicas(folder / "service", 2, [CLIENT], workers=1, drain_seconds=0) as found,
        proxy(folder / "proxy", [one.port for one in found]) as before,
    ):
        yield Scene(before, found, folder / "service")


def said(before: Proxy, sent: str | bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to raw bytes, read to the end of the connection."""
    with closing(before.connect()) as line:
        line.sendall(sent.encode() if isinstance(sent, str) else sent)
        whole = b""
        try:
            while piece := line.recv(65536):
                whole += piece
        except OSError:
            pass
    head, _, content = whole.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]) if first else 0, headers, content


def post(path: str, body: bytes, *lines: str, bearer: str = "x") -> bytes:
    head = (f"POST {path} HTTP/1.1", "Host: cds.example.org", "Connection: close", f"Authorization: Bearer {bearer}")
    return "\r\n".join((*head, "Content-Type: application/json", *lines, "", "")).encode() + body


def check_outcome(headers: dict[str, str], content: bytes) -> OperationOutcome:
    assert headers["content-type"] == MEDIA_TYPE
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    return OperationOutcome.model_validate_json(content)


@contextmanager
def mute(act: Callable[[socket.socket], object]) -> Iterator[int]:
    """A server that does something with each connection and then closes it without a word."""

    def run() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                act(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=run, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
