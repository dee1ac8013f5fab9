"""Prophylaxis against Pneumocystis pneumonia."""

from datetime import timedelta

from hooks.assess import Lacks, Recommendation, Silent, Verdict, rule
from hooks.drugs import covers_pneumocystis
from hooks.knowledge import Profile
from hooks.record import LabResult, PatientRecord
from hooks.rules.agents import choose
from hooks.wording import ago, amount, day, number, short_day


@rule(
    cites=(
        "pneumocystis-cd4",
        "pneumocystis-cd4-whatever-the-viral-load",
        "pneumocystis-cd4-percent",
        "pneumocystis-lapse-span",
        "pneumocystis-secondary",
        "cd4-fresh-for-start",
        "cd4-usable-for-start",
        "viral-load-fresh",
        "assay-limit",
    ),
    needs=("conditions", "cd4-count"),
    worst="warning",
)
def pneumocystis_start(record: PatientRecord, profile: Profile) -> Verdict:
    """Starting Pneumocystis prophylaxis.

    When HIV infection is established, nothing taken or ordered covers Pneumocystis, and the latest CD4 count, at most
    180 days old, is below 200/µL (or its percentage below 14 %), then recommend prophylaxis. A count of 100 to 199
    with suppression below the assay's limit over 90 days on ART is left to the clinician, and so is a count that is
    181 to 365 days old.
    """
    covering = covers_pneumocystis(record.current_medications())
    if covering:
        undosed = "" if all(one.has_dose for one in covering) else "; its dose is not stated"
        return Silent(f"what is taken or being ordered covers Pneumocystis{undosed}")
    verdict = _indicated(record, profile)
    if isinstance(verdict, Recommendation) and record.gap("medications"):
        return Lacks(("medications",))  # it may be taken already
    return verdict


def _indicated(record: PatientRecord, profile: Profile) -> Verdict:
    """What the results ask for, whatever is taken."""
    if record.has_problem("pneumocystis", ("active",)):
        return _active_disease(record, profile)
    count = next(iter(record.cd4_counts), None)
    if count is None or count.age_days(record.as_of) > profile.days("cd4-usable-for-start"):
        return _by_percent(record, profile) or Lacks(("cd4-count",))
    limit = profile.limit("pneumocystis-cd4")
    if count.is_below(limit):
        return _low_count(count, record, profile)
    if count.is_at_least(limit):
        return _by_percent(record, profile, count) or _enough(count, record, profile)
    return Lacks(("cd4-count",))  # a bound that does not tell


def _enough(count: LabResult, record: PatientRecord, profile: Profile) -> Verdict:
    if record.gap("cd4-percent"):
        return Lacks(("cd4-percent",))
    return Silent(
        f"CD4 count is {amount(count)} on {day(count.date)}, not below {number(profile.limit('pneumocystis-cd4'))}"
    )


def _low_count(count: LabResult, record: PatientRecord, profile: Profile) -> Verdict:
    limit = profile.limit("pneumocystis-cd4")
    days = count.age_days(record.as_of)
    if days > profile.days("cd4-fresh-for-start"):
        return _stale(count, days, record, profile)
    always = profile.limit("pneumocystis-cd4-whatever-the-viral-load")
    run = _suppressed_run(record, profile)
    if count.is_at_least(always) and run and record.art.status == "on":
        stopped = _stopped_since(run, record, profile)
        if not record.gap("viral-load"):
            return stopped or _left_to_the_clinician(count, run, record, profile)
        if stopped:
            return Lacks(("viral-load",))  # a newer one may ask for it again, but nobody could read it
    why = f"CD4 count below {number(limit)}/µL, and nothing taken or ordered covers Pneumocystis."
    return _start(record, profile, count, why)


def _start(record: PatientRecord, profile: Profile, count: LabResult, why: str) -> Recommendation:
    cite = profile.cite("pneumocystis-cd4")
    choice = choose(record, profile, "pneumocystis")
    secondary = record.has_problem("pneumocystis")
    cites = (cite, profile.cite("pneumocystis-secondary")) if secondary else (cite,)
    past = ("Pneumocystis pneumonia in the past: this is secondary prophylaxis.",) if secondary else ()
    return Recommendation(
        summary=f"CD4 {amount(count)} on {short_day(count.date, record.as_of)}: Pneumocystis prophylaxis is due",
        indicator="warning",
        rationale=(why, *past),
        cites=cites,
        facts=(count, *record.cd4_percents[:1], *record.viral_loads[:1]),
        notes=(*_pending(record), *choice.notes),
        suggestions=choice.offers,
    )


def _by_percent(record: PatientRecord, profile: Profile, count: LabResult | None = None) -> Verdict | None:
    """CD4 percentage below 14 %: prophylaxis although the count does not ask for it, or is not there."""
    percent = next(iter(record.cd4_percents), None)
    limit = profile.limit("pneumocystis-cd4-percent")
    if (
        percent is None
        or not percent.is_below(limit)
        or percent.age_days(record.as_of) > profile.days("cd4-fresh-for-start")
    ):
        return None
    newer = count is not None and count.date > percent.date
    disagree = (
        "No usable CD4 count is on file."
        if count is None
        else "CD4 count and percentage disagree; either may be right."
    )
    if newer and not any(one.date == percent.date for one in record.cd4_counts):
        disagree = "The percentage is older than the latest CD4 count; measure both together."
    choice = choose(record, profile, "pneumocystis")
    return Recommendation(
        summary=f"CD4 percentage {amount(percent)} on {short_day(percent.date, record.as_of)}: "
        "consider Pneumocystis prophylaxis",
        indicator="info",
        rationale=(f"CD4 percentage below {number(limit)} % is an indication of its own.", disagree),
        cites=(profile.cite("pneumocystis-cd4-percent"),),
        facts=(percent, *((count,) if count else ()), *record.viral_loads[:1]),
        notes=(*_pending(record), *choice.notes),
        suggestions=choice.offers,
    )


def _suppressed_run(record: PatientRecord, profile: Profile) -> tuple[LabResult, ...] | None:
    """The latest viral loads, two or more over 90 days or more, all below the assay's limit and the newest fresh."""
    limit = profile.limit("assay-limit")
    run: list[LabResult] = []
    for one in record.viral_loads:
        if not one.is_below(limit):
            break
        run.append(one)
    if len(run) < 2 or record.hiv.type_2:
        return None
    fresh = run[0].age_days(record.as_of) <= profile.days("viral-load-fresh")
    long = (run[0].date - run[-1].date).days >= profile.days("pneumocystis-lapse-span")
    return tuple(run) if fresh and long else None


def _stopped_since(run: tuple[LabResult, ...], record: PatientRecord, profile: Profile) -> Silent | None:
    """Prophylaxis that was stopped in this very state is not asked for again: no start–stop loop."""
    state_since = run[-1].date + timedelta(days=profile.days("pneumocystis-lapse-span"))
    ended = [one for one in record.medications or () if not one.current and one.until and one.until >= state_since]
    if covers_pneumocystis(ended):
        return Silent("prophylaxis was stopped while the viral load was below the assay's limit")
    return None


def _left_to_the_clinician(
    count: LabResult, run: tuple[LabResult, ...], record: PatientRecord, profile: Profile
) -> Recommendation:
    return Recommendation(
        summary=f"CD4 {amount(count)} with suppressed viral load, no Pneumocystis prophylaxis: clinician's choice",
        indicator="info",
        rationale=(
            "The newest guideline text no longer asks for prophylaxis here; the older one (CD4 below 200) still does.",
            f"Viral load below the assay's limit in {len(run)} results since {day(run[-1].date)}, on ART.",
        ),
        cites=(profile.cite("pneumocystis-cd4-whatever-the-viral-load"), profile.cite("pneumocystis-lapse-span")),
        facts=(count, run[0], run[-1]),
        notes=_pending(record),
    )


def _stale(count: LabResult, days: int, record: PatientRecord, profile: Profile) -> Recommendation:
    limit = profile.limit("pneumocystis-cd4")
    return Recommendation(
        summary=f"Last CD4 {amount(count)} is from {day(count.date)}: recheck it; prophylaxis may be due",
        indicator="info",
        rationale=(
            f"The last CD4 count was below {number(limit)}/µL, but it was taken {ago(days)}.",
            "If the patient is untreated or viraemic, prophylaxis is usually started on the last value meanwhile.",
        ),
        cites=(profile.cite("pneumocystis-cd4"), profile.cite("cd4-fresh-for-start")),
        facts=(count, *record.viral_loads[:1]),
        notes=_pending(record),
    )


def _active_disease(record: PatientRecord, profile: Profile) -> Recommendation:
    return Recommendation(
        summary="Active Pneumocystis pneumonia on the problem list: treatment, then secondary prophylaxis",
        indicator="info",
        rationale=(
            "Active disease calls for treatment followed by secondary prophylaxis, not for primary prophylaxis.",
            "No drug on the medication list or among the orders covers Pneumocystis.",
        ),
        cites=(profile.cite("pneumocystis-secondary"),),
        facts=record.cd4_counts[:1],
        notes=("Not offered as an order: treatment doses depend on severity and kidney function.",),
    )


def _pending(record: PatientRecord) -> tuple[str, ...]:
    return ("A newer CD4 result is pending and was not used.",) if record.awaits("cd4-count") else ()
