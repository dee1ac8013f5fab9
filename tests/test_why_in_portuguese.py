"""The why page for a clinician who reads Portuguese: it is told so as far as it can be, the rest is marked; and who decides."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from cds_service.languages import Voice, load
from cds_service.why.refused import SAID, Word
from tests.smart_launch import PATIENT, Scene, launching
from tests.test_languages import ENGLISH, PORTUGUESE
from tests.test_why import failing

VOICE = Voice(load("pt"))
OF_THE_CHART = "of the chart"
AS_IT_CAME = {"came", "quiet"}  # classes of what stands in the chart: nobody translates it
EMPTY = {"meta", "link"}


class Parts(HTMLParser):
    """Every text of a page, spoken labels too, with the language it is marked as and whether it is of the chart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []
        self._open: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        lang = own.get("lang") or (self._open[-1][1] if self._open else "")
        if tag == "code" or AS_IT_CAME & set((own.get("class") or "").split()):
            lang = OF_THE_CHART
        self.said += [(lang, own[name] or "") for name in ("aria-label", "data-label", "label") if name in own]
        if tag not in EMPTY:
            self._open.append((tag, lang))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A sign in a picture, without text."""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.said.append((self._open[-1][1] if self._open else "", re.sub(r"[ \n]+", " ", data).strip(" \n")))

    def of(self, lang: str) -> list[str]:
        return [text for one, text in self.said if one == lang]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with launching(tmp_path_factory.mktemp("site")) as found:
        yield found


@pytest.fixture
def scene(stage: Scene) -> Scene:
    stage.begin_anew()
    return stage


def page(scene: Scene, patient: str = PATIENT, accepted: str = PORTUGUESE["Accept-Language"]) -> requests.Response:
    session = scene.session()
    session.headers["Accept-Language"] = accepted
    return scene.page(session, patient)


def check_language(answer: Any, language: str, text: str) -> None:
    assert f'<html lang="{language}">' in text
    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" in answer.headers["Vary"]


def test_it_speaks_the_language_that_the_browser_asks_for(scene: Scene) -> None:
    answer = page(scene)
    check_language(answer, "pt", answer.text)
    said = Parts(answer.text).of("pt")
    for part in (
        "Porquê esta recomendação",
        "CD4 120/µL em 12 nov: profilaxia de Pneumocystis indicada",
        "Contagem de CD4 200/µL, não 120/µL: informação",
        "carga viral do HIV 250\N{NO-BREAK SPACE}000 cópias/mL, 12 nov 2026 (há 8 dias)",
        "1\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000",  # beside the axis
        "estabelecida (infecção por HIV na lista de problemas)",
        "aviso",
        "Tudo o que foi pedido veio e pôde ser lido.",
    ):
        assert part in said
    assert any("12:00 UTC de 20 de novembro de 2026" in one for one in said)
    assert any(one.startswith("Contagem de CD4, um resultado: 120/µL em 12 nov 2026.") for one in said)
    assert any("com vírgula para os milhares" in one for one in said)


def test_what_is_not_marked_as_english_is_portuguese_for_every_patient_of_the_demo(scene: Scene) -> None:
    patients = list(scene.ehr.charts.by_patient)
    assert len(patients) > 5
    for patient in patients:
        found = Parts(page(scene, patient).text)
        # an id of the chart; the key of a threshold; a title within a picture, where nothing can be marked
        unmarked = rf"\b[A-Z]\w+/{patient}\S*|^[a-z0-9]+(-[a-z0-9]+)+ | — .*"
        said = [re.sub(unmarked, "", one) for one in found.of("pt")]
        assert len(said) > 100
        assert [one for one in said if ENGLISH.search(one) or re.search(r"\d,\d{3}\b", one)] == [], patient


def test_what_stays_in_english_is_marked_as_english(scene: Scene) -> None:
    english = Parts(page(scene).text).of("en")
    for part in (
        "no drug against opportunistic infections is taken or ordered",
        "DHHS guidelines for opportunistic infections in adults and adolescents with HIV, 2019",
        "DHHS guidelines for opportunistic infections in adults and adolescents with HIV, Pneumocystis pneumonia"
        " (initiating primary prophylaxis), AI, 2019",
    ):
        assert part in english


@pytest.mark.parametrize("accepted", ["", "en", "fr"])
def test_in_english_nothing_is_marked_and_nothing_explained(scene: Scene, accepted: str) -> None:
    answer = page(scene, accepted=accepted)
    check_language(answer, "en", answer.text)
    assert answer.text.count(" lang=") == 1
    assert "comma for thousands" not in answer.text


def test_the_entry_of_the_ehr_outweighs_the_browser(tmp_path: Path) -> None:
    with launching(tmp_path, 'language = "pt"') as scene:
        answer = page(scene, accepted="en")
        check_language(answer, "pt", answer.text)
        scene.ehr.token_seconds = -1
        refused = page(scene, accepted="en")
    check_language(refused, "pt", refused.text)
    assert VOICE.tell(SAID["access-over"].happened) in Parts(refused.text).of("pt")


@pytest.mark.parametrize("word", SAID)
def test_each_refusal_has_its_sentences_in_portuguese(word: Word) -> None:
    said = SAID[word]
    for one in (said.happened, said.do):
        assert VOICE.tell(one) != str(one)
        assert not ENGLISH.search(VOICE.tell(one))


def test_a_launch_of_nobody_known_is_refused_in_the_language_of_the_browser(scene: Scene) -> None:
    client = FlaskClient(scene.site.app)
    asked = {"iss": "https://other.example.org", "launch": "x"}
    for accepted, language in (("pt-MZ", "pt"), ("en", "en"), ("de", "en")):
        answer = client.get("/why/launch", query_string=asked, headers={"Accept-Language": accepted})
        check_language(answer, language, answer.text)
        told = VOICE.tell(SAID["unknown-ehr"].happened) if language == "pt" else str(SAID["unknown-ehr"].happened)
        assert (answer.status_code, told in Parts(answer.text).of(language)) == (400, True)


def test_what_did_not_come_is_named_in_portuguese(scene: Scene) -> None:
    failing(scene, "AllergyIntolerance", "403 x")
    said = Parts(page(scene).text).of("pt")
    assert "A lista de alergias: nada veio; o sistema clínico não deixa esta página lê-lo." in said
    assert "Tudo o que foi pedido veio e pôde ser lido." not in said


def test_a_chart_of_which_too_little_came_is_no_silence_in_portuguese_either(scene: Scene) -> None:
    failing(scene, "Observation", "500 x")
    said = Parts(page(scene).text).of("pt")
    assert "Veio da ficha demasiado pouco para se consultar qualquer regra." in said
    assert "Se nenhuma recomendação é mostrada, isso não significa que nada esteja indicado: verificar a ficha." in said


def test_a_card_that_has_to_stay_in_english_is_marked_whole(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = load("pt")
    lost = ("", "CD4 count {side}/µL, and nothing taken or ordered covers Pneumocystis.")
    left = {key: forms for key, forms in catalogue.messages.items() if key != lost}
    monkeypatch.setattr("cds_service.web.spoken.load", lambda _: replace(catalogue, messages=left))
    answer = page(scene)
    assert answer.headers["Content-Language"] == "pt, en"
    found = Parts(answer.text)
    assert "CD4 120/µL on 12 Nov: Pneumocystis prophylaxis is due" in found.of("en")
    assert "CD4 120/µL em 12 nov, antes de TARV: antígeno criptocócico indicado" in found.of("pt")
    assert "CD4 count below 200/µL, and nothing taken or ordered covers Pneumocystis." in found.of("en")
    assert answer.text.count('<article class="ehr-card is-warning" lang="en">') == 1
    assert answer.text.count('<p class="tags" lang="pt">') == 1
    assert not [one for one in found.of("pt") if "nothing taken or ordered" in one]


def test_what_the_chart_says_is_never_markup_in_portuguese_either(scene: Scene) -> None:
    patient = next(one for one in scene.ehr.charts.by_patient[PATIENT] if one["resourceType"] == "Patient")
    patient["name"] = [{"text": "<img src=x onerror=alert(1)>"}]
    text = page(scene).text
    assert "&lt;img src=x" in text
    assert "<img" not in text
