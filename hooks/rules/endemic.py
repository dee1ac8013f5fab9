"""Fungal infections of the regions that a site has named endemic."""

from dataclasses import replace

from hooks.advice import Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import systemic
from hooks.knowledge import Profile
from hooks.record import Fact, LabResult, OtherResult, PatientRecord
from hooks.rules.agents import AGAINST, PURPOSE, choose
from hooks.rules.art import without_effective_art
from hooks.rules.low_cd4 import low_cd4
from hooks.sentences import Sentence, join, say, term
from hooks.wording import amount, grade, regimen_name, short_day

_ASK = say("Exposure cannot be read from a chart: ask.")


@rule(
    cites=("histoplasmosis-cd4", "cd4-fresh-for-start"),
    needs=("conditions",),
    discreet=Discreet(
        "Regional preventive treatment", "Preventive treatment for a risk of this region may be considered"
    ),
)
def histoplasmosis_start(record: PatientRecord, profile: Profile) -> Verdict:
    """Histoplasmosis prophylaxis.

    When the site is endemic for histoplasmosis, the CD4 count, at most 180 days old, is below 150/µL, and no itraconazole
    is taken or ordered, then itraconazole may be considered in those at high risk by occupation or community.
    """
    count = _settled("histoplasmosis", record, profile) or low_cd4(record, profile, "histoplasmosis-cd4")
    if isinstance(count, Silent | Lacks):
        return count
    why = say(
        "Prophylaxis is for those at high risk: by occupation, or in a community with more than "
        "10 cases per 100 patient-years."
    )
    return _offer("histoplasmosis", (count,), join(" ", (why, _ASK)), record, profile)


@rule(
    cites=(
        "coccidioidomycosis-cd4",
        "coccidioidomycosis-screen-cd4",
        "coccidioidomycosis-screen-interval",
        "cd4-fresh-for-start",
    ),
    needs=("conditions",),
    discreet=Discreet(
        "Regional test and preventive treatment",
        "A test or preventive treatment for a risk of this region may be considered",
        {
            "serology": "The yearly blood test for a risk of this region is due",
            "offer": "Preventive treatment for a risk of this region may be considered",
        },
    ),
)
def coccidioidomycosis_start(record: PatientRecord, profile: Profile) -> Verdict:
    """Coccidioidomycosis screening and prophylaxis.

    When the site is endemic for coccidioidomycosis and no fluconazole is taken or ordered, then: where the latest serology
    is positive and the CD4 count, at most 180 days old, below 250/µL, fluconazole may be considered; where there is no
    serology of the last 365 days and the count is 250/µL or less, the yearly serology is due.
    """
    settled = _settled("coccidioidomycosis", record, profile)
    if settled:
        return settled
    newest = next(iter(record.others("coccidioides")), None)
    if newest and newest.result == "positive":
        return _seropositive(newest, record, profile)
    if newest and profile.under("coccidioidomycosis-screen-interval", newest.age_days(record.as_of)):
        return Silent("a recent Coccidioides serology is negative", (newest,))
    if record.is_on_its_way("coccidioides"):
        return Silent("a Coccidioides serology is on its way")
    return _serology(newest, record, profile)


@rule(
    cites=(
        "talaromycosis-cd4",
        "talaromycosis-none-with-art",
        "mac-on-art",
        "viral-load-fresh",
        "suppressed",
        "cd4-fresh-for-start",
    ),
    needs=("conditions",),
    discreet=Discreet(
        "Regional preventive treatment", "Preventive treatment for a risk of this region may be considered"
    ),
)
def talaromycosis_start(record: PatientRecord, profile: Profile) -> Verdict:
    """Talaromycosis prophylaxis.

    When the site is endemic for talaromycosis, the CD4 count, at most 180 days old, is below 100/µL, no effective ART is
    taken or being started, and no itraconazole or fluconazole is taken or ordered, then itraconazole may be considered.
    """
    count = _settled("talaromycosis", record, profile) or low_cd4(record, profile, "talaromycosis-cd4")
    if isinstance(count, Silent | Lacks):
        return count
    off = without_effective_art(record, profile)
    if off:
        return off
    why = say(
        "Effective ART is the first aim, and prophylaxis is not for those who take it or are "
        "about to start it ({grade}). It is for residents of the endemic region.",
        grade=grade(profile.cite("talaromycosis-none-with-art")),
    )
    loads = record.viral_loads[:1] if record.art.status == "on" else ()
    return _offer("talaromycosis", (count, *loads), join(" ", (why, _ASK)), record, profile)


def _settled(disease: str, record: PatientRecord, profile: Profile) -> Silent | None:
    """Why there is nothing to prevent: not endemic, the disease is known, or its prophylaxis is taken or being ordered."""
    if disease not in profile.endemic:
        return Silent(f"the site has not named {disease} as endemic")
    known = record.problems_of(disease)
    if known:
        return Silent(f"{disease} is on the problem list: treatment or secondary prophylaxis, not primary", known)
    agents = frozenset[str]().union(*(one.agents for one in profile.regimens[disease]))
    taken = tuple(one for one in record.current_medications() if one.ingredients & agents and systemic(one))
    lasting = tuple(one for one in taken if not one.short_course)
    return Silent("an azole against it is taken or being ordered", lasting) if lasting else None


def _offer(
    disease: str, facts: tuple[Fact, ...], why: Sentence, record: PatientRecord, profile: Profile
) -> Recommendation | Lacks:
    """The first of the facts is the CD4 count."""
    if record.gap("medications"):
        return Lacks(("medications",), facts)  # it may be taken already
    count = facts[0]
    assert isinstance(count, LabResult)  # noqa: S101
    choice = choose(record, profile, disease)
    drug, against = regimen_name(profile.regimens[disease][0], dosed=False), term(PURPOSE, AGAINST[disease])
    may = (
        say("{drug} against {disease} may be considered", drug=drug, disease=against)
        if choice.offers
        else say("consider the risk of {disease}", disease=against)
    )
    return Recommendation(
        summary=say(
            "CD4 {amount} on {day}: {may}", amount=amount(count), day=short_day(count.date, record.as_of), may=may
        ),
        indicator="info",
        rationale=(why,),
        cites=(profile.cite(f"{disease}-cd4"),),
        facts=facts,
        notes=(*(_interactions(record, profile) if choice.offers else ()), *choice.notes),
        suggestions=tuple(replace(one, recommended=False) for one in choice.offers),  # the risk is asked for first
        case="offer",
    )


def _interactions(record: PatientRecord, profile: Profile) -> tuple[Sentence, ...]:
    has = profile.knowledge.with_role
    others = any(has(one.ingredients, "antifungal") for one in record.current_medications() if systemic(one))
    another = (say("Another antifungal is taken or ordered: take advice before adding one."),) if others else ()
    return (say("Azoles interact with many antiretrovirals: check before signing."), *another)


def _seropositive(newest: OtherResult, record: PatientRecord, profile: Profile) -> Verdict:
    count = low_cd4(record, profile, "coccidioidomycosis-cd4")
    if isinstance(count, Silent | Lacks):
        return count
    why = say(
        "Prophylaxis is for a newly positive serology without disease. Whether it is new cannot "
        "be read from a chart: ask."
    )
    return _offer("coccidioidomycosis", (count, newest), why, record, profile)


def _serology(older: OtherResult | None, record: PatientRecord, profile: Profile) -> Verdict:
    count = low_cd4(record, profile, "coccidioidomycosis-screen-cd4")
    if isinstance(count, Silent | Lacks):
        return count
    unread = record.gap("coccidioides")
    return Recommendation(
        summary=say(
            "CD4 {amount} on {day}: yearly Coccidioides serology is due",
            amount=amount(count),
            day=short_day(count.date, record.as_of),
        ),
        indicator="info",
        rationale=(
            say(
                "A serology (IgM and IgG) of the last year could not be looked for in full; it is for those who live in "
                "the endemic region."
            )
            if unread
            else say(
                "A serology (IgM and IgG) of the last year is not on file; it is for those who live in the endemic region."
            ),
            say("Without a positive test, antifungal prophylaxis is not recommended."),
        ),
        cites=(profile.cite("coccidioidomycosis-screen-cd4"), profile.cite("coccidioidomycosis-screen-interval")),
        facts=(count, *((older,) if older else ())),
        notes=(say("No order is offered: choose the test of your laboratory."),),
        case="serology",
    )
