"""The URL of one small document in, or a form to be sent there; the bytes of the answer out, in their bounds and in time."""

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
    return _sent(Request("GET", url, headers=_HEADERS | dict(more)), guard, deadline, most, context)


def send_form(
    url: str,
    guard: Guard,
    deadline: float,
    most: int,
    context: SSLContext,
    *,
    form: Mapping[str, str],
    more: Mapping[str, str],
) -> bytes:
    """What is answered to a form that is sent to exactly this URL: once, whatever becomes of it. Raises Failed."""
    request = Request("POST", url, headers=_HEADERS | dict(more), data=dict(form))
    return _sent(request, guard, deadline, most, context).body


def _sent(request: Request, guard: Guard, deadline: float, most: int, context: SSLContext) -> Answer:
    prepared = request.prepare() if guard.admits(request.url or "") else None
    address = guard.admitted(prepared.url or "") if prepared else None  # as it will be sent
    if prepared is None or address is None:
        raise Failed("not-allowed")
    with closing(Line(address, permitted(guard, address, deadline), deadline, context, width=1)) as line:
        return Exchange(line, deadline, Allowance(most)).whole(prepared, most)
