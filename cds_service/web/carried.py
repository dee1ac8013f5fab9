"""A launch under way in, a cookie out, and back: sealed, for this browser and this host alone, gone with its launch."""

from typing import Any

from flask import Response, request

from cds_service.why.launch import SECONDS, Pending, digest

_NAME = "why-"
_MOST = 4  # launches at once in one browser; cookies that pile up would make its requests too large


def give(response: Response, pending: Pending, sealed: str, *, secure: bool, framed: bool) -> None:
    """`framed`: the EHR shows the page within its own, where a browser hands out only cookies that say so."""
    others = [name for name in request.cookies if name.startswith((_NAME, f"__Host-{_NAME}"))]
    for name in others if len(others) >= _MOST else ():
        _drop(response, name, secure=secure, framed=framed)
    response.set_cookie(
        _named(pending.digest, secure=secure), sealed, max_age=SECONDS, httponly=True, **_manner(secure, framed)
    )


def found(state: str, *, secure: bool) -> str | None:
    """What the browser carries of the launch with this state."""
    return request.cookies.get(_named(digest(state), secure=secure))


def take(response: Response, pending: Pending, *, secure: bool, framed: bool) -> None:
    """Takes it from the browser: the launch is over."""
    _drop(response, _named(pending.digest, secure=secure), secure=secure, framed=framed)


def _drop(response: Response, name: str, *, secure: bool, framed: bool) -> None:
    response.delete_cookie(name, httponly=True, **_manner(secure, framed))


def _named(mark: str, *, secure: bool) -> str:
    """`__Host-`: a browser takes it only over TLS and from this very host. Without TLS there is only this machine."""
    return f"{'__Host-' if secure else ''}{_NAME}{mark[:16]}"


def _manner(secure: bool, framed: bool) -> dict[str, Any]:
    if secure and framed:
        return {"secure": True, "samesite": "None", "partitioned": True}
    return {"secure": secure, "samesite": "Lax"}
