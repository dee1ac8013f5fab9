"""What is said on tuberculosis in HIV: preventive treatment, the test for infection, prednisone against IRIS."""

from hooks.advice import Recommendation, TestOrder
from hooks.knowledge import Profile
from hooks.record import Fact, LabResult, OtherResult, PatientRecord
from hooks.rules.agents import choose
from hooks.rules.rifamycins import on_rifamycins
from hooks.sentences import NOTHING, Sentence, say
from hooks.wording import amount, day, number, short_day

_SYMPTOMS = say(
    "Ask first about cough, fever, weight loss and night sweats: with any of them, look for "
    "active tuberculosis before preventive treatment."
)
_NOT_CHECKED = say(
    "Not checked: liver disease, contact with drug-resistant tuberculosis, treatment received elsewhere."
)
_PREGNANCY_NOT_CHECKED = say(
    "Not checked: liver disease, contact with drug-resistant tuberculosis, treatment received elsewhere, pregnancy (then "
    "deferred until after delivery, close contacts of infectious tuberculosis apart)."
)
_WAITS = say("Preventive treatment is deferred until after delivery, close contacts of infectious tuberculosis apart.")
_SKIN_TESTS = say("Not checked: skin tests, which cannot be read here, and tests done elsewhere.")
_TRIAL = say("In the trial prednisone cut the rate of TB-IRIS from 46.7 % to 32.5 %.")
_DOSED_TRIAL = say(
    "In the trial prednisone, 40 mg daily for 14 days, then 20 mg daily for 14 days, cut the rate of TB-IRIS from 46.7 % to "
    "32.5 %."
)
_EXCLUDE = say(
    "Exclude first: rifampicin resistance, a poor response to tuberculosis treatment, "
    "tuberculosis of the central nervous system, Kaposi sarcoma, hepatitis B."
)


def after_infection(evidence: tuple[Fact, ...], record: PatientRecord, profile: Profile) -> Recommendation:
    """Preventive treatment: infection is shown, and nothing on file tells that it was treated."""
    if record.pregnant and not profile.switch("preventive-treatment-in-pregnancy"):
        return Recommendation(
            summary=say(
                "{shown}, in pregnancy: exclude active TB; treatment usually waits until after delivery",
                shown=_shown(evidence, record),
            ),
            indicator="info",
            rationale=(_SYMPTOMS, _WAITS),
            cites=tuple(map(profile.cite, ("tb-preventive", "tb-symptoms", "tb-pregnancy"))),
            facts=evidence,
            notes=(_NOT_CHECKED,),
            case="pregnant",
        )
    summary = say(
        "{shown}, no preventive treatment on file: exclude active TB, then treat", shown=_shown(evidence, record)
    )
    return _treat(summary, evidence, record, profile)


def for_everyone(record: PatientRecord, profile: Profile) -> Recommendation:
    """Preventive treatment under a guideline that does not wait for a test."""
    summary = say("No TB preventive treatment on file: recommended once active TB is unlikely, tested or not")
    return _treat(summary, record.others("tb-test")[:1], record, profile)


def _treat(summary: Sentence, facts: tuple[Fact, ...], record: PatientRecord, profile: Profile) -> Recommendation:
    infected = any(not isinstance(one, OtherResult) or one.result == "positive" for one in facts)
    choice = choose(record, profile, "tuberculosis")
    rifamycins, on_them = (NOTHING, ()) if record.pregnant else on_rifamycins(record, profile)
    maybe_pregnant = record.pregnant is None and profile.knows("tb-pregnancy")
    unread = say("Tests for TB infection did not come whole: a positive one would make this more urgent.")
    return Recommendation(
        summary=summary,
        indicator="warning" if infected else "info",
        rationale=(_SYMPTOMS, rifamycins),
        cites=(
            *map(profile.cite, ("tb-preventive", "tb-symptoms")),
            *on_them,
            *((profile.cite("tb-pregnancy"),) if maybe_pregnant else ()),
        ),
        facts=facts,
        notes=(
            *((unread,) if record.gap("tb-test") and not infected else ()),
            *choice.notes,
            _PREGNANCY_NOT_CHECKED if maybe_pregnant else _NOT_CHECKED,
        ),
        suggestions=choice.offers,
        case="treat",
    )


def _shown(evidence: tuple[Fact, ...], record: PatientRecord) -> Sentence:
    newest = evidence[0]
    if isinstance(newest, OtherResult):
        return say("Test for TB infection positive on {day}", day=short_day(newest.date, record.as_of))
    return say("Latent TB on the problem list")


def first_test(profile: Profile) -> Recommendation:
    """The test that everybody has once."""
    return Recommendation(
        summary=say("No test for TB infection on file: it is due once in everyone with HIV"),
        indicator="info",
        rationale=(
            say("Neither a result nor latent tuberculosis nor preventive treatment is on file."),
            say("A positive test, once active tuberculosis is excluded, calls for preventive treatment."),
        ),
        cites=(profile.cite("tb-test"),),
        notes=(_SKIN_TESTS,),
        suggestions=(TestOrder("tb-test", recommended=True),),
        case="first",
    )


def repeat_test(negative: OtherResult, then: LabResult, latest: LabResult, profile: Profile) -> Recommendation:
    """The test anew, where immunity has recovered since a negative one."""
    limit = number(profile.limit("tb-retest-cd4"))
    return Recommendation(
        summary=say(
            "TB test negative at CD4 {amount}, now {latest} on ART: repeat the test",
            amount=amount(then),
            latest=amount(latest),
        ),
        indicator="info",
        rationale=(
            say(
                "The test of {day} was done at a CD4 count below {limit}/µL, when it can miss an infection.",
                day=day(negative.date),
                limit=limit,
            ),
        ),
        cites=(profile.cite("tb-retest-cd4"),),
        facts=(negative, then, latest),
        notes=(_SKIN_TESTS,),
        suggestions=(TestOrder("tb-test", recommended=True),),
        case="repeat",
    )


def prednisone(count: LabResult, facts: tuple[Fact, ...], record: PatientRecord, profile: Profile) -> Recommendation:
    """What the trial has shown, and whom it left out."""
    dosed = not (record.pregnant or record.has_problem("kidney-disease", ("active", "unknown")))
    antigen = record.others("hbsag")[:1]
    lasting = antigen and profile.under("hbsag-negative-lasts", antigen[0].age_days(record.as_of))
    unknown = (
        ()
        if lasting and not record.gap("hbsag")
        else (say("No recent hepatitis B surface antigen on file: measure it."),)
    )
    pregnancy = (say("Pregnancy: take perinatal advice."),) if record.pregnant else ()
    return Recommendation(
        summary=say(
            "Starting ART at CD4 {amount} soon after TB treatment began: preventive prednisone may be considered",
            amount=amount(count),
        ),
        indicator="info",
        rationale=(say("It is meant to prevent TB-IRIS."), _DOSED_TRIAL if dosed else _TRIAL, _EXCLUDE),
        cites=tuple(map(profile.cite, ("tb-iris-prednisone", "tb-iris-cd4"))),
        facts=(count, *facts, *antigen),
        notes=(*unknown, *pregnancy, say("Not checked: diabetes, resistance tests, drug interactions.")),
    )
