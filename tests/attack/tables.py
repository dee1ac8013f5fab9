"""The TOML tables in, one frozen case a row out; a row with a word nobody knows is refused."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "tables"
_REPEATED = re.compile(r"«(.*?)×(\d+)»", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One attack: what is changed against a good call, and what must come. The tables' README says what each word means."""

    table: str
    about: str
    says: str
    # who calls, and with what token
    issuer: str = "hospital"
    trusted: Mapping[str, Any] | None = None
    keys: list[dict[str, Any]] | None = None
    published: list[str] | None = None
    key: str | None = None
    header: Mapping[str, Any] = field(default_factory=dict)
    without_header: list[str] = field(default_factory=list)
    header_json: str = "{$rest}"
    claims: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, int] = field(default_factory=dict)
    without_claims: list[str] = field(default_factory=list)
    claims_json: str = "{$rest}"
    encoding: str = "utf-8"
    loose: list[str] = field(default_factory=list)
    signature: str = "good"
    form: str = "$header.$claims.$signature"
    again: str | None = None
    authorization: list[str] = field(default_factory=lambda: ["Bearer $token"])
    # the request
    service: str = "patient-view"
    feedback: bool = False
    method: str = "POST"
    path: str | None = None
    request_line: str = "$method $path HTTP/1.1"
    headers: Mapping[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    body: str | None = None
    set: Mapping[str, Any] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)
    text: list[list[str]] = field(default_factory=list)
    body_encoding: str = "utf-8"
    wire: str = "$body"
    hang_up: bool = False
    calls: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    pipelined: bool = False
    at_once: int = 1
    # the client's FHIR server, and the state of the database
    friend: str = "answers"
    locked: bool = False
    # what must come
    status: int | list[int] = 200
    statuses: Mapping[str, int] | None = None
    connections: int = 0
    lookups: int = 0
    lent: int = 0
    stored: int = 0
    by: str = "service"
    origin: str | None = None
    complete: bool | None = None
    present: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    answer_headers: Mapping[str, str] = field(default_factory=dict)


_KNOWN = {one.name for one in fields(Case)}


def read_cases() -> list[Case]:
    """Every row of every table."""
    return [case for path in sorted(FOLDER.glob("*.toml")) for case in _cases(path)]


def changed(case: Case, more: Mapping[str, Any]) -> Case:
    """The case with some words put differently, as one call of several may."""
    _check(case.table, more)
    return Case(**({one.name: getattr(case, one.name) for one in fields(Case)} | dict(more)))


def _cases(path: Path) -> list[Case]:
    found = []
    for group in tomllib.loads(path.read_text("utf-8"))["attack"]:
        shared = {name: value for name, value in group.items() if name != "rows"}
        for row in group["rows"]:
            whole = {"table": path.stem} | shared | row
            _check(path.stem, whole)
            found.append(Case(**_written_out(whole)))
    return found


def _check(table: str, words: Mapping[str, Any]) -> None:
    unknown = words.keys() - _KNOWN
    if unknown:
        raise ValueError(f"{table}.toml: {', '.join(sorted(unknown))} is no word of a case")


def _written_out(value: Any) -> Any:
    """Every «x×n» written out as n times x."""
    if isinstance(value, str):
        return _REPEATED.sub(lambda found: found[1] * int(found[2]), value)
    if isinstance(value, dict):
        return {_written_out(name): _written_out(one) for name, one in value.items()}
    return [_written_out(one) for one in value] if isinstance(value, list) else value
