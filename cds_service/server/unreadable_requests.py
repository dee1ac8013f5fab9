"""Bytes that are no HTTP request in; out comes a refusal in the form of all others, with nothing of them in it or in the log."""

from typing import Any
from uuid import uuid4

import msgspec
from gunicorn.http import errors

from cds_service.errors import Fault, Malformed, Refusal
from cds_service.journal.log import log, where
from cds_service.server import stopping
from cds_service.web.wiring import KEY
from cds_service.wire.outcome import MEDIA_TYPE, operation_outcome

_UNREADABLE = "The request is not HTTP that can be read in one way only."
_STATUS_OF: dict[type[Exception], tuple[int, str, str]] = {
    errors.LimitRequestLine: (414, "URI Too Long", "The address is too long."),
    errors.LimitRequestHeaders: (431, "Request Header Fields Too Large", "The headers are too large."),
    errors.ExpectationFailed: (417, "Expectation Failed", "No expectation but 100-continue is met."),
    errors.UnsupportedTransferCoding: (501, "Not Implemented", "No transfer coding but chunked is read."),
}


class Worker(stopping.Worker):
    """Gunicorn's own error page is HTML and repeats what the client sent; this one does not."""

    def handle_error(self, _: Any, client: Any, __: Any, error: Exception) -> None:
        """The last words to a client whose connection is then closed."""
        status, reason, sentence = _STATUS_OF.get(type(error), (400, "Bad Request", _UNREADABLE))
        refusal: Refusal = Malformed(sentence)
        if not isinstance(error, errors.ParseException):
            correlation = str(uuid4())
            log.error("fault", correlation=correlation, fault=type(error).__name__, place=where(error.__traceback__))
            status, reason = 500, "Internal Server Error"
            refusal = Fault(f"A fault of this service; it is logged as {correlation}.")
        try:
            client.sendall(_written(status, reason, refusal, self.wsgi.extensions[KEY].knowledge.version))
        except OSError:
            log.debug("client-left")


def _written(status: int, reason: str, refusal: Refusal, knowledge: str) -> bytes:
    body = msgspec.json.encode(operation_outcome(refusal))
    head = (
        f"HTTP/1.1 {status} {reason}",
        "Connection: close",
        f"Content-Type: {MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        f"X-Knowledge-Version: {knowledge}",
        "Vary: Origin",
    )
    return "\r\n".join((*head, "", "")).encode("ascii") + body
