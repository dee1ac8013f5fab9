"""What browsers are told on every response: who may read it (CORS), that it is not stored, not sniffed, not framed."""

from flask import Flask, Response, request
from flask.globals import request_ctx

from cds_service.access import may_read
from cds_service.web.wiring import wiring

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def register(app: Flask) -> None:
    """Answers OPTIONS, preflights among them, and marks every response."""
    app.before_request(_options)
    app.after_request(_mark)


def _options() -> Response | None:
    if request.method != "OPTIONS" or request.url_rule is None:
        return None
    response = Response(status=204)
    del response.headers["Content-Type"]  # there is nothing that could have one
    response.headers["Allow"] = ", ".join(sorted(_methods()))
    if "Access-Control-Request-Method" in request.headers and _may_read(request.headers.get("Origin")):
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Accept"
        response.headers["Access-Control-Max-Age"] = "600"
    return response


def _methods() -> set[str]:
    """Every method of the address, whichever function answers it."""
    adapter = request_ctx.url_adapter
    return {*adapter.allowed_methods()} if adapter else set()


def _mark(response: Response) -> Response:
    origin = request.headers.get("Origin")
    response.vary.add("Origin")
    if _may_read(origin):
        response.headers["Access-Control-Allow-Origin"] = str(origin)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Knowledge-Version"] = wiring().knowledge.version
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _may_read(origin: str | None) -> bool:
    parts = wiring()
    return may_read(origin, parts.callers.issuers.values(), open_access=parts.settings.open_access)
