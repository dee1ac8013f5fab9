"""Bytes in, the server's answers out: one connection, read with care, so that an answer too many is noticed."""

import http.client
import io
import socket
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, cast

from tests.attack.asking import Asking

PATIENCE = 15


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `status` 0 where none came."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The value of a header, None where it is missing."""
        return next((value for one, value in self.headers if one.lower() == name.lower()), None)

    @property
    def written(self) -> str:
        """All that the client sees."""
        head = "".join(f"{name}: {value}\n" for name, value in self.headers)
        return head + self.body.decode("utf-8", "replace")


NONE = Answer(0)


class _Kept(io.BufferedReader):
    """What has been read ahead belongs to the next answer, so that the end of one closes nothing."""

    def close(self) -> None:
        """Left open."""


class _OneReader:
    """What http.client takes for a socket."""

    def __init__(self, reader: io.BufferedReader) -> None:
        self._reader = reader

    def makefile(self, *_: Any) -> io.BufferedReader:
        """Always the same one."""
        return self._reader


class Line:
    """A connection that is opened anew when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._reader: io.BufferedReader | None = None

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up."""
        if self._socket:
            self._socket.close()
        self._socket = self._reader = None

    def ask(self, *asked: Asking) -> list[Answer]:
        """The answers to requests sent in one go."""
        opened = self._opened()
        for one in asked:
            opened.sendall(one.sent)
        if asked[-1].hang_up:
            opened.shutdown(socket.SHUT_WR)
        answers = [self._read(one.method) for one in asked]
        if asked[-1].hang_up or answers[-1] is NONE or (answers[-1].header("Connection") or "").lower() == "close":
            self.close()
        return answers

    def rest(self) -> bytes:
        """What the server has said that nobody asked for."""
        if not self._socket or not self._reader:
            return b""
        self._socket.settimeout(0.001)
        try:
            return self._reader.read1(65536)
        except (TimeoutError, OSError):
            return b""

    def _opened(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
            self._reader = _Kept(cast(io.RawIOBase, socket.SocketIO(self._socket, "r")))
        self._socket.settimeout(PATIENCE)
        return self._socket

    def _read(self, method: str) -> Answer:
        response = http.client.HTTPResponse(cast(socket.socket, _OneReader(cast(Any, self._reader))), method=method)
        try:
            with closing(response):
                response.begin()
                return Answer(response.status, tuple(response.getheaders()), response.read())
        except (http.client.HTTPException, OSError):
            return NONE
