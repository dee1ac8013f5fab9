"""The bytes of a JSON Web Key Set (RFC 7517) in, the public keys that may verify tokens out, each bound to one algorithm."""

from collections.abc import Iterable, Mapping
from typing import Any

import jiter
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from cds_service.access.issuers import FITS

MOST_BYTES = 256 << 10
_MOST_KEYS = 100
_LEAST_RSA_BITS = 2048
_LONGEST_ID = 256
_PRIVATE = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth"))
KeySet = Mapping[tuple[str, str], PyJWK]  # by key id and algorithm


class KeySetFault(Exception):
    """The set cannot be used; whatever was known before stays known. Says which fault, and nothing of the set."""


def read_key_set(body: bytes, algorithms: Iterable[str]) -> KeySet:
    """Keys of other kinds, for other uses or without an id are left out. Raises KeySetFault."""
    listed = _listed(body)
    if any(_PRIVATE & one.keys() for one in listed):
        raise KeySetFault("it holds a private key")  # whoever reads it can sign
    usable = [one for one in listed if _verifies(one)]
    ids = [one["kid"] for one in usable]
    if len(set(ids)) < len(ids):
        raise KeySetFault("two keys have one id")
    pairs = ((one, algorithm) for one in usable for algorithm in algorithms if _fits(one, algorithm))
    found = {(one["kid"], algorithm): _key(one, algorithm) for one, algorithm in pairs}
    keys = {name: key for name, key in found.items() if key}
    if not keys:
        raise KeySetFault("no key in it fits the algorithms of the issuer")
    return keys


def _listed(body: bytes) -> list[dict[str, Any]]:
    if len(body) > MOST_BYTES:
        raise KeySetFault("it is too large")
    try:
        content = jiter.from_json(body, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError:
        raise KeySetFault("it is not JSON") from None
    keys = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
        raise KeySetFault(f"a list of at most {_MOST_KEYS} keys is expected")
    return [one for one in keys if isinstance(one, dict)]


def _verifies(one: dict[str, Any]) -> bool:
    """Whether it is a key with an id that is meant to verify signatures."""
    name, tasks = one.get("kid"), one.get("key_ops", ["verify"])
    named = isinstance(name, str) and 0 < len(name) <= _LONGEST_ID
    meant = one.get("use", "sig") == "sig" and isinstance(tasks, list) and "verify" in tasks
    return named and meant and one.get("kty") in ("EC", "RSA")


def _fits(one: dict[str, Any], algorithm: str) -> bool:
    kind, curve = FITS[algorithm]
    return one["kty"] == kind and one.get("alg", algorithm) == algorithm and (curve is None or one.get("crv") == curve)


def _key(one: dict[str, Any], algorithm: str) -> PyJWK | None:
    try:
        key = PyJWK(one, algorithm)
    except (PyJWTError, ValueError, TypeError):
        return None  # a broken key costs itself only
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < _LEAST_RSA_BITS:
        return None
    return key
