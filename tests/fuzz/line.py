"""Bytes in, the server's answers out with the time each took: one connection, opened anew when the server has closed it."""

import io
import socket
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter

PATIENCE = 20.0
Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `status` 0 where none came. `seconds`: from the last byte sent to its own last byte."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    seconds: float = 0.0

    def header(self, name: str) -> str | None:
        """The value of a header by its name in lower case, None where it is missing."""
        return next((value for one, value in self.headers if one == name), None)


NONE = Answer(0)


def message(method: str, path: str, headers: Headers, body: bytes, version: str = "HTTP/1.1") -> bytes:
    """A request as it goes over the wire."""
    lines = (f"{method} {path} {version}", *(f"{name}: {value}" for name, value in headers.items()), "", "")
    return "\r\n".join(lines).encode("latin-1", "replace") + body


class Line:
    """A connection to the service."""

    def __init__(self, port: int, patience: float = PATIENCE) -> None:
        self._port, self._patience = port, patience
        self._socket: socket.socket | None = None
        self._reader: io.BufferedReader | None = None

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up."""
        if self._reader:
            self._reader.close()
        if self._socket:
            self._socket.close()
        self._socket = self._reader = None

    @property
    def is_open(self) -> bool:
        """Whether the connection was used before and is still there, as far as we know."""
        return self._socket is not None

    def ask(self, sent: bytes, method: str = "POST") -> Answer:
        """The one answer to one request."""
        began = self._send(sent)
        answer = self._read(method, began)
        if answer.status == 0 or (answer.header("connection") or "").lower() == "close":
            self.close()
        return answer

    def ask_alone(self, sent: bytes, methods: tuple[str, ...]) -> list[Answer]:
        """All answers to what may be no request or several, on a connection of its own that we close to further bytes."""
        self.close()
        began = self._send(sent)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)  # type: ignore[union-attr]
        answers = []
        while (one := self._read(methods[min(len(answers), len(methods) - 1)], began)).status:
            answers.append(one)
        self.close()
        return answers

    def _send(self, sent: bytes) -> float:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=self._patience)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._reader = self._socket.makefile("rb")
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before we are done: the answer may be there
            self._socket.sendall(sent)
        return perf_counter()

    def _read(self, method: str, began: float) -> Answer:
        try:
            status, headers = self._head()
            while 100 <= status < 200:
                status, headers = self._head()
            body = self._body(method, status, headers)
        except (OSError, ValueError):
            return NONE
        return Answer(status, headers, body, perf_counter() - began)

    def _head(self) -> tuple[int, tuple[tuple[str, str], ...]]:
        reader = self._reader
        first = reader.readline() if reader else b""
        if not first.startswith(b"HTTP/1."):
            raise ValueError("no answer")
        headers = []
        while (line := reader.readline().strip()) if reader else b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name.strip().lower(), value.strip()))
        return int(first.split(b" ", 2)[1]), tuple(headers)

    def _body(self, method: str, status: int, headers: tuple[tuple[str, str], ...]) -> bytes:
        if method == "HEAD" or status in (204, 304) or not self._reader:
            return b""
        stated = next((value for name, value in headers if name == "content-length"), None)
        return self._reader.read() if stated is None else self._whole(int(stated))

    def _whole(self, length: int) -> bytes:
        body = self._reader.read(length) if self._reader else b""
        if len(body) < length:
            raise ValueError("broken off")
        return body
