"""The canary patients on many days and at every hour in; proof out that none goes red by the calendar."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest

from cds_service.canary import Canary, evaluate, read_canaries
from tests.canary_files import KNOWLEDGE, NOON, PROFILES

CANARIES = read_canaries()
TURNS = [
    date(2027, 12, 31),
    date(2028, 1, 1),
    date(2028, 2, 28),
    date(2028, 2, 29),
    date(2028, 3, 1),
    date(2032, 2, 29),
]


def red(now: datetime, canaries: tuple[Canary, ...] = CANARIES) -> list[str]:
    """Which of them fail at this moment."""
    found = [(canary.rule, evaluate(canary, now, KNOWLEDGE, PROFILES)) for canary in canaries]
    return [f"{now} {rule}: {word}" for rule, word in found if word]


def days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(place) for place in range((last - first).days + 1))


def noon(day: date) -> datetime:
    return datetime.combine(day, NOON.timetz())


@pytest.mark.parametrize("day", TURNS, ids=str)
@pytest.mark.parametrize("hour", [time.min, time(0, 0, 0, 1), time(11, 59, 59), time.max], ids=str)
def test_none_goes_red_at_the_turn_of_a_day_a_month_or_a_year(day: date, hour: time) -> None:
    assert red(datetime.combine(day, hour, UTC)) == []


@pytest.mark.parametrize("hours", [-12, -5, 2, 14])
def test_none_goes_red_by_a_clock_of_another_zone(hours: int) -> None:
    day = datetime(2028, 2, 29, tzinfo=timezone(timedelta(hours=hours)))
    assert [one for hour in range(0, 24, 3) for one in red(day.replace(hour=hour))] == []


def test_none_goes_red_in_a_month_of_some_year() -> None:
    assert [one for month in range(1, 13) for one in red(noon(date(2026 + month, month, 28)))] == []


def some(every: Iterator[date], parts: int) -> list[str]:
    """The red ones of a part of the canaries each day, by turns, so that in as many days each had its turn."""
    chosen = [CANARIES[place::parts] for place in range(parts)]
    return [one for place, day in enumerate(every) for one in red(noon(day), chosen[place % parts])]


@pytest.mark.slow
def test_none_goes_red_in_a_leap_year() -> None:
    assert some(days(date(2028, 1, 1), date(2028, 12, 31)), 8) == []


@pytest.mark.slow
def test_none_goes_red_in_the_four_years_around_it() -> None:
    assert some(days(date(2026, 11, 1), date(2030, 11, 30)), 28) == []
