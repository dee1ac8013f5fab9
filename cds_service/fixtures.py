"""The name of a fixture request in, the request out with its dates moved to a day, so that it never ages."""

import json
from datetime import date
from pathlib import Path
from typing import Any, cast

from cds_service.dates import shift_dates

_PLACES = (Path.cwd() / "fixtures", Path(__file__).parent.parent / "fixtures")


class NoFixture(Exception):
    """There is no fixture of this name, or no fixtures folder."""


def fixture_names() -> list[str]:
    """The names of all fixture requests that are legal requests."""
    return sorted(path.stem for path in _requests() if path.parent.name != "refused")


def fixture(name: str, today: date) -> dict[str, Any]:
    """The request, with every date moved by as many days as lie between its own reference date and today."""
    found = next((path for path in _requests() if path.stem == name), None)
    if found is None:
        known = ", ".join(fixture_names()) or "none here: run it where the fixtures folder is"
        raise NoFixture(f"There is no fixture {name!r}. Known: {known}.")
    content: dict[str, Any] = json.loads(found.read_text("utf-8"))
    as_of = date.fromisoformat(content["extension"]["org.immune-status-cds.fixture"]["asOf"])
    return cast(dict[str, Any], shift_dates(content, (today - as_of).days))


def _requests() -> list[Path]:
    folder = next((place for place in _PLACES if place.is_dir()), None)
    return sorted(folder.glob("requests/*/*.json")) if folder else []
