"""A date comes in; the demo patients' charts and stories, as they are on that day, go out."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from itertools import chain
from typing import Any, TypeAlias, cast

from cds_service.dates import shift_dates

Resource: TypeAlias = dict[str, Any]

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
PATIENTS = files("cds_service.demo").joinpath("patients")


@dataclass(frozen=True, slots=True)
class DraftOrder:
    """One order the clinician is drafting: a drug (RxNorm) or a test (LOINC)."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Play:
    """One moment in the clinic: the hook that fires and what is being ordered."""

    hook: str
    orders: tuple[DraftOrder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a demo patient shows, and the moments that show it."""

    patient_id: str
    title: str
    sentence: str
    plays: tuple[Play, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charts:
    """All demo patients on one day; their resources are to be read, never changed."""

    as_of: date
    stories: tuple[Story, ...]
    by_patient: Mapping[str, tuple[Resource, ...]]
    clinic: tuple[Resource, ...]

    def every(self, kind: str) -> list[Resource]:
        """Give all resources of one type, in the order of the stories."""
        everything = chain(self.clinic, *self.by_patient.values())
        return [one for one in everything if one["resourceType"] == kind]

    def find(self, kind: str, resource_id: str) -> Resource | None:
        """Give one resource, or None where there is none."""
        return next((one for one in self.every(kind) if one["id"] == resource_id), None)


def open_charts(as_of: date) -> Charts:
    """Read the packaged charts and move every date in them from the anchor date to `as_of`."""
    index = tomllib.loads(PATIENTS.joinpath("index.toml").read_text("utf-8"))
    days = (as_of - index["anchor"]).days
    return Charts(
        as_of=as_of,
        stories=tuple(read_story(row) for row in index["patient"]),
        by_patient={row["file"].removesuffix(".json"): read_bundle(row["file"], days) for row in index["patient"]},
        clinic=read_bundle(index["clinic"], days),
    )


def read_bundle(name: str, days: int) -> tuple[Resource, ...]:
    bundle = cast("Resource", shift_dates(json.loads(PATIENTS.joinpath(name).read_text("utf-8")), days))
    return tuple(entry["resource"] for entry in bundle["entry"])


def read_story(row: Mapping[str, Any]) -> Story:
    return Story(
        patient_id=row["file"].removesuffix(".json"),
        title=row["title"],
        sentence=row["story"],
        plays=tuple(Play(play["hook"], tuple(map(read_order, play.get("orders", ())))) for play in row["play"]),
    )


def read_order(row: Mapping[str, str]) -> DraftOrder:
    if "rxnorm" in row:
        return DraftOrder(RXNORM, row["rxnorm"], row["display"])
    return DraftOrder(LOINC, row["loinc"], row["display"])


def age_on(birth_date: str, as_of: date) -> int:
    """Give the age in whole years of someone with a full birth date."""
    born = date.fromisoformat(birth_date)
    return as_of.year - born.year - ((as_of.month, as_of.day) < (born.month, born.day))
