"""Primary prophylaxis against Pneumocystis pneumonia: whether it is due, by what, and how surely."""

from datetime import timedelta

from hooks.advice import Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import covers_pneumocystis
from hooks.knowledge import Profile
from hooks.record import LabResult, PatientRecord, Problem, ProblemState
from hooks.rules import pneumocystis_cards as cards
from hooks.sentences import say
from hooks.wording import amount, day, number

# Diseases of WHO stage 3 or 4 that our value sets know
STAGE_3_OR_4 = (
    "aids",
    "cmv",
    "coccidioidomycosis",
    "cryptococcosis",
    "histoplasmosis",
    "kaposi",
    "lymphoma",
    "mac",
    "oesophageal-candidiasis",
    "oral-candidiasis",
    "pml",
    "talaromycosis",
    "toxoplasmosis",
)
_DELAYS_ART = ("cryptococcal-meningitis", "tb-meningitis")
_THRUSH = ("oral-candidiasis", "oropharyngeal-candidiasis")
_OPEN: tuple[ProblemState, ...] = ("active", "unknown")


@rule(
    cites=(
        "pneumocystis-cd4",
        "pneumocystis-secondary",
        "cd4-fresh-for-start",
        "cd4-usable-for-start",
        "viral-load-fresh",
        "assay-limit",
    ),
    may_cite=(
        "pneumocystis-cd4-whatever-the-viral-load",
        "pneumocystis-cd4-percent",
        "pneumocystis-lapse-span",
        "pneumocystis-delayed-cd4",
        "pneumocystis-tuberculosis",
        "pneumocystis-stage",
        "pneumocystis-thrush",
        "cotrimoxazole-for-all",
    ),
    needs=("conditions",),
    worst="warning",
    discreet=Discreet(
        "Preventive treatment",
        "A blood result or the problem list asks whether preventive treatment is due",
        {
            "warning": "Preventive treatment is due",
            "due": "Preventive treatment is due",
            "consider": "Preventive treatment may be considered",
            "for-all": "Preventive treatment is advised in this setting",
            "choice": "Preventive treatment is not taken: clinician's choice",
            "stale": "An old blood result is to be rechecked; preventive treatment may be due",
            "active": "An illness on the problem list: treatment, then preventive treatment",
        },
    ),
)
def pneumocystis_start(record: PatientRecord, profile: Profile) -> Verdict:
    """Starting Pneumocystis prophylaxis.

    When HIV infection is established, nothing taken or ordered covers Pneumocystis, and the latest CD4 count, at most
    180 days old, is below the guideline's limit (or its percentage is, where the guideline has one), then recommend
    prophylaxis. A count of 100 to 199 with suppression below the assay's limit over 90 days on ART is left to the clinician
    where the guideline does so, and so is a count that is 181 to 365 days old. Some guidelines add diseases, or everyone.
    """
    covering = covers_pneumocystis(record.current_medications())
    if covering:
        undosed = "" if all(one.has_dose for one in covering) else "; its dose is not stated"
        return Silent(f"what is taken or being ordered covers Pneumocystis{undosed}", covering)
    verdict = _indicated(record, profile)
    if isinstance(verdict, Recommendation) and record.gap("medications"):
        return Lacks(("medications",), verdict.facts)  # it may be taken already
    return verdict


def _indicated(record: PatientRecord, profile: Profile) -> Verdict:
    """What results and diseases ask for, whatever is taken."""
    active = record.problems_of("pneumocystis", ("active",))
    if active:
        return cards.active_disease(record, profile, active)
    by_count = _by_count(record, profile)
    if isinstance(by_count, Recommendation):
        return by_count if by_count.indicator == "warning" else _by_disease(record, profile) or by_count
    return _by_disease(record, profile) or _for_all(record, profile) or by_count


def _by_count(record: PatientRecord, profile: Profile) -> Verdict:
    count = next(iter(record.cd4_counts), None)
    if record.gap("cd4-count"):
        return Lacks(("cd4-count",), record.cd4_counts[:1])
    if count is None or not profile.under("cd4-usable-for-start", count.age_days(record.as_of)):
        return _by_percent(record, profile) or Lacks(("cd4-count",), record.cd4_counts[:1])
    if profile.under("pneumocystis-cd4", count):
        return _low_count(count, record, profile)
    if profile.not_under("pneumocystis-cd4", count):
        return (
            _by_percent(record, profile, count) or _delayed(count, record, profile) or _enough(count, record, profile)
        )
    return Lacks(("cd4-count",), (count,))  # a bound that does not tell


def _enough(count: LabResult, record: PatientRecord, profile: Profile) -> Verdict:
    facts = (count, *record.cd4_percents[:1])
    if record.gap("cd4-percent") and "pneumocystis-cd4-percent" in profile.thresholds:
        return Lacks(("cd4-percent",), facts)
    limit = number(profile.limit("pneumocystis-cd4"))
    return Silent(f"CD4 count is {amount(count)} on {day(count.date)}, not {cards.side(profile, limit)}", facts)


def _low_count(count: LabResult, record: PatientRecord, profile: Profile) -> Verdict:
    if not profile.under("cd4-fresh-for-start", count.age_days(record.as_of)):
        return cards.stale(count, record, profile)
    run = suppressed_run(record, profile)
    if run and record.art.status == "on" and _may_lapse(count, profile):
        stopped = _stopped_since(run, record, profile)
        if not record.gap("viral-load"):
            return stopped or cards.left_to_the_clinician(count, run, record, profile)
        if stopped:
            return Lacks(("viral-load",), stopped.facts)  # a newer one may ask for it again, but nobody could read it
    side = cards.side(profile, number(profile.limit("pneumocystis-cd4")))
    why = say("CD4 count {side}/µL, and nothing taken or ordered covers Pneumocystis.", side=side)
    return cards.start(record, profile, count, why)


def _may_lapse(count: LabResult, profile: Profile) -> bool:
    """Whether suppression may stand in for the count here: only where the guideline says so, and not at a very low count."""
    always = "pneumocystis-cd4-whatever-the-viral-load"
    return always in profile.thresholds and profile.not_under(always, count)


def _by_percent(record: PatientRecord, profile: Profile, count: LabResult | None = None) -> Verdict | None:
    """A low CD4 percentage: prophylaxis although the count does not ask for it, or is not there."""
    percent = next(iter(record.cd4_percents), None)
    if percent is None or "pneumocystis-cd4-percent" not in profile.thresholds:
        return None
    fresh = profile.under("cd4-fresh-for-start", percent.age_days(record.as_of))
    if not fresh or not profile.under("pneumocystis-cd4-percent", percent):
        return None
    return cards.by_percent(percent, count, record, profile)


def _delayed(count: LabResult, record: PatientRecord, profile: Profile) -> Verdict | None:
    """A count somewhat above the limit while ART has to wait: where the guideline has a limit for that."""
    waits = [one for concept in _DELAYS_ART for one in record.problems_of(concept, _OPEN)]
    if (
        "pneumocystis-delayed-cd4" not in profile.thresholds
        or not waits
        or record.art.status not in ("never", "stopped")
    ):
        return None
    fresh = profile.under("cd4-fresh-for-start", count.age_days(record.as_of))
    return (
        cards.delayed(count, waits[:1], record, profile)
        if fresh and profile.under("pneumocystis-delayed-cd4", count)
        else None
    )


def _by_disease(record: PatientRecord, profile: Profile) -> Recommendation | None:
    """Diseases that ask for prophylaxis whatever the count, as far as the guideline names them."""
    tuberculosis, stage = record.problems_of("tb-active", _OPEN), _first(STAGE_3_OR_4, record)
    thrush = _first(_THRUSH, record)
    if tuberculosis and profile.knows("pneumocystis-tuberculosis"):
        return cards.by_disease(tuberculosis[0], "pneumocystis-tuberculosis", "warning", record, profile)
    if stage and profile.knows("pneumocystis-stage"):
        return cards.by_disease(stage, "pneumocystis-stage", "warning", record, profile)
    if thrush and profile.knows("pneumocystis-thrush"):
        return cards.by_disease(thrush, "pneumocystis-thrush", "info", record, profile)
    return None


def _first(concepts: tuple[str, ...], record: PatientRecord) -> Problem | None:
    return next((one for concept in concepts for one in record.problems_of(concept, ("active",))), None)


def _for_all(record: PatientRecord, profile: Profile) -> Recommendation | None:
    """Everyone, where the site says that malaria or severe bacterial infections are common and the guideline has that rule."""
    everyone = profile.switch("cotrimoxazole-for-all") and profile.knows("cotrimoxazole-for-all")
    return cards.for_all(record, profile) if everyone else None


def suppressed_run(record: PatientRecord, profile: Profile) -> tuple[LabResult, ...] | None:
    """The latest viral loads, two or more over 90 days or more, all below the assay's limit and the newest fresh."""
    run: list[LabResult] = []
    for one in record.viral_loads:
        if not profile.under("assay-limit", one):
            break
        run.append(one)
    if len(run) < 2 or record.hiv.type_2 or "pneumocystis-lapse-span" not in profile.thresholds:
        return None
    fresh = profile.under("viral-load-fresh", run[0].age_days(record.as_of))
    long = profile.reaches("pneumocystis-lapse-span", (run[0].date - run[-1].date).days)
    return tuple(run) if fresh and long else None


def _stopped_since(run: tuple[LabResult, ...], record: PatientRecord, profile: Profile) -> Silent | None:
    """Prophylaxis that was stopped in this very state is not asked for again: no start–stop loop."""
    state_since = run[-1].date + timedelta(days=profile.days("pneumocystis-lapse-span"))
    ended = [one for one in record.medications or () if not one.current and one.until and one.until >= state_since]
    stopped = covers_pneumocystis(ended)
    if stopped:
        because = "prophylaxis was stopped while the viral load was below the assay's limit"
        return Silent(because, (*record.cd4_counts[:1], run[0], run[-1], *stopped))
    return None
