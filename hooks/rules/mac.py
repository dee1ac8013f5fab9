"""Disseminated Mycobacterium avium complex disease: prophylaxis only without suppressive treatment."""

from dataclasses import replace

from hooks.advice import Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import covers_mac
from hooks.knowledge import Profile
from hooks.record import LabResult, PatientRecord
from hooks.rules.agents import choose
from hooks.rules.art import without_effective_art
from hooks.rules.low_cd4 import low_cd4
from hooks.sentences import say
from hooks.wording import amount, number, short_day


@rule(
    cites=("mac-none-with-art", "mac-cd4", "mac-on-art", "suppressed", "cd4-fresh-for-start", "viral-load-fresh"),
    needs=("conditions",),
    discreet=Discreet(
        "Preventive treatment", "A low blood result: preventive treatment may be considered until treatment works"
    ),
)
def mac_start(record: PatientRecord, profile: Profile) -> Verdict:
    """Prophylaxis against disseminated MAC.

    When the latest CD4 count, at most 180 days old, is below 50/µL and the patient is not on ART, or has a viral load of
    200 or more after 90 days of it, then say that ART is the prevention, and that prophylaxis may be considered once
    disseminated disease is ruled out. Never while ART is being started.
    """
    count = _settled(record) or low_cd4(record, profile, "mac-cd4")
    if not isinstance(count, LabResult):
        return count
    untreated = _being_treated(record) or without_effective_art(record, profile)
    if untreated:
        return untreated
    if record.gap("medications"):
        return Lacks(("medications",), (count,))  # it may be taken already
    return _consider(count, record, profile)


def _settled(record: PatientRecord) -> Silent | None:
    """What makes the question idle: the disease itself, or a drug that covers it."""
    active, past = record.problems_of("mac", ("active",)), record.problems_of("mac")
    if active:
        return Silent("MAC disease is active on the problem list: treatment, not prophylaxis", active[:1])
    if past:
        return Silent("MAC disease is on the problem list: secondary prophylaxis is not judged here", past[:1])
    covering = covers_mac(record.current_medications())
    return Silent("a drug against MAC is taken or being ordered", covering) if covering else None


def _being_treated(record: PatientRecord) -> Silent | None:
    """A part of a regimen that is being ordered counts as its start; a renewal of what fails does not."""
    draft = record.drafted_art
    if draft.agents and draft.event != "continue":
        return Silent("antiretroviral treatment is being ordered, and prophylaxis is not recommended with its start")
    return None


def _consider(count: LabResult, record: PatientRecord, profile: Profile) -> Recommendation:
    choice = choose(record, profile, "mac")
    at = say("CD4 {amount} on {day}", amount=amount(count), day=short_day(count.date, record.as_of))
    on_art = record.art.status == "on"
    loads = record.viral_loads[:1] if on_art else ()
    said = (
        say("{at}, viraemic on ART: suppression prevents MAC; until then prophylaxis may be considered", at=at)
        if on_art
        else say("{at}, not on ART: starting ART is what prevents MAC; until then prophylaxis may be considered", at=at)
    )
    limit = number(profile.limit("mac-cd4"))
    return Recommendation(
        summary=said,
        indicator="info",
        rationale=(
            say(
                "ART that suppresses the virus is the prevention: with ART started at once, prophylaxis "
                "is not recommended."
            ),
            say(
                "Below {limit}/µL without suppressive ART it may be considered, once disseminated "
                "disease is ruled out.",
                limit=limit,
            ),
        ),
        cites=(profile.cite("mac-none-with-art"), profile.cite("mac-cd4")),
        facts=(count, *loads),
        notes=(
            *((say("A newer CD4 result is pending and was not used."),) if record.awaits("cd4-count") else ()),
            say(
                "Not checked: fever, night sweats, weight loss, anaemia; with any of them a "
                "mycobacterial blood culture first."
            ),
            *choice.notes,
        ),
        suggestions=tuple(replace(one, recommended=False) for one in choice.offers),  # ART comes first
    )
