"""Every card that the clinical cases, the fixtures and the invented patients bring about, read by the rules of `card_texts`."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.card_texts import Card, doses, faults
from tests.cases import CASES, Case, answer

RESPONSES = Path(__file__).parents[1] / "fixtures" / "responses"
NO_DOSE = ("pregnancy", "chronic kidney disease")


@cache
def answered() -> list[tuple[Case, list[Card]]]:
    return [(case, answer(case)["cards"]) for case in CASES]


def cards() -> Iterator[tuple[str, Card]]:
    for case, found in answered():
        yield from ((f"{case.rule}: {case.said['says']}", one) for one in found)
    for path in sorted(RESPONSES.glob("*-*/*.json")):
        if not path.stem.startswith("client-"):  # in the shape of one client: without what it does not know
            yield from ((path.stem, one) for one in json.loads(path.read_text("utf-8")).get("cards", []))


def test_no_card_says_what_must_never_be_said() -> None:
    assert sorted({f"{where} — {fault}" for where, card in cards() for fault in faults(card)}) == []


def test_no_dose_is_named_in_pregnancy_or_kidney_disease() -> None:
    found = [
        (case.said["says"], dose)
        for case, told in answered()
        if {name for one in case.said["problems"] if (name := plain(one))} & set(NO_DOSE)
        for card in told
        for dose in doses(card)
    ]
    assert found == []


def plain(problem: Any) -> str | None:
    """The name of a problem that is not over."""
    name = problem["what"] if isinstance(problem, dict) else problem
    return None if ", " in name else str(name)


def test_no_two_rules_say_the_same_summary() -> None:
    told: dict[str, set[str]] = {}
    for _, card in cards():
        told.setdefault(card["summary"], set()).add(card["source"]["topic"]["code"])
    assert {summary: topics for summary, topics in told.items() if len(topics) > 1} == {}


BAD = {
    "stopping ART": "Stop ART at once.",
    "starting a regimen by name": "Switch to dolutegravir.",
    "a diagnosis": "This patient has IRIS.",
    "delaying ART to prevent IRIS": "Delay treatment to prevent IRIS.",
    "that prophylaxis is not needed": "Pneumocystis prophylaxis is not needed.",
    "immune therapy as a way": "Consider interleukin-2.",
    "intensification as a way": "Consider intensification.",
    "certainty nobody has": "It is safe to go on.",
    "delay of ART": "ART has to be delayed.",
    "internal words": "The problem is tb-active.",
    "stray marks": "One  two.",
}


@pytest.mark.parametrize("what", BAD)
def test_the_rules_find_what_they_are_to_find(what: str) -> None:
    card = {
        "summary": "A summary",
        "detail": f"{BAD[what]}\n\n- CD4 count 120/µL, 12 Nov 2026\n\nSource: A text, 2019.",
        "indicator": "warning",
        "source": {"label": "A text, 2019", "topic": {"code": "MonitoringDue"}},
    }
    found = list(faults(card))
    assert any(one.startswith(what) for one in found), found
