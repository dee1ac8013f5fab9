"""A record, its profile and the facts that decide in; out comes what is to be drawn of a measure: results, limits, bands, days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.plots.bands import Band
from cds_service.plots.limits import Limit, limits
from hooks.knowledge import Profile
from hooks.record import Fact, LabResult, Measure, PatientRecord

_SHORTEST = timedelta(days=180)  # of what the axis of days shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One measure over time. `decisive`: the results that what is said rests on. Results are newest first."""

    measure: Measure
    results: tuple[LabResult, ...]
    limits: tuple[Limit, ...]
    days: tuple[date, date]
    bands: tuple[Band, ...] = ()
    decisive: frozenset[LabResult] = frozenset()

    @property
    def drawn(self) -> tuple[LabResult, ...]:
        """Oldest first, in the one unit of the axis; a viral load in IU has no place on it."""
        return tuple(one for one in reversed(self.results) if one.unit != "IU/mL" or one.number is None)


def cd4(record: PatientRecord, profile: Profile, bands: tuple[Band, ...], facts: Iterable[Fact]) -> Plot:
    """CD4 counts with the limits that this guideline's prophylaxis and tests turn on."""
    return Plot(
        measure="cd4-count",
        results=record.cd4_counts,
        limits=limits(profile, "cd4-count"),
        days=span(record),
        bands=bands,
        decisive=_results(facts, "cd4-count"),
    )


def viral_load(record: PatientRecord, profile: Profile, bands: tuple[Band, ...], facts: Iterable[Fact]) -> Plot:
    """Viral loads with the limits of suppression, of failure and of what a test can count."""
    return Plot(
        measure="viral-load",
        results=record.viral_loads,
        limits=limits(profile, "viral-load"),
        days=span(record),
        bands=bands,
        decisive=_results(facts, "viral-load"),
    )


def _results(facts: Iterable[Fact], measure: Measure) -> frozenset[LabResult]:
    return frozenset(one for one in facts if isinstance(one, LabResult) and one.measure == measure)


def span(record: PatientRecord) -> tuple[date, date]:
    """From the first result of either measure to today, and half a year at least: both pictures have the same days."""
    days = [one.date for one in (*record.cd4_counts, *record.viral_loads)]
    last = max([record.as_of, *days])
    floor = date.min + _SHORTEST
    return min([max(last, floor) - _SHORTEST, *days]), last
