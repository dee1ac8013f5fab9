"""What a case changes in a token in, the token out; made piece by piece, because good libraries refuse to make bad ones."""

import base64
import hashlib
import hmac
import json
import string
from collections.abc import Mapping
from string import Template
from time import time
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.attack.keys import Key, key
from tests.attack.tables import Case

_HASHES: dict[str, Any] = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
_OTHER_HEADER = b'{"alg":"ES384","kid":"other","typ":"JWT"}'
_ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
_ORDER = int("F" * 48 + "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16)  # of the group of P-384


def b64(raw: bytes) -> str:
    """Base64url without padding, as JWS has it."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token_of(case: Case, known: Mapping[str, str]) -> str:
    """A token that is good but for what the case changes. `known`: the issuer, the audience, and the places a case may name."""
    used = key(case.key or case.issuer)
    known = {**known, **_times()}
    header = _piece(_header(case, used), case.header_json, known, case)
    claims = _piece(_claims(case, known), case.claims_json, known, case)
    parts = {"header": _spelled("header", header, case), "claims": _spelled("claims", claims, case)}
    signature = _signature(case, used, parts, _algorithm(case, used))
    parts["signature"] = _spelled("signature", signature, case)
    return Template(case.form).safe_substitute(parts)


def twin(token: str) -> str:
    """The same token with the other signature that fits it: (r, n - s)."""
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    other = _ORDER - int.from_bytes(raw[48:], "big")
    return f"{signed}.{b64(raw[:48] + other.to_bytes(48, 'big'))}"


def _spelled(name: str, raw: bytes, case: Case) -> str:
    """A segment; a loose one has bits in its last letter that stand for nothing, which careless decoders drop."""
    text = b64(raw)
    if name not in case.loose:
        return text
    if len(text) % 4 == 0:
        raise ValueError(f"{case.table}.toml: {case.says}: the last letter of {name} has no bits to spare")
    return text[:-1] + _ALPHABET[_ALPHABET.index(text[-1]) | 1]


def _times() -> dict[str, str]:
    now = int(time())
    return {"now": str(now), "exp": str(now + 240), "iat": str(now)}


def _header(case: Case, used: Key) -> dict[str, Any]:
    whole = {"alg": used.algorithm, "kid": used.kid, "typ": "JWT"} | dict(case.header)
    return {name: value for name, value in whole.items() if name not in case.without_header}


def _claims(case: Case, known: Mapping[str, str]) -> dict[str, Any]:
    now = int(known["now"])
    whole: dict[str, Any] = {"iss": "$iss", "aud": "$aud", "exp": now + 240, "iat": now, "jti": str(uuid4())}
    whole |= {name: now + seconds for name, seconds in case.times.items()} | dict(case.claims)
    return {name: value for name, value in whole.items() if name not in case.without_claims}


def _piece(content: dict[str, Any], written: str, known: Mapping[str, str], case: Case) -> bytes:
    rest = json.dumps(_filled(content, known), ensure_ascii=False)[1:-1]
    found = Template(written).safe_substitute({**known, "rest": rest}).encode(case.encoding, "surrogatepass")
    return found + b" " if case.loose and len(found) % 3 == 0 else found


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return Template(value).safe_substitute(known)
    if isinstance(value, dict):
        return {name: _filled(one, known) for name, one in value.items()}
    return [_filled(one, known) for one in value] if isinstance(value, list) else value


def _algorithm(case: Case, used: Key) -> str:
    """What the signature is really made with: what the header says, if the key can do that at all."""
    said = case.header.get("alg")
    fits = isinstance(said, str) and said[:2] in {"E": ("ES",), "R": ("RS", "PS")}.get(used.algorithm[0], ())
    return said if fits and isinstance(said, str) and said[2:] in _HASHES else used.algorithm


def _signature(case: Case, used: Key, parts: dict[str, str], algorithm: str) -> bytes:
    signed = f"{parts['header']}.{parts['claims']}".encode()
    if case.signature.startswith("hmac"):
        secret = {"hmac": used.pem(), "hmac-empty": b"", "hmac-oct": b"s" * 48}[case.signature]
        return hmac.new(secret, signed, hashlib.sha384).digest()
    if case.signature == "other-header":
        signed = f"{b64(_OTHER_HEADER)}.{parts['claims']}".encode()
    if case.signature == "other-claims":
        signed = f"{parts['header']}.{b64(b'{}')}".encode()
    if case.signature == "pss":
        return sign(used, signed, "PS384")
    if case.signature == "der":
        return bytes(used.private.sign(signed, ec.ECDSA(_HASHES[algorithm[2:]]())))
    return _spoilt(case.signature, sign(used, signed, algorithm))


def sign(used: Key, signed: bytes, algorithm: str) -> bytes:
    """A JWS signature."""
    if isinstance(used.private, ed25519.Ed25519PrivateKey):
        return used.private.sign(signed)
    chosen = _HASHES[algorithm[2:]]()
    if isinstance(used.private, ec.EllipticCurvePrivateKey):
        size = (used.private.curve.key_size + 7) // 8
        halves = decode_dss_signature(used.private.sign(signed, ec.ECDSA(chosen)))
        return b"".join(one.to_bytes(size, "big") for one in halves)
    way: Any = padding.PSS(padding.MGF1(chosen), chosen.digest_size) if algorithm[0] == "P" else padding.PKCS1v15()
    made: bytes = used.private.sign(signed, way, chosen)
    return made


def _spoilt(how: str, raw: bytes) -> bytes:
    middle = len(raw) // 2
    return {
        "good": raw,
        "flipped": raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1 :],
        "short": raw[:-1],
        "long": raw + b"\0",
        "wide": b"\0" + raw[:middle] + b"\0" + raw[middle:],
        "none": b"",
        "zeros": bytes(len(raw)),
        "ones": b"\xff" * len(raw),
        "swapped": raw[middle:] + raw[:middle],
        "other-header": raw,
        "other-claims": raw,
    }[how]
