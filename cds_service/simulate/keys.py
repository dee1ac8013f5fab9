"""A key file in, the key that signs an EHR's tokens out; or a new key into a file, and its public half out to be handed over."""

import hashlib
import json
import os
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt import InvalidKeyError
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_service.access.issuers import FITS

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_USUAL = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", None: "RS384"}
_RSA_BITS = 3072
_MOST_BYTES = 64 << 10


class KeyFault(Exception):
    """The key cannot be read, used or written; says nothing of what stands in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key with the id and the algorithm that it signs with."""

    key: PrivateKey
    kid: str
    algorithm: str

    def public(self) -> dict[str, Any]:
        """As it is published."""
        return _public(self.key) | {"kid": self.kid, "alg": self.algorithm, "use": "sig"}


def read_key(path: Path, kid: str | None = None, algorithm: str | None = None) -> SigningKey:
    """From PEM, a JSON Web Key, or a set that holds one; what is given outweighs what the file says. Raises KeyFault."""
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise KeyFault(f"{path.name}: the file cannot be read ({fault.strerror}).") from None
    said, key = _read_jwk(path, raw) if raw.lstrip().startswith(b"{") else ({}, _read_pem(path, raw))
    chosen = algorithm or said.get("alg") or _USUAL.get(_curve(key))
    if not isinstance(chosen, str) or FITS.get(chosen) != _kind(key):
        raise KeyFault(f"{path.name}: the key does not fit its algorithm; {', '.join(FITS)} are known.")
    named = kid or said.get("kid")
    return SigningKey(key=key, kid=named if isinstance(named, str) else thumbprint(key), algorithm=chosen)


def make_key(path: Path, algorithm: str, kid: str | None = None) -> dict[str, Any]:
    """Writes a new private key as a JSON Web Key that only its owner can read; the public key set. Raises KeyFault."""
    key = _new(algorithm)
    made = SigningKey(key=key, kid=kid or thumbprint(key), algorithm=algorithm)
    private = _jwk(key) | {"kid": made.kid, "alg": algorithm, "use": "sig"}
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # never over a key that is there
        with os.fdopen(number, "w", encoding="utf-8") as file:
            json.dump(private, file, indent=2)
            file.write("\n")
    except OSError as fault:
        raise KeyFault(f"{path.name}: the file cannot be written ({fault.strerror}).") from None
    return {"keys": [made.public()]}


@cache
def stranger(algorithm: str) -> PrivateKey:
    """A key for an algorithm that nobody has been given."""
    return _new(algorithm)


def thumbprint(key: PrivateKey) -> str:
    """What the key is called where nobody named it (RFC 7638)."""
    needed = {name: one for name, one in _public(key).items() if name in ("crv", "e", "kty", "n", "x", "y")}
    text = json.dumps(needed, sort_keys=True, separators=(",", ":"))
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _new(algorithm: str) -> PrivateKey:
    _, curve = FITS[algorithm]
    return ec.generate_private_key(_CURVES[curve]) if curve else rsa.generate_private_key(65537, _RSA_BITS)


def _read_pem(path: Path, raw: bytes) -> PrivateKey:
    try:
        key = load_pem_private_key(raw[:_MOST_BYTES], None)
    except TypeError:
        raise KeyFault(f"{path.name}: the key is locked with a password; give one without.") from None
    except ValueError:
        raise KeyFault(f"{path.name}: a private key in PEM, or as a JSON Web Key, is expected.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyFault(f"{path.name}: an elliptic curve or RSA key is expected.")
    return key


def _read_jwk(path: Path, raw: bytes) -> tuple[dict[str, Any], PrivateKey]:
    try:
        found = json.loads(raw[:_MOST_BYTES])
        listed = found.get("keys", [found])
        (said,) = listed
        key = (ECAlgorithm if said["kty"] == "EC" else RSAAlgorithm).from_jwk(said)
    except (ValueError, TypeError, KeyError, InvalidKeyError):
        raise KeyFault(f"{path.name}: one private key, in PEM or as a JSON Web Key, is expected.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyFault(f"{path.name}: it is a public key; the private one signs.")
    return said, key


def _jwk(key: PrivateKey) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAAlgorithm.to_jwk(key, as_dict=True)
    return ECAlgorithm.to_jwk(key, as_dict=True)


def _public(key: PrivateKey) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        return {
            name: one for name, one in RSAAlgorithm.to_jwk(key.public_key(), as_dict=True).items() if name != "key_ops"
        }
    return ECAlgorithm.to_jwk(key.public_key(), as_dict=True)


def _curve(key: PrivateKey) -> str | None:
    if isinstance(key, rsa.RSAPrivateKey):
        return None
    return next((name for name, one in _CURVES.items() if one.name == key.curve.name), key.curve.name)


def _kind(key: PrivateKey) -> tuple[str, str | None]:
    return ("RSA" if isinstance(key, rsa.RSAPrivateKey) else "EC", _curve(key))
