"""A record in; out comes what it tells of tuberculosis: infection, preventive treatment, and since when it is treated."""

from collections.abc import Iterator
from datetime import date

from hooks.art_history import BREAK_DAYS
from hooks.knowledge import Profile
from hooks.record import Fact, Medication, PatientRecord

PREVENTIVE = frozenset(("6038", "35617", "9384"))  # isoniazid, rifapentine, rifampin


def infection(record: PatientRecord) -> tuple[Fact, ...]:
    """What shows infection: the newest positive test, latent tuberculosis on the problem list."""
    positive = tuple(one for one in record.others("tb-test") if one.result == "positive")
    return (*positive[:1], *record.problems_of("tb-latent"))


def preventive_treatment(record: PatientRecord) -> tuple[Medication, ...]:
    """Drugs of preventive treatment, or of treatment, ever taken or being ordered."""
    everything = (*(record.medications or ()), *record.drafted_medications())
    return tuple(one for one in everything if one.ingredients & PREVENTIVE)


def treatment(record: PatientRecord, profile: Profile) -> tuple[Medication, ...]:
    """The drugs against tuberculosis that are being taken."""
    return tuple(one for one in record.taken_medications() if _against_tuberculosis(one, profile))


def treated_since(record: PatientRecord, profile: Profile) -> date | None:
    """The start of the unbroken course of what is being taken; None where no entry says when it began."""
    starts = [one.since for one in treatment(record, profile) if one.since]
    if not starts:
        return None
    begun = min(starts)
    for since, last in sorted(_spells(record, profile), reverse=True):
        if (begun - last).days < BREAK_DAYS:
            begun = min(begun, since)
    return begun


def _spells(record: PatientRecord, profile: Profile) -> Iterator[tuple[date, date]]:
    """From when to when its drugs were taken; of one that ended nobody knows when it cannot be said that there was a break."""
    for one in record.medications or ():
        if one.since and _against_tuberculosis(one, profile):
            yield one.since, one.until or one.supplied_until or date.max


def _against_tuberculosis(one: Medication, profile: Profile) -> bool:
    return bool(profile.knowledge.with_role(one.ingredients, "tb"))
