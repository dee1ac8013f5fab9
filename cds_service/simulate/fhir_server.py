"""The demo charts in; out goes a FHIR server on loopback, as good or bad as asked for, and what it was asked with which token."""

import secrets
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any, Literal, get_args

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from cds_service.demo.store import Charts
from cds_service.simulate.moments import chart_app

Behaviour = Literal["none", "fast", "slow", "hang", "error", "gone"]
BEHAVIOURS: tuple[Behaviour, ...] = get_args(Behaviour)
_SLOW_SECONDS = 1.0
_HANG_SECONDS = 60.0
_READ = (
    "Patient",
    "Observation",
    "Condition",
    "AllergyIntolerance",
    "MedicationRequest",
    "MedicationStatement",
    "ServiceRequest",
)
_Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PortTaken(Exception):
    """Something else listens on the port."""


@dataclass(slots=True)
class Seen:
    """What the FHIR server was asked: per token that is lent now, and what came with no such token."""

    by_token: dict[str, list[str]] = field(default_factory=dict)
    without: int = 0  # no token
    foreign: int = 0  # with a token that was never lent
    late: int = 0  # with a token whose call was over
    over: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    def note(self, authorization: str, kind: str) -> bool:
        """Whether the token is lent now; the request is counted either way."""
        scheme, _, token = authorization.partition(" ")
        with self.lock:
            if scheme.lower() == "bearer" and token in self.by_token:
                self.by_token[token].append(kind)
                return True
            self.without += not authorization
            self.late += token in self.over
            self.foreign += bool(authorization) and token not in self.over
            return False


@dataclass(frozen=True, slots=True)
class Lender:
    """Lends the address of a FHIR server, and a made-up token for each call."""

    base: str
    seen: Seen = field(default_factory=Seen)

    @contextmanager
    def lent(self, patient_id: str) -> "Iterator[tuple[dict[str, Any], list[str]]]":
        """What stands in the request; and what is asked with its token until the block ends, each as a type of resource."""
        token = secrets.token_urlsafe(32)
        with self.seen.lock:
            asked = self.seen.by_token[token] = []
        try:
            yield self._members(token, patient_id), asked
        finally:
            with self.seen.lock:
                del self.seen.by_token[token]
                self.seen.over.add(token)

    def _members(self, token: str, patient_id: str) -> dict[str, Any]:
        authorization = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": " ".join(f"patient/{one}.read" for one in _READ),
            "subject": "cds-service-simulate",
            "patient": patient_id,
        }
        return {"fhirServer": self.base, "fhirAuthorization": authorization}


@contextmanager
def lending(charts: Charts, behaviour: Behaviour, port: int = 0, url: str | None = None) -> Iterator[Lender | None]:
    """Serves until the block ends. `url`: the address it is lent under, where it is not its own. Raises PortTaken."""
    if behaviour == "none":
        yield None
        return
    if behaviour == "gone":
        yield Lender(url or _address(port or _nobodys_port()))
        return
    ending, seen = Event(), Seen()
    app = _watched(chart_app(charts).wsgi_app, behaviour, seen, ending)
    with _listening(port) as listening:
        place, number = listening.getsockname()[1], listening.fileno()
        server = make_server("127.0.0.1", place, app, threaded=True, request_handler=_Quiet, fd=number)
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="fhir", daemon=True)
        serving.start()
        try:
            yield Lender(url or _address(place), seen)
        finally:
            ending.set()
            server.shutdown()
            server.server_close()
            serving.join(5)


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=64)
    except OSError:
        raise PortTaken(f"--fhir-port: port {port} is taken") from None


def _address(port: int) -> str:
    return f"http://127.0.0.1:{port}/fhir"


class _Quiet(WSGIRequestHandler):
    """Speaks as servers do, and writes no log."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Nothing."""


def _watched(app: _Wsgi, behaviour: Behaviour, seen: Seen, ending: Event) -> _Wsgi:
    def watch(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        kind = str(environ.get("PATH_INFO", "")).removeprefix("/fhir/").partition("/")[0]
        known = seen.note(str(environ.get("HTTP_AUTHORIZATION", "")), kind if kind in _READ else "something else")
        if behaviour in ("slow", "hang"):
            ending.wait(_SLOW_SECONDS if behaviour == "slow" else _HANG_SECONDS)
        if not known or behaviour in ("error", "hang"):
            return Response('{"resourceType": "OperationOutcome"}', 500 if known else 401)(environ, start)
        return app(environ, start)

    return watch


def _nobodys_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
