"""A part of an answer in; out go remarks on it: faults against what CDS Hooks asks, notes on what it recommends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

Level = Literal["fault", "note"]
LONGEST = 160  # of what a service wrote, as it is shown


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing an answer should not be. A fault makes the run fail, a note does not."""

    level: Level
    text: str


def fault(text: str) -> Remark:
    return Remark("fault", text)


def note(text: str) -> Remark:
    return Remark("note", text)


def shown(text: Any) -> str:
    """What a service wrote, fit for a terminal: one line, nothing that steers it, not long."""
    plain = "".join(one if one.isprintable() else "\ufffd" for one in str(text)[: LONGEST + 1])
    return plain if len(plain) <= LONGEST else plain[:LONGEST] + "…"


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def texts(where: str, held: Mapping[str, Any], *names: str) -> Iterator[Remark]:
    """Remarks on members that must be there, as text."""
    yield from (fault(f"{where}: {name} is required, as text") for name in names if not is_text(held.get(name)))


def objects(where: str, held: Mapping[str, Any], name: str) -> tuple[list[Mapping[str, Any]], list[Remark]]:
    """The objects of a member that must be a list of them, if it is there; and what is wrong with it."""
    listed = held.get(name)
    if listed is None:
        return [], []
    found: list[Mapping[str, Any]] = (
        [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    )
    right = isinstance(listed, list) and len(found) == len(listed)
    return found, [] if right else [fault(f"{where}: {name} must be a list of objects")]


def address(where: str, name: str, url: Any) -> Iterator[Remark]:
    """Remarks on what must be an absolute address, and should be one of https."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        absolute = parts is not None and bool(parts.scheme and parts.hostname)
    except ValueError:
        parts, absolute = None, False
    if parts is None or not absolute:
        yield fault(f"{where}: {name} must be an absolute address")
    elif parts.scheme != "https":
        yield fault(f"{where}: {name} must be an address of https")


def coding(where: str, held: Any, *, display: bool) -> Iterator[Remark]:
    """Remarks on a Coding."""
    names = ("code", "system", "display") if display else ("code", "system")
    if not isinstance(held, dict):
        yield fault(f"{where} must be an object with {', '.join(names)}")
    else:
        yield from texts(where, held, *names)


def empties(value: Any, path: str = "") -> Iterator[str]:
    """Where null or an empty value stands, which no member may be; extensions are their owner's, and cards may be empty."""
    if value is None or (isinstance(value, str | list | dict) and not value):
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name != "extension" and not (not path and name in ("cards", "services") and inner == []):
                yield from empties(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from empties(inner, f"{path}[{place}]")
