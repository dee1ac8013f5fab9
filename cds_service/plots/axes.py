"""Numbers and days in, places in the picture out, with the ticks of each axis and their labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import ceil, floor, log10

from hooks.sentences import Sentence, say, term, verbatim
from hooks.wording import MONTH, MONTHS, number

WIDE, HIGH = 860.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 88.0, WIDE - 152.0, 30.0, HIGH - 30.0  # to the right are the names of limits
_MOST_TICKS = 8
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 24000)  # from tick to tick
_ROUND = tuple(map(Decimal, ("1", "2", "2.5", "3", "4", "5", "6", "8", "10")))


@dataclass(frozen=True, slots=True)
class Tick:
    """A label, and how far along its axis it stands."""

    place: float
    label: Sentence


@dataclass(frozen=True, slots=True)
class Days:
    """The axis of time."""

    first: date
    last: date

    def place(self, when: date, part: float = 0.0) -> float:
        """How far to the right a day stands; `part` of the day has gone by. What lies outside stands at the edge."""
        whole = max(1, (self.last - self.first).days)
        share = ((when - self.first).days + part) / whole
        return round(LEFT + min(1.0, max(0.0, share)) * (RIGHT - LEFT), 1)

    def ticks(self) -> Iterator[Tick]:
        """Firsts of months or of years, eight at most."""
        months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month
        step = next((one for one in _MONTHS if months / one < _MOST_TICKS), _MONTHS[-1])
        start = self.first.year * 12 + self.first.month - 1
        for month in range(-(-start // step) * step, start + months + 1, step):
            year, rest = divmod(month, 12)
            when = date(max(1, year), rest + 1, 1)
            if self.first <= when <= self.last:
                named = term(MONTH, MONTHS[rest])
                yield Tick(
                    self.place(when), verbatim(year) if step >= 12 else say("{month} {year}", month=named, year=year)
                )


@dataclass(frozen=True, slots=True)
class Linear:
    """From nothing to a round number above all values."""

    top: Decimal

    def place(self, value: Decimal) -> float:
        """How far down a number stands."""
        return _down(float(max(Decimal(0), min(value, self.top)) / self.top))

    def ticks(self) -> Iterator[Tick]:
        """Round numbers, from nothing upwards."""
        step = next(one for one in _steps(self.top) if self.top % one == 0 and self.top / one <= _MOST_TICKS)
        for count in range(int(self.top / step) + 1):
            yield Tick(self.place(count * step), number(count * step))


@dataclass(frozen=True, slots=True)
class Logarithmic:
    """Powers of ten from `low` to `high`."""

    low: int
    high: int

    def place(self, value: Decimal) -> float:
        """How far down a number stands; what is not above nothing stands on the floor."""
        power = log10(value) if value > 0 else self.low
        return _down((min(self.high, max(self.low, power)) - self.low) / (self.high - self.low))

    def ticks(self) -> Iterator[Tick]:
        """Each power of ten, or every second where there are many."""
        step = -(-(self.high - self.low) // _MOST_TICKS)
        for power in range(self.low, self.high + 1, step):
            yield Tick(self.place(Decimal(10) ** power), number(Decimal(10) ** power))


Axis = Linear | Logarithmic


def linear(values: Sequence[Decimal], least: int = 250) -> Linear:
    """The axis that holds these values."""
    return Linear(round_up(max([Decimal(least), *values])))


def logarithmic(values: Sequence[Decimal]) -> Logarithmic:
    """The axis that holds these values: at least from 10 to 1,000."""
    powers = [log10(one) for one in values if one > 0]
    return Logarithmic(max(-2, floor(min([1.0, *powers]))), ceil(max([3.0, *powers])))


def round_up(value: Decimal) -> Decimal:
    """The least round number that is not below it."""
    power = Decimal(10) ** floor(log10(float(value)))
    return next(step * power for step in _ROUND if step * power >= value)


def _steps(top: Decimal) -> Iterator[Decimal]:
    """Steps that go up to the top without a rest, the finest first."""
    power = Decimal(10) ** (floor(log10(float(top))) - 1)
    yield from (step * power for step in (1, 2, Decimal("2.5"), 5, 10, 20, 25, 50))
    yield top


def _down(share: float) -> float:
    return round(BOTTOM - share * (BOTTOM - TOP), 1)
