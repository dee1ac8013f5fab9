"""The committed page of the invented patients in, proof out that it shows what the service says today."""

from tests.card_texts import faults
from tests.cases import Case, answer
from tests.patients_doc import COMMAND, PAGE, page, patients


def test_there_are_thirty_and_each_has_a_story_of_its_own() -> None:
    assert len({one["story"] for one in patients()}) == len(patients()) == 30


def test_the_page_is_current() -> None:
    assert page() == PAGE.read_text("utf-8"), f"write it anew: {COMMAND}, and read what changed"


def test_their_cards_read_well() -> None:
    told = [(one["story"], card) for one in patients() for card in answer(Case("", one))["cards"]]
    assert [(story, fault) for story, card in told for fault in faults(card)] == []
