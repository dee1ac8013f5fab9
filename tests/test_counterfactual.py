"""Fixture requests in; proof out that each "would change" is an answer the rule itself gave, and the nearest of its kind."""

import json
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from msgspec.json import encode

from cds_service.chart.read import read_chart
from cds_service.wire.envelope import read_envelope
from hooks import SERVICES
from hooks.assess import Rule, judge
from hooks.counterfactual import what_would_change
from hooks.knowledge import load, load_profiles
from hooks.record import PatientRecord

REQUESTS = sorted((Path(__file__).parents[1] / "fixtures" / "requests").glob("*-*/*.json"))
KNOWLEDGE = load()
PROFILE = load_profiles(KNOWLEDGE)["dhhs"]
RULES = {rule.id: rule for rule in SERVICES[0].rules}


def record_of(request: dict[str, Any]) -> PatientRecord:
    service = next(one for one in SERVICES if one.hook == request["hook"])
    own_day = date.fromisoformat(request["extension"]["org.immune-status-cds.fixture"]["asOf"])
    moment = datetime.combine(own_day, time(12), UTC)
    return read_chart(read_envelope(encode(request), service), moment, KNOWLEDGE)


def fixture(name: str) -> PatientRecord:
    return record_of(json.loads(next(path for path in REQUESTS if path.stem == name).read_text("utf-8")))


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_every_change_ends_in_another_answer_and_is_said_once(path: Path) -> None:
    record = record_of(json.loads(path.read_text("utf-8")))
    for rule in RULES.values():
        now = type(judge(rule, record, PROFILE)).__name__
        lines = what_would_change(rule, record, PROFILE)
        assert len(lines) == len(set(lines))
        if now == "Silent":
            assert not [line for line in lines if line.endswith(": nothing to say")], rule.id


@pytest.mark.parametrize(
    ("rule", "name", "line"),
    [
        ("pneumocystis-start", "cd4-120-starting-art", "CD4 count 200/µL, not 120/µL: information"),
        (
            "pneumocystis-start",
            "cd4-120-starting-art",
            "With TMP-SMX double strength, 1 tablet daily taken: nothing to say",
        ),
        ("iris-counselling", "cd4-120-starting-art", "CD4 count 200/µL, not 120/µL: information"),
        ("art-timing", "art-in-meningitis", "Without cryptococcal meningitis on the problem list: a warning"),
        ("prophylaxis-agent", "tmp-smx-after-sjs", "Without an allergy on file: nothing to say"),
        ("prophylaxis-agent", "dapsone-g6pd-unknown", "With G6PD deficient: critical"),
        ("tuberculosis-prevention", "tb-test-positive", "With test for TB infection negative: nothing to say"),
    ],
)
def test_what_would_change_is_said_in_words_a_clinician_can_check(rule: str, name: str, line: str) -> None:
    assert line in what_would_change(RULES[rule], fixture(name), PROFILE)


def test_a_gap_filled_and_a_test_ordered_are_tried_too() -> None:
    lacking = what_would_change(RULES["virologic-failure"], fixture("medications-not-supplied"), PROFILE)
    assert any(line.startswith("Should the medication list hold nothing new: ") for line in lacking)
    due = what_would_change(RULES["toxoplasma-test"], fixture("cd4-120-starting-art"), PROFILE)
    assert "With Toxoplasma IgG ordered: nothing to say" in due


def test_an_order_that_is_taken_out_is_tried_with_what_follows_from_it() -> None:
    lines = what_would_change(RULES["hepatitis-b-flare"], fixture("hepatitis-b-switch"), PROFILE)
    assert any(line.startswith("Without the order about ") and line.endswith(": nothing to say") for line in lines)


def test_the_nearest_value_is_named_not_a_farther_one() -> None:
    rule: Rule = RULES["pneumocystis-start"]
    lines = what_would_change(rule, fixture("cd4-120-starting-art"), PROFILE)
    assert not [line for line in lines if line.startswith("CD4 count 201")]
