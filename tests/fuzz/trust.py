"""The clients that the service is to trust in, its file of issuers and good tokens out; keys are made when the tests run."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import time
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from jwt.algorithms import ECAlgorithm

PUBLIC = "https://cds.example.org/hiv"
HEADER = {"alg": "ES256", "typ": "JWT", "kid": "1"}


def _new_key() -> bytes:
    made = generate_private_key(SECP256R1())
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True, slots=True)
class Client:
    """A client with a key on P-256, the quickest there is, and what its [[issuer]] says besides."""

    iss: str
    settings: dict[str, Any] = field(default_factory=dict)
    pem: bytes = field(default_factory=_new_key, repr=False)

    def token(self, path: str, **claims: Any) -> str:
        """A good token for that endpoint, but for the claims given."""
        now = int(time())
        whole = {"iss": self.iss, "aud": PUBLIC + path, "iat": now, "exp": now + 300, "jti": str(uuid4())} | claims
        return self.signed(HEADER, whole)

    def signed(self, header: Any, claims: Any) -> str:
        """Whatever is given, under a signature that fits."""
        text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
        halves = decode_dss_signature(_key(self.pem).sign(text.encode(), ECDSA(SHA256())))
        return f"{text}.{b64(b''.join(one.to_bytes(32, 'big') for one in halves))}"

    def jwks(self) -> dict[str, Any]:
        """The public half."""
        public = ECAlgorithm.to_jwk(_key(self.pem).public_key(), as_dict=True)
        return {"keys": [public | {"kid": HEADER["kid"], "use": "sig", "alg": HEADER["alg"]}]}


def b64(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def write(clients: Iterable[Client], folder: Path) -> Path:
    """The file of issuers, and beside it the key of each."""
    parts = []
    for number, one in enumerate(clients):
        keys = folder / f"keys-{number}.json"
        keys.write_text(json.dumps(one.jwks()), "utf-8")
        stated = {"iss": one.iss, "jwks": str(keys), "algorithms": [HEADER["alg"]]} | one.settings
        parts += ["[[issuer]]", *(f"{name} = {json.dumps(value)}" for name, value in stated.items()), ""]
    found = folder / "issuers.toml"
    found.write_text("\n".join(parts), "utf-8")
    return found


@cache
def _key(pem: bytes) -> EllipticCurvePrivateKey:
    found = load_pem_private_key(pem, None)
    assert isinstance(found, EllipticCurvePrivateKey)
    return found
