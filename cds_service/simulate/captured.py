"""The file of a captured request in; the request to send again, its dates moved to today and its lent token left out, goes out."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

from cds_service.dates import DATED_ELEMENT, FHIR_DATE, Json, shift_dates

_MOST_BYTES = 8 << 20
_OWN = ("hookInstance", "fhirServer", "fhirAuthorization", "prefetch")  # each call has its own, or none
_FIXTURE = "org.immune-status-cds.fixture"


class NotARequest(Exception):
    """The file is no captured CDS Hooks request; says why, and nothing of what stands in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """One request that was captured."""

    name: str  # of the file
    patient_id: str
    request: Mapping[str, Any]
    prefetch: Mapping[str, Any]


def read_captured(path: Path, today: date, *, as_is: bool) -> Captured:
    """The newest day in it becomes today, unless `as_is`. Raises NotARequest."""
    content = _content(path)
    context, prefetch = content.get("context"), content.get("prefetch") or {}
    if not isinstance(content.get("hook"), str) or not isinstance(context, dict) or not isinstance(prefetch, dict):
        raise NotARequest(f"{path.name}: a CDS Hooks request with a hook and a context is expected.")
    captured_on = None if as_is else _day_of(content, today)
    if captured_on:
        content = cast(dict[str, Any], shift_dates(content, (today - captured_on).days))
    return Captured(
        name=path.name,
        patient_id=str(content["context"].get("patientId", "")).removeprefix("Patient/"),
        request={name: value for name, value in content.items() if name not in _OWN},
        prefetch=content.get("prefetch") or {},
    )


def _content(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        content = json.loads(raw) if len(raw) <= _MOST_BYTES else None
    except OSError as fault:
        raise NotARequest(f"{path.name}: the file cannot be read ({fault.strerror}).") from None
    except (ValueError, RecursionError):
        raise NotARequest(f"{path.name}: the file is not JSON.") from None
    if not isinstance(content, dict):
        raise NotARequest(f"{path.name}: one JSON object of at most {_MOST_BYTES >> 20} MB is expected.")
    return content


def _day_of(content: dict[str, Any], today: date) -> date | None:
    """The day it was captured: what a fixture says of itself, else the newest day in it that is not to come."""
    own = content.get("extension")
    stated = own.get(_FIXTURE) if isinstance(own, dict) else None
    if isinstance(stated, dict):
        days = list(_days(stated.get("asOf"), "asOf"))
        if days:
            return days[0]
    return max((one for one in _days(content) if one <= today), default=None)


def _days(value: Json, element: str = "") -> Iterator[date]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _days(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _days(inner, element)
    elif isinstance(value, str) and DATED_ELEMENT.fullmatch(element):
        found = FHIR_DATE.fullmatch(value)
        if found and found["day"]:
            try:
                yield date.fromisoformat(value[:10])
            except ValueError:
                return
