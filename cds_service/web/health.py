"""Whether the process lives, whether it can serve, and its metrics for those who may see them."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import msgspec
from flask import Blueprint, Response, current_app, request

from cds_service.access import is_loopback
from cds_service.errors import Forbidden, Unavailable
from cds_service.settings import Settings
from cds_service.web.wiring import wiring
from hooks.wording import listed

blueprint = Blueprint("health", __name__)
STOPPING = "stopping"  # of the application's extensions: there once the server has been told to stop


@blueprint.get("/healthz")
def alive() -> Response:
    """The process lives."""
    return _json({"status": "alive"})


@blueprint.get("/readyz")
def ready() -> Response:
    """Knowledge is loaded (else nothing had started), nobody has told it to stop, the database answers, the canaries passed.

    A process that never gave the canary patients their answers is not fit to serve. Of one that did once, and no longer does,
    the rules are named; it serves on, for the others would be missed more.
    """
    if STOPPING in current_app.extensions:
        raise Unavailable("This service is stopping. Ask another one.", {"Retry-After": "5"})
    if not wiring().ledger.database.reachable():
        raise Unavailable("The database of this service does not answer.", {"Retry-After": "5"})
    canaries = wiring().canaries
    if canaries.first_round_passed is False:
        raise Unavailable(f"The canary patients of {listed([*canaries.failed])} are not answered as they must be.")
    told = {"checked": canaries.checked, "failed": canaries.failed}
    return _json({"status": "degraded" if canaries.failed else "ready", "canaries": told})


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


def _json(body: Mapping[str, Any]) -> Response:
    return Response(msgspec.json.encode(body), content_type="application/json")
