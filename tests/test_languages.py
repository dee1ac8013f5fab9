"""Cards in another language: whole, as short, with the same codes, numbers and orders; and who decides on the language."""

import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.languages import Voice, load
from cds_service.wire.cards import render
from cds_service.wire.override_reasons import OVERRIDE_REASONS, displayed
from hooks import SERVICES
from hooks.assess import Assessment, Finding
from hooks.knowledge import load as load_knowledge
from hooks.knowledge import load_profiles
from hooks.record import Gap
from hooks.sentences import say
from tests.cases import CASES, NOW, SERVICE_OF, Case, answer, client_of, forget
from tests.fixture_files import ANCHOR, EVALUATION, Clock, app_of, as_of, legal, read, request_files, service_for
from tests.hostile_texts import HOSTILE, PIECES, places, put, strings
from tests.test_access import BODY, JSON, ONE, TWO, Site
from tests.test_access import NOW as MOMENT
from tests.test_orders import KNOWLEDGE
from tests.test_wire import CALL, DATA

PORTUGUESE = {"Accept-Language": "pt-BR,pt;q=0.9,en;q=0.5"}
LONGEST = 139
FILES = [path for path in request_files() if path.parent.name != "refused"]
# Words that stand in nearly every English sentence and are none in Portuguese
ENGLISH = re.compile(
    r"\b(?:the|and|of|is|are|was|were|with|from|this|that|which|been|has|have|not|before|after|without|below|above|taken"
    r"|ordered|due|patient|drug|treatment|prophylaxis|count|load|order)\b",
    re.IGNORECASE,
)
STRENGTHS = ("800/160 mg", "400/80 mg")  # in words in English
OF_SOURCES = ("Source: ", "Fonte: ", "The first of the sources: ", "A primeira das fontes: ")
Card = dict[str, Any]


def in_portuguese(case: Case) -> TestResponse:
    client, chart = client_of(case), case.chart()
    NOW.day = chart.as_of
    forget(client)
    path = f"/cds-services/{SERVICE_OF[case.hook].id}"
    return client.post(path, json=chart.request(case.hook), headers=PORTUGUESE)


def spoken(card: Card) -> Iterator[str]:
    """Everything on a card that a clinician reads, but for the sources, which are told as their authors title them."""
    yield card["summary"]
    yield from () if "url" in card["source"] else (card["source"]["label"],)
    yield card["source"].get("topic", {}).get("display", "")
    yield from (line for line in card["detail"].splitlines() if not line.startswith(OF_SOURCES))
    yield from (one["display"] for one in card.get("overrideReasons", ()))
    yield from (one["label"] for one in card.get("links", ()))
    for offered in card.get("suggestions", ()):
        yield offered["label"]
        yield from (action["description"] for action in offered["actions"])


def numerals(card: Card) -> Counter[str]:
    """Every numeral on a card, written alike."""
    text = "\n".join(spoken(card)).replace("\N{NO-BREAK SPACE}", "")
    for one in STRENGTHS:
        text = text.replace(one, "")
    portuguese = "Fonte: " in card["detail"] or card["summary"].startswith("Não avaliado: ")
    text = text if portuguese else re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    return Counter(one.replace(",", ".") for one in re.findall(r"\d+(?:[.,]\d+)?", text))


def coded(node: Any) -> Any:
    """The same value without what a person reads: codes, identities, numbers and dates are left."""
    if isinstance(node, dict):
        words = {"summary", "detail", "label", "display", "description", "text", "unit"}
        return {key: coded(one) for key, one in node.items() if key not in words}
    return [coded(one) for one in node] if isinstance(node, list) else node


def faults(told: TestResponse, english: dict[str, Any]) -> Iterator[str]:
    """What a Portuguese answer must not be, beside the English one to the same call."""
    body = told.get_json()
    if told.headers["Content-Language"] != "pt":
        yield f"in {told.headers['Content-Language']}: {[card['summary'] for card in body['cards']]}"
    if coded(body) != coded(english):
        yield "it does not say the same in codes"
    for card, same in zip(body["cards"], english["cards"], strict=True):
        yield from faults_of(card, same)


def faults_of(card: Card, same: Card) -> Iterator[str]:
    """What a Portuguese card must not be, beside the English one."""
    yield from (f"English: {text}" for text in spoken(card) if ENGLISH.search(text))
    if not 0 < len(card["summary"]) <= LONGEST:
        yield f"a summary of {len(card['summary'])}: {card['summary']}"
    if numerals(card) != numerals(same):
        yield f"other numbers: {numerals(card) - numerals(same)}, {numerals(same) - numerals(card)}: {card['summary']}"


def test_cards_of_every_rule_are_told_whole_in_portuguese_over_http() -> None:
    """Some of each rule; all of them, without HTTP, are in tests/test_shapes_in_languages.py."""
    some = CASES[::7]
    assert {case.rule for case in some} == {case.rule for case in CASES}
    found = [(case.rule, fault) for case in some for fault in faults(in_portuguese(case), answer(case))]
    assert found == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_card_of_the_fixtures_is_told_whole_in_portuguese(path: Path) -> None:
    clock, request = Clock(), read(path)
    clock.set(as_of(request))
    client, address = app_of(clock).test_client(), f"/cds-services/{service_for(request)}"
    told = client.post(address, json=request, headers=PORTUGUESE)
    assert list(faults(told, client.post(address, json=request).get_json())) == []


def test_english_left_on_a_card_would_be_found() -> None:
    card = {"summary": "A contagem", "detail": "- Nothing taken covers it", "overrideReasons": []}
    card["source"] = {"topic": {"display": "x"}, "url": "x"}
    assert [text for text in spoken(card) if ENGLISH.search(text)] == ["- Nothing taken covers it"]


def test_a_not_assessed_card_fits_its_line_in_portuguese_too() -> None:
    profile, voice = load_profiles(load_knowledge())["dhhs"], Voice(load("pt"))
    serious = [replace(rule, worst="warning") for service in SERVICES for rule in service.rules]
    for why in (say("was not supplied"), say("came only in part"), say("its unit is not known for this test")):
        for rules in (serious, *([rule] for rule in serious)):
            gaps = tuple(Gap(datum, why) for datum in DATA)
            found = tuple(Finding(rule=one, outcome="not-assessed", missing=DATA, gaps=gaps) for one in rules)
            body = render(Assessment(profile, found), SERVICES[0], CALL, ANCHOR, "off", voice=voice)
            assert body["cards"][0]["summary"].startswith("Não avaliado: ")
    assert voice.spoken == "pt"


def test_a_card_with_one_message_that_has_no_translation_is_told_whole_in_english(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue = load("pt")
    lost = "CD4 count {side}/µL, and nothing taken or ordered covers Pneumocystis."
    left = {key: forms for key, forms in catalogue.messages.items() if key != ("", lost)}
    monkeypatch.setattr("cds_service.web.spoken.load", lambda _: replace(catalogue, messages=left))
    with caplog.at_level(logging.ERROR, "cds_service.wire"):
        told = ask("pt")
    english = ask("en").get_json()["cards"]
    cards = told.get_json()["cards"]
    assert told.headers["Content-Language"] == "pt, en"
    assert [card in english for card in cards] == [
        card["source"]["topic"]["code"] == "PneumocystisStart" for card in cards
    ]
    assert any(card in english for card in cards)
    assert any(card not in english for card in cards)
    (said,) = caplog.records
    assert (said.__dict__["event"], said.__dict__["rule"], said.__dict__["fault"]) == (
        "card-in-english",
        "pneumocystis-start",
        "Untranslated",
    )


def test_a_card_whose_summary_has_no_room_in_the_other_language_is_told_whole_in_english(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalogue = load("pt")
    longer = {("", "CD4 {amount} on {day}: {named} is due"): ("CD4 {amount} {day} {named} " + "muito " * 25,)}
    monkeypatch.setattr(
        "cds_service.web.spoken.load", lambda _: replace(catalogue, messages={**catalogue.messages, **longer})
    )
    told = ask("pt")
    assert told.headers["Content-Language"] == "pt, en"
    assert "Pneumocystis prophylaxis is due" in told.get_json()["cards"][0]["summary"]


# --- who decides -----------------------------------------------------------------------------------------------------

CLIENT = app_of(Clock()).test_client()


def ask(accepted: str | None, client: FlaskClient = CLIENT) -> TestResponse:
    request = legal("cd4-120-starting-art")
    headers = {"Accept-Language": accepted} if accepted is not None else {}
    return client.post(f"/cds-services/{service_for(request)}", json=request, headers=headers)


@pytest.mark.parametrize(
    ("accepted", "told"),
    [
        (None, "en"),
        ("", "en"),
        ("pt", "pt"),
        ("pt-MZ", "pt"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("PT", "pt"),
        ("fr, pt;q=0.5", "pt"),
        ("en, pt;q=0.5", "en"),
        ("fr", "en"),
        ("pt;q=0", "en"),
        ("*", "en"),
        (";;,,=", "en"),
        ("p" * 4000, "en"),
    ],
)
def test_the_request_decides_where_nothing_else_does(accepted: str | None, told: str) -> None:
    found = ask(accepted)
    assert found.headers["Content-Language"] == told
    assert found.headers["Vary"] == "Accept-Language, Origin"
    assert found.get_json()["cards"][0]["overrideReasons"][1]["display"] == (
        "O paciente recusa" if told == "pt" else "Patient declines"
    )


def test_the_entry_of_a_client_outweighs_what_its_request_accepts(tmp_path: Path) -> None:
    site = Site(tmp_path, 'language = "pt"')
    for client, accepted, told in ((ONE, "en", "pt"), (ONE, "", "pt"), (TWO, "pt", "pt"), (TWO, "en", "en")):
        headers = JSON | client.authorization(now=MOMENT) | {"Accept-Language": accepted}
        found = site.client.post("/cds-services/immune-status-order-sign", data=BODY, headers=headers)
        assert (found.status_code, found.headers["Content-Language"]) == (200, told)


def test_the_evaluation_is_in_english_for_machines() -> None:
    assert ask("pt").get_json()["extension"] == ask("en").get_json()["extension"]


# --- what does not depend on it --------------------------------------------------------------------------------------


def test_a_reason_is_known_by_its_words_in_every_language() -> None:
    voice = Voice(load("pt"))
    for one in OVERRIDE_REASONS:
        assert displayed(voice.tell(one.display).upper()) == displayed(one.display) == one


def test_what_was_overridden_in_one_language_is_silent_in_the_other() -> None:
    client = app_of(Clock()).test_client()
    first = ask("pt", client).get_json()
    led = next(card for card in first["cards"] if card["source"]["topic"]["code"] == "PneumocystisStart")
    reason = {"reason": {"display": "O paciente recusa"}}
    entry = {"card": led["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-20T11:00:00Z"} | {
        "overrideReason": reason
    }
    path = f"/cds-services/{service_for(legal('cd4-120-starting-art'))}/feedback"
    assert client.post(path, json={"feedback": [entry]}).status_code == 200
    outcomes = {one["rule"]: one for one in ask("en", client).get_json()["extension"][EVALUATION]["findings"]}
    assert outcomes["pneumocystis-start"]["outcome"] == "held"


def test_a_hostile_text_comes_back_in_no_language() -> None:
    request = legal("cd4-120-starting-art")
    for place in places(request):
        told = CLIENT.post(
            f"/cds-services/{service_for(request)}", json=put(request, place, HOSTILE), headers=PORTUGUESE
        )
        said = [*strings(told.get_json(force=True)), *(text for pair in told.headers for text in pair)]
        assert not [one for one in said if any(piece in one for piece in PIECES)], place


def test_an_order_is_coded_alike_and_worded_for_its_reader() -> None:
    offered = ask("pt").get_json()["cards"][0]["suggestions"][0]["actions"][0]["resource"]
    assert offered["dosageInstruction"][0]["text"] == "1 comprimido por via oral uma vez por dia"
    display = offered["medicationCodeableConcept"]["coding"][0]["display"]
    assert display in {drug.display for regimen in KNOWLEDGE.regimens.values() for drug in regimen.drugs}
