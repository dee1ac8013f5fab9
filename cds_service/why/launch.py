"""A launch of the EHR in; out come where the browser goes next and what it carries meanwhile, and later whether it came back.

What it carries (state, the verifier of PKCE, whose launch it is) is sealed: nothing is kept here, and nobody can make one up.
"""

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from urllib.parse import urlencode

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from cds_service.access.issuers import Smart
from cds_service.chart.templates import ASKED_FOR
from cds_service.why.discovery import Endpoints
from cds_service.why.refused import NotShown

SECONDS = 600  # from the launch to the EHR's answer: somebody may have to sign in between
VISIBLE = re.compile(r"[!-~]{1,3000}")  # what other servers hand out; never looked into
_NONCE_BYTES = 12


class Pending(Struct, frozen=True, kw_only=True):
    """A launch under way, as the browser carries it. `expires`: seconds since 1970."""

    state: str
    verifier: str
    iss: str
    token: str
    server: str
    names_itself: bool
    expires: int

    @property
    def digest(self) -> str:
        """By what it is known to be used; tells nothing of it."""
        return digest(self.state)


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and the launch under way."""

    address: str
    pending: Pending


class Seal:
    """What only this service can open, by a key that `find_key` gives when it is needed."""

    def __init__(self, find_key: Callable[[], bytes]) -> None:
        self._find_key = find_key

    def put_on(self, pending: Pending) -> str:
        """Printable, for a cookie. Raises what `find_key` raises."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self._find_key()).encrypt(nonce, msgspec.json.encode(pending), None)
        return urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def open(self, text: str) -> Pending | None:
        """None where it is not ours. Raises what `find_key` raises."""
        cipher = AESGCM(self._find_key())
        try:
            found = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return msgspec.json.decode(cipher.decrypt(found[:_NONCE_BYTES], found[_NONCE_BYTES:], None), type=Pending)
        except (InvalidTag, Error, ValueError, msgspec.MsgspecError):
            return None


def begin(iss: str, launch: str, smart: Smart, to: Endpoints, *, back: str, now: int) -> Begun:
    """`back`: the redirect URI, exactly as it is registered; `now`: seconds since 1970."""
    pending = Pending(
        state=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(32),
        iss=iss,
        token=to.token,
        server=to.issuer,
        names_itself=to.names_itself,
        expires=now + SECONDS,
    )
    asked = {
        "response_type": "code",
        "client_id": smart.client_id,
        "redirect_uri": back,
        "launch": launch,
        "scope": " ".join(smart.scopes or _scopes(to)),
        "state": pending.state,
        "aud": iss,
        "code_challenge": challenge(pending.verifier),
        "code_challenge_method": "S256",
    }
    return Begun(f"{to.authorize}{'&' if '?' in to.authorize else '?'}{urlencode(asked)}", pending)


def returned(state: str, server: str | None, pending: Pending | None, now: int) -> Pending:
    """The launch that an answer of the EHR belongs to. `server`: who says that he answers. Raises NotShown."""
    if pending is None or not compare_digest(pending.state.encode(), state.encode()):
        raise NotShown("another-browser")
    if now >= pending.expires:
        raise NotShown("too-late")
    if (server is None and pending.names_itself) or (server is not None and pending.server not in ("", server)):
        raise NotShown("ehr-unfit")  # another server's code must not be carried to this one (RFC 9207)
    return pending


def digest(state: str) -> str:
    """32 hexadecimal digits."""
    return sha256(state.encode()).hexdigest()[:32]


def challenge(verifier: str) -> str:
    """S256 of PKCE (RFC 7636)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _scopes(to: Endpoints) -> tuple[str, ...]:
    right = "rs" if to.short_scopes else "read"
    return ("launch", *(f"patient/{kind}.{right}" for kind in ASKED_FOR))
