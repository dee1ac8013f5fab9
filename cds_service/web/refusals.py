"""Refusals, HTTP errors and bugs in; OperationOutcomes out. The one place that turns exceptions into statuses."""

import msgspec
from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from cds_service.errors import (
    Fault,
    Malformed,
    Refusal,
    TooLarge,
    Unavailable,
    UnknownService,
    WrongMediaType,
    WrongMethod,
)
from cds_service.journal.log import log, where
from cds_service.ledger import LedgerDown
from cds_service.wire.outcome import MEDIA_TYPE, operation_outcome

_OF_STATUS: dict[int | None, tuple[type[Refusal], str]] = {
    404: (UnknownService, "There is nothing at this address. GET /cds-services lists the services."),
    405: (WrongMethod, "This address does not answer that method."),
    413: (TooLarge, "The body is too large."),
    415: (WrongMediaType, "Send JSON: application/json or application/fhir+json."),
}
_RETRY = {"Retry-After": "5"}


def register(app: Flask) -> None:
    """Makes every failure an OperationOutcome."""
    app.register_error_handler(Refusal, answer)
    app.register_error_handler(LedgerDown, _ledger_down)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)


def answer(refusal: Refusal) -> Response:
    """The response to a refusal."""
    response = Response(msgspec.json.encode(operation_outcome(refusal)), refusal.status, content_type=MEDIA_TYPE)
    response.headers.update(refusal.headers)
    g.refusal = refusal.code
    return response


def _http(error: HTTPException) -> Response:
    kind, sentence = _OF_STATUS.get(error.code, (Malformed, "The request cannot be read."))
    response = answer(kind(sentence))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _ledger_down(error: LedgerDown) -> Response:
    log.error("database-down", fault=str(error))  # the name of an exception, no more
    return answer(Unavailable("The database of this service does not answer. Try again later.", _RETRY))


def _bug(error: Exception) -> Response:
    """A bug: where it happened goes to the log, what it says does not, for it may hold a patient's data."""
    log.error("fault", fault=type(error).__name__, place=where(error.__traceback__))
    return answer(Fault(f"A fault of this service; it is logged as {g.correlation}."))
