"""A launch of the EHR in; out comes the way to its sign-in, and after that the page with all reasons, made once and kept nowhere.

There is no session: what a browser carries from the launch to the EHR's answer is sealed, short-lived and counts once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from time import monotonic

from flask import Blueprint, Response, g, request

from cds_service.access import Caller, Issuer
from cds_service.access.issuers import Smart
from cds_service.errors import Refusal
from cds_service.languages import Voice
from cds_service.ledger import LedgerDown
from cds_service.web import carried, why_page
from cds_service.web.clients import client_of
from cds_service.web.launches import Launches
from cds_service.web.memory import site_holds
from cds_service.web.spoken import voice_for
from cds_service.web.wiring import wiring
from cds_service.why.launch import VISIBLE, Pending, begin, returned
from cds_service.why.look import Desk, look
from cds_service.why.redeem import redeem
from cds_service.why.refused import NotShown

DISCOVER_SECONDS, REDEEM_SECONDS, READ_SECONDS = 4.0, 4.0, 6.0
_PATIENCE = 2.0  # seconds for the ledger
_HOOK = "patient-view"  # there are no orders to sign here

blueprint = Blueprint("why", __name__)


def _as_page(view: Callable[[], Response]) -> Callable[[], Response]:
    """Whatever comes in the way is told as a page: it is a clinician who reads it."""

    @wraps(view)
    def shown() -> Response:
        try:
            return view()
        except NotShown as fault:
            return why_page.refused(fault.word)
        except (Refusal, LedgerDown):  # no room; nobody knows whether the launch was used
            return why_page.refused("full")

    return shown


@blueprint.get("/why/launch")
@_as_page
def launch() -> Response:
    """The browser goes on to the EHR's own sign-in, which knows it already."""
    launches, iss = _launches(), _one("iss")
    issuer, smart = _entered(launches, iss)
    token = _one("launch")
    if not VISIBLE.fullmatch(token):
        raise NotShown("no-launch")
    with _room(launches, issuer):
        endpoints = launches.discovery.of(iss, smart, monotonic() + DISCOVER_SECONDS)
    begun = begin(iss, token, smart, endpoints, back=launches.back, now=_now())
    response = Response(status=302, headers={"Location": begun.address})
    sealed = launches.seal.put_on(begun.pending)
    carried.give(response, begun.pending, sealed, secure=launches.secure, framed=bool(smart.frames))
    return response


@blueprint.get("/why/callback")
@_as_page
def callback() -> Response:
    """The EHR's answer: a code, for which it grants the chart."""
    launches, state = _launches(), _one("state")
    sealed = carried.found(state, secure=launches.secure)
    pending = returned(state, request.args.get("iss"), launches.seal.open(sealed) if sealed else None, _now())
    issuer, smart = _entered(launches, pending.iss)
    _use_up(issuer, pending)
    if "error" in request.args:
        raise NotShown("not-allowed" if request.args["error"] == "access_denied" else "not-redeemed")
    code = _one("code")
    if not VISIBLE.fullmatch(code):
        raise NotShown("no-launch")
    with _room(launches, issuer):
        ends = monotonic() + REDEEM_SECONDS
        grant = redeem(code, pending, smart, launches.back, deadline=ends, context=launches.context)
        voice = voice_for(issuer)
        found = look(grant, pending.iss, _desk(issuer, voice), monotonic() + READ_SECONDS)
        response = why_page.shown(issuer, grant, found, voice)
    carried.take(response, pending, secure=launches.secure, framed=bool(smart.frames))
    return response


def _launches() -> Launches:
    found = wiring().launches
    assert found  # noqa: S101  (or there would be no such address)
    return found


def _one(name: str) -> str:
    """The one value of a parameter that stands there once. Raises NotShown."""
    values = request.args.getlist(name)
    if len(values) != 1 or not values[0]:
        raise NotShown("no-launch")
    return values[0]


def _entered(launches: Launches, iss: str) -> tuple[Issuer, Smart]:
    """Whose users come: from now on what goes wrong counts as theirs, and what is shown may stand in their frames."""
    issuer, smart = launches.of(iss)
    g.caller, g.frames = Caller(issuer), smart.frames
    return issuer, smart


def _now() -> int:
    return int(wiring().clock().timestamp())


def _use_up(issuer: Issuer, pending: Pending) -> None:
    """For all processes. A space is in no token's id: the two cannot be mixed up. Raises NotShown, LedgerDown."""
    name = f"why {pending.digest}"
    if not wiring().ledger.seen_tokens.use(issuer.iss, name, pending.expires, _now(), _PATIENCE):
        raise NotShown("used-before")


@contextmanager
def _room(launches: Launches, issuer: Issuer) -> Iterator[None]:
    """A place among the few that launches have. Raises Refusal."""
    launches.admission.enter()
    try:
        with launches.admission.of(issuer.iss):
            yield
    finally:
        launches.admission.leave()


def _desk(issuer: Issuer, voice: Voice) -> Desk:
    parts = wiring()
    return Desk(
        service=next(one for one in parts.services.values() if one.hook == _HOOK),
        client=client_of(parts, issuer),
        profile=parts.profile_for(issuer),
        fhir=parts.fhir,
        guard=issuer.servers,
        holds=site_holds(issuer),
        iu_per_copy=parts.settings.iu_per_copy,
        now=parts.clock(),
        voice=voice,
    )
