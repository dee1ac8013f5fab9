"""The text of a client's JSON Web Token in; out comes what it says, or the reason why it is not to be believed.

The form is checked before anything is decoded, the claims before the signature is computed. What PyJWT accepts and CDS Hooks
does not (padding, doubled members, claims that are missing or of another type, lifetimes without end) is refused here.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

import jiter
from jwt import PyJWK, PyJWS, PyJWTError

from cds_service.access.issuers import Issuer

Reason = Literal[
    "no-token",
    "malformed",
    "header",  # its type, or something in it that must not be there
    "algorithm",
    "issuer",
    "key-address",  # a jku that is not the issuer's
    "claims",  # missing or of the wrong type
    "audience",
    "lifetime",
    "too-early",
    "expired",
    "tenant",
    "unknown-key",
    "signature",
    "used-before",
]
REASONS: tuple[str, ...] = get_args(Reason)
LEEWAY_SECONDS = 60
_LONGEST = 8192
_LONGEST_ID = 256
_MOST_AUDIENCES = 10
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_VISIBLE = re.compile(r"[!-~]{1,256}")
_UNWELCOME = frozenset(("jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"))
_jws = PyJWS()


class Refused(Exception):
    """The token is not believed. The reason is for the operator, never for the caller."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Header:
    """What a token says of its own signature."""

    algorithm: str
    kid: str
    jku: str | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was taken apart; nothing of it is verified yet. Times are seconds since 1970."""

    text: str
    header: Header
    claims: dict[str, Any]

    @property
    def iss(self) -> str | None:
        """Whom it claims to be from."""
        found = self.claims.get("iss")
        return found if isinstance(found, str) else None

    @property
    def jti(self) -> str:
        """Its id, once the claims are checked."""
        return str(self.claims["jti"])

    @property
    def expires(self) -> int:
        """Its end, once the claims are checked."""
        return int(self.claims["exp"])


def take_apart(authorization: str | None) -> Token:
    """The token of an Authorization header. Raises Refused."""
    scheme, _, text = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise Refused("no-token")
    if len(text) > _LONGEST or not _COMPACT.fullmatch(text):
        raise Refused("malformed")
    header, claims, _ = text.split(".")
    return Token(text, _header(_object(header)), _object(claims))


def check_claims(token: Token, issuer: Issuer, endpoint: str, now: int) -> None:
    """Whether it was made for this endpoint, by this issuer's rules, for this time. Raises Refused."""
    claims = token.claims
    if token.header.algorithm not in issuer.algorithms:
        raise Refused("algorithm")
    expected = issuer.keys.jku if issuer.keys else None
    if token.header.jku is not None and expected is not None and token.header.jku != expected:
        raise Refused("key-address")
    if not _VISIBLE.fullmatch(claims["jti"] if isinstance(claims.get("jti"), str) else ""):
        raise Refused("claims")
    if not _audiences(claims.get("aud")) & (issuer.audiences | {endpoint}):
        raise Refused("audience")
    _check_times(claims, issuer, now)
    if issuer.tenants and not (isinstance(claims.get("tenant"), str) and claims["tenant"] in issuer.tenants):
        raise Refused("tenant")


def check_signature(token: Token, key: PyJWK) -> None:
    """Whether this key made it. Raises Refused."""
    try:
        _jws.decode_complete(token.text, key, algorithms=[token.header.algorithm])
    except (PyJWTError, ValueError, TypeError):
        raise Refused("signature") from None


def _object(segment: str) -> dict[str, Any]:
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        found = jiter.from_json(raw, allow_inf_nan=False, catch_duplicate_keys=True)
    except (binascii.Error, ValueError):
        raise Refused("malformed") from None
    if not isinstance(found, dict) or base64.urlsafe_b64encode(raw).rstrip(b"=") != segment.encode():
        raise Refused("malformed")  # one content in two spellings
    return found


def _header(found: dict[str, Any]) -> Header:
    algorithm, kid, jku, kind = (found.get(name) for name in ("alg", "kid", "jku", "typ"))
    if _UNWELCOME & found.keys() or not isinstance(kind, str) or kind.upper() != "JWT":
        raise Refused("header")
    if not isinstance(algorithm, str):
        raise Refused("algorithm")
    if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_ID:
        raise Refused("header")
    if "jku" in found and not isinstance(jku, str):
        raise Refused("key-address")
    return Header(algorithm, kid, jku)


def _audiences(stated: Any) -> frozenset[str]:
    listed = stated if isinstance(stated, list) else [stated]
    if len(listed) > _MOST_AUDIENCES or not all(isinstance(one, str) for one in listed):
        return frozenset()
    return frozenset(listed)


def _check_times(claims: dict[str, Any], issuer: Issuer, now: int) -> None:
    begins, ends, not_before = claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)
    if (
        type(begins) is not int or type(ends) is not int or type(not_before) is not int
    ):  # a bool is an int to isinstance
        raise Refused("claims")
    if not 0 < ends - begins <= issuer.max_lifetime_seconds or begins < 0:
        raise Refused("lifetime")
    if max(begins, not_before) > now + LEEWAY_SECONDS:
        raise Refused("too-early")
    if ends <= now - LEEWAY_SECONDS:
        raise Refused("expired")
