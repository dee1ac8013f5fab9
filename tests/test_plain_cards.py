"""Every card of the fixtures and of the specification in; proof that it is plain text with links to known places only."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from hooks.knowledge import load
from tests.cases import CASES, answer
from tests.fixture_files import EVALUATION, Clock, app_of, as_of, ask, read, request_files
from tests.hostile_texts import strings

CLOCK = Clock()
CLIENT = app_of(CLOCK).test_client()
FILES = request_files()
HOSTS = {urlsplit(one.url).hostname for one in load().sources.values()}


def answer_of(path: Path) -> TestResponse:
    request = read(path)
    CLOCK.set(as_of(request))
    return ask(CLIENT, request)


def faults(card: dict[str, Any]) -> Iterator[str]:
    """What must stand on no card."""
    detail = card["detail"]
    for text in strings(card):
        allowed = "\n" if text == detail else ""
        wild = [one for one in text if unicodedata.category(one)[0] == "C" and one not in allowed]
        yield from (f"a character that is not seen: {one!r} in {text}" for one in wild)
        if re.search(r"</?[a-zA-Z!]|&#?\w+;|!?\[[^]]*\]\(|\[[^]]*\]:|javascript:|data:", text):
            yield f"markup: {text}"
    if re.search(r"https?:|www\.|^\s*[#>|]|\|.*\||`", detail, re.MULTILINE):
        yield f"a link, a heading, a quotation, a table or code: {detail}"
    for name, url in urls(card):
        if name in ("url", "icon") and (urlsplit(url).scheme != "https" or urlsplit(url).hostname not in HOSTS):
            yield f"a link to nowhere known: {url}"
    if "icon" in card["source"]:
        yield "an image"
    if any(link.get("type") != "absolute" for link in card.get("links", ())):
        yield "a link that is not absolute"


def urls(node: Any) -> Iterator[tuple[str, str]]:
    """Every link of a card: what stands under url or icon. FHIR resources have none."""
    if isinstance(node, dict):
        for name, one in node.items():
            if isinstance(one, str):
                yield name, one
            elif name != "resource":
                yield from urls(one)
    elif isinstance(node, list):
        for one in node:
            yield from urls(one)


def test_every_card_of_the_fixtures_is_plain() -> None:
    seen = 0
    for path in FILES:
        for card in answer_of(path).get_json(force=True).get("cards", ()):
            assert not list(faults(card))
            seen += 1
    assert seen > len(FILES)


def test_every_card_of_the_specification_is_plain() -> None:
    seen = 0
    for case in CASES:
        for card in answer(case)["cards"]:
            assert not list(faults(card)), case.said["says"]
            seen += 1
    assert seen > len(CASES)


def test_every_reason_and_outcome_that_is_told_is_plain() -> None:
    for path in FILES:
        told = answer_of(path).get_json(force=True).get("extension", {}).get(EVALUATION, {})
        assert not [one for one in strings(told) if re.search(r"[<>|`\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e]", one)]


PLAIN = {"detail": "Plain.\n\n- a line", "source": {"label": "x", "url": "https://clinicalinfo.hiv.gov/en"}}
MARKED: list[dict[str, Any]] = [
    {"detail": "a\u202eb"},
    {"detail": "a\tb"},
    {"summary": "a\nb"},
    {"summary": "a <b>b</b>"},
    {"detail": "[a](https://clinicalinfo.hiv.gov)"},
    {"detail": "![a](x)"},
    {"detail": "a | b | c"},
    {"detail": "text\n# heading"},
    {"source": {"label": "x", "url": "http://clinicalinfo.hiv.gov/en"}},
    {"source": {"label": "x", "url": "https://clinicalinfo.hiv.gov.example/en"}},
    {"source": {"label": "x", "icon": "https://clinicalinfo.hiv.gov/i.png"}},
    {"links": [{"label": "x", "url": "https://clinicalinfo.hiv.gov/", "type": "smart"}]},
    {"suggestions": [{"label": "Order\u200b it"}]},
]


@pytest.mark.parametrize("marked", MARKED, ids=str)
def test_what_is_not_plain_would_be_found(marked: dict[str, Any]) -> None:
    assert not list(faults(PLAIN))
    assert list(faults(PLAIN | marked))
