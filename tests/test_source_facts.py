"""The committed page of the facts of the first two texts in, proof out that none is lost and each is proven."""

import pytest

from hooks import SERVICES
from hooks.knowledge import load, load_profiles
from tests.source_facts_doc import COMMAND, PAGE, TEXTS, SourceFact, facts, page
from tests.test_clinical_safety import proof_is_there

FOUND = facts()
NAMED = sorted({test for one in FOUND for test in one.tests})
RULES = {rule.id for service in SERVICES for rule in service.rules}

each_fact = pytest.mark.parametrize("one", FOUND, ids=lambda one: one.fact[:50])


def test_no_fact_is_lost() -> None:
    """26 that decide something, and four that bear on a card besides; a fact more or less is a decision of its own."""
    assert {source: sum(one.source == source for one in FOUND) for source in TEXTS} == {"SEED-1": 20, "SEED-2": 10}
    assert len({one.fact for one in FOUND}) == 30


@each_fact
def test_a_fact_stands_in_rules_that_exist_and_is_carried_by_knowledge_that_exists(one: SourceFact) -> None:
    profiles = load_profiles(load()).values()
    known = {key for profile in profiles for key in (*profile.thresholds, *profile.statements)}
    assert one.rules
    assert set(one.rules) <= RULES
    assert one.keys
    assert set(one.keys) <= known


@each_fact
def test_a_fact_is_proven_by_a_case_of_a_rule_in_which_it_stands(one: SourceFact) -> None:
    shown = {test.removeprefix("spec:").partition(": ")[0] for test in one.tests if test.startswith("spec:")}
    assert shown
    assert shown <= set(one.rules)


@pytest.mark.parametrize("named", NAMED)
def test_each_test_that_is_named_exists_and_runs(named: str) -> None:
    assert proof_is_there(named)


def test_the_sources_are_those_of_the_knowledge() -> None:
    assert set(TEXTS) <= set(load().sources)


def test_the_page_is_current() -> None:
    written = PAGE.read_text("utf-8") if PAGE.exists() else ""
    assert written == page(), f"docs/source-facts.md is out of date: write it anew with `{COMMAND}`"
