"""A request in, its caller out: the token checked, a place taken among those of that client, the token used up, in this order."""

from contextlib import ExitStack

from flask import g, request

from cds_service.access import OPEN, Caller, is_loopback
from cds_service.errors import Unauthenticated
from cds_service.web.budget import Budget
from cds_service.web.wiring import wiring


def take_place() -> None:
    """Before a call is looked at: its time begins, and it takes a place or is told that there is none. Raises Unavailable."""
    parts = wiring()
    g.budget, g.places = Budget(parts.settings.deadline_ms), ExitStack()
    parts.admission.enter()
    g.places.callback(parts.admission.leave)


def give_places_back(_: BaseException | None = None) -> None:
    """When the answer is made, or has failed."""
    if "places" in g:
        g.places.close()


def identify(path: str) -> Caller:
    """Who calls the endpoint at this path; in open access whoever is on this machine, and no token is looked at.

    Once the token is proven `g.caller` says whose it is, so that what is refused after that counts as his. Raises
    Unauthenticated, OverQuota (the token can then be used again), and LedgerDown where nobody knows if it was used.
    """
    parts, budget = wiring(), _budget()
    if parts.settings.open_access:
        if not is_loopback(request.remote_addr):
            raise Unauthenticated
        return Caller(OPEN)
    now = int(parts.clock().timestamp())
    authorization = request.headers.get("Authorization")
    g.caller = caller = parts.callers.check(authorization, f"{parts.settings.public_url}{path}", now, budget.left / 2)
    budget.set(caller.issuer.deadline_ms or parts.settings.deadline_ms)
    g.places.enter_context(parts.admission.of(caller.issuer.iss))
    parts.callers.use_up(caller, now, budget.left / 2)
    return caller


def _budget() -> Budget:
    found: Budget = g.budget
    return found
