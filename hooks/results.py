"""Laboratory results as facts: a number, a bound or a word with its date; what could not be read; what is on its way."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from hooks.sentences import Sentence

Measure = Literal["cd4-count", "cd4-percent", "viral-load"]
Comparator = Literal["", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabResult:
    """One usable result: a number in the canonical unit, a bound (`<20` is an upper bound, not 20), or "not detected".

    Units: CD4 count `/uL`, CD4 percent `%`, viral load `copies/mL`, or `IU/mL` where the site set no assay factor.
    """

    measure: Measure
    unit: str
    number: Decimal | None
    date: dt.date  # the calendar day written in the result
    received: str  # numerals and unit as they came; never free text of the chart
    source: str  # reference of the resource, e.g. Observation/123
    comparator: Comparator = ""
    detected: bool | None = None
    instant: dt.datetime | None = None
    notes: tuple[Sentence, ...] = ()

    def is_below(self, limit: Decimal) -> bool:
        """True only where the result proves a value below the limit."""
        if self.unit == "IU/mL":
            return self.number is None and self.detected is False
        if self.number is None:
            return self.detected is False
        if self.comparator == "<":
            return self.number <= limit
        return self.comparator in ("", "<=") and self.number < limit

    def is_at_least(self, limit: Decimal) -> bool:
        """True only where the result proves a value at or above the limit."""
        if self.number is None or self.unit == "IU/mL":
            return False
        return self.comparator in ("", ">", ">=") and self.number >= limit

    def is_at_most(self, limit: Decimal) -> bool:
        """True only where the result proves a value at or below the limit."""
        return self.is_below(limit) or (self.comparator in ("", "<=") and self.number == limit)

    def is_above(self, limit: Decimal) -> bool:
        """True only where the result proves a value above the limit."""
        return self.is_at_least(limit) and (self.comparator == ">" or self.number != limit)

    def age_days(self, as_of: dt.date) -> int:
        """Whole calendar days between the date written in the result and the day of the request."""
        return (as_of - self.date).days


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherResult:
    """Another laboratory result that rules read, as positive, negative, deficient, normal …"""

    test: str
    result: str
    date: dt.date
    source: str
    received: str = ""

    def age_days(self, as_of: dt.date) -> int:
        """Whole calendar days between the date written in the result and the day of the request."""
        return (as_of - self.date).days


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that was there but could not be trusted: which datum it would be, why, and the last day it can be from."""

    datum: str
    why: Sentence  # our own words, fit for a card
    latest: dt.date | None
    source: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A result that is registered or preliminary: somebody is working on it, nothing rests on it."""

    datum: str
    date: dt.date | None
