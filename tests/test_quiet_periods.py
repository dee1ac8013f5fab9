"""Visits and clinicians' words in, over the real service and its ledger; out comes what is said again, and what is held."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cds_service.ledger.issued_advice import IssuedAdvice
from cds_service.ledger.quiet_periods import QuietPeriod
from hooks.knowledge import load_quiet_periods
from tests.fixture_files import ANCHOR
from tests.histories import History, Visit

PCP, FAILURE, DUE = "pneumocystis-start", "virologic-failure", "monitoring-due"
PERIODS = load_quiet_periods()
NO_RESULTS = {"cd4": {"20": 640}, "viral-load": {}}


@pytest.fixture
def history() -> History:
    return History()


def overridden(history: History, reason: str | None = "patient-refuses", rule: str = PCP, **chart: Any) -> Visit:
    visit = history.visit(chart)
    assert visit.says(rule)
    visit.override(rule, reason)
    return visit


# --- held, and until when --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [*sorted(PERIODS.reasons.keys() - {"none", "ordered"}), None])
def test_after_an_override_the_same_advice_is_silent_for_as_long_as_the_reason_says(
    history: History, reason: str | None
) -> None:
    overridden(history, reason)
    days = PERIODS.days(PCP, reason or "none", "warning")
    ends = ANCHOR + timedelta(days=days)
    same = {"cd4": {str(20 + days - 1): 150}, "viral-load": {str(20 + days - 1): 3000}}
    held = history.later(days - 1).visit(same)
    assert held.until(PCP) == ends
    assert "PneumocystisStart" not in held.cards
    due = {"cd4": {str(20 + days): 150}, "viral-load": {str(20 + days): 3000}}
    assert history.later(1).visit(due).says(PCP)


def test_advice_that_nobody_answered_is_said_again(history: History) -> None:
    assert history.visit().says(PCP)
    assert history.later(1).visit().says(PCP)


def test_other_advice_about_the_patient_goes_on_being_said(history: History) -> None:
    before = overridden(history, **{"viral-load": {"20": 3000, "60": 2500}})
    assert before.says(FAILURE)
    after = history.later(1).visit({"viral-load": {"21": 3000, "61": 2500}})
    assert after.says(FAILURE)
    assert not after.says(PCP)


def test_a_held_finding_makes_the_answer_no_less_complete(history: History) -> None:
    overridden(history)
    assert history.visit().complete


def test_another_patient_is_not_silent(history: History) -> None:
    overridden(history)
    assert history.visit(patient="invented-2").says(PCP)


def test_the_same_advice_is_silent_at_every_hook(history: History) -> None:
    overridden(history)
    assert history.visit({"drafts": ["CD4 count"]}, hook="order-sign").until(PCP)
    assert history.visit({"drafts": ["CD4 count"]}, hook="order-select").until(PCP)


def test_by_default_an_override_counts_for_every_clinician(history: History) -> None:
    overridden(history)
    assert history.visit(clinician="Practitioner/two").until(PCP)


def test_where_the_site_says_so_an_override_counts_for_its_clinician_only() -> None:
    history = History(quiet_per="clinician")
    overridden(history)
    assert history.visit(clinician="Practitioner/one").until(PCP)
    assert history.visit(clinician="Practitioner/two").says(PCP)


def test_an_override_holds_everything_that_its_card_said(history: History) -> None:
    chart = {"cd4": {"20": 80}, "labs": {"toxoplasma IgG": {"20": "positive"}}, "settled": ["IGRA", "CrAg"]}
    visit = history.visit(chart)
    assert visit.finding(PCP)["card"] == visit.finding("toxoplasma-start")["card"]
    visit.override(PCP, "patient-refuses")
    after = history.visit(chart)
    assert after.until(PCP) == after.until("toxoplasma-start") == ANCHOR + timedelta(days=90)


def test_what_is_held_gives_its_room_to_what_found_none(history: History) -> None:
    chart = {"cd4": {"20": 40}, "labs": {"toxoplasma IgG": {"20": "positive"}}, "settled": [], "hook": "patient-view"}
    before = history.visit(chart)
    crowded = [one["rule"] for one in before.body["extension"]["org.immune-status-cds.evaluation"]["findings"]
               if one.get("why") == "no-room"]  # fmt: skip
    assert crowded
    before.override(PCP, "patient-refuses")
    after = history.visit(chart)
    assert any(after.says(rule) for rule in crowded)


def test_the_card_that_says_what_was_not_assessed_is_never_held(history: History) -> None:
    lacking = {"not-supplied": ["allergies"], "cd4": {"20": 640}, "viral-load": {"20": 20}}
    first = history.visit(lacking)
    assert "NotAssessed" in first.cards
    first.send({"card": first.cards["NotAssessed"]["uuid"], "outcome": "overridden"})
    assert "NotAssessed" in history.visit(lacking).cards


# --- what makes it speak again ---------------------------------------------------------------------------------------


def test_a_new_result_in_the_same_band_changes_nothing(history: History) -> None:
    overridden(history)
    later = history.later(5).visit({"cd4": {"25": 150, "2": 155}, "viral-load": {"25": 3000, "2": 4100}})
    assert later.until(PCP) == ANCHOR + timedelta(days=90)


@pytest.mark.parametrize("count", [45, 90, 140])
def test_a_count_that_fell_over_a_border_makes_it_speak_at_once(history: History, count: int) -> None:
    overridden(history, cd4={"20": 190})
    assert history.visit({"cd4": {"20": 190}}).until(PCP)
    assert history.visit({"cd4": {"20": 190, "0": count}, "settled": []}).says(PCP)


def test_a_count_that_rose_over_a_border_and_fell_back_is_not_what_it_was(history: History) -> None:
    overridden(history)
    assert history.later(2).visit({"cd4": {"22": 150, "1": 260}}).finding(PCP)["outcome"] == "silent"
    assert history.later(2).visit({"cd4": {"24": 150, "3": 260, "1": 150}}).says(PCP)


def test_an_allergy_that_becomes_known_changes_what_is_offered_and_makes_it_speak(history: History) -> None:
    overridden(history)
    known = {"allergies": [{"what": "sulfonamides", "reaction": "SJS"}]}
    assert history.visit(known).says(PCP)


def test_an_order_that_makes_it_dangerous_is_spoken_of_whatever_was_overridden(history: History) -> None:
    overridden(history)
    dapsone = {"drafts": ["dapsone"], "labs": {"G6PD": {"30": "deficient"}}}
    assert history.visit(dapsone, hook="order-sign").finding("prophylaxis-agent")["indicator"] == "critical"


def test_what_is_critical_is_never_held(history: History) -> None:
    dapsone = {"drafts": ["dapsone"], "labs": {"G6PD": {"30": "deficient"}}}
    for _ in range(3):
        visit = history.visit(dapsone, hook="order-sign")
        assert visit.says("prophylaxis-agent")
        visit.override("prophylaxis-agent", "disagree")


def test_advice_about_an_order_speaks_when_the_order_is_another(history: History) -> None:
    first = {"drafts": ["dolutegravir", "TDF/FTC"], "medications": []}
    visit = history.visit(first, hook="order-sign")
    visit.override("iris-counselling", "action-completed")
    assert history.visit(first, hook="order-sign").until("iris-counselling")
    other = {"drafts": ["BIC/FTC/TAF"], "medications": []}
    assert history.visit(other, hook="order-sign").says("iris-counselling")


def test_an_unrelated_order_makes_nobody_hear_it_again(history: History) -> None:
    overridden(history)
    assert history.visit({"drafts": ["amoxicillin"]}, hook="order-sign").until(PCP)


# --- what a client may say, and when ---------------------------------------------------------------------------------


def test_the_newest_word_counts_whichever_comes_first(history: History) -> None:
    visit = history.visit()
    visit.override(PCP, "patient-refuses")
    early = (history.clock.now - timedelta(days=3)).isoformat()
    visit.override(PCP, "not-now", outcomeTimestamp=early)  # before the card was issued: its clock is wrong
    assert history.visit().until(PCP) is not None
    history.later(1)
    visit.override(PCP, "not-now")
    assert history.visit().until(PCP) == ANCHOR + timedelta(days=8)


def test_a_clock_that_runs_ahead_begins_nothing_in_the_future(history: History) -> None:
    history.visit().override(PCP, "not-now", outcomeTimestamp="2031-01-01T00:00:00Z")
    assert history.visit().until(PCP) == ANCHOR + timedelta(days=7)


def test_a_batch_that_comes_late_counts_from_the_day_of_the_override(history: History) -> None:
    visit = history.visit()
    then = history.clock.now.isoformat()
    history.later(5)
    visit.override(PCP, "not-now", outcomeTimestamp=then)
    assert history.visit().until(PCP) == ANCHOR + timedelta(days=7)


def test_what_is_said_again_word_for_word_begins_no_new_period(history: History) -> None:
    visit = history.visit()
    then = history.clock.now.isoformat()
    visit.override(PCP, "not-now", outcomeTimestamp=then)
    history.later(9)
    visit.override(PCP, "not-now", outcomeTimestamp=then)
    assert history.visit({"cd4": {"29": 150}}).says(PCP)


def test_accepting_a_drug_holds_nothing_for_the_chart_will_show_it(history: History) -> None:
    visit = history.visit()
    visit.override(PCP, "patient-refuses")
    history.later(1)
    visit.accept(PCP, visit.cards["PneumocystisStart"]["suggestions"][0]["label"])
    assert history.visit().says(PCP)


@pytest.mark.parametrize("known", [{"overrideReasons": {"extension": {
    "com.epic.cdshooks.feedback.overrideReason.reasonDisplay": "patient  declines"}}},
    {"overrideReason": {"reason": {"display": "Patient declines"}}}])  # fmt: skip
def test_a_reason_that_comes_in_words_only_is_recognised(history: History, known: dict[str, Any]) -> None:
    history.visit().override(PCP, None, **known)
    assert history.visit().until(PCP) == ANCHOR + timedelta(days=90)


def test_a_reason_of_another_list_counts_as_none(history: History) -> None:
    history.visit().override(PCP, None, overrideReason={"reason": {"code": "patient-refuses", "system": "urn:theirs"}})
    assert history.visit().until(PCP) == ANCHOR + timedelta(days=PERIODS.days(PCP, "none", "warning"))


def test_feedback_on_a_card_nobody_issued_holds_nothing(history: History) -> None:
    visit = history.visit()
    visit.send({"card": "3f1c9a52-7d44-4b0e-9d5c-1f2a6b7c8d9e", "outcome": "overridden"})
    assert history.visit().says(PCP)


def test_feedback_at_another_service_holds_nothing(history: History) -> None:
    visit = history.visit()
    visit.service = "immune-status-order-sign"
    visit.override(PCP, "patient-refuses")
    assert history.visit().says(PCP)


# --- what was suggested and is then ordered --------------------------------------------------------------------------


def test_a_test_that_was_suggested_and_is_then_signed_is_waited_for(history: History) -> None:
    assert history.visit(NO_RESULTS).says(DUE)
    assert (
        history.visit({**NO_RESULTS, "drafts": ["viral load"]}, hook="order-sign").finding(DUE)["outcome"] == "silent"
    )
    assert history.later(3).visit({"cd4": {"23": 640}, "viral-load": {}}).until(DUE) == ANCHOR + timedelta(days=14)
    assert history.later(11).visit({"cd4": {"34": 640}, "viral-load": {}}).says(DUE)


def test_a_test_that_was_only_drafted_is_not_waited_for(history: History) -> None:
    assert history.visit(NO_RESULTS).says(DUE)
    history.visit({**NO_RESULTS, "drafts": ["viral load"]}, hook="order-select")
    assert history.visit(NO_RESULTS).says(DUE)


def test_one_of_two_tests_that_are_due_is_not_enough(history: History) -> None:
    both = history.visit({"cd4": {"500": 640}, "viral-load": {"500": 20}})
    assert both.says(DUE)
    history.visit({"cd4": {"500": 640}, "viral-load": {"500": 20}, "drafts": ["CD4 count"]}, hook="order-sign")
    assert history.visit({"cd4": {"500": 640}, "viral-load": {"500": 20}}).says(DUE)


def test_a_test_that_was_accepted_is_waited_for(history: History) -> None:
    visit = history.visit(NO_RESULTS)
    visit.accept(DUE, *(one["label"] for one in visit.cards["MonitoringDue"]["suggestions"]))
    assert history.visit(NO_RESULTS).until(DUE) == ANCHOR + timedelta(days=14)


def test_a_drug_that_was_suggested_and_is_then_signed_is_recognised(history: History) -> None:
    visit = history.visit()
    history.visit({"drafts": ["TMP-SMX"]}, hook="order-sign")
    with history.ledger.database.reading() as connection:
        (done,) = connection.scalars(
            select(IssuedAdvice.ordered).where(
                IssuedAdvice.card == visit.finding(PCP)["card"], IssuedAdvice.rule == PCP
            )
        )
    assert done is not None
    assert history.visit().says(PCP), "a drug that was signed shows on the chart, or it was not signed"


# --- what is written -------------------------------------------------------------------------------------------------


def test_the_database_holds_no_id_of_patient_or_clinician(history: History) -> None:
    visit = history.visit(patient="canary-patient", clinician="Practitioner/canary-user")
    visit.override(PCP, "not-now", overrideReason={"userComment": "canary-comment"})
    with history.ledger.database.reading() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        dump = "\n".join(raw.iterdump())
    assert "canary" not in dump
    assert PCP in dump


def test_the_same_call_again_is_remembered_once_as_it_was_last_answered(history: History) -> None:
    for count in (150, 90):
        history.visit({"cd4": {"20": count}}, instance="the-same")
    with history.ledger.database.reading() as connection:
        rows = list(connection.execute(select(IssuedAdvice.__table__).where(IssuedAdvice.rule == PCP)))
    assert len(rows) == 1


def test_a_period_is_never_longer_than_the_longest(history: History) -> None:
    overridden(history)
    with history.ledger.database.reading() as connection:
        ends = connection.scalars(select(QuietPeriod.until)).all()
    assert ends
    assert max(ends) <= ANCHOR + timedelta(days=PERIODS.most_days)
    assert isinstance(ends[0], date)
