"""Connections in; answers out by a gunicorn worker whose threads wait for a client only so long, however it spreads its bytes."""

import errno
import socket
from time import monotonic
from typing import Any

from gunicorn.util import close_graceful
from gunicorn.workers.gthread import ThreadWorker

PATIENCE = (
    10.0  # seconds of waiting for one request, head and body together; and for one piece of the answer to be taken
)


class ClientSocket:
    """A client's socket whose waiting is counted. Everything else is the socket's own affair."""

    def __init__(self, client: socket.socket, patience: float) -> None:
        self._client = client
        self._patience = patience
        self._left: float | None = None  # None: nothing is counted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def begin(self) -> None:
        """From here on the waiting for one request is counted."""
        self._left = self._patience

    def end(self) -> None:
        """The request is answered, or never will be."""
        self._left = None

    def setblocking(self, flag: bool) -> None:
        """As a socket's, but for one that is closed already."""
        if self._client.fileno() >= 0:
            self._client.setblocking(flag)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """As a socket's. Raises TimeoutError where the client has been waited for too long in all."""
        if self._left is None:
            return self._client.recv(size, flags)
        started = monotonic()
        try:
            return bytes(self._within(self._left, self._client.recv, size, flags))
        finally:
            self._left -= monotonic() - started

    def sendall(self, piece: bytes, flags: int = 0) -> None:
        """As a socket's. Raises TimeoutError where the client does not take it."""
        self._within(self._patience, self._client.sendall, piece, flags)

    def _within(self, seconds: float, act: Any, *given: Any) -> Any:
        before = self._client.gettimeout()
        if before == 0:  # it does not wait at all
            return act(*given)
        limit = seconds if before is None else min(seconds, before)
        try:
            if limit <= 0:
                raise TimeoutError
            self._client.settimeout(limit)
            return act(*given)
        except TimeoutError:  # to gunicorn, like a client that left: nothing to report
            raise TimeoutError(errno.ECONNRESET, "the client is too slow") from None
        finally:
            self._client.settimeout(before)


class Worker(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's worker with threads, each of which waits for a client for so long at most."""

    patience = PATIENCE

    def handle(self, conn: Any) -> Any:
        """One request of a connection."""
        if not isinstance(conn.sock, ClientSocket):
            conn.sock = ClientSocket(conn.sock, self.patience)
        conn.sock.begin()
        try:
            goes_on = super().handle(conn)
        finally:
            conn.sock.end()
        if goes_on is False:  # closed here: gunicorn would wait for the client's end where it accepts connections
            close_graceful(conn.sock)
        return goes_on
