"""Cryptococcal antigen: when to test, and what a positive result asks for."""

from hooks.advice import Lacks, Recommendation, Silent, TestOrder, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import systemic
from hooks.knowledge import Profile
from hooks.record import LabResult, Medication, OtherResult, PatientRecord
from hooks.rules.art import not_before_art
from hooks.rules.low_cd4 import low_cd4
from hooks.sentences import NOTHING, Sentence, say
from hooks.wording import amount, number, short_day


@rule(
    cites=(
        "crag-positive",
        "crag-fluconazole",
        "crag-positive-lasts",
        "crag-fresh",
        "crag-cd4",
        "crag-cd4-soft",
        "cd4-fresh-for-start",
        "art-timing-antigenaemia",
    ),
    needs=("conditions",),
    worst="warning",
    discreet=Discreet(
        "Test before treatment",
        "A blood test is due before treatment is begun",
        {
            "conditional": "A blood test before treatment is begun may be considered",
            "positive": "A blood test is positive and asks for a lumbar puncture, whatever the symptoms",
            "treated": "A blood test was positive and is being treated: check that a lumbar puncture was done",
        },
    ),
)
def cryptococcal_screen(record: PatientRecord, profile: Profile) -> Verdict:
    """Cryptococcal antigen.

    When the latest antigen is positive and at most 180 days old, and no cryptococcal disease is on the problem list, then
    ask for a lumbar puncture and pre-emptive fluconazole before ART. When ART is not being taken, the CD4 count is below
    200/µL, and there is no antigen of the last 90 days, then say that it is due.
    """
    known = record.problems_of("cryptococcosis")
    if known:
        return Silent("cryptococcal disease is on the problem list: its treatment decides", known)
    newest = next(iter(record.others("crag")), None)
    if newest and newest.result == "positive" and profile.under("crag-positive-lasts", newest.age_days(record.as_of)):
        return _positive(newest, record, profile)
    if _unread(record, profile):
        return Lacks(("crag",), record.others("crag")[:1])  # it may be positive
    if newest and profile.under("crag-fresh", newest.age_days(record.as_of)):
        return Silent("a recent cryptococcal antigen is negative", (newest,))
    if record.is_on_its_way("crag"):
        return Silent("a cryptococcal antigen is on its way")
    return _due(newest, record, profile)


def _unread(record: PatientRecord, profile: Profile) -> bool:
    """Whether there is a recent result, newer than all that can be read, that could not be read."""
    recent = (
        one.latest is None or profile.under("crag-positive-lasts", (record.as_of - one.latest).days)
        for one in record.unreadable
        if one.datum == "crag"
    )
    return bool(record.gap("crag")) and any(recent)


def _due(older: OtherResult | None, record: PatientRecord, profile: Profile) -> Verdict:
    """Whether the test is due: before ART, at a low CD4 count."""
    off = not_before_art(record, profile)
    if isinstance(off, Silent):
        return off
    count = low_cd4(record, profile, "crag-cd4-soft")
    if isinstance(count, Silent | Lacks):
        return count
    if off or record.gap("crag"):
        return off or Lacks(("crag",), (count,))
    return _test(count, older, record, profile)


def _test(count: LabResult, older: OtherResult | None, record: PatientRecord, profile: Profile) -> Recommendation:
    very_low = profile.under("crag-cd4", count)
    cite = profile.cite("crag-cd4" if very_low else "crag-cd4-soft")
    positive = older is not None and older.result == "positive"
    when = {"amount": amount(count), "day": short_day(count.date, record.as_of)}
    return Recommendation(
        summary=say("CD4 {amount} on {day}, before ART: cryptococcal antigen may be considered", **when)
        if cite.strength == "conditional"
        else say("CD4 {amount} on {day}, before ART: cryptococcal antigen is due", **when),
        indicator="warning" if very_low else "info",
        rationale=(
            say(
                "No cryptococcal antigen of the last {limit} days is on file.",
                limit=number(profile.limit("crag-fresh")),
            ),
            say("Before ART is begun, a positive one asks for a lumbar puncture and for fluconazole."),
            *((say("An older one was positive: ask what was done about it."),) if positive else ()),
        ),
        cites=(cite,),
        facts=(count, *((older,) if older else ())),
        notes=(say("Not checked: symptoms of meningitis, tests done elsewhere."),),
        suggestions=(TestOrder("crag", recommended=True),),
        case="conditional" if cite.strength == "conditional" else "",
    )


def _positive(antigen: OtherResult, record: PatientRecord, profile: Profile) -> Recommendation:
    taken = _antifungals(record.taken_medications(), profile)
    if taken:
        return _treated(antigen, taken, record, profile)
    on_art = record.art.status == "on"
    timing = (
        say("ART is being taken already: take specialist advice on how to go on.")
        if on_art
        else say("ART follows about 2 weeks after fluconazole is begun; with meningitis later, on specialist advice.")
    )
    cites = ("crag-positive", "crag-fluconazole", *(() if on_art else ("art-timing-antigenaemia",)))
    return Recommendation(
        summary=say(
            "Cryptococcal antigen positive on {day}: lumbar puncture to exclude meningitis, whatever the symptoms",
            day=short_day(antigen.date, record.as_of),
        ),
        indicator="warning",
        rationale=(
            say(
                "Without meningitis, fluconazole is given pre-emptively, in the dose of the current guideline section."
            ),
            timing,
        ),
        cites=tuple(map(profile.cite, cites)),
        facts=(antigen, *record.cd4_counts[:1]),
        notes=_cautions(record, profile),
        case="positive",
    )


def _treated(
    antigen: OtherResult, taken: tuple[Medication, ...], record: PatientRecord, profile: Profile
) -> Recommendation:
    return Recommendation(
        summary=say(
            "Cryptococcal antigen positive on {day}, an antifungal is taken: check that meningitis was excluded",
            day=short_day(antigen.date, record.as_of),
        ),
        indicator="info",
        rationale=(
            say(
                "A lumbar puncture excludes meningitis, whatever the symptoms; the chart does not tell "
                "whether it was done."
            ),
            say("The dose of the antifungal and the time to begin ART depend on it."),
        ),
        cites=(profile.cite("crag-positive"),),
        facts=(antigen, *taken, *record.cd4_counts[:1]),
        case="treated",
    )


def _antifungals(medications: tuple[Medication, ...], profile: Profile) -> tuple[Medication, ...]:
    has = profile.knowledge.with_role
    return tuple(one for one in medications if systemic(one) and has(one.ingredients, "antifungal"))


def _cautions(record: PatientRecord, profile: Profile) -> tuple[Sentence, ...]:
    ordered = _antifungals(record.drafted_medications(), profile)
    lines = (
        say("The antifungal being ordered does not replace the lumbar puncture.") if ordered else NOTHING,
        say("The medication list did not come whole: an antifungal may be taken.")
        if record.gap("medications")
        else NOTHING,
        say("Pregnancy: fluconazole may harm the fetus; take specialist advice.") if record.pregnant else NOTHING,
        say("Not checked: pregnancy, in which fluconazole may harm the fetus.") if record.pregnant is None else NOTHING,
        say("Not checked: symptoms, antigen titre, drug interactions."),
    )
    return tuple(filter(None, lines))
