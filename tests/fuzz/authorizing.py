"""A client, an endpoint and a random source in, an Authorization header out that should open no door, though some may."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.fuzz.shapes import put_differently
from tests.fuzz.trust import HEADER, Client, b64
from tests.fuzz.words import TEXTS, odd

_HEADERS: tuple[dict[str, Any], ...] = (
    {"alg": "none"},
    {"alg": "HS256"},
    {"alg": "RS384"},
    {"alg": ["ES256"]},
    {"alg": ""},
    {"kid": "2"},
    {"kid": "../../../dev/null"},
    {"kid": "k" * 5000},
    {"kid": 1},
    {"jku": "http://127.0.0.1:9/keys"},
    {"jku": "https://evil.example/keys"},
    {"jwk": {"kty": "oct", "k": "AA"}},
    {"x5u": "http://127.0.0.1:9/"},
    {"crit": ["exp"]},
    {"b64": False, "crit": ["b64"]},
    {"zip": "DEF"},
    {"typ": "at+jwt"},
    {"typ": None},
)
_CLAIMS: tuple[dict[str, Any], ...] = (
    {"iss": "https://unknown.example.org"},
    {"iss": ["https://fuzz.example.org"]},
    {"iss": "x" * 5000},
    {"aud": "https://evil.example/cds-services"},
    {"aud": []},
    {"aud": ["x"] * 1000},
    {"aud": {"a": 1}},
    {"exp": 10**18},
    {"exp": 10**400},
    {"exp": "9999999999"},
    {"exp": True},
    {"exp": None},
    {"exp": -1},
    {"iat": 0},
    {"iat": 1e12},
    {"nbf": 9999999999},
    {"nbf": "x"},
    {"jti": ""},
    {"jti": "j" * 5000},
    {"jti": 1},
    {"jti": "\x00"},
    {"jti": "\ud800"},
    {"tenant": {"a": [1]}},
)


def authorization(rng: Random, client: Client, path: str, jti: str) -> str | None:
    """The value of the header; None for none."""
    return rng.choice(_WAYS)(rng, client, path, jti)


def _none(*_: Any) -> None:
    return None


def _scheme(rng: Random, client: Client, path: str, jti: str) -> str:
    scheme = rng.choice(("Basic ", "bearer ", "BEARER ", "Bearer  ", "Bearer\t", "Bearer", "", "Bearer ,", "Digest "))
    return scheme + client.token(path, jti=jti)


def _text(rng: Random, *_: Any) -> str:
    text: str = rng.choice(TEXTS)
    return "Bearer " + text.replace("\n", "").replace("\r", "")


def _header(rng: Random, client: Client, path: str, jti: str) -> str:
    good = json.loads(json.dumps(client.token(path, jti=jti))).split(".")[1]
    changed = client.signed(HEADER | rng.choice(_HEADERS), {}).split(".")
    return f"Bearer {changed[0]}.{good}.{changed[2]}"


def _claims(rng: Random, client: Client, path: str, jti: str) -> str:
    return "Bearer " + client.token(path, **({"jti": jti} | rng.choice(_CLAIMS)))


def _mangled(rng: Random, client: Client, path: str, jti: str) -> str:
    """Claims put differently at random, under a signature that fits."""
    claims = {"iss": client.iss, "aud": path, "iat": 1, "exp": 2, "jti": jti}
    return "Bearer " + client.signed(_header_differently(rng), _flat(rng, claims))


def _header_differently(rng: Random) -> Any:
    return put_differently(rng, dict(HEADER)) if rng.random() < 0.3 else HEADER


def _flat(rng: Random, claims: dict[str, Any]) -> Any:
    return odd(rng) if rng.random() < 0.1 else put_differently(rng, claims)


def _spoilt(rng: Random, client: Client, path: str, jti: str) -> str:
    token = client.token(path, jti=jti)
    at = rng.randrange(len(token))
    return "Bearer " + rng.choice(
        (
            token[:at],
            token + "=",
            token + token,
            token[:at] + "." + token[at:],
            token[:at] + "A" + token[at + 1 :],
            "." * 9,
        )
    )


def _deep(rng: Random, client: Client, path: str, jti: str) -> str:
    depth = rng.choice((100, 1000, 3000))
    raw = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    header, claims, signature = client.token(path, jti=jti).split(".")
    return (
        f"Bearer {b64(raw)}.{claims}.{signature}" if rng.random() < 0.5 else f"Bearer {header}.{b64(raw)}.{signature}"
    )


_WAYS: tuple[Callable[..., str | None], ...] = (
    _none,
    _scheme,
    _text,
    _header,
    _header,
    _claims,
    _claims,
    _claims,
    _mangled,
    _mangled,
    _spoilt,
    _spoilt,
    _deep,
)
