"""CDS clients that are invented: a key of their own in, signed tokens and key sets out. The keys are made when a test runs."""

import base64
import json
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

BASE = "https://cds.example.org/hiv"
SIGN = "/cds-services/immune-status-order-sign"
_CURVES: dict[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@cache
def private_key(algorithm: str, _: str = "", bits: int = 2048) -> PrivateKey:
    """A key for an algorithm, one for each name."""
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm])
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class CdsClient:
    """One client with one key."""

    iss: str = "https://ehr.example.org"
    algorithm: str = "ES384"
    kid: str = "2026-11"
    name: str = ""  # of the key
    header: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> PrivateKey:
        return private_key(self.algorithm, self.name)

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """The public key as it is published."""
        public = self.key.public_key()
        found = (
            RSAAlgorithm.to_jwk(public, as_dict=True)
            if isinstance(public, rsa.RSAPublicKey)
            else ECAlgorithm.to_jwk(public, as_dict=True)
        )
        return {name: value for name, value in (found | {"kid": self.kid} | changes).items() if value is not None}

    def claims(self, path: str = SIGN, now: float | None = None, **changes: Any) -> dict[str, Any]:
        """What a token of five minutes for an endpoint says; a change to None leaves a claim out."""
        began = int(time.time() if now is None else now)
        usual = {"iss": self.iss, "aud": BASE + path, "iat": began, "exp": began + 300, "jti": str(uuid4())}
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def token(
        self, path: str = SIGN, now: float | None = None, header: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        """A signed token."""
        head = {"kid": self.kid} | self.header | (header or {})
        return jwt.encode(self.claims(path, now, **changes), self.key, self.algorithm, headers=head)

    def authorization(self, path: str = SIGN, now: float | None = None, **changes: Any) -> dict[str, str]:
        """The header that carries a new token."""
        return {"Authorization": f"Bearer {self.token(path, now, **changes)}"}


def key_set(*keys: dict[str, Any]) -> bytes:
    """A published key set."""
    return json.dumps({"keys": list(keys)}).encode()


def encoded(value: Any) -> str:
    """One part of a token: JSON, or text as it is."""
    raw = (value if isinstance(value, str) else json.dumps(value)).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
