"""Discreet cards: whatever is said of whomever, a card's face tells nothing of the infection, and its detail tells all."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cds_service.access.trust_file import read_issuers
from cds_service.app import create_app
from cds_service.chart.prefetch import KEYS
from cds_service.languages import LANGUAGES, Voice, load
from cds_service.wire.shape import STANDARD, Shape
from hooks import SERVICES
from hooks.advice import URGENCY
from hooks.discreet import FACE
from tests import cases
from tests.card_texts import LONGEST_SUMMARY
from tests.cases import NOW
from tests.fixture_files import as_of, legal
from tests.renderings import everything
from tests.telling_words import drugs, face, telling

RULES = {rule.id: rule for service in SERVICES for rule in service.rules}
DISCREET = Shape(discreet=True)
each_language = pytest.mark.parametrize("language", LANGUAGES)
Card = dict[str, Any]
Pair = tuple[Card, Card]


@cache
def pairs(language: str = "en") -> tuple[Pair, ...]:
    """Each plain card with the discreet one, none of them told in English for want of words."""
    asked, voice = everything(), Voice(load(language)) if language != "en" else Voice()
    plain, covered = (
        tuple(card for one in asked for card in one.cards(shape, voice)) for shape in (STANDARD, DISCREET)
    )
    assert voice.spoken == language
    return tuple(zip(plain, covered, strict=True))


@each_language
def test_no_face_of_any_card_tells_of_hiv_its_treatment_its_tests_or_an_infection(language: str) -> None:
    told = {text for _, card in pairs(language) for text in face(card) if telling(language).search(text)}
    assert told == set()


@each_language
def test_what_a_face_leaves_out_its_detail_tells(language: str) -> None:
    for plain, card in pairs(language):
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


@each_language
def test_nothing_but_the_words_differs(language: str) -> None:
    for plain, card in pairs(language):
        kept = {"uuid", "indicator", "overrideReasons", "selectionBehavior"}
        assert {name: plain.get(name) for name in kept} == {name: card.get(name) for name in kept}
        assert plain["source"]["topic"]["code"] == card["source"]["topic"]["code"]
        assert [bare(one) for one in plain.get("suggestions", ())] == [bare(one) for one in card.get("suggestions", ())]


def bare(suggestion: Card) -> Card:
    """A suggestion without the words for people."""
    actions = [{name: one for name, one in action.items() if name != "description"} for action in suggestion["actions"]]
    return {name: one for name, one in suggestion.items() if name != "label"} | {"actions": actions}


@each_language
def test_a_discreet_face_reads_like_a_face(language: str) -> None:
    for _, card in pairs(language):
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
    told = {one["label"] for _, card in pairs("pt") for one in card.get("suggestions", ())}
    assert "Prescrever cotrimoxazol 800/160 mg, 1 comprimido por dia" in told
    assert "Pedir G6PD" in told


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_what_tells_in_english_tells_in_every_language(language: str) -> None:
    """So that no translation is read past: each message that would tell is found in its translation, and no face of a rule is."""
    found = load(language).messages.items()
    messages = [(context, one, text) for (context, one), forms in found for text in forms]
    unseen = [
        (one, text) for context, one, text in messages if telling().search(one) and not telling(language).search(text)
    ]
    assert unseen == []
    faces = [text for context, _, text in messages if context == FACE]
    assert len(faces) > 70
    assert [text for text in faces if telling(language).search(text)] == []


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
    for text in (
        "infecção por VIH",
        "teste de HIV",
        "SIDA",
        "iniciar TARV",
        "antirretrovirais",
        "CD4 baixo",
        "carga viral",
    ):
        assert telling("pt").search(text), text
    for text in (
        "falência virológica",
        "hepatite B",
        "profilaxia de toxoplasma",
        "Prescrever isoniazida 300 mg",
        "viremia",
    ):
        assert telling("pt").search(text), text
    for text in ("tomar antes de comer", "uma doença", "Prescrever dapsona 100 mg por dia", "(1 de 2)"):
        assert not telling("pt").search(text), text


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
