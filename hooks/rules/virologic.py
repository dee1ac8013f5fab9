"""Whether treatment holds the virus: confirmed failure, and what only asks for a second look."""

from datetime import date

from hooks.advice import Lacks, Recommendation, Silent, TestOrder, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.knowledge import Profile
from hooks.record import LabResult, PatientRecord
from hooks.rules.art import not_on_art
from hooks.sentences import Sentence, say
from hooks.trends import baseline_viral_load, log_fall
from hooks.wording import amount, day, number, short_day

_REVIEW = (
    say(
        "Review adherence and gaps in supply, drug and food interactions, tolerability, past "
        "regimens and resistance results."
    ),
    say(
        "Genotype while on the regimen, or within 4 weeks of stopping it; look for hepatitis B "
        "and TB before any change."
    ),
    say("Not checked: resistance, adherence, interactions. No regimen is proposed here."),
)
_NEEDS = ("conditions", "medications", "viral-load")


@rule(
    cites=("virologic-failure", "failure-viral-load", "failure-after", "failure-apart", "failure-fresh"),
    needs=_NEEDS,
    worst="warning",
    discreet=Discreet(
        "Treatment that does not work", "Two blood results show that treatment does not work as it should: review"
    ),
)
def virologic_failure(record: PatientRecord, profile: Profile) -> Verdict:
    """Confirmed virologic failure.

    When two viral loads at the guideline's limit of failure or above, as far apart as it asks, the first as long after the
    start of the course or the last change of its ingredients, with none below between, the newest at most 90 days old, then
    review.
    """
    unable = _unable(record)
    if unable:
        return unable
    newest = record.viral_loads[0]
    if profile.short_of("failure-viral-load", newest):
        return Silent(f"the last viral load, {day(newest.date)}, is {_short(profile)}", (newest,))
    if not profile.reaches("failure-viral-load", newest):
        return Lacks(("viral-load",), (newest,))
    first = _confirmed_by(record, profile)
    if first is None:
        return Silent("a raised viral load is not confirmed by a second one on this regimen", record.viral_loads[:2])
    if not profile.under("failure-fresh", newest.age_days(record.as_of)):
        return Lacks(("viral-load",), (newest, first))
    return Recommendation(
        summary=say(
            "{measured}, raised twice: confirmed virologic failure, review", measured=_measured(newest, record)
        ),
        indicator="warning",
        rationale=(
            say(
                "Two viral loads {failing} on the same regimen, since {day}.",
                failing=_failing(profile),
                day=day(_regimen_since(record)),
            ),
        ),
        cites=(profile.cite("virologic-failure"),),
        facts=(newest, first, *record.cd4_counts[:1]),
        notes=_REVIEW,
    )


def _failing(profile: Profile) -> Sentence:
    """The side of the limit that is failure, in words."""
    limit = number(profile.limit("failure-viral-load"))
    return (
        say("of {limit} copies/mL or more", limit=limit)
        if profile.thresholds["failure-viral-load"].inclusive
        else say("above {limit} copies/mL", limit=limit)
    )


def _short(profile: Profile) -> str:
    limit = number(profile.limit("failure-viral-load"))
    side = "below" if profile.thresholds["failure-viral-load"].inclusive else "not above"
    return f"{side} {limit} copies/mL"


def _measured(one: LabResult, record: PatientRecord) -> Sentence:
    return say("Viral load {amount} on {day}", amount=amount(one), day=short_day(one.date, record.as_of))


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
    """The newest results back to the last one short of failure; those that prove neither are passed over."""
    run: list[LabResult] = []
    for one in record.viral_loads:
        if profile.short_of("failure-viral-load", one):
            break
        run += [one] if profile.reaches("failure-viral-load", one) else []
    return run


def _confirmed_by(record: PatientRecord, profile: Profile) -> LabResult | None:
    """The earlier raised viral load that the newest confirms."""
    run, since = _run(record, profile), _regimen_since(record)
    earlier = (one for one in run[1:] if profile.reaches("failure-apart", (run[0].date - one.date).days))
    return next((one for one in earlier if profile.reaches("failure-after", (one.date - since).days)), None)


@rule(
    cites=(
        "low-level-viraemia",
        "virologic-failure",
        "failure-viral-load",
        "suppressed",
        "assay-limit",
        "failure-after",
        "low-level-results",
        "recheck-from",
        "recheck-to",
        "slow-fall-from",
        "slow-fall-to",
        "viral-load-fall",
        "failure-fresh",
    ),
    may_cite=("single-failure-on-nnrti",),
    needs=_NEEDS,
    discreet=Discreet("A result to be repeated", "A blood result is to be repeated"),
)
def viremia_recheck(record: PatientRecord, profile: Profile) -> Verdict:
    """Rechecking a raised viral load.

    When on ART one viral load is at the guideline's limit of failure after suppression or after the time it gives a regimen
    and not yet confirmed, or as many in a row as it asks are 50 or more after suppression, or the fall is less than 1 log10
    at 4 to 12 weeks after the start, then recheck.
    """
    unable = _unable(record)
    if unable:
        return unable
    newest = record.viral_loads[0]
    if isinstance(virologic_failure(record, profile), Recommendation):
        return Silent("virologic failure is confirmed", (newest,))
    if not profile.under("failure-fresh", newest.age_days(record.as_of)):
        return Silent(f"the last viral load is from {day(newest.date)}: a new one is needed, not a recheck", (newest,))
    if not profile.short_of("failure-viral-load", newest) and not profile.reaches("failure-viral-load", newest):
        return Lacks(("viral-load",), (newest,))
    why = _raised(record, profile) or _low_level(record, profile) or _slow_fall(record, profile)
    if why is None:
        return Silent(f"viral load {amount(newest)} on {day(newest.date)} needs no recheck", record.viral_loads[:2])
    return Recommendation(
        summary=say("{measured}: recheck {when}", measured=_measured(newest, record), when=_when(profile)),
        indicator="info",
        rationale=(why, say("One result is no failure: confirm it before anything is changed.")),
        cites=(profile.cite("low-level-viraemia"),),
        facts=record.viral_loads[:2],
        notes=(
            say("Ask about missed doses, supply, interactions (antacids, minerals, rifampicin) and recent illness."),
            *_fast_switch(record, profile),
        ),
        suggestions=() if record.is_on_its_way("viral-load") else (TestOrder("viral-load", recommended=True),),
    )


def _when(profile: Profile) -> Sentence:
    """In how many weeks, or months of 30 days where it is that long."""
    first, last = profile.days("recheck-from"), profile.days("recheck-to")
    if first == last:
        return say("in {months} months", months=first // 30)
    return say("in {first} to {last} weeks", first=first // 7, last=last // 7)


def _fast_switch(record: PatientRecord, profile: Profile) -> tuple[Sentence, ...]:
    """Where the guideline lets one result on an NNRTI decide, that is said; nothing is proposed."""
    on_nnrti = profile.knowledge.with_role(record.art.agents, "art-nnrti")
    if not on_nnrti or not profile.knows("single-failure-on-nnrti"):
        return ()
    if not profile.reaches("failure-viral-load", record.viral_loads[0]):
        return ()
    return (
        say(
            "On an NNRTI one result {failing} can justify review of the regimen without a second one.",
            failing=_failing(profile),
        ),
    )


def _suppressed_before(record: PatientRecord, profile: Profile, newest: int = 1) -> bool:
    """Whether a viral load of this course, before the newest ones, was below 200."""
    since = record.art.since
    return any(
        profile.under("suppressed", one) and since is not None and one.date >= since
        for one in record.viral_loads[newest:]
    )


def _raised(record: PatientRecord, profile: Profile) -> Sentence | None:
    newest = record.viral_loads[0]
    if not profile.reaches("failure-viral-load", newest):
        return None
    settled = profile.reaches("failure-after", (newest.date - _regimen_since(record)).days)
    said = say("A viral load {failing} on treatment.", failing=_failing(profile))
    return said if settled or _suppressed_before(record, profile) else None


def _low_level(record: PatientRecord, profile: Profile) -> Sentence | None:
    """As many in a row at or above the assay's limit, after suppression, as the guideline asks: fewer are a blip."""
    asked = profile.days("low-level-results")
    latest = record.viral_loads[:asked]
    detectable = len(latest) == asked and all(profile.not_under("assay-limit", one) for one in latest)
    if not detectable or not _suppressed_before(record, profile, newest=asked):
        return None
    if asked > 1:
        return say("Two detectable viral loads in a row after suppression.")
    return say("A detectable viral load after suppression.")


def _slow_fall(record: PatientRecord, profile: Profile) -> Sentence | None:
    newest, since = record.viral_loads[0], record.art.since
    assert since is not None  # noqa: S101  (_unable has looked)
    days = (newest.date - since).days
    before = baseline_viral_load(record.viral_loads[1:], since, profile)
    if before is None or not profile.reaches("slow-fall-from", days) or not profile.under("slow-fall-to", days):
        return None
    fall = log_fall(before, newest)
    slow = fall is not None and profile.short_of("viral-load-fall", fall) and profile.not_under("assay-limit", newest)
    return (
        say("The viral load has fallen by less than 1 log10 in {days} days of treatment.", days=days) if slow else None
    )
