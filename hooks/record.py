"""One patient at one moment, as the chart was read: frozen facts without FHIR, network or clock.

`None` means that the chart does not say; an empty tuple means that it says "none".
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Measure = Literal["cd4-count", "cd4-percent", "viral-load"]
Comparator = Literal["", "<", "<=", ">", ">="]
HivStatus = Literal["established", "unclear", "none", "unknown"]
ProblemState = Literal["active", "past", "unknown"]
ArtStatus = Literal["never", "on", "stopped", "unclear"]

LOOK_BACK_DAYS = 365  # no rule acts on a result older than a year, so nothing older can hide one (decision tables 5.1)


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
    notes: tuple[str, ...] = ()

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
class Medication:
    """One order or statement of a drug, by RxNorm ingredient code."""

    ingredients: frozenset[str]
    source: str
    current: bool
    flags: frozenset[str] = frozenset()  # of the product: prep_or_backbone, nonsystemic_exclude, …
    since: dt.date | None = None
    until: dt.date | None = None
    supplied_until: dt.date | None = None  # the supply with all its repeats lasts until then, where the order limits it
    by_name: bool = False  # recognised by the drug's name in the text, not by a code
    short_course: bool = False  # ordered for 14 days or less in all
    times_per_week: Decimal | None = None
    has_dose: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtHistory:
    """Antiretroviral treatment so far (made by `hooks.art_history`). Dates are None where the chart does not say."""

    status: ArtStatus
    agents: frozenset[str] = frozenset()  # being taken now
    since: dt.date | None = None  # start of the unbroken course
    changed: dt.date | None = None  # last change of its ingredients; the start where there was none
    stopped: dt.date | None = None

    def days_on(self, as_of: dt.date) -> int | None:
        """Days since the start of the course."""
        return (as_of - self.since).days if self.status == "on" and self.since else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftOrder:
    """One order of the signing session. Neither a drug nor a test we know: an order for something else."""

    source: str
    medication: Medication | None = None
    tests: frozenset[str] = frozenset()  # measures and tests it asks for
    readable: bool = True  # False: says neither what drug nor what test it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One condition of the chart, by the concepts of our value sets."""

    concepts: frozenset[str]
    state: ProblemState
    source: str
    onset: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allergy:
    """One allergy or intolerance that counts. `severe` None: the chart gives neither severity nor criticality."""

    source: str
    ingredients: frozenset[str] = frozenset()
    sulfonamide: bool = False
    severe: bool | None = None
    severe_cutaneous: bool = False  # SJS, TEN or DRESS
    recognised: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherResult:
    """Another laboratory result that rules read, as positive, negative, deficient, normal …"""

    test: str
    result: str
    date: dt.date
    source: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that was there but could not be trusted: which datum it would be, why, and the last day it can be from."""

    datum: str
    why: str  # our own words, fit for a card
    latest: dt.date | None
    source: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A result that is registered or preliminary: somebody is working on it, nothing rests on it."""

    datum: str
    date: dt.date | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A datum that was not supplied, came in part, or could not be read; why, in words fit for a card."""

    datum: str
    why: str


@dataclass(frozen=True, slots=True)
class Hiv:
    """What the chart says of HIV infection, and on what basis."""

    status: HivStatus
    basis: str = ""
    type_2: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRecord:
    """Everything the rules may know. Results are newest first, one per day (CD4) or moment (viral load)."""

    as_of: dt.date
    hiv: Hiv
    ages: tuple[int, int] | None = None  # the least and the most it can be: a birth date may be partial
    cd4_counts: tuple[LabResult, ...] = ()
    cd4_percents: tuple[LabResult, ...] = ()
    viral_loads: tuple[LabResult, ...] = ()
    medications: tuple[Medication, ...] | None = None
    art: ArtHistory = ArtHistory(status="never")
    draft_orders: tuple[DraftOrder, ...] | None = None  # None where the hook has no draft orders
    problems: tuple[Problem, ...] | None = None
    allergies: tuple[Allergy, ...] | None = None
    no_known_allergy: bool = False
    pregnant: bool | None = None
    other_results: tuple[OtherResult, ...] = ()
    tests_on_order: frozenset[str] = frozenset()
    pending: tuple[Pending, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    gaps: tuple[Gap, ...] = field(default=())  # not supplied, or supplied in part

    def results(self, datum: str) -> tuple[LabResult, ...]:
        """The usable results of one measure, newest first."""
        by_datum = {"cd4-count": self.cd4_counts, "cd4-percent": self.cd4_percents, "viral-load": self.viral_loads}
        return by_datum.get(datum, ())

    def gap(self, datum: str) -> Gap | None:
        """Why this datum cannot be relied on, or None where it can (which includes "the chart does not say")."""
        for gap in self.gaps:
            if gap.datum == datum:
                return gap
        return next((Gap(datum, one.why) for one in self.unreadable if one.datum == datum and self._hides(one)), None)

    def _hides(self, one: Unreadable) -> bool:
        """Could this unreadable thing be newer than all we can read, and recent enough to matter?"""
        if one.latest is None:
            return True
        newest = next(iter(self.results(one.datum)), None)
        recent = (self.as_of - one.latest).days <= LOOK_BACK_DAYS
        return recent and (newest is None or one.latest > newest.date)

    @property
    def age(self) -> int | None:
        """Whole years, where the birth date leaves no doubt."""
        return self.ages[0] if self.ages and self.ages[0] == self.ages[1] else None

    def awaits(self, datum: str) -> bool:
        """Whether a result is on its way that would be newer than all usable ones."""
        newest = next(iter(self.results(datum)), None)
        since = newest.date if newest else self.as_of - dt.timedelta(days=LOOK_BACK_DAYS)
        return any(one.datum == datum and (one.date is None or one.date >= since) for one in self.pending)

    def is_on_its_way(self, datum: str) -> bool:
        """Whether the test is drafted, ordered, or has a result on its way."""
        drafted = any(datum in order.tests for order in self.draft_orders or ())
        return drafted or datum in self.tests_on_order or self.awaits(datum)

    def has_problem(self, concept: str, states: Iterable[ProblemState] = ("active", "past", "unknown")) -> bool:
        """Whether a problem of this concept is on the list in one of the states."""
        return any(concept in one.concepts and one.state in states for one in self.problems or ())

    def current_medications(self) -> tuple[Medication, ...]:
        """What is being taken or about to be signed: current entries and the drugs among the draft orders."""
        drafted = tuple(order.medication for order in self.draft_orders or () if order.medication)
        return tuple(one for one in self.medications or () if one.current) + drafted

    def drafted_medications(self) -> tuple[Medication, ...]:
        """The drugs among the draft orders."""
        return tuple(order.medication for order in self.draft_orders or () if order.medication)
