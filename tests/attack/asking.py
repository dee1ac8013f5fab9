"""A case in, the bytes of its request out."""

import json
from dataclasses import dataclass
from string import Template
from typing import Any

from tests.attack import golden
from tests.attack.tables import Case

PUBLIC = "https://cds.example.org/hiv"


@dataclass(frozen=True, slots=True)
class Asking:
    """The bytes to send, the method they name, and whether we hang up after them."""

    sent: bytes
    method: str
    hang_up: bool


def endpoint(case: Case) -> str:
    """The path of the endpoint a case is after."""
    return f"/cds-services/immune-status-{case.service}" + ("/feedback" if case.feedback else "")


def audience(case: Case) -> str:
    """What a token for that endpoint is addressed to."""
    return PUBLIC + endpoint(case)


def asking(case: Case, token: str, places: dict[str, str]) -> Asking:
    """The request line, the headers and the body, each as the case wants it."""
    body = body_of(case, places)
    known = places | {"token": token, "method": case.method, "path": case.path or endpoint(case)}
    known |= {"size": str(len(body)), "hex": f"{len(body):x}"}
    lines = [case.request_line, *_headers(case, len(body)), *case.lines]
    head = "\r\n".join(Template(line).safe_substitute(known) for line in (*lines, "", ""))
    before, _, after = case.wire.partition("$body")
    framed = [Template(part).safe_substitute(known).encode("latin-1") for part in (before, after)]
    rest = framed[0] + (body if "$body" in case.wire else b"") + framed[1]
    return Asking(head.encode("latin-1", "replace") + rest, case.method, case.hang_up)


def _headers(case: Case, length: int) -> list[str]:
    usual = {"Host": "cds.example.org", "Content-Type": "application/json"}
    if case.method not in ("GET", "HEAD", "OPTIONS", "DELETE", "TRACE") or case.body is not None:
        usual["Content-Length"] = str(length)
    whole = usual | dict(case.headers)
    written = [f"{name}: {value}" for name, value in whole.items() if value != ""]
    return written + [f"Authorization: {one}" for one in case.authorization]


def body_of(case: Case, places: dict[str, str]) -> bytes:
    """The good body with the changes of the case; or what the case says instead of it."""
    if case.body is not None:
        return case.body.encode(case.body_encoding, "surrogatepass")
    if case.method in ("GET", "HEAD", "OPTIONS", "DELETE", "TRACE"):
        return b""
    content = golden.feedback() if case.feedback else golden.request_for(case.service, places["friend"])
    for path, value in case.set.items():
        _put(content, path.split("."), _filled(value, places))
    for path in case.remove:
        _drop(content, path.split("."))
    text = golden.written(content)
    for old, new in case.text:
        if old not in text:
            raise ValueError(f"{case.table}.toml: {case.says}: {old!r} does not stand in the body")
        text = text.replace(old, new, 1)
    return text.encode(case.body_encoding, "surrogatepass")


def _filled(value: Any, places: dict[str, str]) -> Any:
    """Places put in, and the word $null for what TOML cannot say."""
    if value == "$null":
        return None
    if isinstance(value, str):
        return Template(value).safe_substitute(places)
    if isinstance(value, dict):
        return {name: _filled(one, places) for name, one in value.items()}
    return [_filled(one, places) for one in value] if isinstance(value, list) else value


def _step(content: Any, name: str) -> Any:
    return content[int(name)] if isinstance(content, list) else content[name]


def _put(content: Any, path: list[str], value: Any) -> None:
    for name in path[:-1]:
        content = _step(content, name)
    if isinstance(content, list):
        content[int(path[-1])] = value
    else:
        content[path[-1]] = json.loads(json.dumps(value))


def _drop(content: Any, path: list[str]) -> None:
    for name in path[:-1]:
        content = _step(content, name)
    del content[int(path[-1]) if isinstance(content, list) else path[-1]]
