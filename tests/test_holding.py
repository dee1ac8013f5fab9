"""Records and what the site knows in; out comes what is held, not shown or not judged, and how advice is known again."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cds_service.wire.override_reasons import NONE, OVERRIDE_REASONS, displayed, reason_of
from hooks import SERVICES
from hooks.advice import Recommendation, RemoveDraft
from hooks.art_history import drafted_art
from hooks.assess import Assessment, Finding, assess, mark_of
from hooks.holding import NOT_ASSESSED, NOTHING, Holds, Quiet
from hooks.knowledge import load, load_profiles
from hooks.order_sign import ORDER_SIGN
from hooks.patient_view import PATIENT_VIEW
from hooks.record import DraftOrder, Hiv, LabResult, Medication, PatientRecord, Problem
from hooks.sameness import Mark, has_crossed, is_ordered, mark, offer, offerable, ordered

KNOWLEDGE = load()
PROFILE = load_profiles(KNOWLEDGE)["dhhs"]
DAY = date(2026, 11, 20)
PCP = "pneumocystis-start"
TMP_SMX = Medication(ingredients=frozenset(("10180", "10829")), source="MedicationRequest/d", current=True)


def count(number: str, days: int, comparator: Any = "", source: str = "Observation/1") -> LabResult:
    return LabResult(
        measure="cd4-count", unit="/uL", number=Decimal(number), date=DAY - timedelta(days=days), received="", source=source,
        comparator=comparator,
    )  # fmt: skip


def load_of(number: str | None, days: int = 20, comparator: Any = "", unit: str = "copies/mL") -> LabResult:
    return LabResult(
        measure="viral-load", unit=unit, number=None if number is None else Decimal(number),
        date=DAY - timedelta(days=days), received="", source="Observation/2", comparator=comparator,
        detected=False if number is None else None,
    )  # fmt: skip


def record(*counts: LabResult, loads: tuple[LabResult, ...] = (), **more: Any) -> PatientRecord:
    return PatientRecord(
        **{
            "as_of": DAY,
            "hiv": Hiv("established", "problem list"),
            "ages": (40, 40),
            "cd4_counts": counts or (count("150", 20),),
            "viral_loads": loads or (load_of("3000"),),
            "medications": (),
            "problems": (Problem(concepts=frozenset(("hiv-infection",)), state="active", source="Condition/1"),),
            "allergies": (),
            "no_known_allergy": True,
        }
        | more
    )


def said(found: PatientRecord, rule: str = PCP, holds: Holds = NOTHING, service: Any = PATIENT_VIEW) -> Finding:
    return next(one for one in assess(service, found, PROFILE, holds).findings if one.rule.id == rule)


def advice() -> Recommendation:
    found = said(record()).recommendation
    assert found
    return found


def marked(found: PatientRecord, rule: str = PCP, service: Any = PATIENT_VIEW) -> Mark:
    one = said(found, rule, service=service)
    assert one.recommendation, (one.outcome, one.because)
    return mark_of(one.rule, one.recommendation, found, PROFILE)


def quiet(found: PatientRecord, until: date = DAY + timedelta(days=7), rule: str = PCP) -> Holds:
    return Holds(quiet={rule: (Quiet(marked(found, rule), until),)})


# --- quiet -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "outcome"), [(2, "held"), (1, "held"), (0, "recommended"), (-1, "recommended")])
def test_advice_is_held_until_the_day_and_speaks_on_it(days: int, outcome: str) -> None:
    found = said(record(), holds=quiet(record(), DAY + timedelta(days=days)))
    assert found.outcome == outcome
    assert found.until == (DAY + timedelta(days=days) if outcome == "held" else None)


def test_of_several_periods_the_longest_is_told() -> None:
    known = marked(record())
    ends = [DAY + timedelta(days=days) for days in (3, 9, 5)]
    assert said(record(), holds=Holds(quiet={PCP: tuple(Quiet(known, end) for end in ends)})).until == max(ends)


def test_a_period_of_another_rule_or_of_other_facts_holds_nothing() -> None:
    known, later = marked(record()), DAY + timedelta(days=7)
    for holds in (
        Holds(quiet={"art-start": (Quiet(known, later),)}),
        Holds(quiet={PCP: (Quiet(Mark("0" * 32), later),)}),
    ):
        assert said(record(), holds=holds).outcome == "recommended"


def test_what_is_critical_speaks_whatever_was_said() -> None:
    meningitis = Problem(
        concepts=frozenset(("cryptococcal-meningitis",)),
        state="active",
        source="Condition/2",
        onset=DAY - timedelta(days=5),
    )
    drafts = tuple(
        DraftOrder(source=f"MedicationRequest/{code}", medication=replace(TMP_SMX, ingredients=frozenset((code,))))
        for code in ("1433868", "276237", "300195")
    )  # fmt: skip
    base = record(draft_orders=drafts)
    found = replace(
        base, problems=(*(base.problems or ()), meningitis), drafted_art=drafted_art(base.art, drafts, KNOWLEDGE)
    )
    one = said(found, "art-timing", service=ORDER_SIGN)
    assert one.recommendation
    assert one.recommendation.indicator == "critical"
    holds = Holds(quiet={"art-timing": (Quiet(marked(found, "art-timing", ORDER_SIGN), DAY + timedelta(days=90)),)})
    assert said(found, "art-timing", holds, ORDER_SIGN).outcome == "recommended"


# --- shadow, and off -------------------------------------------------------------------------------------------------


def test_a_rule_in_the_shadow_is_judged_and_not_shown() -> None:
    found = said(record(), holds=Holds(shadow=frozenset((PCP,))))
    assert (found.outcome, found.why) == ("held", "shadow")
    assert found.recommendation


def test_a_silent_rule_in_the_shadow_is_silent() -> None:
    found = said(record(count("640", 20)), holds=Holds(shadow=frozenset((PCP,))))
    assert (found.outcome, found.why) == ("silent", None)


def test_a_gap_of_a_rule_in_the_shadow_is_told_to_nobody() -> None:
    lacking = record(medications=None, gaps=())
    shown = assess(PATIENT_VIEW, lacking, PROFILE).findings
    everything = Holds(shadow=frozenset(one.rule.id for one in shown) | {NOT_ASSESSED})
    assert not assess(PATIENT_VIEW, lacking, PROFILE, everything).hidden_by_gaps


def test_the_whole_service_in_the_shadow_shows_nothing() -> None:
    everything = Holds(shadow=frozenset(one.id for one in ORDER_SIGN.rules))
    found = assess(PATIENT_VIEW, record(count("40", 3)), PROFILE, everything)
    assert found.cards == ()
    assert len([one for one in found.findings if one.why == "shadow"]) > 3


def test_a_rule_that_is_switched_off_is_not_even_judged_and_the_answer_says_so() -> None:
    def broken(*_: Any) -> Any:
        raise AssertionError

    rules = tuple(replace(one, function=broken) if one.id == PCP else one for one in PATIENT_VIEW.rules)
    found = assess(replace(PATIENT_VIEW, rules=rules), record(), PROFILE, Holds(off=frozenset((PCP,))))
    one = next(each for each in found.findings if each.rule.id == PCP)
    assert (one.outcome, one.why, one.missing) == ("not-assessed", "switched-off", ())
    assert not found.complete
    assert one not in found.hidden_by_gaps, "the site knows"
    assert [each.rule.id for each in found.findings] == [each.id for each in PATIENT_VIEW.rules]


def test_what_is_held_for_whatever_reason_leaves_its_room_to_others() -> None:
    chart = record(count("40", 3))
    before = assess(PATIENT_VIEW, chart, PROFILE)
    assert "no-room" in {one.why for one in before.findings}
    leading = before.cards[0][0].rule.id
    after = assess(PATIENT_VIEW, chart, PROFILE, Holds(shadow=frozenset((leading,))))
    assert len(after.cards) == len(before.cards) == 3


# --- how advice is known again ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "same",
    [
        record(count("199", 20)),
        record(count("150", 3)),
        record(count("150", 20, source="Observation/other")),
        record(count("151", 2), count("150", 20)),
        record(loads=(load_of("9999"),)),
        record(problems=(Problem(concepts=frozenset(("hiv-infection",)), state="active", source="Condition/x"),
                         Problem(concepts=frozenset(("zoster",)), state="past", source="Condition/y"))),
    ],
)  # fmt: skip
def test_the_same_advice_on_the_same_facts_is_known_again(same: PatientRecord) -> None:
    assert marked(same).fingerprint == marked(record()).fingerprint


@pytest.mark.parametrize(
    "other",
    [
        record(count("149", 20)),
        record(count("99", 20)),
        record(loads=(load_of("10000"),)),
        record(loads=(load_of(None),)),
        record(loads=(load_of("3000", unit="IU/mL"),)),
        record(loads=(load_of("400", comparator="<"),)),
        record(allergies=None, no_known_allergy=False, ages=(40, 40), problems=(
            Problem(concepts=frozenset(("hiv-infection",)), state="active", source=""),
            Problem(concepts=frozenset(("pregnancy",)), state="active", source="")), pregnant=True),
    ],
)  # fmt: skip
def test_other_facts_make_it_other_advice(other: PatientRecord) -> None:
    assert marked(other).fingerprint != marked(record()).fingerprint


@pytest.mark.parametrize("change", [{"indicator": "info"}, {"level": "high"}, {"suggestions": ()}])
def test_more_or_less_urgent_advice_is_other_advice(change: dict[str, Any]) -> None:
    one, other = (
        mark(PCP, said_so, record(), KNOWLEDGE, of_order=False) for said_so in (advice(), replace(advice(), **change))
    )
    assert one.fingerprint != other.fingerprint
    assert one.newest == other.newest


def test_the_order_of_results_drugs_and_problems_makes_no_difference() -> None:
    problems = tuple(
        Problem(concepts=frozenset((concept,)), state="active", source=f"Condition/{concept}")
        for concept in ("hiv-infection", "oral-candidiasis", "zoster")
    )
    shuffled = problems[::-1]
    assert marked(record(problems=problems)) == marked(record(problems=tuple(shuffled)))


def test_moving_every_day_alike_makes_no_difference_but_to_the_days() -> None:
    then = replace(record(count("150", 27), loads=(load_of("3000", 27),)), as_of=DAY - timedelta(days=7))
    assert marked(then).fingerprint == marked(record()).fingerprint
    assert marked(record()).newest == "cd4-count 2026-10-31 viral-load 2026-10-31"


@pytest.mark.parametrize(
    ("counts", "crossed"),
    [
        ((count("150", 20),), False),
        ((count("160", 5), count("150", 20)), False),
        ((count("260", 5), count("150", 20)), False),  # it is another fact then, and needs no look back
        ((count("150", 2), count("260", 5), count("150", 20)), True),
        ((count("150", 2), count("260", 30), count("150", 40)), False),  # before that
        ((), False),
    ],
)
def test_a_border_that_was_crossed_and_crossed_back_is_seen(counts: tuple[LabResult, ...], crossed: bool) -> None:
    assert has_crossed("cd4-count 2026-10-31", replace(record(), cd4_counts=counts), KNOWLEDGE) is crossed
    assert not has_crossed("", replace(record(), cd4_counts=counts), KNOWLEDGE)


def test_every_number_on_which_a_rule_decides_is_a_border() -> None:
    measures = {"/uL": "cd4-count", "%": "cd4-percent", "copies/mL": "viral-load"}
    differences = ("rise", "gain", "fall")  # of two results: no border of one
    missing = [
        (name, key, str(one.value))
        for name, profile in load_profiles(KNOWLEDGE).items()
        for key, one in profile.thresholds.items()
        if one.unit in measures and one.value not in KNOWLEDGE.quiet.bands[measures[one.unit]]
        and not any(word in key for word in differences)
    ]  # fmt: skip
    assert missing == []


# --- what is offered, and what is ordered ----------------------------------------------------------------------------


def test_what_is_offered_is_recognised_in_what_is_ordered() -> None:
    asked = ordered(record(draft_orders=(
        DraftOrder(source="a", medication=TMP_SMX), DraftOrder(source="b", tests=frozenset(("cd4-count",))),
        DraftOrder(source="c", medication=replace(TMP_SMX, ingredients=frozenset(("3108",))), stops=True))))  # fmt: skip
    assert asked == {"test cd4-count", "10180", "10829"}
    offers = [offer(one) for one in advice().suggestions]
    assert any(is_ordered(one, asked) for one in offers)
    assert not is_ordered("drug 3108", asked)
    assert is_ordered("drug 10180 10829 undosed", asked)
    assert is_ordered("test cd4-count", asked)
    assert not is_ordered("test viral-load", asked)
    assert not is_ordered("remove dapsone", asked)
    assert offer(RemoveDraft("MedicationRequest/1", "dapsone")) == "remove dapsone"
    assert asked <= offerable(KNOWLEDGE)


def test_nothing_is_ordered_where_nothing_is_drafted() -> None:
    assert ordered(record()) == frozenset()


# --- periods ---------------------------------------------------------------------------------------------------------


def test_every_reason_has_a_period_and_every_period_a_reason() -> None:
    ours = {one.code for one in OVERRIDE_REASONS}
    assert KNOWLEDGE.quiet.reasons.keys() == ours | {NONE, "ordered"}
    known = {rule.id for service in SERVICES for rule in service.rules}
    assert KNOWLEDGE.quiet.rules.keys() <= known


def test_a_reason_is_ours_only_with_its_system() -> None:
    for one in OVERRIDE_REASONS:
        assert reason_of(one.code, one.system) == one.code
        assert reason_of(one.code, "urn:other") == NONE
        assert displayed(one.display.upper()) == one
    assert reason_of(None, None) == NONE
    assert displayed("something else") is None


def test_days_depend_on_rule_reason_and_urgency() -> None:
    days = KNOWLEDGE.quiet.days
    assert days("toxoplasma-test", "action-completed", "info") == 365
    assert days("monitoring-due", "patient-refuses", "info") == 90
    assert days("monitoring-due", "not-now", "info") == 7
    assert days("monitoring-due", "unheard-of", "info") == days("monitoring-due", NONE, "info")
    assert days("pneumocystis-start", "not-now", "critical") == 0


def test_an_assessment_without_holds_is_as_it_was() -> None:
    plain = assess(PATIENT_VIEW, record(), PROFILE)
    assert isinstance(plain, Assessment)
    assert plain == assess(PATIENT_VIEW, record(), PROFILE, Holds())


def test_the_mark_of_advice_about_an_order_names_the_orders_of_hiv_care_only() -> None:
    drafts = {
        "none": (),
        "amoxicillin": (DraftOrder(source="1", medication=replace(TMP_SMX, ingredients=frozenset(("723",)))),),
        "ART": (DraftOrder(source="2", medication=replace(TMP_SMX, ingredients=frozenset(("1433868",)))),),
    }
    found = {
        name: mark(PCP, advice(), record(draft_orders=orders), KNOWLEDGE, of_order=True).fingerprint
        for name, orders in drafts.items()
    }
    assert found["none"] == found["amoxicillin"] != found["ART"]
