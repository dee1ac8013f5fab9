"""A FHIR base address that the trust file names in; out comes where its users sign in and where codes are redeemed.

What the server says of itself is believed only as far as the trust file goes: both addresses must be at the authorization
servers that it names. An answer is kept for minutes and a failure for seconds, so that launches cannot be used to press a server.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ssl import SSLContext
from threading import Lock
from time import monotonic

import msgspec
from msgspec import Struct

from cds_service.access.issuers import Smart
from cds_service.outbound.document import fetch_document
from cds_service.outbound.faults import Failed
from cds_service.outbound.url_guard import AllowedServer, Guard
from cds_service.why.refused import NotShown, Word
from cds_service.wire.strict_json import json_fault

WELL_KNOWN = "/.well-known/smart-configuration"
MOST_BYTES = 64 << 10
KEPT_SECONDS, FAILURE_KEPT_SECONDS = 300.0, 5.0
_LONGEST = 1024  # characters of an address: it travels in a cookie
_METHOD = "S256"


class _Configuration(Struct, frozen=True):
    authorization_endpoint: str
    token_endpoint: str
    issuer: str | None = None
    capabilities: tuple[str, ...] = ()
    code_challenge_methods_supported: tuple[str, ...] = (_METHOD,)
    authorization_response_iss_parameter_supported: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """`issuer`: the name under which the authorization server answers, empty where it has none."""

    authorize: str
    token: str
    issuer: str
    names_itself: bool  # in every answer (RFC 9207)
    short_scopes: bool  # it knows the scopes of SMART 2 (`.rs`) and not those of SMART 1 (`.read`)


class Discovery:
    """What the servers have said, for the threads of one process. `clock` counts seconds and never goes back."""

    def __init__(self, context: SSLContext, clock: Callable[[], float] = monotonic) -> None:
        self._context, self._clock, self._lock = context, clock, Lock()
        self._known: dict[str, tuple[float, Endpoints | Word]] = {}

    def of(self, iss: str, smart: Smart, deadline: float) -> Endpoints:
        """`iss` is one of its servers; `deadline` is of `time.monotonic`. Raises NotShown."""
        with self._lock:
            until, found = self._known.get(iss, (0.0, None))
        if found is None or self._clock() >= until:
            found = self._found(iss, smart, deadline)
            kept = KEPT_SECONDS if isinstance(found, Endpoints) else FAILURE_KEPT_SECONDS
            with self._lock:
                self._known[iss] = self._clock() + kept, found
        if not isinstance(found, Endpoints):
            raise NotShown(found)
        return found

    def _found(self, iss: str, smart: Smart, deadline: float) -> Endpoints | Word:
        url = iss.removesuffix("/") + WELL_KNOWN
        private = any(one.private for one in smart.authorization.allowed)
        own = Guard((AllowedServer.of(iss, private),), loopback_only=smart.authorization.loopback_only)
        try:
            return _endpoints(fetch_document(url, own, deadline, MOST_BYTES, self._context), smart)
        except Failed:
            return "ehr-away"
        except NotShown as fault:
            return fault.word


def _endpoints(body: bytes, smart: Smart) -> Endpoints:
    """Raises NotShown."""
    found = _configuration(body)
    addresses = (found.authorization_endpoint, found.token_endpoint)
    is_named = all(smart.authorization.admits(one) and len(one) <= _LONGEST for one in addresses)
    if not is_named or _METHOD not in found.code_challenge_methods_supported or len(found.issuer or "") > _LONGEST // 4:
        raise NotShown("ehr-unfit")
    known = found.capabilities
    return Endpoints(
        authorize=found.authorization_endpoint,
        token=found.token_endpoint,
        issuer=found.issuer or "",
        names_itself=found.authorization_response_iss_parameter_supported,
        short_scopes="permission-v2" in known and "permission-v1" not in known,
    )


def _configuration(body: bytes) -> _Configuration:
    try:
        if json_fault(body):
            raise NotShown("ehr-unfit")
        return msgspec.json.decode(body, type=_Configuration)
    except msgspec.DecodeError:
        raise NotShown("ehr-unfit") from None
