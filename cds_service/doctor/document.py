"""A report in; out comes what JSON says of it, in a shape that does not change (docs/checking-a-client.md)."""

from dataclasses import fields, is_dataclass
from typing import Any

from cds_service.doctor.findings import CodeReport, KeyReport, Report
from cds_service.doctor.words import NOTES

FORMAT = 1
_PAIRS = ("states", "notes")  # words with how often, as an object


def document(report: Report) -> dict[str, Any]:
    """The whole report."""
    parts = {_camel(one.name): _plain(getattr(report, one.name)) for one in fields(report)}
    return {"format": FORMAT, **parts, "about": list(NOTES)}


def _plain(found: Any) -> Any:
    if isinstance(found, tuple):
        return [_plain(one) for one in found]
    if not is_dataclass(found):
        return found
    return {_camel(one.name): _value(found, one.name) for one in fields(found)}


def _value(found: Any, name: str) -> Any:
    value = getattr(found, name)
    if name == "ours" and isinstance(found, CodeReport):
        return {True: "recognised", False: "none-of-ours", None: "not-recognised"}[value]
    pairs = isinstance(found, KeyReport) and name in _PAIRS
    return dict(value) if pairs else _plain(value)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
