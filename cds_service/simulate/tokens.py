"""The address that is called in, the signed token of that call out: right, or wrong in the one way that is asked for."""

import time
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import uuid4

import jwt

from cds_service.simulate.keys import SigningKey, stranger

Wrong = Literal["expired", "future", "wrong-audience", "used-twice", "no-jti", "wrong-key", "none-algorithm"]
WRONG: tuple[Wrong, ...] = get_args(Wrong)
_SECONDS = 300
_FAR = 3600  # seconds that no clock is wrong by
_ELSEWHERE = "https://another-service.example.org/cds-services/another"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """An EHR that signs its calls."""

    key: SigningKey
    iss: str
    base: str  # that of the service, as the EHR dials it
    public_base: str | None = None  # that the service knows itself by, where it is another
    audience: str | None = None  # in place of the address that is called
    jku: str | None = None
    tenant: str | None = None

    def authorization(self, url: str, wrong: Wrong | None = None) -> dict[str, str]:
        """The header of one call, with a token that no other call has."""
        return {"Authorization": f"Bearer {self._token(url, wrong)}"}

    def _token(self, url: str, wrong: Wrong | None) -> str:
        head = {"kid": self.key.kid, "typ": "JWT"} | ({"jku": self.jku} if self.jku else {})
        claims = self._claims(url, wrong)
        if wrong == "none-algorithm":
            return jwt.encode(claims, "", algorithm="none", headers=head)
        signs = stranger(self.key.algorithm) if wrong == "wrong-key" else self.key.key
        return jwt.encode(claims, signs, self.key.algorithm, headers=head)

    def _claims(self, url: str, wrong: Wrong | None) -> dict[str, Any]:
        began = int(time.time()) + {"expired": -_FAR, "future": _FAR}.get(wrong or "", 0)
        usual = {
            "iss": self.iss,
            "aud": _ELSEWHERE if wrong == "wrong-audience" else self._audience(url),
            "iat": began,
            "exp": began + _SECONDS,
            "jti": None if wrong == "no-jti" else str(uuid4()),
            "tenant": self.tenant,
        }
        return {name: value for name, value in usual.items() if value is not None}

    def _audience(self, url: str) -> str:
        return self.audience or (self.public_base or self.base) + url.removeprefix(self.base)
