"""The page `/report` for a team that reads Portuguese: told so whole, with the same figures; tables and refusals as they are."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert
from werkzeug.test import TestResponse

from cds_service.languages import Voice, load
from cds_service.ledger import Ledger
from cds_service.ledger.tallies import Tally
from cds_service.report import words
from cds_service.report.counts import Counts
from cds_service.web.wiring import KEY
from hooks import SERVICES
from hooks.wording import NAMED
from tests.feedback_history import A, at, say, tell
from tests.fixture_files import Clock, app_of
from tests.test_languages import ENGLISH
from tests.test_report_page import NOVEMBER
from tests.test_why_in_portuguese import Parts, check_language

VOICE = Voice(load("pt"))
PORTUGUESE = "pt-BR,pt;q=0.9"
GONE = "a rule that is no more"
NOTHING = "/report?from=2020-01-01&to=2020-01-31"
QUERIES = (
    NOVEMBER,
    f"{NOVEMBER}&by=day",
    f"{NOVEMBER}&by=month",
    f"{NOVEMBER}&rule=art-start&service=immune-status-order-sign&issuer=https%3A%2F%2Fa.example%2Ffhir",
    NOTHING,
)
ID = re.compile(r"\b[a-z]+(-[a-z]+)+\b")  # of a rule or a service, where one was asked for
ALIKE = {"CSV", "JSON", "A", "N", "O"}  # in both languages; the letters are signs of the bars


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """The demo's service on the ledger with the history, a rule that is no more, and a figure of five digits."""
    made = Ledger(f"sqlite:///{tmp_path_factory.mktemp('report') / 'ledger.sqlite3'}")
    tell(made)
    say(made, 60, at(11, 23), "p9", "f9", GONE)
    row = {"day": at(11, 23).date(), "issuer": A, "service": "immune-status-order-sign", "rule": "iris-watch"}
    with made.database.writing() as connection:
        connection.execute(insert(Tally), [row | {"outcome": "silent", "why": "", "times": 12_345}])
    app = app_of(Clock())
    object.__setattr__(app.extensions[KEY], "ledger", made)
    yield app.test_client()
    made.database.close()


def ask(client: FlaskClient, query: str = NOVEMBER, accepted: str = PORTUGUESE) -> TestResponse:
    return client.get(query, headers={"Accept-Language": accepted})


def both(client: FlaskClient, query: str) -> tuple[Parts, Parts]:
    return Parts(ask(client, query).text), Parts(ask(client, query, "en").text)


def numerals(found: Parts) -> Counter[str]:
    """Every numeral of a page, in text and labels, written alike."""
    text = "\n".join(one for _, one in found.said).replace("\N{NO-BREAK SPACE}", "")
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text).replace(",", ".")
    return Counter(re.findall(r"\d+(?:\.\d+)?", text))


# --- in which language -----------------------------------------------------------------------------------------------


def test_it_speaks_the_language_that_the_browser_asks_for(client: FlaskClient) -> None:
    answer = ask(client)
    check_language(answer, "pt", answer.text)
    said = Parts(answer.text).of("pt")
    for part in (
        "O que aconteceu às recomendações",
        "1 nov 2026 a 30 nov 2026",
        "Início do tratamento antirretroviral",
        "Mostrado 8; aceite 40% (2 de 5) do que teve feedback, 25% (2 de 8) do que foi mostrado."
        " Repetições: 3; por paciente: 0,60. Número de outras vezes em que teria sido mostrado: 1.",
        "período de silêncio",
        "contagem de CD4",
        "12\N{NO-BREAK SPACE}345",
        "Cartão “Não avaliado”",
        "sem carga viral do HIV 4",
        "Mostrado 8. Aceite: 2; O paciente recusa: 1; Discordo da recomendação: 1; Outra razão, ou nenhuma: 1;"
        " Sem feedback, prescrito posteriormente: 1; Sem feedback: 2.",
    ):
        assert any(part in one for one in said), part


@pytest.mark.parametrize("accepted", ["", "en", "fr", "fr;q=0.9,de"])
def test_in_english_nothing_is_marked(client: FlaskClient, accepted: str) -> None:
    answer = ask(client, accepted=accepted)
    check_language(answer, "en", answer.text)
    assert answer.text.count(" lang=") == 1
    assert "What became of the advice" in answer.text


@pytest.mark.parametrize("query", QUERIES)
def test_what_is_not_marked_as_english_is_said_otherwise_than_in_english(client: FlaskClient, query: str) -> None:
    portuguese, english = both(client, query)
    said = portuguese.of("pt")
    assert len(said) > 40
    assert [one for one in said if ENGLISH.search(ID.sub("", one))] == []
    assert [one for one in said if re.search(r"\d,\d{3}\b", one)] == []
    alike = {one for one in said if re.search(r"[^\W\d]", one)} & set(english.of("en"))
    assert alike - ALIKE == set()


def test_names_that_somebody_else_gave_are_marked_and_stay_as_they_are(client: FlaskClient) -> None:
    found, english = both(client, NOVEMBER)
    names = [GONE, "art-start", "immune-status-order-sign"]
    assert [one for one in names if one not in found.of("en")] == []
    told = {one for one in found.of("en") if not re.fullmatch(r"[a-z0-9-]+", one)}
    assert told == {GONE}
    assert set(found.of("en")) <= set(english.of("en"))


@pytest.mark.parametrize("name", ["issuer", "service", "rule"])
def test_a_hostile_filter_is_only_words_in_portuguese_either(client: FlaskClient, name: str) -> None:
    hostile = "%22%3E%20%3Cscript%3Ealert(1)%3C%2Fscript%3E%20%7B0%7D"
    answer = ask(client, f"{NOVEMBER}&{name}={hostile}")
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert '"> <script>alert(1)</script> {0}' in Parts(answer.text).of("en")


# --- what it says ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", QUERIES)
def test_every_figure_is_the_same_in_both_languages(client: FlaskClient, query: str) -> None:
    portuguese, english = both(client, query)
    assert sum(numerals(portuguese).values()) > 20
    assert numerals(portuguese) == numerals(english)


def test_whatever_a_rule_may_want_and_why_it_may_be_held_has_its_words() -> None:
    wanted = {*NAMED, *(datum for service in SERVICES for rule in service.rules for datum in rule.needs)}
    assert len(wanted) > 10
    one = Counts(lacked=dict.fromkeys(sorted(wanted), 1), held=dict.fromkeys(words.WHY, 1), switched_off=1)
    told = [VOICE.tell(line) for line in words.not_said(one)]
    assert len(told) == len(wanted) + len(words.WHY) + 1
    assert [line for line in told if ENGLISH.search(line)] == []


def test_what_nobody_knows_a_word_for_is_told_as_it_is_kept() -> None:
    one = Counts(lacked={"a\x1bb": 1}, held={"c\u202ed": 1})
    assert words.not_said(one) == ["c\\u202ed 1", "no a\\u001bb 1"]
    assert [VOICE.tell(line) for line in words.not_said(one)] == ["c\\u202ed 1", "sem a\\u001bb 1"]


def test_the_form_asks_for_the_same_in_every_language(client: FlaskClient) -> None:
    for by in ("day", "week", "month"):
        told = ask(client, f"{NOVEMBER}&by={by}").text
        (chosen,) = re.findall(r'<option value="(\w+)" selected>', told)
        assert chosen == by
        assert re.findall(r'href="(\?[^"]+)"', told) == re.findall(
            r'href="(\?[^"]+)"', ask(client, f"{NOVEMBER}&by={by}", "en").text
        )


# --- what stays in English -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_machines_read_is_the_same_for_every_reader(client: FlaskClient, form: str) -> None:
    query = f"{NOVEMBER}&by=week&format={form}"
    answer = ask(client, query)
    assert "Content-Language" not in answer.headers
    assert answer.data == ask(client, query, "en").data


def test_what_is_not_clear_is_refused_in_english(client: FlaskClient) -> None:
    answer = ask(client, "/report?from=yesterday")
    assert answer.status_code == 400
    assert "a day such as 2026-11-20 is expected" in answer.text
