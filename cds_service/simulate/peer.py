"""The address of the service under test in; out go calls to it alone, and its answers within their bounds and by their deadline."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from ssl import SSLContext
from time import monotonic, perf_counter
from typing import Any

import requests
from requests import Request, Response
from urllib3.exceptions import HTTPError

from cds_service.outbound.connection import Line, permitted, remaining
from cds_service.outbound.exchange import HEADERS
from cds_service.outbound.faults import Failed
from cds_service.outbound.url_guard import Guard

MOST_BYTES = 8 << 20
_CHUNK = 1 << 16
_WORDS = {
    "deadline": "no answer in time",
    "not-allowed": "an address that is not called: it leaves the service, or can be read in two ways",
    "unresolved": "the name of the host is not known",
    "unreachable": "no connection",
    "tls": "its certificate or TLS version cannot be trusted",
    "too-large": "the answer is too large",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `status` is None where nothing did, and `fault` says why; `content` is None where it is no JSON."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    content: Any = None
    ms: float = 0.0
    fault: str = ""

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def object(self) -> Mapping[str, Any]:
        """The JSON object; empty where it is none."""
        return self.content if isinstance(self.content, dict) else {}

    @property
    def cards(self) -> list[Any] | None:
        """The cards of an answer as CDS Hooks asks for it; None for any other."""
        found = self.object.get("cards")
        return found if self.status == requests.codes.ok and isinstance(found, list) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The service under test: below `base` it is called and nowhere else; no redirect, cookie, proxy or password is used."""

    base: str
    guard: Guard
    context: SSLContext
    seconds: float

    def at(self, path: str = "") -> str:
        """The address of its discovery, or of what is below it."""
        return f"{self.base}/cds-services{path}"

    def send(self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request on a connection of its own; the time it took includes making that."""
        raw = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        typed = {"Content-Type": "application/json"} if raw is not None else {}
        head = HEADERS | {"Accept": "application/json"} | typed | dict(headers or {})
        deadline, began = monotonic() + self.seconds, perf_counter()
        try:
            found = self._sent(Request(method, url, data=raw, headers=head), deadline)
        except Failed as failed:
            return Answer(ms=_since(began), fault=_WORDS.get(failed.fault, failed.fault))
        except (requests.RequestException, HTTPError, OSError, ValueError) as fault:
            return Answer(ms=_since(began), fault=_reason(fault, late=monotonic() >= deadline))
        status, answered, content = found
        return Answer(status=status, headers=answered, content=_parsed(content), ms=_since(began))

    def _sent(self, request: Request, deadline: float) -> tuple[int, dict[str, str], bytes]:
        prepared = request.prepare()
        address = self.guard.admitted(prepared.url or "")
        if address is None:
            raise Failed("not-allowed")
        ways = permitted(self.guard, address, deadline)
        with (
            closing(Line(address, ways, deadline, self.context, width=1)) as line,
            closing(line.send(prepared, stream=True, timeout=remaining(deadline))) as response,
        ):
            headers = {name.lower(): value for name, value in response.headers.items()}
            return response.status_code, headers, _read(response, deadline)


def _read(response: Response, deadline: float) -> bytes:
    pieces, total = [], 0
    while piece := response.raw.read(_CHUNK, decode_content=False):
        total += len(piece)
        if total > MOST_BYTES:
            raise Failed("too-large")
        pieces.append(piece)
        remaining(deadline)
    return b"".join(pieces)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(_: str) -> None:
    raise ValueError  # NaN and Infinity are no JSON


def _reason(fault: Exception, *, late: bool) -> str:
    if late:
        return _WORDS["deadline"]
    if isinstance(fault, requests.exceptions.SSLError):
        return _WORDS["tls"]
    return _WORDS["unreachable"] if isinstance(fault, requests.ConnectionError) else "the answer broke off"


def _since(began: float) -> float:
    return (perf_counter() - began) * 1000
