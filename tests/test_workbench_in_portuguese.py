"""The workbench for a team that reads Portuguese: told so as far as it can be, the same in numbers, cards and what is sent."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.languages import load
from cds_service.web.wiring import KEY, Wiring
from cds_service.web.workbench import _pretty
from hooks.sentences import Sentence
from tests.fixture_files import Clock, app_of, legal
from tests.test_access import ONE, PASSWORD, Site
from tests.test_languages import ENGLISH, PORTUGUESE, STRENGTHS
from tests.test_local_codes import MAP
from tests.test_why_in_portuguese import VOICE, Parts, check_language
from tests.test_workbench import STARTING, bundle
from tests.test_workbench_clients import MORE
from tests.test_workbench_clients import PASTED as CLIENTS_OWN

BRAZIL = {"Accept-Language": "pt-BR,pt;q=0.9"}
COMPARED = {"patient": STARTING, "cd4": "650", "load": "<20", "allergy": "severe", "add": "1433868"}
SHOWN: Mapping[str, Mapping[str, str]] = {
    "as it begins": {},
    "what if": COMPARED,
    "a bundle": {"pasted": json.dumps(bundle()), "on": "2026-11-20", "order": "tmp-smx-ds-daily"},
    "what cannot be read": {"pasted": json.dumps(legal("results-that-cannot-be-read"))},
    "another guideline": {"patient": STARTING, "profile": "who", "on": "2027-12-01"},
    "no change": {"patient": STARTING, "cd4": "120", "measured": "2026-11-12"},
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


def test_what_can_be_chosen_stands_by_its_name_in_portuguese(client: FlaskClient) -> None:
    text = sent(client, {}).text
    drugs = text[text.index('id="add"') : text.index('id="remove"')]
    named = re.findall(r"<option[^>]*>(.*?)</option>", drugs[drugs.index("Outras substâncias ativas") :])
    assert named.index("ácido folínico") < named.index("amoxicilina") < named.index("óxido de zinco")
    assert len(named) > 100


def test_the_client_of_a_site_is_named_in_portuguese(tmp_path: Path) -> None:
    (tmp_path / "local-codes.toml").write_text(MAP, "utf-8")
    site = Site(tmp_path, MORE)
    form = {"pasted": CLIENTS_OWN, "client": ONE.iss}
    found = Parts(site.client.post("/workbench", data=form, auth=("", PASSWORD), headers=BRAZIL).text)
    assert f"Tal como {ONE.iss} a envia: leem-se 6 códigos próprios; não pode enviar orders." in found.of("pt")
    assert "Tal como este cliente a envia" in found.of("pt")
    assert left(found) == []


def test_what_is_too_long_to_be_shown_is_said_in_portuguese() -> None:
    said_so = _pretty(b"1" * ((1 << 20) + 1))
    assert isinstance(said_so, Sentence)
    assert VOICE.tell(said_so) == "1\xa0048\xa0577 bytes: demasiado longo para ser mostrado."


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
