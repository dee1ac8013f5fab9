"""One entry of the trust file, read and checked: a client that may call, and everything that holds for its calls alone."""

from dataclasses import dataclass, field
from pathlib import Path

from cds_service.outbound.url_guard import Guard
from cds_service.wire.shape import Shape

# What a key must be for an algorithm: its type, and its curve where the type has one
FITS = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """A key set that was handed over: a file on this machine. `jku`: what a token's own must equal; None: it is not looked at."""

    path: Path
    jku: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAddress:
    """A key set that the client publishes. A token's `jku` must equal the address; it is never fetched because a token says so."""

    url: str
    guard: Guard

    @property
    def jku(self) -> str:
        """What a token's own must equal."""
        return self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class Smart:
    """How the why page is launched from this client (SMART App Launch): as which of its clients, from which FHIR servers."""

    client_id: str
    servers: frozenset[str]  # FHIR base addresses, without a slash at their end: what a launch may name as its `iss`
    authorization: Guard  # where its users may be sent to, and codes be redeemed
    secret: str | None = field(default=None, repr=False)  # None: a public client, which PKCE alone protects
    scopes: tuple[str, ...] = ()  # none: those that the reading needs, as the server writes them
    frames: tuple[str, ...] = ()  # origins that may show the page within their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """A CDS client that is trusted, by the exact text of its `iss`."""

    iss: str
    keys: KeyFile | KeyAddress | None  # None in open access only: nobody signs there
    algorithms: tuple[str, ...] = ()
    audiences: frozenset[str] = frozenset()  # accepted besides the address that was called
    max_lifetime_seconds: int = 300
    tenants: frozenset[str] = frozenset()  # empty: any
    servers: Guard = field(default_factory=Guard)  # the FHIR servers that may be asked, with its token
    origins: frozenset[str] = frozenset()
    deadline_ms: int | None = None  # None: the service's own
    not_supplied: frozenset[str] = frozenset()  # prefetch keys it cannot send
    profile: str | None = None  # None: the service's own
    codes: Path | None = None  # its map of local codes, not read yet
    language: str | None = None  # of its cards; None: what each request asks for
    smart: Smart | None = None  # None: it has no why page
    shape: Shape | None = None  # how it wants its cards; None: as the service's own settings say
    shadow: bool = False  # its calls are answered without cards, and what would have been shown is recorded


OPEN = Issuer(iss="open-demo", keys=None, servers=Guard(loopback_only=True))
