"""Hepatitis B beside HIV: whether the treatment that the orders would leave holds it."""

from dataclasses import replace

from hooks.advice import Indicator, Lacks, Recommendation, RemoveDraft, Silent, TestOrder, Verdict
from hooks.art_history import is_complete
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import EMTRICITABINE, LAMIVUDINE, antiretrovirals
from hooks.facts import drug_names
from hooks.knowledge import Knowledge, Profile
from hooks.record import DraftedArt, DraftOrder, Fact, Medication, PatientRecord, Problem
from hooks.rules.drafts import removals, resulting
from hooks.sentences import Sentence, say, together
from hooks.wording import day, grade

ENTECAVIR = "306266"
_TENOFOVIR, _CYTOSINE = "tenofovir", "lamivudine or emtricitabine"
_ONE = {_TENOFOVIR: say("tenofovir"), _CYTOSINE: say("lamivudine or emtricitabine")}


@rule(
    cites=("hepatitis-b", "hepatitis-b-entecavir"),
    needs=("conditions", "medications"),
    worst="critical",
    of_order=True,
    discreet=Discreet(
        "Cover after a change of treatment",
        "This change of treatment may leave a second illness without cover: see why",
        {
            "flare": "These orders leave a second illness without enough cover: it may flare; take expert advice before signing",
            "renewed": "The treatment being renewed leaves a second illness without enough cover; take expert advice",
            "lost": "A drug with a second use is taken away and its test is not on file: test first",
            "never-measured": "A blood test that this treatment calls for is not on file: test now",
        },
    ),
)
def hepatitis_b_flare(record: PatientRecord, profile: Profile) -> Verdict:
    """Hepatitis B under the regimen that would result.

    When ART is being started, restarted or switched, or a drug of it or against hepatitis B is being taken away, and
    what would result holds neither tenofovir with a second active agent nor entecavir, then with HBsAg positive or
    hepatitis B coded warn of a flare, and with HBsAg never measured ask for it. Immunity ends the question.
    """
    drafts = record.draft_orders or ()
    draft = record.drafted_art
    ended = [one for one in drafts if one.stops and _concerns(one, profile.knowledge)]
    if draft.event == "none" and not ended:
        if not all(one.readable for one in drafts):
            return Lacks(("medications",))  # the drug is not chosen yet: it could be ART
        return Silent("no ART is started or changed, and no drug against hepatitis B is taken away")
    if draft.event == "unclear" and not is_complete(draft.agents, profile.knowledge):
        return Lacks(("medications",))  # what it would join is not known
    after = _active(resulting(record, profile), profile.knowledge)
    if ENTECAVIR in after or (_TENOFOVIR in after and len(after) > 1):
        return Silent("what would be taken holds hepatitis B", _makers(record, profile))
    return _immune(record) or _uncovered(draft, after, record, profile)


def _concerns(order: DraftOrder, knowledge: Knowledge) -> bool:
    """Whether it is about an antiretroviral or about a drug that is active against hepatitis B."""
    drug = order.medication
    return drug is not None and bool(antiretrovirals(drug, knowledge) or _active([drug], knowledge))


def _active(medications: list[Medication], knowledge: Knowledge) -> frozenset[str]:
    """The agents against hepatitis B: two tenofovirs are one, emtricitabine and lamivudine are one."""
    given = frozenset[str]().union(*(one.ingredients for one in medications))
    same = dict.fromkeys((EMTRICITABINE, LAMIVUDINE), _CYTOSINE) | dict.fromkeys(
        knowledge.with_role(given, "tenofovir"), _TENOFOVIR
    )
    return frozenset(same.get(one, one) for one in knowledge.with_role(given, "hbv-active"))


def _makers(record: PatientRecord, profile: Profile) -> tuple[DraftOrder, ...]:
    """The drafts that decide what would result."""
    return tuple(one for one in record.draft_orders or () if _concerns(one, profile.knowledge))


def _immune(record: PatientRecord) -> Silent | None:
    """Immunity ends the question, unless HBsAg was positive on the same day or later, or on a day nobody can compare."""
    antigen = next(iter(record.others("hbsag")), None)
    antibody = next(iter(record.others("anti-hbs")), None)
    coded = record.problems_of("hbv-immune", ("active", "unknown"))
    days = [one.date for one in (antibody,) if one and one.result == "positive"]
    days += [one.onset for one in coded if one.onset]
    if antigen and antigen.result == "positive" and not any(one > antigen.date for one in days):
        return None
    if not days and not coded:
        return None
    return Silent("immune to hepatitis B", (*record.others("anti-hbs")[:1], *coded))


def _uncovered(draft: DraftedArt, after: frozenset[str], record: PatientRecord, profile: Profile) -> Verdict:
    """What is said where the treatment that would result does not hold hepatitis B."""
    antigen = next(iter(record.others("hbsag")), None)
    coded = record.problems_of("hbv", ("active", "unknown"))
    if coded or (antigen and antigen.result == "positive"):
        return _flare(draft, after, coded, record, profile)
    if draft.event == "unclear":
        return Lacks(("medications",), _makers(record, profile))  # what it would take away is not known
    if record.gap("hbsag"):
        return Lacks(("hbsag",), _makers(record, profile))
    if antigen:
        return Silent(f"HBsAg was negative on {day(antigen.date)}", (antigen,))
    lost = _active(list(record.taken_medications()), profile.knowledge) - after
    if not lost and draft.event not in ("start", "restart"):
        return Lacks(("hbsag",), _makers(record, profile))
    return _never_measured(lost, after, record, profile)


def _flare(
    draft: DraftedArt, after: frozenset[str], coded: tuple[Problem, ...], record: PatientRecord, profile: Profile
) -> Recommendation:
    makers = _makers(record, profile)
    renewed = draft.event == "continue" and not any(one.stops for one in makers)
    indicator: Indicator = "warning" if renewed else "critical"  # what is renewed is already being taken
    replaces = (say("An order for a whole regimen is read as replacing the present one."),) if draft.replaces else ()
    facts: tuple[Fact, ...] = (*record.others("hbsag")[:1], *coded, *makers, *_active_taken(record, profile))
    return Recommendation(
        summary=say(
            "The regimen being renewed leaves hepatitis B without enough cover: it may flare; take expert advice before "
            "signing"
        )
        if renewed
        else say(
            "These orders leave hepatitis B without enough cover: it may flare; take expert advice before signing"
        ),
        indicator=indicator,
        rationale=(
            say("Hepatitis B is on the problem list.") if coded else say("HBsAg is positive."),
            _contains(after, profile),
            _held(profile),
        ),
        cites=(profile.cite("hepatitis-b"), profile.cite("hepatitis-b-entecavir")),
        facts=facts,
        notes=(
            *replaces,
            *_notes(record),
            say("Not checked: doses, hepatitis B DNA and resistance, liver and kidney function."),
        ),
        suggestions=_removals(makers, profile),
        several=True,
        also=say("hepatitis B would be left without enough cover"),
        case="renewed" if renewed else "flare",
    )


def _never_measured(
    lost: frozenset[str], after: frozenset[str], record: PatientRecord, profile: Profile
) -> Recommendation:
    """No HBsAg on file: a warning where a drug that acts against hepatitis B is taken away, else a word before the start."""
    gone = (
        (say("Taken away by these orders, and active against hepatitis B too: {drugs}.", drugs=_named(lost, profile)),)
        if lost
        else ()
    )
    known = record.is_on_its_way("hbsag")
    return Recommendation(
        summary=say(
            "A drug that acts on hepatitis B is taken away and no HBsAg is on file: test first, hepatitis B may flare"
        )
        if lost
        else say("No HBsAg on file, and this regimen would not hold hepatitis B: test for it now"),
        indicator="warning" if lost else "info",
        rationale=(*gone, _contains(after, profile), _held(profile)),
        cites=(profile.cite("hepatitis-b"), profile.cite("hepatitis-b-entecavir")),
        facts=(*_makers(record, profile), *_active_taken(record, profile)),
        notes=(*((say("HBsAg is already on its way."),) if known else ()), *_notes(record)),
        suggestions=() if known else (TestOrder("hbsag", recommended=True),),
        also=say("no HBsAg is on file"),
        case="lost" if lost else "never-measured",
    )


def _contains(after: frozenset[str], profile: Profile) -> Sentence:
    return say("What would be taken against hepatitis B: {drugs}.", drugs=_named(after, profile) or say("nothing"))


def _named(found: frozenset[str], profile: Profile) -> Sentence:
    """The agents by name, those too that are one under two names."""
    return together(sorted(_ONE.get(one) or drug_names((one,), profile.knowledge) for one in found))


def _held(profile: Profile) -> Sentence:
    return say(
        "To hold hepatitis B a regimen needs tenofovir with lamivudine or emtricitabine ({grade}); where tenofovir cannot "
        "be used, entecavir beside suppressive ART ({grade2}).",
        grade=grade(profile.cite("hepatitis-b")),
        grade2=grade(profile.cite("hepatitis-b-entecavir")),
    )


def _active_taken(record: PatientRecord, profile: Profile) -> tuple[Medication, ...]:
    return tuple(one for one in record.taken_medications() if _active([one], profile.knowledge))


def _notes(record: PatientRecord) -> tuple[Sentence, ...]:
    drafts = record.draft_orders or ()
    stops = any(one.stops for one in drafts)
    unread = not all(one.readable for one in drafts)
    return (
        *((say("An order to stop is read as ending every entry of that drug on the list."),) if stops else ()),
        *((say("An order of this session does not say which drug it is and was not counted."),) if unread else ()),
    )


def _removals(makers: tuple[DraftOrder, ...], profile: Profile) -> tuple[RemoveDraft, ...]:
    """The offer to take each of these out of the orders, an order to stop a drug as well."""
    stops = {one.source for one in makers if one.stops}
    return tuple(
        replace(one, name=say("the stop of {drugs}", drugs=one.name)) if one.source in stops else one
        for one in removals(makers, profile)
    )
