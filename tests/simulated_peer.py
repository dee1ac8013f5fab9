"""A CDS Hooks service on loopback that answers as a test says; every call it gets is recorded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler, make_server

CARD: dict[str, Any] = {
    "uuid": "6f1e0a4e-0b8c-4a77-9a52-6b1c7d1c9a01",
    "summary": "CD4 120/µL: prophylaxis is due",
    "indicator": "warning",
    "source": {"label": "A guideline", "url": "https://guideline.example.org/oi"},
    "suggestions": [
        {
            "uuid": "6f1e0a4e-0b8c-4a77-9a52-6b1c7d1c9a02",
            "label": "Order it",
            "isRecommended": True,
            "actions": [
                {
                    "type": "create",
                    "description": "Order it",
                    "resource": {"resourceType": "MedicationRequest", "subject": {"reference": "Patient/starting-art"}},
                }
            ],
        }
    ],
    "selectionBehavior": "at-most-one",
    "overrideReasons": [{"code": "not-now", "system": "https://x.example.org/reasons", "display": "Not now"}],
    "links": [{"label": "More", "url": "https://guideline.example.org/oi", "type": "absolute"}],
}
SERVICE = {
    "hook": "patient-view",
    "id": "a-service",
    "title": "A service",
    "description": "Says something",
    "prefetch": {"patient": "Patient/{{context.patientId}}"},
}
Answering = Callable[[dict[str, Any]], Any]


@dataclass
class SimulatedPeer:
    """A running peer: where it is, how it answers, what it was sent."""

    base: str = ""
    services: Any = field(default_factory=lambda: [SERVICE])
    cards: Any = field(default_factory=lambda: [CARD])
    answer: Answering | None = None  # in place of the cards
    feedback: Callable[[int], Any] = lambda _: {}  # by how many times feedback came
    discover: Callable[[], Any] | None = None
    origin: str | None = None  # that may call
    unlisted: int = 404
    sent: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)


def app_of(peer: SimulatedPeer) -> Flask:
    """The service itself."""
    app = Flask("peer")
    app.json.sort_keys = False  # type: ignore[attr-defined]  # what is sent is in the order in which it was given

    @app.get("/cds-services")
    def discover() -> Any:
        return peer.discover() if peer.discover else {"services": peer.services}

    @app.post("/cds-services/<service_id>")
    def call(service_id: str) -> Any:
        peer.tokens.append(request.headers.get("Authorization"))
        if service_id != SERVICE["id"]:
            return Response(status=peer.unlisted)
        peer.sent.append(request.get_json())
        return peer.answer(request.get_json()) if peer.answer else {"cards": peer.cards}

    @app.post("/cds-services/<_>/feedback")
    def take(_: str) -> Any:
        peer.told.append(request.get_json())
        return peer.feedback(len(peer.told))

    @app.after_request
    def mark(response: Response) -> Response:
        if peer.origin:
            response.headers["Access-Control-Allow-Origin"] = peer.origin
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        return response

    return app


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def peering(**how: Any) -> Iterator[SimulatedPeer]:
    """Serves until the block ends."""
    peer = SimulatedPeer(**how)
    server = make_server("127.0.0.1", 0, app_of(peer), threaded=True, request_handler=_Quiet)
    peer.base = f"http://127.0.0.1:{server.server_port}"
    serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    serving.start()
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
        serving.join(5)
