"""The catalogues: every message once and none too many, and no translation that loses a part, a number, a limit or a denial."""

from io import BytesIO
from typing import Any

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from cds_service.chart.other_results import _MEANINGS
from cds_service.languages import LANGUAGES
from tests.catalogue import RESULTS, catalogue_file, messages, written
from tests.words_that_must_stay import KINDS, lost

MORE_PRECISE = {  # the strength in words would be taken for the dose in Portuguese, so it stands in milligrams
    "TMP-SMX double strength, 1 tablet daily": ("800", "160"),
    "TMP-SMX single strength, 1 tablet daily": ("400", "80"),
}


def entries(language: str) -> list[Message]:
    found = read_po(BytesIO(catalogue_file(language).read_bytes()), abort_invalid=True)
    return [one for one in found if one.id]


def texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


TRANSLATED = [
    pytest.param(one, id=f"{language}: {one.context or ''} {texts(one.id)[0][:60]}")
    for language in LANGUAGES[1:]
    for one in entries(language)
]


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_the_catalogue_holds_what_is_said_and_nothing_else(language: str) -> None:
    assert catalogue_file(language).read_bytes() == written(language), "run python -m tests.catalogue"


def test_there_are_as_many_messages_as_a_reader_of_cards_could_meet() -> None:
    assert len(messages()) > 800


def test_every_result_that_a_test_can_have_has_its_word() -> None:
    assert {meaning for meanings in _MEANINGS.values() for meaning in meanings.values()} <= set(RESULTS)


@pytest.mark.parametrize("entry", TRANSLATED)
def test_a_translation_is_whole_and_says_what_the_message_says(entry: Message) -> None:
    said, told = texts(entry.id), texts(entry.string)
    assert len(told) == len(said)
    assert all(told), "it has no translation"
    assert not entry.fuzzy
    if entry.context in ("drug", "month"):
        return
    for english, portuguese in zip(said, told, strict=True):
        precise = portuguese.replace("/".join(MORE_PRECISE.get(english, ("\0",))) + " mg, ", "", 1)
        assert list(lost(english, precise)) == []
        assert english[-1:] == portuguese[-1:] or english[-1:].isalnum() or english[-1:] in "})", "how it ends"
        assert not set("<>|`*_[]") & set(portuguese)


CHANGED = {
    "a denial": ("ART is not delayed, no drug covers it", "TARV é adiada, nenhum medicamento a cobre"),
    "below": ("a count below {limit}", "uma contagem de {limit}"),
    "at least": ("{limit} or more", "{limit}"),
    "to stop": ("stop it", "continuar"),
    "parts": ("below {limit}", "inferior a {limite}"),
    "numbers": ("46.7 % to 32.5 %", "46,7 % para 3,25 %"),
    "may": ("it may be considered", "é considerada"),
    "before": ("before signing", "ao assinar"),
}


@pytest.mark.parametrize("kind", CHANGED)
def test_what_is_lost_would_be_found(kind: str) -> None:
    found = list(lost(*CHANGED[kind]))
    assert [one for one in found if one.startswith(f"{kind}:")], found


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_word_occurs_in_the_catalogue_that_is_searched_for_it(kind: str) -> None:
    """A pattern that fits nothing would hold nothing."""
    only = {kind: KINDS[kind]}
    said = [text for language in LANGUAGES[1:] for one in entries(language) for text in texts(one.id)]
    assert any(list(lost_of(only, text)) for text in said), kind


def lost_of(kinds: dict[str, tuple[str, str]], english: str) -> list[str]:
    """What of these kinds an empty translation would lose."""
    return [one for one in lost(english, "") if one.partition(":")[0] in kinds]
