"""Whether treatment holds the virus: confirmed failure, and what only asks for a second look."""

from datetime import date

from hooks.assess import Lacks, Recommendation, Silent, TestOrder, Verdict, rule
from hooks.knowledge import Profile
from hooks.record import LabResult, PatientRecord
from hooks.rules.art import not_on_art
from hooks.trends import baseline_viral_load, log_fall
from hooks.wording import amount, day, short_day

_REVIEW = (
    "Review adherence and gaps in supply, drug and food interactions, tolerability, past regimens and resistance results.",
    "Genotype while on the regimen, or within 4 weeks of stopping it; look for hepatitis B and TB before any change.",
    "Not checked: resistance, adherence, interactions. No regimen is proposed here.",
)
_NEEDS = ("conditions", "medications", "viral-load")


@rule(
    cites=("virologic-failure", "failure-viral-load", "failure-after", "failure-apart", "failure-fresh"),
    needs=_NEEDS,
    worst="warning",
)
def virologic_failure(record: PatientRecord, profile: Profile) -> Verdict:
    """Confirmed virologic failure.

    When two viral loads of 200 or more, 14 days or more apart, the first at least 168 days after the start of the course
    or the last change of its ingredients, with none below 200 between, the newest at most 90 days old, then review.
    """
    unable = _unable(record)
    if unable:
        return unable
    limit = profile.limit("failure-viral-load")
    newest = record.viral_loads[0]
    if newest.is_below(limit):
        return Silent(f"the last viral load, {day(newest.date)}, is below {limit} copies/mL")
    if not newest.is_at_least(limit):
        return Lacks(("viral-load",))
    first = _confirmed_by(record, profile)
    if first is None:
        return Silent("a raised viral load is not confirmed by a second one on this regimen")
    if newest.age_days(record.as_of) > profile.days("failure-fresh"):
        return Lacks(("viral-load",))
    return Recommendation(
        summary=f"{_measured(newest, record)}, raised twice: confirmed virologic failure, review",
        indicator="warning",
        rationale=(
            f"Two viral loads of {limit} copies/mL or more on the same regimen, since {day(_regimen_since(record))}.",
        ),
        cites=(profile.cite("virologic-failure"),),
        facts=(newest, first, *record.cd4_counts[:1]),
        notes=_REVIEW,
    )


def _measured(one: LabResult, record: PatientRecord) -> str:
    return f"Viral load {amount(one)} on {short_day(one.date, record.as_of)}"


def _unable(record: PatientRecord) -> Verdict | None:
    """Why viral loads cannot be judged at all."""
    off = not_on_art(record)
    if off:
        return off
    if record.hiv.type_2 or not record.viral_loads:
        return Lacks(("viral-load",))
    if record.art.since is None or record.art.changed is None:
        return Lacks(("art-start-date",))
    return None


def _regimen_since(record: PatientRecord) -> date:
    """Since when the regimen has been what it is."""
    since = record.art.changed or record.art.since
    assert since is not None  # noqa: S101  (_unable has looked)
    return since


def _run(record: PatientRecord, profile: Profile) -> list[LabResult]:
    """The newest results back to the last one below 200; those that prove neither are passed over."""
    limit = profile.limit("failure-viral-load")
    run: list[LabResult] = []
    for one in record.viral_loads:
        if one.is_below(limit):
            break
        run += [one] if one.is_at_least(limit) else []
    return run


def _confirmed_by(record: PatientRecord, profile: Profile) -> LabResult | None:
    """The earlier raised viral load that the newest confirms."""
    run = _run(record, profile)
    since, after, apart = _regimen_since(record), profile.days("failure-after"), profile.days("failure-apart")
    earlier = (one for one in run[1:] if (run[0].date - one.date).days >= apart)
    return next((one for one in earlier if (one.date - since).days >= after), None)


@rule(
    cites=(
        "low-level-viraemia",
        "virologic-failure",
        "failure-viral-load",
        "assay-limit",
        "failure-after",
        "slow-fall-from",
        "slow-fall-to",
        "viral-load-fall",
        "failure-fresh",
    ),
    needs=_NEEDS,
)
def viremia_recheck(record: PatientRecord, profile: Profile) -> Verdict:
    """Rechecking a raised viral load.

    When on ART one viral load is 200 or more after suppression or after 168 days and not yet confirmed, or two in a row
    are 50 or more after suppression, or the fall is less than 1 log10 at 4 to 12 weeks after the start, then recheck.
    """
    unable = _unable(record)
    if unable:
        return unable
    newest = record.viral_loads[0]
    if isinstance(virologic_failure(record, profile), Recommendation):
        return Silent("virologic failure is confirmed")
    if newest.age_days(record.as_of) > profile.days("failure-fresh"):
        return Silent(f"the last viral load is from {day(newest.date)}: a new one is needed, not a recheck")
    if not newest.is_below(limit := profile.limit("failure-viral-load")) and not newest.is_at_least(limit):
        return Lacks(("viral-load",))
    why = _raised(record, profile) or _low_level(record, profile) or _slow_fall(record, profile)
    if why is None:
        return Silent(f"viral load {amount(newest)} on {day(newest.date)} needs no recheck")
    return Recommendation(
        summary=f"{_measured(newest, record)}: recheck in 2 to 4 weeks",
        indicator="info",
        rationale=(why, "One result is no failure: confirm it before anything is changed."),
        cites=(profile.cite("low-level-viraemia"),),
        facts=record.viral_loads[:2],
        notes=("Ask about missed doses, supply, interactions (antacids, minerals, rifampicin) and recent illness.",),
        suggestions=() if record.is_on_its_way("viral-load") else (TestOrder("viral-load", recommended=True),),
    )


def _suppressed_before(record: PatientRecord, profile: Profile, newest: int = 1) -> bool:
    """Whether a viral load of this course, before the newest ones, was below 200."""
    since = record.art.since
    limit = profile.limit("suppressed")
    return any(one.is_below(limit) and since is not None and one.date >= since for one in record.viral_loads[newest:])


def _raised(record: PatientRecord, profile: Profile) -> str | None:
    newest = record.viral_loads[0]
    if not newest.is_at_least(profile.limit("failure-viral-load")):
        return None
    settled = (newest.date - _regimen_since(record)).days >= profile.days("failure-after")
    return "A viral load of 200 or more on treatment." if settled or _suppressed_before(record, profile) else None


def _low_level(record: PatientRecord, profile: Profile) -> str | None:
    """Two in a row at or above the assay's limit, after suppression: one alone is a blip."""
    latest, limit = record.viral_loads[:2], profile.limit("assay-limit")
    twice = len(latest) == 2 and all(one.is_at_least(limit) for one in latest)
    return (
        "Two detectable viral loads in a row after suppression."
        if twice and _suppressed_before(record, profile, newest=2)
        else None
    )


def _slow_fall(record: PatientRecord, profile: Profile) -> str | None:
    newest, since = record.viral_loads[0], record.art.since
    assert since is not None  # noqa: S101  (_unable has looked)
    days = (newest.date - since).days
    before = baseline_viral_load(record.viral_loads[1:], since, profile)
    if before is None or not profile.days("slow-fall-from") <= days <= profile.days("slow-fall-to"):
        return None
    fall = log_fall(before, newest)
    slow = (
        fall is not None
        and fall < profile.limit("viral-load-fall")
        and newest.is_at_least(profile.limit("assay-limit"))
    )
    return f"The viral load has fallen by less than 1 log10 in {days} days of treatment." if slow else None
