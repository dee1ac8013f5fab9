"""Whether the process lives, whether it can serve, and its metrics for those who may see them."""

from ipaddress import ip_address

import msgspec
from flask import Blueprint, Response, current_app, request

from cds_service.access import is_loopback
from cds_service.errors import Forbidden, Unavailable
from cds_service.settings import Settings
from cds_service.web.wiring import wiring

blueprint = Blueprint("health", __name__)
STOPPING = "stopping"  # of the application's extensions: there once the server has been told to stop


@blueprint.get("/healthz")
def alive() -> Response:
    """The process lives."""
    return _status("alive")


@blueprint.get("/readyz")
def ready() -> Response:
    """Knowledge is loaded (else nothing had started), nobody has told it to stop, and the database answers."""
    if STOPPING in current_app.extensions:
        raise Unavailable("This service is stopping. Ask another one.", {"Retry-After": "5"})
    if not wiring().ledger.database.reachable():
        raise Unavailable("The database of this service does not answer.", {"Retry-After": "5"})
    return _status("ready")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus text, for loopback and the addresses of CDS_METRICS_ALLOW."""
    if not _may_see(wiring().settings, request.remote_addr):
        raise Forbidden("Metrics are answered to loopback and the addresses of CDS_METRICS_ALLOW.")
    return Response(wiring().metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_see(settings: Settings, address: str | None) -> bool:
    if is_loopback(address):
        return True
    try:
        return any(ip_address(address or "") in network for network in settings.metrics_allow)
    except ValueError:
        return False


def _status(word: str) -> Response:
    return Response(msgspec.json.encode({"status": word}), content_type="application/json")
