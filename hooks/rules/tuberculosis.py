"""Tuberculosis: preventive treatment, and prednisone against its IRIS."""

from hooks.advice import Lacks, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import systemic
from hooks.knowledge import Profile
from hooks.record import LabResult, OtherResult, PatientRecord
from hooks.rules import tuberculosis_cards as cards
from hooks.rules.art import not_on_art, not_starting_art
from hooks.rules.low_cd4 import low_cd4
from hooks.rules.tb_history import infection, preventive_treatment, treated_since, treatment
from hooks.wording import amount, day


@rule(
    cites=("tb-preventive", "tb-symptoms", "tb-rifamycins", "cd4-usable-for-start", "tb-test-cd4-window"),
    may_cite=("tb-test", "tb-regimens", "tb-pregnancy", "tb-retest-cd4"),
    needs=("conditions",),
    worst="warning",
    discreet=Discreet(
        "Screening and preventive treatment",
        "Screening or preventive treatment is due",
        {
            "treat": "Preventive treatment is recommended once active illness is excluded",
            "pregnant": "A positive screening test in pregnancy: exclude active illness; treatment usually waits for delivery",
            "first": "A screening test that is done once is not on file",
            "repeat": "A screening test was negative some time ago: repeat it",
        },
    ),
)
def tuberculosis_prevention(record: PatientRecord, profile: Profile) -> Verdict:
    """Tuberculosis prevention.

    When no tuberculosis is on the problem list and no preventive treatment on file, then recommend it after a positive
    test or where latent tuberculosis is on the problem list; under a guideline that does not wait for a test, in everyone.
    Else say that the test is due: where there is none, or where a negative one was done at a CD4 count below 200/µL that
    has risen to 200/µL or more on ART.
    """
    settled = _settled(record)
    if settled:
        return settled
    for_everyone = profile.switch("preventive-treatment-untested")
    evidence = infection(record)
    wanted = ("medications",) if evidence or for_everyone else ("tb-test", "medications")
    lacking = tuple(datum for datum in wanted if record.gap(datum))
    if lacking:
        return Lacks(lacking, evidence)
    if evidence:
        return cards.after_infection(evidence, record, profile)
    return cards.for_everyone(record, profile) if for_everyone else _test(record, profile)


def _settled(record: PatientRecord) -> Silent | None:
    """Why there is nothing to prevent any more."""
    active = record.problems_of("tb-active", ("active", "unknown"))
    if active:
        return Silent("tuberculosis is on the problem list: treatment, not prevention", active)
    past = record.problems_of("tb-active")
    if past:
        return Silent("tuberculosis is in the past of the problem list", past)
    drugs = preventive_treatment(record)
    return Silent("a drug that treats or prevents tuberculosis is on file or being ordered", drugs) if drugs else None


def _test(record: PatientRecord, profile: Profile) -> Verdict:
    """Whether the test is due, for the first time or again."""
    if record.is_on_its_way("tb-test"):
        return Silent("a test for TB infection is on its way", record.others("tb-test")[:1])
    newest = next(iter(record.others("tb-test")), None)
    if newest is None:
        return cards.first_test(profile)
    off = not_on_art(record)
    return off or _retest(newest, record, profile)


def _retest(negative: OtherResult, record: PatientRecord, profile: Profile) -> Verdict:
    """Whether immunity has recovered since a negative test."""
    latest, then = next(iter(record.cd4_counts), None), _count_at(negative, record, profile)
    known = latest is not None and profile.under("cd4-usable-for-start", latest.age_days(record.as_of))
    if latest is None or then is None or not known or record.gap("cd4-count"):
        return Lacks(("cd4-count",), (negative,))
    if profile.not_under("tb-retest-cd4", then):
        return Silent(
            f"the test of {day(negative.date)} was negative at a CD4 count of {amount(then)}", (negative, then)
        )
    if profile.under("tb-retest-cd4", latest):
        return Silent(
            f"CD4 count is {amount(latest)} on {day(latest.date)}, as low as at the negative test", (negative, latest)
        )
    if profile.under("tb-retest-cd4", then) and profile.not_under("tb-retest-cd4", latest):
        return cards.repeat_test(negative, then, latest, profile)
    return Lacks(("cd4-count",), (negative, then, latest))


def _count_at(test: OtherResult, record: PatientRecord, profile: Profile) -> LabResult | None:
    """The CD4 count nearest in time to a test."""
    near = [one for one in record.cd4_counts if profile.under("tb-test-cd4-window", abs((one.date - test.date).days))]
    return min(near, key=lambda one: abs((one.date - test.date).days), default=None)


@rule(
    cites=("tb-iris-prednisone", "tb-iris-cd4", "tb-iris-treatment", "cd4-fresh-for-start", "hbsag-negative-lasts"),
    needs=("conditions", "medications"),
    of_order=True,
    discreet=Discreet("Preventive prednisone", "Starting this treatment: preventive prednisone may be considered"),
)
def tb_iris_prednisone(record: PatientRecord, profile: Profile) -> Verdict:
    """Prednisone before TB-IRIS.

    When a first ART is being started at a CD4 count of 100/µL or less, at most 180 days old, and treatment of active
    tuberculosis began 30 days ago or less, then preventive prednisone may be considered: not with tuberculous meningitis,
    Kaposi sarcoma or hepatitis B, and not where a steroid is taken or being ordered.
    """
    out = _left_out(record, profile)
    if out:
        return out
    off = not_starting_art(record, profile)
    if isinstance(off, Silent):
        return off
    count = low_cd4(record, profile, "tb-iris-cd4")
    if isinstance(count, Silent | Lacks):
        return count
    return off or _by_treatment(count, record, profile)


def _left_out(record: PatientRecord, profile: Profile) -> Silent | None:
    """Whom the trial left out, and who takes a steroid anyway."""
    if not record.has_problem("tb-active", ("active", "unknown")):
        return Silent("no active tuberculosis is on the problem list")
    if record.art.status in ("on", "stopped"):
        return Silent("this is not the first antiretroviral treatment")
    excluding = [one for concept in ("tb-meningitis", "kaposi", "hbv") for one in record.problems_of(concept)]
    antigen = [one for one in record.others("hbsag") if one.result == "positive"]
    if excluding or antigen:
        return Silent("the trial left out what is on file here", (*excluding, *antigen[:1]))
    has = profile.knowledge.with_role
    steroids = [one for one in record.current_medications() if systemic(one) and has(one.ingredients, "steroid")]
    return Silent("a steroid is taken or being ordered", tuple(steroids)) if steroids else None


def _by_treatment(count: LabResult, record: PatientRecord, profile: Profile) -> Verdict:
    """Whether the treatment of tuberculosis began lately."""
    drugs = treatment(record, profile)
    if not drugs:
        return Silent("no tuberculosis treatment is on the medication list", (count,))
    begun = treated_since(record, profile)
    if begun and not profile.under("tb-iris-treatment", (record.as_of - begun).days):
        return Silent(f"tuberculosis treatment began on {day(begun)}", drugs)
    if not all(one.since for one in drugs):
        return Lacks(("medications",), drugs)
    return cards.prednisone(count, (*record.problems_of("tb-active", ("active", "unknown")), *drugs), record, profile)
