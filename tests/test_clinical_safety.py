import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from hooks import SERVICES
from hooks.advice import Verdict
from hooks.assess import Rule, assess
from hooks.knowledge import Profile, load_profiles
from hooks.record import PatientRecord
from tests.clinical_safety_doc import (
    COMMAND,
    FOLDER,
    IN_PLACE,
    KINDS,
    PAGE,
    PLANNED,
    STATUSES,
    TRANSFERRED,
    Control,
    Hazard,
    hazards,
    matrix,
    page,
)
from tests.reading_doc import chart_of, knowledge, sections
from tests.test_card_texts import cards

ROOT = Path(__file__).parents[1]
FOUND = hazards()
CONTROLS = [(one, control) for one in FOUND for control in one.controls]
NAMED = sorted({test for _, control in CONTROLS for test in control.tests})
RULES = {rule.id for service in SERVICES for rule in service.rules}
UNDONE = {"skip", "xfail"}
UNREVIEWED = "not yet clinically reviewed"

each_hazard = pytest.mark.parametrize("hazard", FOUND, ids=lambda one: one.id)


@each_hazard
def test_a_hazard_says_all_it_has_to(hazard: Hazard) -> None:
    assert all((hazard.name, hazard.causes, hazard.effect, hazard.harm, hazard.controls, hazard.status))
    assert hazard.reviewed == UNREVIEWED, "a review names who reviewed and when: let this test know the form"
    assert not hazard.status.startswith("closed"), "nobody is appointed who could close a hazard"


def test_the_hazards_are_numbered_without_a_gap() -> None:
    assert [one.id for one in FOUND] == [f"H{number}" for number in range(1, len(FOUND) + 1)]
    assert len(FOUND) >= 24


def test_the_matrix_is_whole_and_rises_with_severity_and_likelihood() -> None:
    risks = matrix()
    assert risks.keys() == {(severity, likelihood) for severity in range(1, 6) for likelihood in range(1, 6)}
    for severity, likelihood in risks:
        assert risks[severity, likelihood] <= risks.get((severity + 1, likelihood), 5)
        assert risks[severity, likelihood] <= risks.get((severity, likelihood + 1), 5)


@each_hazard
def test_each_risk_is_what_the_plan_makes_of_it_and_none_rises(hazard: Hazard) -> None:
    for score in (hazard.initial, hazard.residual):
        assert score.risk == matrix()[score.severity, score.likelihood]
    assert hazard.residual.severity <= hazard.initial.severity
    assert hazard.residual.likelihood <= hazard.initial.likelihood


@each_hazard
def test_only_a_control_in_place_lowers_a_risk(hazard: Hazard) -> None:
    proven = [one for one in hazard.controls if one.status == IN_PLACE and one.tests]
    assert proven or hazard.residual == hazard.initial


@pytest.mark.parametrize(("hazard", "control"), CONTROLS, ids=lambda one: getattr(one, "id", ""))
def test_a_control_is_proven_by_a_test_or_says_that_it_is_not_there_yet(hazard: Hazard, control: Control) -> None:
    assert control.kind in KINDS
    assert control.status in STATUSES
    assert bool(control.tests) is (control.status == IN_PLACE and control.kind != "business"), hazard.id
    assert control.status != TRANSFERRED or control.kind == "business"


@each_hazard
def test_the_status_says_what_is_planned_and_what_is_transferred(hazard: Hazard) -> None:
    states = {one.status for one in hazard.controls}
    assert (TRANSFERRED in states) == ("transferred" in hazard.status)
    assert PLANNED not in states or "planned" in hazard.status


@pytest.mark.parametrize("named", NAMED)
def test_each_test_that_is_named_exists_and_runs(named: str) -> None:
    assert proof_is_there(named)


def proof_is_there(named: str) -> bool:
    """Whether a case has this sentence, or the file has this test and it is not skipped."""
    if named.startswith("spec:"):
        rule, _, says = named.removeprefix("spec:").partition(": ")
        return says in sentences(rule)
    path, _, name = named.partition("::")
    return name in functions_of(path) and not undone(functions_of(path)[name]) | undone_whole(path)


@cache
def sentences(rule: str) -> frozenset[str]:
    """What the cases of a rule say."""
    cases = tomllib.loads((ROOT / "tests" / "spec" / f"{rule}.toml").read_text("utf-8"))["case"]
    return frozenset(one["says"] for case in cases for one in (case, *case.get("rows", ())) if "says" in one)


@cache
def functions_of(path: str) -> dict[str, ast.FunctionDef]:
    body = ast.parse((ROOT / path).read_text("utf-8")).body
    return {one.name: one for one in body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}


def undone(test: ast.FunctionDef) -> set[str]:
    """The marks by which a test does not run or may fail, and a call to the same effect at the top of its body."""
    calls = [one.value.func for one in test.body if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call)]
    return UNDONE & set(names(*test.decorator_list, *calls))


def undone_whole(path: str) -> set[str]:
    """The same for all tests of a file."""
    body = ast.parse((ROOT / path).read_text("utf-8")).body
    marks = [one.value for one in body if isinstance(one, ast.Assign) and "pytestmark" in set(names(*one.targets))]
    return UNDONE & set(names(*marks))


def names(*nodes: ast.AST) -> Iterator[str]:
    for node in (inner for one in nodes for inner in ast.walk(one)):
        yield getattr(node, "attr", None) or getattr(node, "id", None) or ""


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("@pytest.mark.skip\ndef test_a(): ...", {"skip"}),
        ("@pytest.mark.xfail(reason='later')\ndef test_a(): ...", {"xfail"}),
        ("def test_a():\n    pytest.skip('later')", {"skip"}),
        ("@pytest.mark.parametrize('one', [pytest.param(1, marks=pytest.mark.xfail)])\ndef test_a(one): ...", {"xfail"}),
        ("@pytest.mark.slow\ndef test_a():\n    if odd:\n        pytest.skip('not here')", set()),
    ],
)  # fmt: skip
def test_a_test_that_does_not_run_would_be_found(code: str, found: set[str]) -> None:
    test = ast.parse(code).body[0]
    assert isinstance(test, ast.FunctionDef)
    assert undone(test) == found


def test_each_rule_has_a_hazard_and_each_hazard_its_rules() -> None:
    assert {rule for one in FOUND for rule in one.rules} == RULES


@pytest.mark.parametrize("rule", SERVICES[0].rules[1:], ids=lambda one: one.id)
def test_a_rule_that_breaks_is_not_assessed_and_takes_no_other_down(rule: Rule) -> None:
    def broken(record: PatientRecord, _: Profile) -> Verdict:
        raise ZeroDivisionError(record)

    record, profile, service = chart_of(sections()[0].cases[0]), load_profiles(knowledge())["dhhs"], SERVICES[0]
    rules = tuple(replace(one, function=broken) if one is rule else one for one in service.rules)
    whole, short = (assess(one, record, profile) for one in (service, replace(service, rules=rules)))
    found = {one.rule.id: one for one in short.findings}
    assert found[rule.id].outcome == "not-assessed"
    assert not short.complete
    assert {one.rule.id for one in whole.findings} == found.keys()


def test_a_card_that_offers_a_drug_says_what_was_not_checked() -> None:
    for where, card in cards():
        actions = [action for one in card.get("suggestions", ()) for action in one["actions"]]
        made = {action["resource"]["resourceType"] for action in actions if "resource" in action}
        unsaid = [one for one in ("kidney function", "drug interactions") if one not in card["detail"]]
        assert not ("MedicationRequest" in made and unsaid), where


def test_the_log_is_current() -> None:
    written = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    assert written == page(), f"docs/clinical-safety/hazard-log.md is out of date: write it anew with `{COMMAND}`"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.name)
def test_what_the_file_refers_to_is_there(path: Path) -> None:
    text = path.read_text("utf-8")
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert link.startswith("https://") or (path.parent / link).exists(), link
    assert set(re.findall(r"\bH\d+\b", text)) <= {one.id for one in FOUND}
    assert UNREVIEWED in text.lower()
