"""The URL of one small document in, such as a JSON Web Key Set; its bytes out, within their bounds and by the deadline."""

from collections.abc import Mapping
from contextlib import closing
from ssl import SSLContext

from requests import Request

from cds_service.outbound.connection import Line, permitted
from cds_service.outbound.exchange import HEADERS, Allowance, Answer, Exchange
from cds_service.outbound.faults import Failed
from cds_service.outbound.url_guard import Guard

_HEADERS = HEADERS | {"Accept": "application/json"}


def fetch_document(url: str, guard: Guard, deadline: float, most: int, context: SSLContext) -> bytes:
    """The document at exactly this URL. `deadline` is of `time.monotonic`, `context` made by `trusting`. Raises Failed."""
    return fetch_answer(url, guard, deadline, most, context, more={}).body


def fetch_answer(
    url: str, guard: Guard, deadline: float, most: int, context: SSLContext, *, more: Mapping[str, str]
) -> Answer:
    """Likewise, with more headers sent, and with what the answer says besides its body. Raises Failed."""
    request = Request("GET", url, headers=_HEADERS | dict(more)).prepare() if guard.admits(url) else None
    address = guard.admitted(request.url or "") if request else None  # as it will be sent
    if request is None or address is None:
        raise Failed("not-allowed")
    with closing(Line(address, permitted(guard, address, deadline), deadline, context, width=1)) as line:
        return Exchange(line, deadline, Allowance(most)).whole(request, most)
