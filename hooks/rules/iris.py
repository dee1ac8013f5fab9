"""Immune reconstitution inflammatory syndrome: counselling before treatment, watching after it."""

from decimal import Decimal

from hooks.advice import Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.knowledge import Profile
from hooks.record import DraftedArt, LabResult, PatientRecord
from hooks.rules.art import not_on_art
from hooks.rules.iris_risk import WHAT_FLARES, fresh, tier
from hooks.sentences import Sentence, join, say, term
from hooks.trends import baseline, baseline_viral_load, gain, log_fall, on_course
from hooks.wording import amount, number

CNS = ("cryptococcal-meningitis", "cryptococcosis", "tb-meningitis")
AFTER_TUBERCULOSIS = "art-timing-tuberculosis"
LOCATOR = "locator"  # context of what a citation says in words, as a term
_RISK = {"high": say("high risk of IRIS"), "moderate": say("moderate risk of IRIS"), "base": say("IRIS is possible")}
_EVENTS = {"start": say("Starting ART"), "restart": say("Restarting ART"), "switch": say("Switching ART")}
_SAY = say(
    'Tell the patient: "As treatment works, your defences recover and may react to an old or '
    "hidden infection. It usually passes within weeks, most often in the first six, but can "
    "be serious. Tell us at once about fever, swollen glands, a rash, cough or "
    "breathlessness, headache, a change in your sight, yellow skin, weight loss or anything "
    "new. Keep taking your medicines every day unless we tell you otherwise; eat well, stay "
    'active, and look for help with stress."'
)


@rule(
    cites=(
        "iris-definition",
        "iris-window",
        "art-timing-tuberculosis",
        "crag-positive-lasts",
        "iris-cd4-high",
        "iris-cd4-moderate",
        "iris-viral-load",
        "iris-recent-infection",
        "cd4-fresh-for-start",
        "viral-load-fresh",
        "suppressed",
    ),
    needs=("conditions", "medications"),
    worst="warning",
    of_order=True,
    discreet=Discreet(
        "Counselling when treatment is begun or changed",
        "Treatment is begun or changed: tell the patient what to watch for",
        {"warning": "Treatment is begun or changed, high risk of a reaction: tell the patient what to watch for"},
    ),
)
def iris_counselling(record: PatientRecord, profile: Profile) -> Verdict:
    """Counselling on IRIS before ART is started, restarted or switched.

    When antiretrovirals are being ordered that start, restart or switch treatment, then counsel the patient: level high at
    a CD4 count below 100, below 200 with a viral load of 100,000 or more, or with an infection of high risk; moderate at
    100 to 199, at 100,000 copies or more, with a co-infection or autoimmune disease, or where a result is unknown; else base.
    """
    draft = record.drafted_art
    if draft.event in ("none", "continue"):
        if not all(order.readable for order in record.draft_orders or ()):
            return Lacks(("medications",))  # the drug is not chosen yet: it could be ART
        return Silent("no antiretroviral treatment is being started, restarted or switched")
    loads = record.viral_loads if not record.hiv.type_2 else ()
    untold = [one for one in loads if profile.under("suppressed", one)] if draft.event == "start" else []
    if draft.event == "unclear" or untold:
        return Lacks(("medications",), tuple(untold[:1]))
    count, load = _fresh_facts(record, profile)
    lacking = tuple(datum for datum in ("cd4-count", "viral-load") if record.gap(datum))
    suppressed_switch = draft.event == "switch" and load is not None and profile.under("suppressed", load)
    level, reasons = ("base", []) if suppressed_switch else tier(record, profile, count, load)
    if level != "high" and lacking:
        return Lacks(lacking)
    if suppressed_switch and count and load and profile.not_under("iris-cd4-moderate", count):
        limit = number(profile.limit("iris-cd4-moderate"))
        return Silent(f"a switch while suppressed, CD4 count not below {limit}", (count, load))
    return _counsel(draft, record, profile, level, reasons)


def _fresh_facts(record: PatientRecord, profile: Profile) -> tuple[LabResult | None, LabResult | None]:
    """The CD4 count and the viral load to judge by; in HIV-2 infection a viral load of HIV-1 says nothing."""
    count = fresh(record.cd4_counts, record, profile, "cd4-fresh-for-start")
    loads = record.viral_loads if not record.hiv.type_2 else ()
    return count, fresh(loads, record, profile, "viral-load-fresh")


def _timing(record: PatientRecord, profile: Profile) -> Sentence:
    """No delay is advised here, but with tuberculosis and infections of the central nervous system that question comes first."""
    antigen = next(iter(record.others("crag")), None)
    if any(record.has_problem(concept, ("active", "unknown")) for concept in CNS):
        return say("Meningitis or cryptococcosis is on the problem list: take specialist advice on when to start ART.")
    if (
        antigen
        and antigen.result == "positive"
        and profile.under("crag-positive-lasts", antigen.age_days(record.as_of))
    ):
        return say("The cryptococcal antigen is positive: take specialist advice on when to start ART.")
    if record.has_problem("tb-active", ("active", "unknown")):
        first = say("Tuberculosis is on the problem list: its treatment comes first.")
        return join(" ", (first, _after_tuberculosis(profile)))
    return say("Starting treatment early lowers the risk: this is no reason to wait.")


def _after_tuberculosis(profile: Profile) -> Sentence:
    """When ART follows the treatment of tuberculosis, as the guideline puts it."""
    return say("On when ART follows: {locator}.", locator=term(LOCATOR, profile.cite(AFTER_TUBERCULOSIS).locator))


def _first_checks(profile: Profile) -> Sentence:
    return say(
        "Check first at a CD4 count below {limit}: cryptococcal antigen, TB symptoms, dilated "
        "eye examination, hepatitis B and C, Pneumocystis prophylaxis; have a CD4 count and "
        "viral load on file to compare with.",
        limit=number(profile.limit("iris-cd4-high")),
    )


def _counsel(
    draft: DraftedArt, record: PatientRecord, profile: Profile, level: str, reasons: list[Sentence]
) -> Recommendation:
    count, load = _fresh_facts(record, profile)
    event, risk = _EVENTS[draft.event], _RISK[level]
    because = (
        say("Risk: {reasons}.", reasons=join("; ", reasons))
        if reasons
        else say("IRIS is possible at any CD4 count, though less likely here.")
    )
    if draft.replaces:
        because = join(" ", (say("If this order replaces the present regimen, it is a switch."), because))
    first = (_first_checks(profile),) if count is None or profile.under("iris-cd4-high", count) else ()
    return Recommendation(
        summary=say(
            "{event} at CD4 {amount}: {risk}, tell the patient what to watch for",
            event=event,
            risk=risk,
            amount=amount(count),
        )
        if count
        else say("{event}: {risk}, tell the patient what to watch for", event=event, risk=risk),
        indicator="warning" if level == "high" else "info",
        rationale=(because, _timing(record, profile)),
        cites=(profile.cite("iris-definition"), profile.cite("iris-window")),
        facts=tuple(one for one in (count, load) if one),
        notes=(_SAY, WHAT_FLARES, *first),
        level=level,
    )


@rule(
    cites=(
        "iris-definition",
        "iris-response",
        "iris-watch-peak",
        "iris-watch-window",
        "iris-cd4-rise",
        "iris-cd4-rise-percent",
        "viral-load-fall",
        "iris-cd4-moderate",
        "baseline-before",
        "baseline-after",
    ),
    needs=("conditions", "medications", "cd4-count", "viral-load"),
    discreet=Discreet("The first weeks of treatment", "A rapid response to treatment: ask about new symptoms"),
)
def iris_watch(record: PatientRecord, profile: Profile) -> Verdict:
    """Watching for IRIS after a rapid response.

    When ART was started within 180 days in a patient whose baseline CD4 count was below 200 or whose risk was high, and
    the viral load has fallen by 1 log10 or the CD4 count risen by 25 or by half, then say so: in the first 42 days, or
    later when the newest result is the first to show it.
    """
    off = not_on_art(record)
    if off:
        return off
    days = record.art.days_on(record.as_of)
    if days is None or record.art.since is None:
        return Lacks(("art-start-date",))
    if not profile.under("iris-watch-window", days):
        return Silent(f"more than {profile.days('iris-watch-window')} days on antiretroviral treatment")
    count = baseline(record.cd4_counts, record.art.since, profile)
    load = None if record.hiv.type_2 else baseline_viral_load(record.viral_loads, record.art.since, profile)
    level, _ = tier(record, profile, count, load)
    if level != "high" and (count is None or not profile.under("iris-cd4-moderate", count)):
        if count is None or not profile.not_under("iris-cd4-moderate", count):
            return Lacks(("baseline-cd4",), (count,) if count else ())
        return Silent("not at special risk when treatment was started", (count,))
    shown = _responses(record, profile, count, load)
    if not shown:
        return Silent("no rapid response to treatment so far", record.cd4_counts[:1] + record.viral_loads[:1])
    newest = max(one.date for results in (record.cd4_counts, record.viral_loads) for one in results[:1])
    if not profile.under("iris-watch-peak", days) and min(one.date for one in shown) != newest:
        return Silent("the rapid response was shown by an earlier result", tuple(shown[:1]))
    latest = {one.measure: one for one in shown}  # the newest of each measure
    return _watch(profile, days, [one for one in (count, load, *latest.values()) if one])


def _responses(
    record: PatientRecord, profile: Profile, count: LabResult | None, load: LabResult | None
) -> list[LabResult]:
    """The results since the start that show a rapid response, oldest first."""
    since = record.art.since
    assert since is not None  # noqa: S101  (the caller has looked)
    falls = [one for one in on_course(record.viral_loads, since, profile) if load and _falls_fast(load, one, profile)]
    rises = [one for one in on_course(record.cd4_counts, since, profile) if count and _rises_fast(count, one, profile)]
    return sorted((*falls, *rises), key=lambda one: one.date)


def _falls_fast(before: LabResult, after: LabResult, profile: Profile) -> bool:
    fall = log_fall(before, after)
    return fall is not None and profile.reaches("viral-load-fall", fall)


def _rises_fast(before: LabResult, after: LabResult, profile: Profile) -> bool:
    """By so many cells, or by so large a share of what there was."""
    rise = gain(before, after)
    if rise is None:
        return False
    share = 100 * rise / before.number if before.number else Decimal(0)
    return profile.reaches("iris-cd4-rise", rise) or profile.reaches("iris-cd4-rise-percent", share)


def _watch(profile: Profile, days: int, facts: list[LabResult]) -> Recommendation:
    return Recommendation(
        summary=say("Day {days} of ART with a rapid response: watch for IRIS, ask about new symptoms", days=days),
        indicator="info",
        rationale=(
            say("Day {days} of treatment.", days=days),
            say(
                "A rapid fall of the viral load or rise of the CD4 count is good news, and the time when IRIS appears."
            ),
        ),
        cites=(profile.cite("iris-response"), profile.cite("iris-window")),
        facts=tuple(dict.fromkeys(facts)),
        notes=(
            say(
                "Ask about fever, swollen glands, rash, cough, breathlessness, headache, vision, jaundice, weight loss."
            ),
            WHAT_FLARES,
            say(
                "Exclude poor adherence, resistance of the infection, a new infection, drug toxicity and "
                "malignancy first."
            ),
            say("Usually the infection is treated and ART continued; corticosteroids are for severe disease."),
        ),
    )
