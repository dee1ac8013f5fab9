"""FHIR queries and a deadline in; out comes what the client's FHIR server answered by then. The only door to that server.

All queries go out at once. Every URL, a page's `next` link included, passes the guard, and the token is put on in one place,
for the server it was lent for. Nothing of a URL, a token or an exception's text is logged.
"""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from http.client import RemoteDisconnected
from threading import Lock
from time import monotonic

import requests
from requests import PreparedRequest, Request, Response
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, ProtocolError

from cds_service import __version__
from cds_service.chart.fhir_connection import Line, Unresolved, remaining, resolve, trusting
from cds_service.chart.fhir_pages import Failed, Fault, Fetched, Query
from cds_service.chart.url_guard import Address, Guard

MOST_AT_ONCE = 16
MOST_BYTES_IN_ALL = 12 << 20
_WORTH_RETRYING = 0.15  # seconds
_CHUNK = 1 << 16
_TOKEN = re.compile(r"[!-~]+")
_HEADERS = {
    "Accept": "application/fhir+json, application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"immune-status-cds/{__version__}",
}
_OF_STATUS: Mapping[int, Fault] = {401: "refused", 403: "refused", 404: "not-found", 410: "not-found"}
_OF_CLASS: Mapping[int, Fault] = {3: "redirect", 5: "server-error"}


class FhirClient:
    """Asks FHIR servers that the guard admits. `count` is told the outcome of each query, a word of `OUTCOMES`."""

    def __init__(
        self, guard: Guard, count: Callable[[str], object] | None = None, authorities: str | None = None
    ) -> None:
        self._guard = guard
        self._count = count
        self._context = trusting(authorities)

    def fetch(
        self, base_url: str, token: str | None, queries: Mapping[str, str], deadline: float
    ) -> Mapping[str, Fetched]:
        """Of each key what came by the deadline (`time.monotonic`). A query is relative, or the absolute URL of a page."""
        try:
            found = self._fetch(base_url, token or None, queries, deadline)
        except Failed as failed:
            found = {key: Fetched(fault=failed.fault) for key in queries}
        if self._count:
            for one in found.values():
                self._count(one.fault or "complete")
        return found

    def _fetch(
        self, base_url: str, token: str | None, queries: Mapping[str, str], deadline: float
    ) -> dict[str, Fetched]:
        base = self._guard.admitted(base_url)
        if base is None or "?" in base_url or (token and not _TOKEN.fullmatch(token)):
            raise Failed("not-allowed")
        asked = {key: _query(base_url, query) for key, query in queries.items()}
        with closing(Line(base, self._addresses(base, deadline), deadline, self._context, MOST_AT_ONCE)) as line:
            errand = _Errand(self._guard, base, token, line, deadline)
            pool = ThreadPoolExecutor(min(len(asked), MOST_AT_ONCE) or 1, thread_name_prefix="fhir")
            under_way = [pool.submit(one.run, errand.ask) for one in asked.values()]
            wait(under_way, timeout=max(0.0, deadline - monotonic()))
            pool.shutdown(wait=False, cancel_futures=True)
            return {key: one.so_far() for key, one in asked.items()}

    def _addresses(self, base: Address, deadline: float) -> tuple[str, ...]:
        try:
            found = resolve(base, deadline)
        except Unresolved:
            raise Failed("unresolved") from None
        if not all(self._guard.permits(base, ip) for ip in found):
            raise Failed("not-allowed")
        return found


def _query(base_url: str, query: str) -> Query:
    if query.startswith(("https://", "http://")):
        return Query(query, continued=True)
    return Query(f"{base_url.rstrip('/')}/{query}")


@dataclass(slots=True)
class _Allowance:
    """Bytes that all queries of a fetch may bring in together."""

    left: int = MOST_BYTES_IN_ALL
    lock: Lock = field(default_factory=Lock)

    def take(self, count: int) -> bool:
        with self.lock:
            self.left -= count
            return self.left >= 0


@dataclass(frozen=True, slots=True)
class _Errand:
    """What the queries of one fetch share. Never shown: it holds the token."""

    guard: Guard
    base: Address
    token: str | None = field(repr=False)
    line: Line
    deadline: float
    allowance: _Allowance = field(default_factory=_Allowance)

    def ask(self, url: str, most: int) -> bytes:
        """The body at a URL. Raises Failed."""
        try:
            with closing(self._answer(self._request(url))) as response:
                _check(response, most)
                return self._body(response, most)
        except Failed:
            raise
        except (requests.RequestException, HTTPError, OSError, ValueError) as fault:
            raise Failed("deadline" if monotonic() >= self.deadline else _word_for(fault)) from None

    def _request(self, url: str) -> PreparedRequest:
        """The one place where the token is put on: for an admitted URL at or below the base it was lent for."""
        lent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        request = Request("GET", url, headers=_HEADERS | lent).prepare()
        address = self.guard.admitted(request.url or "")  # as it will be sent, after its quoting was put right
        if not self.guard.admits(url) or address is None or not self.base.covers(address):
            raise Failed("not-allowed")
        return request

    def _answer(self, request: PreparedRequest) -> Response:
        try:
            return self.line.send(request, stream=True, timeout=remaining(self.deadline))
        except requests.ConnectionError as fault:
            if not _came_to_nothing(fault) or remaining(self.deadline) < _WORTH_RETRYING:
                raise
            return self.line.send(request, stream=True, timeout=remaining(self.deadline))

    def _body(self, response: Response, most: int) -> bytes:
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


def _came_to_nothing(fault: requests.ConnectionError) -> bool:
    """Whether the connection failed before one byte of an answer came."""
    reason = fault.args[0] if fault.args else None
    if isinstance(reason, MaxRetryError):
        return isinstance(reason.reason, NewConnectionError)
    return isinstance(reason, ProtocolError) and isinstance(reason.args[-1], RemoteDisconnected)


def _word_for(fault: Exception) -> Fault:
    if isinstance(fault, requests.exceptions.SSLError):
        return "tls"
    if isinstance(fault, requests.ConnectionError):
        return "unreachable"
    return "broken"
