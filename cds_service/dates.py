"""A JSON document and a number of days come in; the same document with its FHIR dates moved by them goes out."""

import re
from datetime import date, timedelta
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

ANCHOR = date(2026, 11, 20)
"""The day as of which the demo charts and the fixtures are written."""

FHIR_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?P<time>T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
"""FHIR's date, dateTime and instant; also the times without seconds or zone that real systems send."""

# A four-digit drug code reads like a year, so the element's name decides what is a date, not the text alone.
DATED_ELEMENT = re.compile(
    r"\w+(Date|DateTime|Instant|Time|Timestamp)"
    r"|asOf|authored|authoredOn|created|creation|date|dateAsserted|dateWritten|end|event|expiry|issued|lastModified"
    r"|lastOccurrence|lastUpdated|onset|received|recorded|recordedOn|sent|start|started|time|timestamp|useBy|validTo"
    r"|when|whenHandedOver|whenPrepared"
)
OPEN_ENDS = ("0001", "9999")  # years that stand for "never" and "for ever"


def shift_dates(document: Json, days: int, element: str = "") -> Json:
    """Move each date, dateTime and instant; partial ones stay partial, times and zones stay as written."""
    if isinstance(document, dict):
        return {name: shift_dates(value, days, name) for name, value in document.items()}
    if isinstance(document, list):
        return [shift_dates(value, days, element) for value in document]
    if isinstance(document, str) and DATED_ELEMENT.fullmatch(element):
        return shift(document, days)
    return document


def shift(text: str, days: int) -> str:
    """Move one date; what is no possible date, or lies beyond the calendar, comes back as it was.

    A year or a month moves by the nearest whole number of years or months, so that moving back restores it.
    """
    found = FHIR_DATE.fullmatch(text)
    if found is None or found["year"] in OPEN_ENDS:
        return text
    try:
        written = date(int(found["year"]), int(found["month"] or 1), int(found["day"] or 1))
        if found["day"]:
            return (written + timedelta(days=days)).isoformat() + (found["time"] or "")
        if found["month"]:
            year, month = divmod(written.year * 12 + written.month - 1 + round(days / 30.436875), 12)
            return date(year, month + 1, 1).isoformat()[:7]
        return written.replace(year=written.year + round(days / 365.2425)).isoformat()[:4]
    except (OverflowError, ValueError):
        return text
