"""Who is calling: trusted issuers, their keys and tokens; in the open demo anybody on this machine."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from cds_service.access.callers import UNKNOWN, Caller, Callers
from cds_service.access.issuers import OPEN, Issuer

__all__ = ["OPEN", "UNKNOWN", "Caller", "Callers", "Issuer", "is_loopback", "may_read"]


def is_loopback(address: str | None) -> bool:
    """Whether an IP address, or a host name in an Origin, is this machine."""
    if address == "localhost":
        return True
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False


def may_read(origin: str | None, issuers: Iterable[Issuer], *, open_access: bool) -> bool:
    """Whether a browser page of this origin may call (CORS): an issuer's own; in open access any served from this machine."""
    if not origin:
        return False
    if not open_access:
        return any(origin in one.origins for one in issuers)
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and is_loopback(parts.hostname)
    except ValueError:
        return False
