"""A key's name in, its two halves out; all keys are made when the tests run, none is ever written down."""

import base64
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

_CURVES: dict[str, type[ec.EllipticCurve]] = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1}
_KIND = {  # what a name of the tables stands for; every other name is a key on P-384
    "hospital-rsa": "rsa2048",
    "hospital-small-rsa": "rsa1024",
    "hospital-p256": "p256",
    "hospital-p521": "p521",
    "hospital-ed25519": "ed25519",
}
_ALGORITHM = {
    "p256": "ES256",
    "p384": "ES384",
    "p521": "ES512",
    "rsa2048": "RS384",
    "rsa1024": "RS384",
    "ed25519": "EdDSA",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key pair, the kid it is published under, and the algorithm it is for."""

    kid: str
    private: Any
    algorithm: str

    def jwk(self, **changed: Any) -> dict[str, Any]:
        """The public half as a JWKS publishes it; a member given as "" is left out."""
        made: dict[str, Any] = self._jwk(self.private.public_key()) | {"kid": self.kid, "use": "sig"}
        return {name: value for name, value in (made | {"alg": self.algorithm} | changed).items() if value != ""}

    def private_jwk(self) -> dict[str, Any]:
        """Both halves, which nobody should ever publish."""
        return self.jwk() | self._jwk(self.private)

    def pem(self) -> bytes:
        """The public half in PEM: the old trick takes it for a secret."""
        found: bytes = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return found

    def _jwk(self, half: Any) -> dict[str, Any]:
        algorithms = {"E": ECAlgorithm, "R": RSAAlgorithm}
        maker: Any = OKPAlgorithm if self.algorithm == "EdDSA" else algorithms[self.algorithm[0]]
        return dict(maker.to_jwk(half, as_dict=True))


@cache
def key(name: str) -> Key:
    """The key of that name. The clinic's bears the kid of the hospital's: a kid belongs to its issuer."""
    kind = _KIND.get(name, "p384")
    kid = "hospital" if name == "clinic" else name
    return Key(kid=kid, private=_made(kind), algorithm=_ALGORITHM[kind])


def _made(kind: str) -> Any:
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))  # the small one is there to be refused
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(_CURVES[kind]())


def jwks(wanted: list[dict[str, Any]]) -> dict[str, Any]:
    """A JWKS: `name` of each key, what it publishes otherwise than usual, `private` for both halves, `symmetric` for none."""
    return {"keys": [_entry(dict(one)) for one in wanted]}


def _entry(one: dict[str, Any]) -> dict[str, Any]:
    found, both = key(one.pop("name")), one.pop("private", False)
    if one.pop("symmetric", False):
        secret = base64.urlsafe_b64encode(b"s" * 48).decode()
        return {"kty": "oct", "kid": found.kid, "k": secret} | one
    return found.private_jwk() if both else found.jwk(**one)
