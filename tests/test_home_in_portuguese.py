"""The page for people at `/` in Portuguese: told whole, what stays in English is marked, and every number is the same."""

import re
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from flask.testing import FlaskClient
from markupsafe import Markup

from cds_service.access.trust_file import presets
from cds_service.home import words as said_as
from cds_service.home.limits import LIMITS
from cds_service.home.topics import TOPICS
from cds_service.languages import ENGLISH as IN_ENGLISH
from cds_service.languages import Voice, load
from cds_service.web.spoken import on_a_page
from cds_service.web.wiring import KEY
from cds_service.wire.discovery import REQUIREMENTS
from hooks import SERVICES
from hooks.assess import Rule
from hooks.knowledge import load as load_knowledge
from hooks.knowledge import load_profiles
from hooks.sentences import verbatim
from hooks.wording import regimen_name
from tests.fixture_files import app_of, legal, service_for
from tests.home_page import by_id, read, rows, words
from tests.home_sites import NOW, SITES, told
from tests.test_languages import ENGLISH, PORTUGUESE
from tests.test_why_in_portuguese import Parts, check_language

VOICE = Voice(load("pt"))
KNOWLEDGE = load_knowledge()
PROFILES = load_profiles(KNOWLEDGE)
RULES = {rule.id: rule for service in SERVICES for rule in service.rules}
LETTERS = {one.cite(key).grade for one in PROFILES.values() for key in (*one.statements, *one.thresholds)}
OF_REGIMENS = {
    one.cite.grade for found in PROFILES.values() for of in found.regimens.values() for one in of if one.cite
}
# Names, abbreviations and codes that are the same in both languages.
THE_SAME = {
    *("DHHS", "WHO", "G6PD", "LOINC", "MAC", "Pneumocystis", "Toxoplasma", "prefetch", "· hook", "openapi.json"),
    *(", ".join(one["algorithms"]) for one in presets().values()),
    *(key for key in KNOWLEDGE.sources),
    *(one for one in LETTERS | OF_REGIMENS if one.isupper()),
}


@pytest.fixture(scope="module")
def browser() -> FlaskClient:
    return app_of(lambda: NOW).test_client()


@pytest.fixture(scope="module")
def page(browser: FlaskClient) -> Element:
    return read(browser.get("/", headers=PORTUGUESE).text)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("pt-BR,pt;q=0.9", "pt"), ("pt-MZ", "pt"), ("fr, pt;q=0.5", "pt"), ("fr", "en"), ("en", "en"), ("", "en")],
)
def test_it_speaks_the_language_that_the_browser_asks_for(browser: FlaskClient, accepted: str, language: str) -> None:
    answer = browser.get("/", headers={"Accept-Language": accepted})
    check_language(answer, language, answer.text)
    title = {"en": "What it does not do", "pt": "O que não faz"}[language]
    assert title in Parts(answer.text).of(language)


def test_a_page_that_was_made_is_kept_for_each_language(browser: FlaskClient) -> None:
    asked = [PORTUGUESE, {}, PORTUGUESE, {}]
    first, second, third, fourth = (browser.get("/", headers=one).text for one in asked)
    assert (first, second) == (third, fourth)
    assert 'lang="pt"' in first
    assert "Parte desta página fica em inglês" not in second
    assert second.count(" lang=") == 1, "in English nothing is marked"


@pytest.mark.parametrize("site", SITES)
def test_what_is_not_marked_as_english_is_portuguese(site: str) -> None:
    english, said = set(Parts(told(site, "en")).of("en")), Parts(told(site, "pt")).of("pt")
    assert len(said) > 1000
    assert [one for one in said if ENGLISH.search(one) or re.search(r"\d,\d{3}\b", one)] == []
    same = {one for one in said if one in english and re.search(r"[^\W\d_]{2}", one)} - THE_SAME
    assert [one for one in same if not re.match(r"https?://|/|\d+/µL", one)] == [], "as it is in English"


def test_english_left_on_the_page_would_be_found() -> None:
    found = Parts('<html lang="pt"><p>Regras</p><td data-label="Last checked"><p lang="en">Rules</p></html>')
    assert found.of("pt") == ["Regras", "Last checked"]


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda one: one.id)
def test_a_rule_has_its_title_in_portuguese_and_its_statement_in_english_marked(rule: Rule, page: Element) -> None:
    article = by_id(page, rule.id)
    assert words(next(article.iter("h4"))) == VOICE.tell(rule.title)
    (statement,) = [one for one in article.iter("p") if one.get("class") == "says"]
    assert (words(statement), statement.get("lang")) == (rule.statement, "en")
    sources = [one for one in article.iter("p") if one.get("class") == "source" and one.get("lang") == "en"]
    assert len(sources) == (rule.id not in PROFILES["dhhs"].left_out)
    assert f"Não avaliada sem: {VOICE.tell(said_as.lacking(rule.needs))}." in words(article)


def test_what_stays_in_english_is_marked_and_the_page_says_that_it_is_what_counts(page: Element) -> None:
    marked = [words(one) for one in page.iter() if one.get("lang") == "en"]
    for source in KNOWLEDGE.sources.values():
        assert f"{source.title}: {source.section}" in marked
    for profile in PROFILES.values():
        assert {profile.cite(key).locator for key in (*profile.statements, *profile.thresholds)} <= set(marked)
    for part in (REQUIREMENTS, *(one.description for one in SERVICES), *(one.title for one in SERVICES)):
        assert part in marked
    assert "Aí, o que conta é o texto inglês." in words(by_id(page, "top"))


def test_topics_limits_regimens_and_presets_are_told(page: Element) -> None:
    assert [words(one) for one in by_id(page, "limits").iter("li")] == [VOICE.tell(one) for one in LIMITS]
    assert [words(one) for one in by_id(page, "rules").iter("h3")][:-1] == [VOICE.tell(one) for one in TOPICS]
    shown = {cell for row in rows(by_id(page, "orders")) for cell in row}
    for profile in PROFILES.values():
        regimens = [one for chosen in profile.regimens.values() for one in chosen]
        assert {VOICE.tell(regimen_name(one, dosed=True)) for one in regimens} <= shown
    assert {VOICE.tell(said_as.test(one)) for one in KNOWLEDGE.tests.values()} <= shown
    about = {row[0]: row[1] for row in rows(by_id(page, "connect"))}
    assert all(about[name] == VOICE.tell(said_as.preset(one["about"])) for name, one in presets().items())


def test_override_reasons_are_as_on_a_portuguese_card(browser: FlaskClient, page: Element) -> None:
    called = f"/cds-services/{service_for(request := legal('cd4-120-starting-art'))}"
    card = browser.post(called, json=request, headers=PORTUGUESE).get_json()["cards"][0]
    table = {row[0]: row for row in rows(by_id(page, "overrides"))}
    for reason in card["overrideReasons"]:
        days = KNOWLEDGE.quiet.reasons[reason["code"]]
        assert table[reason["display"]][2:4] == [f"{days['info']} dias", f"{days['warning']} dias"]


def test_what_a_site_has_set_is_said_in_portuguese(tmp_path: Path) -> None:
    app = app_of(
        lambda: NOW,
        profile="who",
        endemic=frozenset({"talaromycosis"}),
        shadow=frozenset({"iris-watch"}),
        database_url=f"sqlite:///{tmp_path / 'ledger.sqlite3'}",
    )
    app.extensions[KEY].ledger.switches.turn("monitoring-due", "off", who="x", because="counted elsewhere", at=NOW)
    found = read(app.test_client().get("/", headers=PORTUGUESE).text)
    guidelines, said = words(by_id(found, "guidelines")), words(by_id(found, "deployment"))
    assert "WHO who em vigor aqui" in guidelines
    assert "Este local conta como endémico para: talaromicose;" in guidelines
    assert f"{VOICE.tell(said_as.switch('cotrimoxazole'))}." in guidelines
    assert "desligada por este local" in words(by_id(found, "monitoring-due"))
    assert "em modo de sombra: avaliada e registada, não mostrada" in words(by_id(found, "iris-watch"))
    for line in (
        f"Em funcionamento: {len(RULES) - 2} regras.",
        "Desligadas: monitoring-due.",
        "mostradas: iris-watch.",
    ):
        assert line in said


def test_an_element_in_a_sentence_is_markup_and_nothing_else_of_it_is() -> None:
    say = on_a_page(IN_ENGLISH)["say"]
    said = say("{one} < {two} & {three}", one=Markup("<b>1</b>"), two=verbatim("<i>"), three=3)
    assert said == "<b>1</b> &lt; &lt;i&gt; &amp; 3"
    said_n = on_a_page(VOICE)["say_n"]
    assert [said_n("{count} rule", "{count} rules", count) for count in (1, 2)] == ["1 regra", "2 regras"]
    assert said_n("{count} of {what}", "{count} of {what}", 2, what=Markup("<b>these</b>")) == "2 of <b>these</b>"
