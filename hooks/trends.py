"""A record in; out come the series the rules compare: baselines, runs, falls and rises over the course of treatment."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from hooks.knowledge import Profile
from hooks.record import LabResult, PatientRecord


def baseline(results: Sequence[LabResult], since: date, profile: Profile) -> LabResult | None:
    """The last result from 180 days before to 14 days after the start of ART."""
    return next((one for one in results if _near_start((one.date - since).days, profile)), None)


def _near_start(days: int, profile: Profile) -> bool:
    return profile.under("baseline-before", -days) and profile.under("baseline-after", days)


def baseline_viral_load(results: Sequence[LabResult], since: date, profile: Profile) -> LabResult | None:
    """The same, but the last one before treatment goes first: a viral load falls within days."""
    found = [one for one in results if one.date <= since]
    return baseline(found, since, profile) or baseline(results, since, profile)


def on_course(results: Sequence[LabResult], since: date, profile: Profile) -> tuple[LabResult, ...]:
    """The results after the baseline window: what treatment has done."""
    return tuple(one for one in results if not profile.under("baseline-after", (one.date - since).days))


def log_fall(before: LabResult, after: LabResult) -> Decimal | None:
    """The least fall in log10 that two viral loads prove; None where they prove none (bounds upward, IU, words)."""
    if (
        before.unit != after.unit
        or before.number is None
        or not before.number
        or before.comparator not in ("", ">", ">=")
    ):
        return None
    if after.number is None:
        return Decimal("Infinity") if after.detected is False else None
    if after.comparator not in ("", "<", "<="):
        return None
    return (before.number / max(after.number, Decimal(1))).log10()


def gain(before: LabResult, after: LabResult) -> Decimal | None:
    """How much a CD4 count rose; None where one of them is a bound."""
    if before.number is None or after.number is None or before.comparator or after.comparator:
        return None
    return after.number - before.number


def suppressed_since(record: PatientRecord, profile: Profile) -> date | None:
    """The date of the oldest viral load of the unbroken run of suppressed results that reaches to today."""
    oldest = None
    for one in record.viral_loads:
        if not profile.under("suppressed", one):
            break
        oldest = one.date
    return oldest
