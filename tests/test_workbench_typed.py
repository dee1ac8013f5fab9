"""What is typed on the workbench: numbers and words as either language writes them, and nothing guessed."""

from decimal import Decimal

import pytest

from cds_service.languages import load
from cds_service.web.workbench import room_of
from cds_service.workbench.choices import CHOICE, said_by
from cds_service.workbench.page import Room, page
from cds_service.workbench.typed import NONE, WORDS
from hooks.record import LabResult
from tests.test_why_in_portuguese import VOICE
from tests.test_workbench import STARTING, SUPPRESSED
from tests.test_workbench_what_if import PARTS, keys

ROOM = room_of(PARTS, VOICE)


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
