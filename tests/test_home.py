"""The page for people at `/`: it shows all that the services and the knowledge hold, each where it belongs."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from flask.testing import FlaskClient

from cds_service.access.trust_file import presets
from cds_service.home import words as said_as
from cds_service.home.limits import LIMITS
from cds_service.home.topics import TOPICS, by_topic
from cds_service.wire.override_reasons import OVERRIDE_REASONS
from hooks import SERVICES
from hooks.assess import Rule
from hooks.knowledge import Profile, Threshold, load, load_profiles
from hooks.knowledge.words import PURPOSES, SWITCHES
from hooks.wording import day
from tests.fixture_files import app_of, ask, legal
from tests.home_page import by_id, read, rows, words

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DOCS = Path(__file__).parents[1] / "docs"
KNOWLEDGE = load()
PROFILES = load_profiles(KNOWLEDGE)
RULES = {rule.id: rule for service in SERVICES for rule in service.rules}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return app_of(lambda: NOW).test_client()


@pytest.fixture(scope="module")
def page(client: FlaskClient) -> Element:
    return read(client.get("/").text)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda one: one.id)
def test_each_rule_stands_under_its_own_anchor_with_what_it_says_and_when(rule: Rule, page: Element) -> None:
    article = by_id(page, rule.id)
    said = words(article)
    assert rule.title in said
    assert rule.statement in said
    assert re.search(r"\bthen\b", rule.statement), "each rule has its When and Then"
    hooks = ", ".join(service.hook for service in SERVICES if rule in service.rules)
    urgency = {"critical": "Critical", "warning": "Warning", "info": "Information"}[rule.worst]
    assert f"{rule.id} · at most {urgency} · {hooks}" in said
    assert f"Not assessed without: {said_as.lacking(rule.needs)}." in said


def expected(rule: Rule) -> Iterator[tuple[str, Profile]]:
    """Every key that a rule cites, with each guideline that has it and speaks on the rule."""
    for profile in PROFILES.values():
        if rule.id not in profile.left_out:
            yield from ((key, profile) for key in (*rule.cites, *rule.may_cite) if profile.knows(key))


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda one: one.id)
def test_each_number_and_sentence_of_a_rule_is_there_with_source_grade_and_dates(rule: Rule, page: Element) -> None:
    table = rows(by_id(page, rule.id))
    wanted = list(expected(rule))
    assert wanted
    for key, profile in wanted:
        (row,) = [one for one in table if one[0].endswith(f" {key}") and one[6] in ("all", *titles(profile, one[6]))]
        cite, number = profile.cite(key), profile.thresholds.get(key)
        assert row[0] == f"{cite.locator} {key}"
        assert row[1] == (in_words(number) if number else "a sentence")
        assert row[2] == cite.source.key + (" choice of this service" if number and number.design else "")
        assert row[3] == (cite.grade or "none given")
        assert row[4] == (day(number.since) if number else said_as.written(cite.source))
        assert row[5] == day(number.checked if number else cite.checked or cite.source.checked)
    assert len(table) == 1 + len({(key, profile.cite(key), profile.thresholds.get(key)) for key, profile in wanted})


def titles(profile: Profile, cell: str) -> tuple[str, ...]:
    return (cell,) if profile.title in cell.split(", ") else ()


def in_words(number: Threshold) -> str:
    units = {"/uL": "/µL", "%": "%", "1": "", "d": " days", "a": " years", "{log_copies}/mL": " log10 copies/mL"}
    value = f"{number.value:,f}"
    side = "counts" if number.inclusive else "does not count"
    return f"{value}{units.get(number.unit, f' {number.unit}')} {value} itself {side}"


def test_where_the_guidelines_differ_each_has_a_row_of_its_own(page: Element) -> None:
    found = [one for one in rows(by_id(page, "pneumocystis-start")) if one[0].endswith(" pneumocystis-cd4")]
    assert {(one[1], one[6]) for one in found} == {
        ("200/µL 200 itself does not count", "DHHS"),
        ("350/µL 350 itself counts", "WHO"),
    }
    assert "WHO gives no recommendation on this." in words(by_id(page, "mac-start"))


def test_no_number_of_the_knowledge_is_missing(page: Element) -> None:
    shown = words(page)
    keys = {key for one in PROFILES.values() for key in (*one.thresholds, *one.statements)}
    assert not [key for key in keys if f" {key} " not in shown]
    left = keys - {key for rule in RULES.values() for key in (*rule.cites, *rule.may_cite)}
    assert {row[0].rpartition(" ")[2] for row in rows(by_id(page, "every-rule"))[1:]} == left


def test_each_source_is_there_with_its_dates_and_its_link(page: Element) -> None:
    found = {row.get("id"): row for row in by_id(page, "sources").iter("tr") if row.get("id")}
    assert found.keys() == {f"source-{key}" for key in KNOWLEDGE.sources}
    for key, source in KNOWLEDGE.sources.items():
        cells = [words(cell) for cell in found[f"source-{key}"]]
        assert cells[0].startswith(f"{source.title}: {source.section}")
        assert ("read through another's report" in cells[0]) is source.secondary
        assert cells[1:] == [key, said_as.written(source), day(source.checked)]
        assert [one.get("href") for one in found[f"source-{key}"].iter("a")] == [source.url]


def test_what_was_checked_too_long_ago_says_so() -> None:
    late = read(app_of(lambda: NOW.replace(year=2028)).test_client().get("/").text)
    assert all(row[3].endswith(" overdue") for row in rows(by_id(late, "sources"))[1:])
    assert not words(by_id(late, "sources")).startswith("Sources 0 ")


def test_each_override_reason_is_as_on_the_cards_with_the_days_that_it_silences(
    client: FlaskClient, page: Element
) -> None:
    quiet = KNOWLEDGE.quiet
    table = {row[0]: row for row in rows(by_id(page, "overrides"))}
    card = ask(client, legal("cd4-120-starting-art")).get_json()["cards"][0]
    assert len(card["overrideReasons"]) == len(OVERRIDE_REASONS) == len(table) - 3
    for reason in card["overrideReasons"]:
        row, days = table[reason["display"]], quiet.reasons[reason["code"]]
        assert row[1] == f"{reason['code']} {reason['system']}"
        assert row[2:4] == [f"{days['info']} days", f"{days['warning']} days"]
        own = [f"{rule} {found[reason['code']]} days" for rule, found in quiet.rules.items() if reason["code"] in found]
        assert row[4] == ", ".join(own)


def test_each_service_and_each_prefetch_template_is_there(client: FlaskClient, page: Element) -> None:
    for service in client.get("/cds-services").get_json()["services"]:
        said = words(by_id(page, service["id"]))
        assert not [name for name in ("title", "hook", "description") if service[name] not in said]
        assert [[key, query] for key, query in service["prefetch"].items()] == rows(by_id(page, "services"))[1:]


def test_each_regimen_and_test_that_a_card_can_order_is_there(page: Element) -> None:
    table = rows(by_id(page, "orders"))
    for profile in PROFILES.values():
        for purpose, chosen in profile.regimens.items():
            against = [row for row in table if row[0] == said_as.purpose(purpose)]
            listed = [row[1] for row in against if row[-1] == "all" or titles(profile, row[-1])]
            assert set(listed) == {one.label for one in chosen}
            assert not [one for one in chosen if one.cite and not any(row[3] == one.cite.grade for row in against)]
    shown = {row[0] for row in table}
    assert {one.label for one in KNOWLEDGE.tests.values()} <= shown
    assert {said_as.purpose(one) for one in PURPOSES} <= shown


def test_what_it_does_not_do_is_said_as_the_intended_use_says_it(page: Element) -> None:
    text = (DOCS / "clinical-safety" / "intended-use.md").read_text("utf-8")
    (part,) = re.findall(r"## What it is not for\n(.*?)\n## ", text, re.DOTALL)
    settled = [" ".join(one.split()) for one in re.findall(r"^- (.*?)(?=^- |\Z)", part, re.DOTALL | re.MULTILINE)]
    assert tuple(settled) == LIMITS
    assert [words(one) for one in by_id(page, "limits").iter("li")] == settled


def test_each_preset_of_the_trust_file_is_there(page: Element) -> None:
    table = {row[0]: row[1:] for row in rows(by_id(page, "connect"))}
    for name, one in presets().items():
        assert table[name] == [one["about"], ", ".join(one["algorithms"]), f"{one['max_lifetime_seconds']} s"]


def test_each_guideline_is_there_with_what_it_goes_by_and_what_it_leaves_out(page: Element) -> None:
    said = words(by_id(page, "guidelines"))
    assert said_as.SWITCHES.keys() == SWITCHES
    assert "DHHS dhhs in force here" in said
    for profile in PROFILES.values():
        assert not [key for key, on in profile.switches.items() if on and said_as.SWITCHES[key][1:] not in said]
        assert ", ".join(sorted(profile.left_out)) in said


def test_each_rule_has_its_topic_and_one_that_has_none_is_shown_all_the_same() -> None:
    named = [name for names in TOPICS.values() for name in names]
    assert sorted(named) == sorted(RULES)
    left = by_topic([*RULES.values(), replace(RULES["scope"], id="new-rule")])
    assert [one.id for one in left["Other rules"]] == ["new-rule"]
    assert sum(map(len, left.values())) == len(RULES) + 1
