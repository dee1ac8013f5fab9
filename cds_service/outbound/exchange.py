"""One request and a line in; the body of the answer out, within its bounds and by the deadline.

Nothing of a URL, a token or an exception's text is logged or told: what goes wrong becomes one word.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import RemoteDisconnected
from threading import Lock
from time import monotonic

import requests
from requests import PreparedRequest, Response
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, ProtocolError

from cds_service import __version__
from cds_service.outbound.connection import Line, remaining
from cds_service.outbound.faults import Failed, Fault

HEADERS = {"Accept-Encoding": "identity", "User-Agent": f"immune-status-cds/{__version__}"}
LEAST_SECONDS = 0.15  # with less left, no answer is to be expected
_CHUNK = 1 << 16
_OF_STATUS: Mapping[int, Fault] = {
    401: "refused",
    403: "refused",
    404: "not-found",
    410: "not-found",
    429: "overloaded",  # a Retry-After is not waited for: the answer is needed now
    503: "overloaded",
}
_OF_CLASS: Mapping[int, Fault] = {3: "redirect", 5: "server-error"}


@dataclass(slots=True)
class Allowance:
    """Bytes that several exchanges may bring in together."""

    left: int
    _lock: Lock = field(default_factory=Lock)

    def take(self, count: int) -> bool:
        """Whether so many more are within it."""
        with self._lock:
            self.left -= count
            return self.left >= 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: the body, and the Date header as it is."""

    body: bytes
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the requests to one server share: the line, the deadline (`time.monotonic`), the bytes they may bring in."""

    line: Line
    deadline: float
    allowance: Allowance

    def body(self, request: PreparedRequest, most: int) -> bytes:
        """The body of the answer, of at most so many bytes. Raises Failed."""
        return self.whole(request, most).body

    def whole(self, request: PreparedRequest, most: int) -> Answer:
        """The answer, its body of at most so many bytes. Raises Failed."""
        try:
            with closing(self._answer(request)) as response:
                _check(response, most)
                return Answer(self._read(response, most), response.headers.get("Date"))
        except Failed:
            raise
        except (requests.RequestException, HTTPError, OSError, ValueError) as fault:
            over = isinstance(fault, requests.Timeout) or monotonic() >= self.deadline  # it may run out a little early
            raise Failed("deadline" if over else _word_for(fault)) from None

    def _answer(self, request: PreparedRequest) -> Response:
        try:
            return self.line.send(request, stream=True, timeout=remaining(self.deadline))
        except requests.ConnectionError as fault:
            if not _may_be_sent_again(request, fault) or remaining(self.deadline) < LEAST_SECONDS:
                raise
            return self.line.send(request, stream=True, timeout=remaining(self.deadline))

    def _read(self, response: Response, most: int) -> bytes:
        pieces, total = [], 0
        while piece := response.raw.read(_CHUNK, decode_content=False):
            total += len(piece)
            if total > most or not self.allowance.take(len(piece)):
                raise Failed("too-large")
            pieces.append(piece)
            remaining(self.deadline)
        return b"".join(pieces)


def _check(response: Response, most: int) -> None:
    status = response.status_code
    if status != requests.codes.ok:
        raise Failed(_OF_STATUS.get(status) or _OF_CLASS.get(status // 100, "rejected"))
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Failed("unreadable")
    stated = response.headers.get("Content-Length", "")
    if stated.isdecimal() and int(stated[:20]) > most:
        raise Failed("too-large")


def _may_be_sent_again(request: PreparedRequest, fault: requests.ConnectionError) -> bool:
    """Whether the connection failed before one byte of an answer came. What was sent of a form may have been acted on."""
    reason = fault.args[0] if fault.args else None
    if isinstance(reason, MaxRetryError):
        return isinstance(reason.reason, NewConnectionError)
    return (
        request.method == "GET"
        and isinstance(reason, ProtocolError)
        and isinstance(reason.args[-1], RemoteDisconnected)
    )


def _word_for(fault: Exception) -> Fault:
    if isinstance(fault, requests.exceptions.SSLError):
        return "tls"
    if isinstance(fault, requests.ConnectionError):
        return "unreachable"
    return "broken"
