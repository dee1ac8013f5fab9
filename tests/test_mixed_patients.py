"""A thousand requests into which another patient's data, or nobody's, was mixed; proof that no card is made of it."""

from collections import Counter
from functools import cache

from tests.mixed_patients import Tally, run
from tests.mixtures import CHANGES
from tests.reference_forms import ANOTHERS, HIS, NOBODYS


@cache
def a_thousand() -> Tally:
    return run(1000, seed=20261120)


def test_no_card_is_made_of_anothers_or_nobodys_data() -> None:
    tally = a_thousand()
    assert not tally.wrong
    assert tally.refused > 400
    assert tally.answered > 250


def test_every_form_and_place_was_tried() -> None:
    seen = Counter(how.split(",")[0] for how in a_thousand().tried)
    assert {name.split(",")[0] for name in (*ANOTHERS, *NOBODYS, *HIS)} <= set(seen)
    assert len(seen) >= len(CHANGES)
