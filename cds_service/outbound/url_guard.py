"""A URL or an IP address in; out comes whether this service may go there. Parsed parts are compared, never text.

What two parsers could read in two ways (user names, backslashes, encoded dots, odd spellings of an IPv4 address) is refused.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network, ip_address

LONGEST_URL = 2048
LOCALHOST = "localhost"
Origin = tuple[str, str, int]
_VISIBLE = re.compile(r"[!-\[\]-~]+")  # ASCII without space, control characters and the backslash
_URL = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([1-9][0-9]{0,4}))?(/[^?#]*)?(?:\?[^#]*)?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # what C libraries read as part of an IPv4 address
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})?")
_PORTS = {"http": 80, "https": 443}
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_NOT_CARRYING = (IPv6Address("::1"), IPv6Address("::"))  # `is_loopback` differs between versions of Python


@dataclass(frozen=True, slots=True)
class Address:
    """Where a URL leads: scheme, host in lower case (IPv6 without brackets), port, and whole segments of the path."""

    scheme: str
    host: str
    port: int
    path: tuple[str, ...]

    @property
    def origin(self) -> Origin:
        """Scheme, host and port: what makes it one server."""
        return self.scheme, self.host, self.port

    def covers(self, other: "Address") -> bool:
        """Whether the other is of the same origin, at or below this path."""
        return self.origin == other.origin and other.path[: len(self.path)] == self.path


@dataclass(frozen=True, slots=True)
class AllowedServer(Address):
    """A server the configuration names. `private`: it may have an address that is not on the public Internet."""

    private: bool = False

    @classmethod
    def of(cls, base_url: str, private: bool = False) -> "AllowedServer":
        """From a configured base URL. Raises ValueError, which does not repeat the URL."""
        found = address_of(base_url)
        if found is None or "?" in base_url:
            raise ValueError("an https base URL without user, query, fragment or dots in its path is expected")
        return cls(found.scheme, found.host, found.port, found.path, private)


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be asked: the allowed servers; or, `loopback_only`, whatever runs on this machine and nothing else."""

    allowed: tuple[AllowedServer, ...] = ()
    loopback_only: bool = False

    def admits(self, url: str) -> bool:
        """Whether a request may be sent to this URL."""
        return self.admitted(url) is not None

    def admitted(self, url: str) -> Address | None:
        """Where an admitted URL leads; None for every other."""
        address = address_of(url)
        if address is None:
            return None
        if self.loopback_only:
            return address if _is_here(address.host) else None
        return address if any(server.covers(address) for server in self.allowed) else None

    def permits(self, address: Address, ip: str) -> bool:
        """Whether the host of an admitted address may be reached at this IP address: what DNS says is not believed."""
        found = _every_form(ip)
        if self.loopback_only:
            return len(found) == 1 and found[0].is_loopback
        if found and all(one.is_global and not one.is_multicast for one in found):
            return True
        private = any(server.private and server.covers(address) for server in self.allowed)
        return private and len(found) == 1 and _is_inside(found[0])


def address_of(url: str) -> Address | None:
    """The parts of a URL that can be read in one way only; None for every other. Plain http only to this machine."""
    found = _URL.fullmatch(url) if len(url) <= LONGEST_URL and _VISIBLE.fullmatch(url) else None
    if found is None:
        return None
    host, path = _host(found[2].lower()), _segments(found[4] or "/")
    port = int(found[3] or _PORTS[found[1]])
    if host is None or path is None or port > 0xFFFF or (found[1] == "http" and not _is_here(host)):
        return None
    return Address(found[1], host, port, path)


def _host(written: str) -> str | None:
    """A DNS name, or an IP address in its one canonical spelling."""
    if written.startswith("["):
        return _ipv6(written[1:-1])
    labels = written.split(".")
    if len(written) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return None  # a trailing dot leaves an empty label
    if not _NUMBER.fullmatch(labels[-1]):
        return written
    try:
        return str(IPv4Address(written))
    except AddressValueError:
        return None


def _ipv6(written: str) -> str | None:
    try:
        found = IPv6Address(written)
    except AddressValueError:
        return None
    return str(found) if len(_every_form(str(found))) == 1 else None


def _segments(path: str) -> tuple[str, ...] | None:
    """The segments of a path; None where a server might read others than we do."""
    segments = path.removeprefix("/").removesuffix("/").split("/") if path != "/" else []
    odd = ";" in path or any(one in ("", ".", "..") for one in segments)
    return None if odd or not all(map(_is_harmless, _ENCODED.findall(path))) else tuple(segments)


def _is_harmless(digits: str) -> bool:
    """Whether an encoded character is no dot, slash, percent sign, control character or anything else that steers."""
    return bool(digits) and chr(int(digits, 16)) in " !\"$&'()*+,-:<=>@[]^_`{|}~"


def _is_here(host: str) -> bool:
    if host == LOCALHOST:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _every_form(ip: str) -> tuple[IPv4Address | IPv6Address, ...]:
    """An IP address, and the IPv4 address that is carried inside an IPv6 one; empty where it is none."""
    try:
        found = ip_address(ip)
    except ValueError:
        return ()
    if isinstance(found, IPv4Address) or found in _NOT_CARRYING:
        return (found,)
    carried = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
    if found in _NAT64 or found in _COMPATIBLE:
        carried = IPv4Address(int(found) & 0xFFFFFFFF)
    return (found, carried) if carried else (found,)


def _is_inside(found: IPv4Address | IPv6Address) -> bool:
    """This machine or a private network; never link-local, where clouds keep their credentials, nor multicast."""
    never = found.is_link_local or found.is_multicast or found.is_unspecified or found.is_reserved
    return found.is_loopback or (found.is_private and not never)
