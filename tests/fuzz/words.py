"""A random source in, a value out that some reader somewhere was not made for: text, numbers, dates, units, codes, addresses."""

import tomllib
from pathlib import Path
from random import Random
from typing import Any

_TABLES: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))

TEXTS = (
    "",
    " ",
    "\n",
    "\x00",
    "a\x00b",
    "\x1b[2J",
    "\u202egnirts",
    "\u2066\u2069",
    "\u200b",
    "\ufeff",
    "\ud800",
    "\udfff\ud800",
    "\U0001f9ec" * 20,
    "e\u0301\u0323" * 200,
    "٣٤٥",
    "１２０",
    "None",
    "null",
    "true",
    "NaN",
    "-Infinity",
    "{{context.patientId}}",
    "{{7*7}}",
    "{0.__class__}",
    "%s%n%x",
    "${jndi:ldap://127.0.0.1/a}",
    "';DROP TABLE feedback;--",
    "=cmd|'/c calc'!A0",
    "<script>alert(1)</script>",
    "![x](https://evil.example/beacon.png)",
    "[x](javascript:alert(1))",
    "../../../../etc/passwd",
    "Patient/",
    "Patient/another",
    "https://ehr.example.org/r4/Patient/ZZCANARYID",
    "https://other.example.org/r4/Patient/ZZCANARYID",
    "Patient/ZZCANARYID/_history/3",
    "urn:uuid:7d8f6f2a-9a51-4c1c-8a55-0b0f3c1d2e4f",
    "#contained",
    "#",
    "?",
    "Observation",
    "Bundle",
    "OperationOutcome",
    "x" * 300,
    "x" * 70_000,
    "\r\nSet-Cookie: a=b",
)
NUMBERS = (
    0,
    -0.0,
    1,
    -1,
    0.1 + 0.2,
    199.99999999999997,
    200,
    199,
    13.9,
    1e-7,
    5e-324,
    1e22,
    1.7976931348623157e308,
    -1e308,
    2**31,
    2**53 + 1,
    2**63,
    -(2**63) - 1,
    2**64,
    10**40,
    10**300,
    True,
    False,
)
DATES = tuple(_TABLES["dates"])
UNITS = tuple(_TABLES["units"])
CODES = tuple(_TABLES["codes"])
SYSTEMS = tuple(_TABLES["systems"])
STATUSES = tuple(_TABLES["statuses"])
KINDS = tuple(_TABLES["kinds"])
NAMES = tuple(_TABLES["names"])
COMPARATORS = tuple(_TABLES["comparators"])
_OF_NAME: dict[str, tuple[Any, ...]] = {
    "unit": UNITS,
    "system": SYSTEMS,
    "status": STATUSES,
    "resourceType": KINDS,
    "comparator": COMPARATORS,
    "value": NUMBERS,
    "birthDate": DATES,
    "authoredOn": DATES,
    "issued": DATES,
    "start": DATES,
    "end": DATES,
    "recordedDate": DATES,
}


def fitting(rng: Random, name: str, old: Any) -> Any:
    """Something odd of the kind that stands there."""
    if name == "code" and isinstance(old, str):
        return rng.choice(CODES + UNITS)
    if name in _OF_NAME:
        return rng.choice(_OF_NAME[name])
    if name.endswith(("Date", "DateTime", "Instant", "Timestamp", "lastUpdated")):
        return rng.choice(DATES)
    if isinstance(old, int | float):
        return rng.choice(NUMBERS)
    return rng.choice(TEXTS) if isinstance(old, str) else odd(rng)


def odd(rng: Random) -> Any:
    """Something odd of any kind."""
    which = rng.randrange(8)
    if which == 0:
        return None
    if which == 1:
        return rng.choice(NUMBERS)
    if which == 2:
        return rng.choice(([], {}, [None], [[]], [{}], {"": None}, [[[[]]]]))
    if which == 3:
        return nested(rng, rng.choice((5, 60, 150)))
    return rng.choice(TEXTS + DATES)


def nested(rng: Random, depth: int) -> Any:
    """So deep."""
    value: Any = rng.choice((1, "x", None))
    for _ in range(depth):
        value = [value] if rng.random() < 0.5 else {"extension": value}
    return value
