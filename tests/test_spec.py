"""The clinical cases of tests/spec in, proof out that the service does what each says, and that they leave no rule out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from hooks.assess import Rule
from hooks.knowledge import Profile, load, load_profiles
from tests.cases import CASES, CHART, EXPECTED, FOLDER, OPTIONAL, OWN, RULES, SERVICE_OF, SITE, Case, check

PROFILES = load_profiles(load())
USUAL = PROFILES["dhhs"]
OTHERS = {name: one for name, one in PROFILES.items() if one is not USUAL}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.said['says']}")
def test_case(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("hook", SERVICE_OF)
@pytest.mark.parametrize("outcome", ["recommended", "silent", "not-assessed"])
def test_each_rule_has_a_case_of_each_outcome(hook: str, outcome: str) -> None:
    specified = {case.rule for case in CASES if case.said["outcome"] == outcome}
    assert {rule.id for rule in SERVICE_OF[hook].rules} - specified == set()


def test_each_rule_has_a_case_on_its_boundary() -> None:
    assert set(RULES) - {case.rule for case in CASES if case.said.get("boundary")} == set()


def test_each_need_of_a_rule_has_a_case_without_it() -> None:
    missed = {(case.rule, datum) for case in CASES for datum in case.said.get("missing", [])}
    assert {(rule.id, datum) for rule in RULES.values() for datum in rule.needs} - missed == set()


@pytest.mark.parametrize("name", OTHERS)
def test_each_rule_that_another_guideline_judges_otherwise_has_a_case_under_it(name: str) -> None:
    differing = {rule.id for rule in RULES.values() if rests_on(rule, OTHERS[name]) != rests_on(rule, USUAL)}
    assert (
        differing - OTHERS[name].left_out - {case.rule for case in CASES if case.said.get("profile") == name} == set()
    )


@pytest.mark.parametrize("name", PROFILES)
def test_each_rule_that_a_guideline_leaves_out_has_a_case_that_is_silent_for_that(name: str) -> None:
    because = "gives no recommendation on this"
    silent = {case.rule for case in CASES if profile_of(case) == name and because in case.said.get("because", "")}
    assert PROFILES[name].left_out - silent == set()


def profile_of(case: Case) -> str:
    return str(case.said.get("profile", "dhhs"))


def rests_on(rule: Rule, profile: Profile) -> list[Any]:
    """The numbers and texts of a guideline that a rule rests on."""
    return [(profile.thresholds.get(key), profile.statements.get(key)) for key in rule.cites + rule.may_cite]


def test_each_sentence_stands_once() -> None:
    sentences = [(case.rule, case.said["says"]) for case in CASES]
    assert [one for one in sentences if sentences.count(one) > 1] == []


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_a_file_is_about_a_rule_there_is(path: Path) -> None:
    assert path.suffix == ".toml"
    assert path.stem in RULES


def test_each_case_says_what_must_come_out_and_names_nothing_unknown() -> None:
    for case in CASES:
        needed = EXPECTED[case.said["outcome"]] | {"says", "hook"}
        assert needed <= case.said.keys(), case.said["says"]
        assert case.said.keys() <= CHART | SITE | OPTIONAL | OWN | needed, case.said["says"]


def test_the_charts_are_legal_fhir() -> None:
    for resource in (one for case in CASES for one in resources(case)):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def resources(case: Case) -> Iterator[dict[str, Any]]:
    """All that a case sends, but for the orders that are illegal on purpose: those without a drug."""
    request = case.chart().request(case.hook)
    for sent in [*request["prefetch"].values(), request["context"].get("draftOrders", {"resourceType": "Basic"})]:
        inside = [entry["resource"] for entry in sent.get("entry", [])]
        yield from (one for one in inside or [sent] if names_its_drug(one) and one["resourceType"] != "Basic")


def names_its_drug(resource: dict[str, Any]) -> bool:
    return resource["resourceType"] != "MedicationRequest" or "medicationCodeableConcept" in resource
