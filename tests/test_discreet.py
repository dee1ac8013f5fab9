"""Discreet cards: whatever is said of whomever, a card's face tells nothing of the infection, and its detail tells all."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cds_service.access.trust_file import read_issuers
from cds_service.app import create_app
from cds_service.chart.prefetch import KEYS
from cds_service.wire.shape import STANDARD, Shape
from hooks import SERVICES
from hooks.advice import URGENCY
from tests import cases
from tests.card_texts import LONGEST_SUMMARY
from tests.cases import NOW
from tests.fixture_files import as_of, legal
from tests.renderings import everything
from tests.telling_words import drugs, face, telling

RULES = {rule.id: rule for service in SERVICES for rule in service.rules}
DISCREET = Shape(discreet=True)
Card = dict[str, Any]
Pair = tuple[Card, Card]


@cache
def pairs() -> tuple[Pair, ...]:
    """Each plain card with the discreet one."""
    asked = everything()
    plain, covered = (tuple(card for one in asked for card in one.cards(shape)) for shape in (STANDARD, DISCREET))
    return tuple(zip(plain, covered, strict=True))


def test_no_face_of_any_card_tells_of_hiv_its_treatment_its_tests_or_an_infection() -> None:
    told = {text for _, card in pairs() for text in face(card) if telling().search(text)}
    assert told == set()


def test_what_a_face_leaves_out_its_detail_tells() -> None:
    for plain, card in pairs():
        if card["source"]["topic"]["code"] == "NotAssessed":
            assert card["detail"] == plain["detail"]
            continue
        assert card["detail"].startswith(f"{plain['summary']}.\n\n")
        assert plain["source"]["url"] in card["detail"]
        kept = [line for line in plain["detail"].splitlines() if line]
        assert [line for line in kept if line not in card["detail"]] == []
        offered = zip(plain.get("suggestions", ()), card.get("suggestions", ()), strict=True)
        assert all(
            one["label"] == own["label"] or f"- {one['label']}: {own['label']}\n" in f"{card['detail']}\n"
            for own, one in offered
        )


def test_nothing_but_the_words_differs() -> None:
    for plain, card in pairs():
        kept = {"uuid", "indicator", "overrideReasons", "selectionBehavior"}
        assert {name: plain.get(name) for name in kept} == {name: card.get(name) for name in kept}
        assert plain["source"]["topic"]["code"] == card["source"]["topic"]["code"]
        assert [bare(one) for one in plain.get("suggestions", ())] == [bare(one) for one in card.get("suggestions", ())]


def bare(suggestion: Card) -> Card:
    """A suggestion without the words for people."""
    actions = [{name: one for name, one in action.items() if name != "description"} for action in suggestion["actions"]]
    return {name: one for name, one in suggestion.items() if name != "label"} | {"actions": actions}


def test_a_discreet_face_reads_like_a_face() -> None:
    for _, card in pairs():
        assert 0 < len(card["summary"]) <= LONGEST_SUMMARY
        assert card["summary"] == card["summary"].strip()
        assert not card["summary"].endswith(".")
        labels = [one["label"] for one in card.get("suggestions", ())]
        assert len(set(labels)) == len(labels)


def test_a_drug_that_is_given_for_many_reasons_is_named() -> None:
    labels = {one["label"] for _, card in pairs() for one in card.get("suggestions", ())}
    assert "Order TMP-SMX double strength, 1 tablet daily" in labels
    assert "Replace dapsone by atovaquone 1500 mg daily with food" in labels
    assert "Order G6PD" in labels


def test_the_words_would_be_found() -> None:
    plain = [card for card, _ in pairs() if any(map(telling().search, face(card)))]
    assert len(plain) > len(pairs()) * 0.9
    assert {"dolutegravir", "entecavir", "isoniazid"} <= drugs()
    assert not {"dapsone", "azithromycin", "prednisone", "pyridoxine"} & drugs()
    for text in (
        "Order HIV viral load",
        "start ART",
        "TB test",
        "Kaposi sarcoma",
        "MAC prophylaxis",
        "CMV",
        "anti-HBs",
    ):
        assert telling().search(text), text
    for text in ("the start of it", "a machine", "Order dapsone 100 mg daily"):
        assert not telling().search(text), text


# --- the words of the rules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_discreet_words_of_a_rule_tell_nothing_and_fit_a_line(rule: Any) -> None:
    words = rule.discreet
    for text in (words.title, words.usual, *words.cases.values()):
        assert not telling().search(text), text
        assert 0 < len(text) <= LONGEST_SUMMARY
        assert text[0].isupper()
        assert not text.endswith(".")


def test_every_discreet_sentence_is_said_in_some_case() -> None:
    said = {card["summary"].casefold() for _, card in pairs()}
    unsaid = {
        (rule.id, text)
        for rule in RULES.values()
        for text in (rule.discreet.cases.values() if rule.discreet.cases else [rule.discreet.usual])
        if not any(text.casefold() in one for one in said)
    }
    assert unsaid == set()


def test_each_urgency_has_its_own_sentence_or_the_usual_one_holds_for_it() -> None:
    rule = RULES["art-timing"].discreet
    assert set(rule.cases) <= set(URGENCY)
    assert "harm" in rule.cases["critical"]
    assert "harm" not in rule.usual


# --- who wants it ----------------------------------------------------------------------------------------------------


ENTRY = '[[issuer]]\niss = "https://ehr.example.org"\njwks = "https://ehr.example.org/jwks"\n'


@pytest.mark.parametrize(
    ("line", "site", "wanted"),
    [("", False, False), ("", True, True), ("discreet = true", False, True), ("discreet = false", True, False)],
)
def test_an_issuer_says_for_itself_and_else_the_site_says(tmp_path: Path, line: str, site: bool, wanted: bool) -> None:
    file = tmp_path / "issuers.toml"
    file.write_text(ENTRY + line, "utf-8")
    (issuer,) = read_issuers(str(file), KEYS[1:], discreet=site)
    assert issuer.shape
    assert issuer.shape.discreet is wanted


def test_feedback_on_a_discreet_card_counts_as_on_a_plain_one() -> None:
    request = legal("cd4-120-starting-art")
    NOW.day = as_of(request)
    client = create_app(replace(cases.settings_of(), discreet=True), NOW).test_client()
    cases.forget(client)
    (first, *_) = client.post("/cds-services/immune-status-order-sign", json=request).json["cards"]
    entry = {"card": first["uuid"], "outcome": "overridden", "outcomeTimestamp": f"{NOW.day}T12:00:01Z"}
    address = "/cds-services/immune-status-order-sign/feedback"
    assert client.post(address, json={"feedback": [entry]}).status_code == 200
    again = client.post("/cds-services/immune-status-order-sign", json=request | {"hookInstance": "another"})
    assert first["source"]["topic"]["code"] not in {one["source"]["topic"]["code"] for one in again.json["cards"]}
