"""A Patient in; out comes by what people know whose chart it is: name and birth date, as they are on file."""

from dataclasses import dataclass

import msgspec
from msgspec import Raw, Struct

from cds_service.chart.decode import present
from cds_service.chart.elements import NOTHING

_LONGEST = 120  # characters


@dataclass(frozen=True, slots=True)
class Banner:
    """Text of the chart: to be escaped. Empty where the chart does not say."""

    name: str = ""
    born: str = ""


class _Name(Struct, frozen=True):
    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: tuple[str, ...] | None = None


class _Person(Struct, frozen=True):
    name: Raw = NOTHING
    birthDate: Raw = NOTHING  # noqa: N815  (FHIR's own)


def banner(patient: bytes) -> Banner:
    """Whatever cannot be read is left out."""
    try:
        found = msgspec.json.decode(patient, type=_Person)
    except msgspec.DecodeError:
        return Banner()
    return Banner(_name(found.name), _text(found.birthDate))


def _name(raw: Raw) -> str:
    try:
        names = msgspec.json.decode(raw, type=tuple[_Name, ...]) if present(raw) else ()
    except msgspec.DecodeError:
        return ""
    current = [one for one in names if one.use != "old"]
    first = next((one for one in current if one.use == "official"), current[0] if current else None)
    return _plain(first.text or " ".join((*(first.given or ()), first.family or ""))) if first else ""


def _text(raw: Raw) -> str:
    try:
        return _plain(msgspec.json.decode(raw, type=str)) if present(raw) else ""
    except msgspec.DecodeError:
        return ""


def _plain(text: str) -> str:
    """Without what is not seen, or turns what is seen around."""
    return "".join(one for one in text if one.isprintable()).strip()[:_LONGEST]
