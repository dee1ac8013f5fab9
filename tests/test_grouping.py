"""Advice with its urgency and its answers in; which of it shares a card, and what that card offers, is held here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks import advice
from hooks.advice import DrugOrder, Recommendation, RemoveDraft, ReplaceDraft, Suggestion
from hooks.grouping import grouped, joined
from hooks.knowledge import load

REGIMENS = load().regimens
CRITICAL, WARNING, INFO = range(3)
DRAFT = "MedicationRequest/draft-1"


def answers(*names: str) -> frozenset[str]:
    return frozenset(names)


def order(key: str, *, dosed: bool = True, recommended: bool = False) -> DrugOrder:
    return DrugOrder(REGIMENS[key], dosed=dosed, recommended=recommended)


def finding(*suggestions: Suggestion) -> Recommendation:
    return Recommendation(summary="s", indicator="info", rationale=(), cites=(), suggestions=suggestions)


DOUBLE, SINGLE, ATOVAQUONE = (order(key) for key in ("tmp-smx-ds-daily", "tmp-smx-ss-daily", "atovaquone-daily"))
REPLACED = ReplaceDraft(DRAFT, "dapsone", ATOVAQUONE)
TEST, REMOVAL = advice.TestOrder("g6pd"), RemoveDraft(DRAFT, "dapsone")


# --- what shares a card ------------------------------------------------------------------------------------------------


def test_the_most_urgent_goes_first_among_cards_and_within_them() -> None:
    found = grouped([(INFO, answers("a")), (WARNING, answers("b")), (CRITICAL, answers("a")), (WARNING, answers("c"))])
    assert found == [[2, 0], [1], [3]]


def test_what_is_equally_urgent_keeps_its_order() -> None:
    assert grouped([(INFO, answers(name)) for name in "abc"]) == [[0], [1], [2]]
    assert grouped([(INFO, answers("a", name)) for name in "bcd"]) == [[0, 1, 2]]


def test_what_nothing_answers_stands_alone() -> None:
    assert grouped([(INFO, answers()), (INFO, answers()), (INFO, answers("a"))]) == [[0], [1], [2]]
    assert grouped([]) == []


def test_a_card_keeps_only_the_answers_that_all_of_it_share() -> None:
    """The third could be answered like the first, but not like the second that is there already."""
    assert grouped([(INFO, answers("a", "b")), (INFO, answers("b", "c")), (INFO, answers("a", "c"))]) == [[0, 1], [2]]
    assert grouped([(INFO, answers("a", "b")), (INFO, answers("b", "c")), (INFO, answers("b"))]) == [[0, 1, 2]]


def test_advice_joins_the_first_card_that_has_an_answer_for_it() -> None:
    assert grouped([(INFO, answers("a")), (INFO, answers("b")), (INFO, answers("a", "b"))]) == [[0, 2], [1]]


some_answers = st.frozensets(st.sampled_from("abcd"), max_size=3)


@given(st.lists(st.tuples(st.integers(0, 2), some_answers), max_size=8))
def test_each_advice_stands_on_one_card_with_an_answer_to_all_of_it(advised: list[tuple[int, frozenset[str]]]) -> None:
    found = grouped(advised)
    assert sorted(place for card in found for place in card) == list(range(len(advised)))
    for card in found:
        assert len(card) == 1 or frozenset.intersection(*(advised[place][1] for place in card))
        assert card == sorted(card, key=lambda place: (advised[place][0], place))
    leads = [(advised[card[0]][0], card[0]) for card in found]
    assert leads == sorted(leads)


# --- what a card offers ------------------------------------------------------------------------------------------------


def test_of_drugs_a_card_offers_what_answers_all_of_its_findings() -> None:
    assert joined([finding(DOUBLE, SINGLE, ATOVAQUONE), finding(ATOVAQUONE, DOUBLE)]) == (DOUBLE, ATOVAQUONE)


def test_one_finding_alone_keeps_all_it_offers_in_its_order() -> None:
    assert joined([finding(SINGLE, REMOVAL, DOUBLE, TEST)]) == (SINGLE, REMOVAL, DOUBLE, TEST)


def test_a_finding_that_offers_no_drug_takes_none_away() -> None:
    assert joined([finding(DOUBLE, SINGLE), finding(TEST), finding()]) == (DOUBLE, SINGLE, TEST)
    assert joined([finding(DOUBLE, SINGLE), finding(TEST), finding(DOUBLE)]) == (DOUBLE, TEST)


def test_findings_that_share_the_card_for_another_order_keep_their_drugs() -> None:
    assert joined([finding(TEST, DOUBLE), finding(TEST, ATOVAQUONE)]) == (TEST, DOUBLE, ATOVAQUONE)


def test_without_a_dose_it_is_another_order() -> None:
    undosed = order("atovaquone-daily", dosed=False)
    assert joined([finding(ATOVAQUONE, undosed)]) == (ATOVAQUONE, undosed)


@pytest.mark.parametrize("first", [True, False], ids=["order first", "replacement first"])
def test_to_replace_the_draft_outweighs_an_order_of_the_same_regimen(first: bool) -> None:
    told = [finding(ATOVAQUONE), finding(REPLACED)]
    assert joined(told if first else told[::-1]) == (REPLACED,)


def test_a_replacement_has_to_answer_all_findings_as_an_order_has() -> None:
    doubled = ReplaceDraft(DRAFT, "dapsone", DOUBLE)
    assert joined([finding(REPLACED, doubled, REMOVAL), finding(DOUBLE, SINGLE)]) == (doubled, REMOVAL)


def test_a_replacement_stands_where_the_order_stood() -> None:
    assert joined([finding(ATOVAQUONE, TEST), finding(REPLACED, REMOVAL)]) == (REPLACED, TEST, REMOVAL)


def test_of_two_replacements_the_first_stays() -> None:
    other = ReplaceDraft("MedicationRequest/draft-2", "pentamidine", ATOVAQUONE)
    assert joined([finding(REPLACED), finding(other)]) == (REPLACED,)


def test_tests_and_removals_are_kept_once() -> None:
    again = RemoveDraft(DRAFT, "dapsone", recommended=True)
    other = RemoveDraft("MedicationRequest/draft-2", "dapsone")
    told = [finding(TEST, REMOVAL), finding(advice.TestOrder("g6pd", recommended=True), again, other)]
    assert joined(told) == (TEST, REMOVAL, other)


def test_of_equal_orders_the_more_urgent_finding_has_its_own_kept() -> None:
    """The findings of a card come most urgent first: what that one recommends stays recommended."""
    first = order("tmp-smx-ds-daily", recommended=True)
    assert joined([finding(first), finding(DOUBLE)]) == (first,)
    assert joined([finding(DOUBLE), finding(first)]) == (DOUBLE,)


def test_nothing_offered_is_nothing() -> None:
    assert joined([]) == joined([finding(), finding()]) == ()
