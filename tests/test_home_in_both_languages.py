"""The page for people at `/` in English and in Portuguese: every number, limit, grade and day is the same in both."""

import re
from collections import Counter
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from cds_service.home import words as said_as
from cds_service.languages import Voice, load
from hooks import SERVICES
from hooks.knowledge import load as load_knowledge
from hooks.knowledge import load_profiles
from hooks.wording import day
from tests.home_page import by_id, read, rows, words
from tests.home_sites import SITES, told
from tests.test_languages import STRENGTHS

VOICE = Voice(load("pt"))
PROFILES = load_profiles(load_knowledge())
RULES = {rule.id: rule for service in SERVICES for rule in service.rules}
SPACE = "\N{NO-BREAK SPACE}"
TOLD = {"p", "li", "td", "th", "dt", "dd", "h1", "h2", "h3", "h4", "caption", "summary", "pre"}


@pytest.mark.parametrize("site", SITES)
def test_every_number_is_the_same_in_both_languages(site: str) -> None:
    before, after = (numerals(read(told(site, language))) for language in ("en", "pt"))
    assert len(before) > 1000
    assert [pair for pair in zip(before, after, strict=True) if pair[0][1] != pair[1][1]] == []


def numerals(page: Element) -> list[tuple[str, Counter[str]]]:
    """Of every line, cell and heading the numbers in it, written alike; but for the note that English does not need."""
    told = [words(one) for one in page.iter() if one.tag in TOLD and one.get("class") != "note"]
    return [(text, numbers_in(text)) for text in told]


def numbers_in(text: str) -> Counter[str]:
    for one in STRENGTHS:  # in words in English
        text = text.replace(one, "")
    text = re.sub(rf"(?<=\d)[,{SPACE} ](?=\d{{3}}\b)", "", text)
    return Counter(one.replace(",", ".") for one in re.findall(r"\d+(?:[.,]\d+)?", text))


def test_a_number_that_differs_would_be_found() -> None:
    assert numbers_in("100,000 copies/mL") == numbers_in(f"100{SPACE}000 cópias/mL") != numbers_in("10.000 cópias/mL")
    assert numbers_in("0.5") == numbers_in("0,5") != numbers_in("0,55")


def test_limits_grades_and_days_are_written_as_the_language_has_them() -> None:
    page = read(told("demo", "pt"))
    table = rows(by_id(page, "pneumocystis-start"))
    found = [one for one in table if one[0].endswith(" pneumocystis-cd4")]
    assert {(one[1], one[3], one[6]) for one in found} == {
        ("200/µL o próprio 200 não conta", "AI", "DHHS"),
        ("350/µL o próprio 350 conta", "forte, moderada", "WHO"),
    }
    for rule in RULES.values():
        for row in rows(by_id(page, rule.id))[1:]:
            (number,) = {one.thresholds.get(row[0].rpartition(" ")[2]) for one in PROFILES.values() if is_of(one, row)}
            if number:
                assert row[1] == spaced(f"{VOICE.tell(said_as.limit(number))} {VOICE.tell(said_as.border(number))}")
                assert row[4] == VOICE.tell(day(number.since))


def is_of(profile: Any, row: list[str]) -> bool:
    key, under = row[0].rpartition(" ")[2], row[6]
    return profile.knows(key) and (profile.title in under.split(", ") if under != "todas" else True)


def spaced(text: str) -> str:
    return " ".join(text.split())
