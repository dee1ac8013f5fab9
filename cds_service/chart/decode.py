"""Raw JSON of one resource or element in; a typed struct or a plain value out, or nothing where it does not fit."""

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec import Raw

from cds_service.chart.elements import NOTHING, Bundle, Coding, Concept, Known, Other, Reference

_known = msgspec.json.Decoder(Known)
_other = msgspec.json.Decoder(Other)
_bundle = msgspec.json.Decoder(Bundle)
_LARGEST_EXPONENT = 1000  # beyond it decimal arithmetic overflows, and no measurement lies there
_EMPTY = frozenset((b"", b"null", b"[]", b"{}", b'""'))
_EMPTY_AT_MOST = max(map(len, _EMPTY))  # a large element is not copied only to see that it is not empty
FAULTS = (msgspec.DecodeError, RecursionError)  # ValidationError is a DecodeError


def is_null(raw: Raw) -> bool:
    """Whether an element is the JSON null."""
    return len(memoryview(raw)) == len(b"null") and bytes(raw) == b"null"


def resource(raw: Raw | bytes) -> Known | Other | None:
    """One resource: typed where it is of a kind we read and fits, `Other` where it is not or does not, None where it is none."""
    try:
        found: Known = _known.decode(raw)
        return found
    except FAULTS:
        pass
    try:
        return _other.decode(raw)
    except FAULTS:
        return None


def bundle(raw: Raw | bytes) -> Bundle | None:
    """A Bundle, or the single resource that came in its place (then `entry` is None); None where it is neither."""
    try:
        return _bundle.decode(raw)
    except FAULTS:
        return None


def anything(raw: Raw) -> Any:
    """Small odd-shaped elements as plain Python; None where absent or broken."""
    try:
        return msgspec.json.decode(raw)
    except FAULTS:
        return None


def objects(raw: Raw) -> list[dict[str, Any]]:
    """The objects of an array as plain Python; whatever else is there is passed over."""
    found = anything(raw)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def present(raw: Raw) -> bool:
    """Whether an element is there at all (null and empty count as absent)."""
    return raw is not NOTHING and _is_something(raw)


def _is_something(raw: Raw) -> bool:
    return len(memoryview(raw)) > _EMPTY_AT_MOST or bytes(raw) not in _EMPTY


_ONE, _MANY = msgspec.json.Decoder(Concept), msgspec.json.Decoder(tuple[Concept, ...])


def concepts(raw: Raw) -> tuple[Concept, ...]:
    """One or several CodeableConcepts, wherever one, a list, or a bare code (as before R4) may stand."""
    try:
        return (_ONE.decode(raw),)
    except FAULTS:
        pass
    try:
        return _MANY.decode(raw)
    except FAULTS:
        found = anything(raw)
        return (Concept(coding=(Coding(code=found),)),) if isinstance(found, str) else ()


_reference = msgspec.json.Decoder(Reference)


def reference(raw: Raw) -> str | None:
    """The literal of a Reference; None where there is none."""
    if raw is NOTHING:
        return None
    try:
        return _reference.decode(raw).reference
    except FAULTS:
        return None


def odd_references(raw: Raw) -> list[str]:
    """Every literal in what stands where a Reference belongs and is none: a list of them, one with a broken element."""
    found = anything(raw)
    parts = [one.get("reference") for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]
    return [one for one in parts if isinstance(one, str)]


_resources = msgspec.json.Decoder(tuple[Raw, ...])


def contained(raw: Raw) -> tuple[Known | Other, ...]:
    """The resources within a resource."""
    try:
        found = _resources.decode(raw) if raw is not NOTHING else ()
    except FAULTS:
        return ()
    return tuple(inner for one in found if (inner := resource(one)) is not None)


def number(raw: Raw) -> Decimal | None:
    """A JSON number, exactly as written. A string, a boolean or anything else is no number: never coerced."""
    text = bytes(raw).decode("ascii", "replace")
    if not text or text[0] not in "-0123456789":
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if abs(found.adjusted()) <= _LARGEST_EXPONENT else None
