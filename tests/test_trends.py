"""Two results in; the fall or the gain that they prove, and nothing where they prove none, out."""

from datetime import date
from decimal import Decimal

import pytest

from hooks.record import Comparator, LabResult
from hooks.trends import gain, log_fall


def load(
    number: int | None, comparator: Comparator = "", unit: str = "copies/mL", detected: bool | None = None
) -> LabResult:
    amount = None if number is None else Decimal(number)
    return LabResult(
        measure="viral-load",
        unit=unit,
        number=amount,
        comparator=comparator,
        detected=detected,
        date=date(2026, 11, 10),
        received="",
        source="",
    )


@pytest.mark.parametrize(
    ("before", "after", "fall"),
    [
        (load(100_000), load(10_000), Decimal(1)),
        (load(100_000, ">"), load(10_000), Decimal(1)),
        (load(100_000), load(10_000, "<"), Decimal(1)),
        (load(100_000), load(0), Decimal(5)),
        (load(100_000), load(None, detected=False), Decimal("Infinity")),
        (load(100_000), load(10_000, ">"), None),
        (load(100_000, "<"), load(10), None),
        (load(100_000), load(None, detected=True), None),
        (load(None, detected=True), load(10), None),
        (load(0), load(10), None),
        (load(100_000), load(10_000, unit="IU/mL"), None),
    ],
)
def test_a_fall_is_the_least_that_two_results_prove(before: LabResult, after: LabResult, fall: Decimal | None) -> None:
    assert log_fall(before, after) == fall


@pytest.mark.parametrize(
    ("before", "after", "rise"),
    [
        (load(100), load(150), Decimal(50)),
        (load(150), load(100), Decimal(-50)),
        (load(100, "<"), load(150), None),
        (load(100), load(150, ">"), None),
        (load(None), load(150), None),
        (load(100), load(None), None),
    ],
)
def test_a_gain_needs_two_numbers(before: LabResult, after: LabResult, rise: Decimal | None) -> None:
    assert gain(before, after) == rise
