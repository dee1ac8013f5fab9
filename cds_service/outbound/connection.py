"""A checked address and a deadline in; out comes a way to that one server on which nothing outlasts the deadline.

`requests` sends through it without a session: no redirects, cookies, stored passwords or proxies of the environment.
A timeout of an HTTP library holds for one operation, so that a server which drips is waited for without end. Here every
operation on the socket gets what is left of the one deadline. The connection goes to the addresses that were checked, so
that a second answer of the DNS has no say.
"""

import logging
import socket
import ssl
from collections.abc import Sequence
from contextlib import closing
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread
from time import monotonic
from typing import Any

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

from cds_service.outbound.faults import Failed
from cds_service.outbound.url_guard import LOCALHOST, Address, Guard

_LOOPBACK = ("127.0.0.1", "::1")
_LOOKUPS = BoundedSemaphore(16)  # the system's resolver cannot be interrupted: so many may hang, no more

logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)  # it logs URLs, and patients' ids stand in them


def remaining(deadline: float) -> float:
    """Seconds left, never zero (a timeout of zero means something else). Raises TimeoutError when there are none."""
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def permitted(guard: Guard, address: Address, deadline: float) -> tuple[str, ...]:
    """The IP addresses of a host, asked for once, if the guard permits every one of them. Raises Failed."""
    found = _resolved(address, deadline)
    if not all(guard.permits(address, ip) for ip in found):
        raise Failed("not-allowed")
    return found


def _resolved(address: Address, deadline: float) -> tuple[str, ...]:
    """Raises Failed where there is no address, or none came by the deadline."""
    if address.host == LOCALHOST:
        return _LOOPBACK
    if ":" in address.host or address.host.rpartition(".")[2].isdecimal():
        return (address.host,)
    answers: SimpleQueue[tuple[str, ...]] = SimpleQueue()
    try:
        if not _LOOKUPS.acquire(timeout=remaining(deadline)):
            raise Failed("busy")  # with the names of other servers: not this one's fault
        Thread(target=_look_up, args=(address, answers), name="dns", daemon=True).start()
        found = answers.get(timeout=remaining(deadline))
    except (Empty, TimeoutError):
        raise Failed("unresolved") from None
    if not found:
        raise Failed("unresolved")
    return found


def _look_up(address: Address, answers: "SimpleQueue[tuple[str, ...]]") -> None:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        answers.put(tuple(dict.fromkeys(str(one[4][0]) for one in found)))
    except (OSError, UnicodeError):
        answers.put(())
    finally:
        _LOOKUPS.release()


class TimedSocket(socket.socket):
    """A socket of which each operation may take as long as is left until the deadline; none before it is set."""

    deadline = 0.0

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Waits for more, at most until the deadline."""
        self.settimeout(remaining(self.deadline))
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        """Sends everything, at most until the deadline."""
        self.settimeout(remaining(self.deadline))
        super().sendall(*args, **kwargs)


class TimedTlsSocket(TimedSocket, ssl.SSLSocket):
    """The same over TLS."""


def trusting(authorities: str | None = None) -> ssl.SSLContext:
    """TLS 1.2 or later, certificate and host name verified by the given authorities (default: those of `requests`)."""
    context = ssl.create_default_context(cafile=authorities or DEFAULT_CA_BUNDLE_PATH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = TimedTlsSocket
    return context


class _Connection(HTTPConnection):
    def __init__(self, *args: Any, addresses: Sequence[str], deadline: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._addresses, self._deadline = addresses, deadline

    def connect(self) -> None:
        super().connect()
        if isinstance(self.sock, TimedSocket):
            self.sock.deadline = self._deadline  # TLS has put a new socket in place of the one that was connected

    def _new_conn(self) -> socket.socket:
        """The one place where urllib3 would look the name up (again)."""
        port = self.port or self.default_port
        for place, address in enumerate(self._addresses):
            try:
                return _connected(address, port, self._deadline, len(self._addresses) - place)
            except OSError:
                continue
        raise NewConnectionError(self, "no address answered")


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _connected(address: str, port: int, deadline: float, untried: int) -> socket.socket:
    """A connected socket; an address that does not answer leaves time for those after it."""
    opened = TimedSocket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.deadline = deadline
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.settimeout(remaining(deadline) / untried)
        opened.connect((address, port))
        opened.settimeout(remaining(deadline))  # for the whole TLS handshake
    except BaseException:
        opened.close()
        raise
    return opened


class Line(HTTPAdapter):
    """The way of `requests` to one server during one fetch: whatever the URL says, it leads to the checked addresses."""

    def __init__(
        self, server: Address, addresses: Sequence[str], deadline: float, context: ssl.SSLContext, width: int
    ) -> None:
        super().__init__(max_retries=0)
        more: dict[str, Any] = {"maxsize": width, "addresses": addresses, "deadline": deadline}
        self._pool: HTTPConnectionPool = (
            _TlsPool(server.host, server.port, ssl_context=context, cert_reqs="CERT_REQUIRED", **more)
            if server.scheme == "https"
            else _Pool(server.host, server.port, **more)
        )

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        """The one pool there is."""
        return self._pool

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Nothing to set: the pool verifies by its own context."""

    def close(self) -> None:
        """Closes what is idle; what is still being read ends by the deadline."""
        with closing(self._pool):
            super().close()
