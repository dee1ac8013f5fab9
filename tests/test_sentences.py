"""Sentences: the English text to whoever compares, sorts or prints them, and still known by what they were made of."""

from copy import deepcopy
from dataclasses import asdict, dataclass
from decimal import Decimal

import pytest

from cds_service.languages import Untranslated, Voice, load
from hooks.sentences import NOTHING, Sentence, capital, figure, join, say, say_n, small, term, together, verbatim
from hooks.wording import day, number
from tests.cases import AS_OF

PORTUGUESE = Voice(load("pt"))


def test_a_sentence_is_its_english_text() -> None:
    said = say("in {months} months", months=3)
    assert said == "in 3 months"
    assert {said: 1}["in 3 months"] == 1
    assert f"{said}!" == "in 3 months!"
    assert type(str(said)) is str


def test_a_message_without_parts_may_hold_braces() -> None:
    assert term("dose unit", "{tbl}") == "{tbl}"


@pytest.mark.parametrize(
    ("count", "english", "portuguese"),
    [
        (1, "1 allergy entry could not be", "1 entrada de alergia não pôde ser"),
        (2, "2 allergy entries could not be", "2 entradas de alergia não puderam ser"),
        (11, "11 allergy entries could not be", "11 entradas de alergia não puderam ser"),
    ],
)
def test_one_thing_is_said_otherwise_than_many(count: int, english: str, portuguese: str) -> None:
    said = say_n(
        "{count} allergy entry could not be recognised: check before signing.",
        "{count} allergy entries could not be recognised: check before signing.",
        count,
    )
    assert said.startswith(english)
    assert PORTUGUESE.tell(said).startswith(portuguese)


def test_a_list_ends_with_and() -> None:
    words = [say("lupus"), say("zoster"), say("tuberculosis")]
    assert [together(words[:size]) for size in range(4)] == [
        "",
        "lupus",
        "lupus and zoster",
        "lupus, zoster and tuberculosis",
    ]
    assert PORTUGUESE.tell(together(words)) == "lúpus, zóster e tuberculose"


def test_what_is_empty_is_not_joined() -> None:
    assert join("; ", (NOTHING, say("lupus"), NOTHING, say("zoster"))) == "lupus; zoster"
    assert not join("; ", (NOTHING, NOTHING))


def test_a_small_letter_is_kept_in_another_language() -> None:
    said = small(say("Order the test that is due"))
    assert (said, PORTUGUESE.tell(said)) == ("order the test that is due", "pedir o teste indicado")
    assert small("A title") == "a title"
    assert not isinstance(small("A title"), Sentence)


def test_a_capital_is_kept_in_another_language() -> None:
    said = capital(say("lupus"))
    assert said == "Lupus"
    assert PORTUGUESE.tell(said) == "Lúpus"
    assert capital("a title") == "A title"
    assert not isinstance(capital("a title"), Sentence)


def test_numerals_and_days_are_written_as_the_language_writes_them() -> None:
    assert PORTUGUESE.tell(number(Decimal("250000.50"))) == "250\N{NO-BREAK SPACE}000,5"
    assert PORTUGUESE.tell(figure("1,234.5")) == "1\N{NO-BREAK SPACE}234,5"
    assert PORTUGUESE.tell(day(AS_OF.replace(month=2, day=3))) == f"3 fev {AS_OF.year}"


def test_what_is_verbatim_is_told_as_it_is() -> None:
    assert PORTUGUESE.tell(verbatim("Not assessed")) == "Not assessed"
    assert PORTUGUESE.tell(say("Not assessed")) == "Não avaliado"


@pytest.mark.parametrize("said", [say("nobody has translated this"), say("in {months} months", months="three")])  # type: ignore[arg-type]
def test_what_cannot_be_told_whole_is_not_told_in_part(said: Sentence) -> None:
    with pytest.raises(Untranslated):
        PORTUGUESE.tell(said)


def test_a_copy_is_known_by_what_the_original_was_made_of() -> None:
    @dataclass
    class Shown:
        display: Sentence

    said = say("Not now, will review")
    assert PORTUGUESE.tell(deepcopy(said)) == "Agora não, vou rever"
    assert PORTUGUESE.tell(asdict(Shown(said))["display"]) == "Agora não, vou rever"


def test_a_page_may_be_in_part_in_english() -> None:
    assert PORTUGUESE.say("in {months} months", months=3) == "em 3 meses"
    assert PORTUGUESE.say("nobody has translated {count} of these", count=3) == "nobody has translated 3 of these"
