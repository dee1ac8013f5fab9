"""The bytes of a captured file in; the call in it out: the body alone, or a body with the headers and path it came with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import DecodeError, Raw
from msgspec import json as decoding


@dataclass(frozen=True, slots=True)
class Captured:
    """One captured exchange. `content`: the body as plain JSON; None where it is none."""

    name: str
    body: bytes
    content: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    made: bool = False  # by the check itself, from what a FHIR server answered
    now: datetime | None = None  # the moment to judge it at; None: that of the check
    received: datetime | None = (
        None  # when it came in, where the file says so: only then a Date header tells of a clock
    )


def captured(name: str, content: bytes) -> Captured:
    """A file is the body of the call, or an object of `headers`, `path`, `body` and `received` as proxies save it."""
    read = _json(content)
    if not isinstance(read, dict) or "body" not in read or "hook" in read:
        return Captured(name, content, read)
    told = read.get("headers")
    headers = {str(key).lower(): str(value) for key, value in told.items()} if isinstance(told, dict) else {}
    inner = read["body"]
    body = inner.encode() if isinstance(inner, str) else _raw_body(content)
    came = _instant(read.get("received"))
    return Captured(name, body, _json(body), headers, str(read.get("path") or ""), now=came, received=came)


def _instant(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def _raw_body(content: bytes) -> bytes:
    """The body exactly as it stands in the file: numbers are not rounded on the way."""
    try:
        return bytes(decoding.decode(content, type=dict[str, Raw])["body"])
    except (DecodeError, RecursionError):
        return b""  # no JSON that the service could read either


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
