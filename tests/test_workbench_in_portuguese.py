"""The workbench for a team that reads Portuguese: told so as far as it can be, the same in numbers, cards and what is sent."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.languages import load
from cds_service.web.wiring import KEY, Wiring
from cds_service.web.workbench import room_of
from cds_service.workbench.choices import CHOICE, said_by
from cds_service.workbench.page import Room, page
from cds_service.workbench.typed import NONE, WORDS
from hooks.record import LabResult
from tests.fixture_files import Clock, app_of, legal
from tests.test_languages import ENGLISH, PORTUGUESE, STRENGTHS
from tests.test_why_in_portuguese import VOICE, Parts, check_language
from tests.test_workbench import STARTING, SUPPRESSED, bundle
from tests.test_workbench_what_if import NO_ID, PARTS, keys, nameless_draft, pasted, unreadable

BRAZIL = {"Accept-Language": "pt-BR,pt;q=0.9"}
ROOM = room_of(PARTS, VOICE)
COMPARED = {"patient": STARTING, "cd4": "650", "load": "<20", "allergy": "severe", "add": "1433868"}
UNREAD = {"pasted": unreadable(), "result1": "cd4-count|Observation/odd|unread"}
SHOWN: Mapping[str, Mapping[str, str]] = {
    "as it begins": {},
    "what if": COMPARED,
    "a bundle": {"pasted": json.dumps(bundle()), "on": "2026-11-20", "order": "tmp-smx-ds-daily"},
    "what cannot be read": {"pasted": json.dumps(legal("results-that-cannot-be-read"))},
    "another guideline": {"patient": STARTING, "profile": "who", "on": "2027-12-01"},
    "no change": {"patient": STARTING, "cd4": "120", "measured": "2026-11-12"},
}
NOT_APPLIED: Mapping[str, tuple[Mapping[str, str], str]] = {
    "no such result": (
        {"result1": "cd4-count|Observation/elsewhere|2026-11-12", "value1": "90"},
        "Contagem de CD4: o resultado escolhido não está nesta ficha, ou não conta nela.",
    ),
    "of the future": (
        {"result1": "new|cd4-count", "value1": "90", "day1": "2027-01-01"},
        "Contagem de CD4 de 2027-01-01: não pode ser lido, porque tem data no futuro.",
    ),
    "of a day that has one": (
        {"result1": "new|cd4-count", "value1": "400", "day1": "2026-11-12"},
        "Contagem de CD4 de 2026-11-12: conta em seu lugar outro resultado do mesmo dia.",
    ),
    "no such drug": (
        {"remove": "7454"},
        "Medicamento nem em uso nem em prescrição: nenhuma entrada da lista de medicação e nenhum rascunho o contém,"
        " por isso nada foi retirado.",
    ),
    "no id": (
        {"pasted": nameless_draft(), "remove": "1433868"},
        "Medicamento não prescrito: veio sem id e não se pode distinguir de outros, por isso fica.",
    ),
    "a result without id": (
        {"pasted": pasted(cd4=NO_ID), "cd4": "90", "measured": "2026-11-01"},
        "Contagem de CD4 de 2026-11-12: veio sem id e não se pode distinguir de outros, por isso fica.",
    ),
    "no such allergy": ({"allergy": "none"}, "Alergia: nenhuma consta na ficha, por isso nada foi retirado."),
    "ended before it began": (
        {"patient": SUPPRESSED, "remove": "1999660", "until": "1990-01-01"},
        "Medicamento que não está em uso: uma entrada começa em",
    ),
    "no value": (UNREAD | {"day1": "2026-11-01"}, "Contagem de CD4 que não se pode ler: precisa de um valor"),
}
FAULTS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "number": ({"cd4": "many"}, "A contagem de CD4: indicar um número até 5\xa0000, ou um limite como <20."),
    "words": (
        {"result1": "new|viral-load", "value1": "x"},
        "A carga viral: indicar um número até 100\xa0000\xa0000, ou um limite como <20, ou não detectada.",
    ),
    "answers": (
        {"result1": "new|g6pd", "value1": "90"},
        "O resultado não é um dos que este teste pode ter: deficiente, normal.",
    ),
    "day": ({"on": "tomorrow"}, "O dia da avaliação: indicar um dia, como 2026-11-20."),
    "drug": ({"order": "x"}, "O medicamento a prescrever não está entre o que se pode escolher."),
    "together": ({"onset": "2026-11-01"}, "Foi indicado o dia de um diagnóstico, mas nenhum diagnóstico."),
    "patient": ({"patient": "nobody"}, "Não há tal paciente de demonstração."),
    "no request": ({"pasted": "{}"}, "Isto não é um pedido CDS Hooks, que indica o seu hook, nem um Bundle."),
    "hook": (
        {"pasted": '{"hook": "x"}'},
        "O hook do pedido não é um dos nossos: order-sign, order-select e patient-view.",
    ),
}
IDS = r"\b[A-Z]\w+/\S+|\b(?:immune-status-)?(?:order-(?:sign|select)|patient-view)\b|^[a-z0-9]+(?:-[a-z0-9]+)+ | — .*"


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return app_of(Clock()).test_client()


def sent(client: FlaskClient, form: Mapping[str, str], accepted: Mapping[str, str] = BRAZIL) -> TestResponse:
    answer = client.post("/workbench", data={"patient": STARTING} | form, headers=accepted)
    assert answer.status_code == 200
    return answer


def said(client: FlaskClient, form: Mapping[str, str]) -> Parts:
    return Parts(sent(client, form).text)


def left(found: Parts) -> list[str]:
    """What is said to be Portuguese and is not, but for ids, keys, and the titles in a picture, where nothing is marked."""
    told = [re.sub(IDS, "", one) for one in found.of("pt")]
    return [one for one in told if ENGLISH.search(one) or re.search(r"\d,\d{3}\b", one)]


@pytest.mark.parametrize(
    ("accepted", "language"), [(BRAZIL, "pt"), (PORTUGUESE, "pt"), ({}, "en"), ({"Accept-Language": "fr"}, "en")]
)
def test_it_speaks_the_language_that_the_browser_asks_for(
    client: FlaskClient, accepted: dict[str, str], language: str
) -> None:
    begun = client.get("/workbench", headers=accepted)
    for answer in (begun, sent(client, COMPARED, accepted), sent(client, {"pasted": "x"}, accepted)):
        check_language(answer, language, answer.text)
    assert ("Whose chart" in begun.text, "De quem é a ficha" in begun.text) == (language == "en", language == "pt")


def test_the_form_the_cards_and_what_changed_are_in_portuguese(client: FlaskClient) -> None:
    told = said(client, COMPARED).of("pt")
    for part in (
        "Bancada de ensaio",
        "Medicamento adicional em uso",
        "cotrimoxazol 800/160 mg, 1 comprimido por dia",
        "Meningite criptocócica",
        "SSJ, NET ou DRESS",
        "Contagem de CD4 120/µL, 12 nov 2026 (há 8 dias)",
        "Antes, e como seria",
        "Desaparece",
        "Novo",
        "recomendado, informação",
        "em silêncio",
    ):
        assert part in told, part
    assert any(one.endswith("Tudo aquilo de que as regras precisavam veio e pôde ser lido.") for one in told)
    assert any("uma palavra: não detectada, positivo, negativo, deficiente, normal." in one for one in told)
    assert any("“nenhum” apaga um resultado." in one for one in told)


def test_nothing_of_it_is_english_and_not_marked_as_that_for_every_patient_of_the_demo(client: FlaskClient) -> None:
    parts: Wiring = client.application.extensions[KEY]
    moments = parts.moments(Clock()().date())
    assert len(moments) > 5
    for one in moments:
        assert left(said(client, {"patient": one.key})) == [], one.key


@pytest.mark.parametrize("form", SHOWN.values(), ids=SHOWN)
def test_nothing_of_it_is_english_and_not_marked_as_that(client: FlaskClient, form: dict[str, str]) -> None:
    found = said(client, form)
    assert len(found.of("pt")) > 100
    assert left(found) == []


def test_english_that_is_not_marked_would_be_found() -> None:
    assert left(Parts('<html lang="pt"><p>Drug taken besides</p><p lang="en">Drug taken</p>')) == ["Drug taken besides"]


def test_what_stays_in_english_is_marked_as_english(client: FlaskClient) -> None:
    english = said(client, {}).of("en")
    assert "no drug against opportunistic infections is taken or ordered" in english
    assert "HIV immune status: order signing" in english
    assert any(one.startswith('{ "hook": "order-sign"') for one in english)
    refused = said(client, {"pasted": '{"hook": "order-sign"}'})
    assert any("not a CDS Hooks request" in one for one in refused.of("en"))
    assert "O serviço responderia a uma chamada com isto: 400 malformed-request." in refused.of("pt")


def test_in_english_nothing_is_marked_and_nothing_explained(client: FlaskClient) -> None:
    text = sent(client, COMPARED, {}).text
    assert text.count(" lang=") == 1
    assert "comma for thousands" not in text


@pytest.mark.parametrize(("form", "sentence"), NOT_APPLIED.values(), ids=NOT_APPLIED)
def test_what_cannot_be_applied_says_why_in_portuguese(
    client: FlaskClient, form: dict[str, str], sentence: str
) -> None:
    found = said(client, form)
    assert "Nem tudo pôde ser aplicado:" in found.of("pt")
    assert [one for one in found.of("pt") if one.startswith(sentence)]
    assert left(found) == []


@pytest.mark.parametrize(("form", "sentence"), FAULTS.values(), ids=FAULTS)
def test_what_makes_no_sense_is_said_in_portuguese(client: FlaskClient, form: dict[str, str], sentence: str) -> None:
    found = said(client, form)
    assert sentence in found.of("pt")
    assert left(found) == []


@pytest.mark.parametrize("form", SHOWN.values(), ids=SHOWN)
def test_the_numbers_and_what_is_sent_are_the_same_in_both_languages(client: FlaskClient, form: dict[str, str]) -> None:
    here, there = sent(client, form), sent(client, form, {})
    assert wire(here) == wire(there)
    assert numerals(here) == numerals(there)
    assert re.findall(r'mark-\w+|class="ehr-card is-\w+', here.text) == re.findall(
        r'mark-\w+|class="ehr-card is-\w+', there.text
    )


def wire(answer: TestResponse) -> list[str]:
    found = [re.sub(r"</?span[^>]*>", "", one) for one in re.findall(r"<pre[^>]*>(.*?)</pre>", answer.text, re.DOTALL)]
    assert len(found) == 2
    return found


def numerals(answer: TestResponse) -> Counter[str]:
    """Their digits, whatever sets thousands and decimals apart; the strength of co-trimoxazole is in words in English."""
    text = " ".join(one for _, one in Parts(answer.text).said)
    for strength in STRENGTHS:
        text = text.replace(strength, "")
    return Counter(re.sub(r"\D", "", one) for one in re.findall(r"\d+(?:[.,\xa0]\d+)*", text))


@pytest.mark.parametrize(
    ("typed", "number"),
    [("1500", "1500"), ("1,500", "1500"), ("1\xa0500", "1500"), ("1 500", "1500"), ("14.5", "14.5"), ("14,5", "14.5"),
     ("1,234.5", "1234.5"), ("109,25", "109.25")],
)  # fmt: skip
@pytest.mark.parametrize("room", [ROOM, room_of(PARTS)], ids=["pt", "en"])
def test_a_number_is_understood_as_either_language_writes_it(typed: str, number: str, room: Room) -> None:
    found = page({"patient": STARTING, "load": typed}, room)
    assert found.now, found.fault
    assert found.now.record.viral_loads[0].number == Decimal(number)


@pytest.mark.parametrize("typed", ["1.500", "0,500", "1,50,0", "1,5000", "12 34", "1.234,5", "1,234,5", "1 500.125"])
def test_a_number_that_may_be_another_is_not_guessed(typed: str) -> None:
    assert page({"patient": STARTING, "load": typed}, ROOM).fault.startswith("The viral load: a number up to")


@pytest.mark.parametrize("key", ["viral-load", "g6pd", "crag"])
def test_a_result_in_words_is_understood_in_portuguese_and_in_english(key: str) -> None:
    messages = load("pt").messages
    for word in said_by(key):
        (told,) = messages[CHOICE, word]
        for typed in (word, told, told.upper(), told.replace("ã", "a")):
            found = page({"patient": STARTING, "result1": f"new|{key}", "value1": typed}, ROOM)
            assert found.now, found.fault
            newest = found.now.record.results(key)[0]
            assert (newest.detected is False) if isinstance(newest, LabResult) else newest.result == word
    english = page({"patient": STARTING, "result1": f"new|{key}", "value1": "não detectada"}, room_of(PARTS))
    assert english.fault


@pytest.mark.parametrize("word", ["none", "nenhum", "Nenhum"])
def test_a_result_is_taken_away_in_either_language(word: str) -> None:
    key = keys("cd4-count")[0]
    found = page({"patient": SUPPRESSED, "result1": key, "value1": word}, ROOM)
    assert found.now
    assert len(found.now.record.cd4_counts) == 3


def test_every_word_that_can_be_typed_is_told_on_the_form() -> None:
    measures = ("viral-load", "g6pd", *(key.removeprefix("new|") for key in ROOM.choices.tests))
    assert {word for one in measures for word in said_by(one)} == set(WORDS)
    assert NONE not in WORDS


def test_what_can_be_chosen_stands_by_its_name_in_portuguese(client: FlaskClient) -> None:
    text = sent(client, {}).text
    drugs = text[text.index('id="add"') : text.index('id="remove"')]
    named = re.findall(r"<option[^>]*>(.*?)</option>", drugs[drugs.index("Outras substâncias ativas") :])
    assert named.index("ácido folínico") < named.index("amoxicilina") < named.index("óxido de zinco")
    assert len(named) > 100


def test_a_card_that_has_to_stay_in_english_is_marked_whole(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = load("pt")
    lost = ("", "CD4 count {side}/µL, and nothing taken or ordered covers Pneumocystis.")
    left_over = {key: forms for key, forms in catalogue.messages.items() if key != lost}
    monkeypatch.setattr("cds_service.web.spoken.load", lambda _: replace(catalogue, messages=left_over))
    answer = sent(client, {"cd4": "90"})
    assert answer.headers["Content-Language"] == "pt, en"
    assert '<article class="ehr-card is-warning mark-changed" lang="en">' in answer.text
    found = Parts(answer.text)
    assert "Alterado" in found.of("pt")
    assert any(one.endswith("Pneumocystis prophylaxis is due") for one in found.of("en"))
