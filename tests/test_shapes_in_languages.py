"""Cards of a client's own shape, discreet or fitted, in another language: as whole, as short and as true as everybody's."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from cds_service.languages import LANGUAGES, Voice, load
from cds_service.wire.cards import render
from cds_service.wire.shape import Shape
from hooks import SERVICES
from hooks.assess import Assessment, Finding
from hooks.knowledge import load_profiles
from hooks.record import Gap
from hooks.sentences import say
from tests.fixture_files import ANCHOR
from tests.renderings import KNOWLEDGE, everything
from tests.test_access import BODY, JSON, ONE, Site
from tests.test_access import NOW as MOMENT
from tests.test_languages import LONGEST, coded, faults_of
from tests.test_shapes import SHAPES, UNUSUAL, actions
from tests.test_wire import CALL, DATA

ALL_SHAPES = UNUSUAL | {"usual": Shape(), "discreet": Shape(discreet=True)}
BY_HAND = "To be done by hand: {what}."


@pytest.mark.parametrize("shape", ALL_SHAPES.values(), ids=ALL_SHAPES)
def test_every_card_of_every_shape_is_told_whole_in_portuguese(shape: Shape) -> None:
    voice, found, told = Voice(load("pt")), set(), 0
    for one in everything():
        english, cards = one.cards(shape), one.cards(shape, voice)
        assert coded(cards) == coded(english)
        found |= {fault for card, same in zip(cards, english, strict=True) for fault in faults_of(card, same)}
        told += len(cards)
    assert found == set()
    assert voice.spoken == "pt"
    assert told > 500


def test_a_card_whose_line_has_no_translation_is_told_whole_in_english(caplog: pytest.LogCaptureFixture) -> None:
    catalogue, shape = load("pt"), UNUSUAL["create-only"]
    left = {key: forms for key, forms in catalogue.messages.items() if key != ("", BY_HAND)}
    whole, lacking = Voice(catalogue), Voice(replace(catalogue, messages=left))
    found = set()
    with caplog.at_level(logging.CRITICAL, "cds_service.wire"):
        for one in everything():
            for english, told, card in zip(
                *(one.cards(shape, each) for each in (Voice(), whole, lacking)), strict=True
            ):
                by_hand = "- To be done by hand: " in english["detail"]
                assert card == (english if by_hand else told)
                found.add(by_hand)
    assert found == {True, False}
    assert lacking.spoken == "pt, en"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_discreet_not_assessed_card_fits_its_line_whichever_data_are_missing(language: str) -> None:
    profile, voice = load_profiles(KNOWLEDGE)["dhhs"], Voice(load(language)) if language != "en" else Voice()
    serious = [replace(rule, worst="warning") for service in SERVICES for rule in service.rules]
    for data in (DATA[place:] + DATA[:place] for place in range(len(DATA))):
        gaps = tuple(Gap(datum, say("was not supplied")) for datum in data)
        for rules in ([first, *serious] for first in serious):
            found = tuple(Finding(rule=one, outcome="not-assessed", missing=data, gaps=gaps) for one in rules)
            body = render(
                Assessment(profile, found), SERVICES[0], CALL, ANCHOR, "off", shape=ALL_SHAPES["discreet"], voice=voice
            )
            assert len(body["cards"][0]["summary"]) <= LONGEST
    assert voice.spoken == language


def test_what_an_order_says_in_words_is_in_the_language_and_its_codes_are_not() -> None:
    voice = Voice(load("pt"))
    cards = [card for one in everything() for card in one.cards(SHAPES["openmrs"], voice)]
    orders = [action["resource"] for card in cards for action in actions(card) if action["type"] == "create"]
    dosages = [one["dosageInstruction"][0]["route"] for one in orders if "dosageInstruction" in one]
    assert {(one["text"], one["coding"][0]["display"]) for one in dosages} == {
        ("Via oral", "Oral route"),
        ("Via respiratória", "Respiratory tract route"),
    }
    assert {one["dispenseRequest"]["expectedSupplyDuration"]["unit"] for one in orders if "dispenseRequest" in one} == {
        "dias"
    }


def test_a_client_may_have_its_language_and_its_shape_at_once(tmp_path: Path) -> None:
    site = Site(tmp_path, 'language = "pt"\ndiscreet = true')
    headers = JSON | ONE.authorization(now=MOMENT)
    found = site.client.post("/cds-services/immune-status-order-sign", data=BODY, headers=headers)
    assert (found.status_code, found.headers["Content-Language"]) == (200, "pt")
    cards = json.loads(found.data)["cards"]
    assert cards
    assert all("\n\nA primeira das fontes: " in card["detail"] for card in cards)
    assert all(card["source"]["label"].startswith("Fonte clínica, indicada no detalhe, ") for card in cards)
