"""Who is calling. Until client authentication exists there is one answer: anybody on this machine, in the open demo."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from cds_service.errors import Unauthenticated
from cds_service.settings import Settings


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called; feedback and cards belong to an issuer."""

    issuer: str


OPEN = Caller("open-demo")


def identify(settings: Settings, address: str | None) -> Caller:
    """The caller. In open access everybody on loopback, whatever token was sent; else nobody yet. Raises Unauthenticated."""
    if settings.open_access and is_loopback(address):
        return OPEN
    raise Unauthenticated


def is_loopback(address: str | None) -> bool:
    """Whether an IP address, or a host name in an Origin, is this machine."""
    if address == "localhost":
        return True
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False


def may_read(settings: Settings, origin: str | None) -> bool:
    """Whether a browser page of this origin may call (CORS): in open access any page served from this machine."""
    if not settings.open_access or not origin:
        return False
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and is_loopback(parts.hostname)
    except ValueError:
        return False
