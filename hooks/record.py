"""One patient at one moment, as the chart was read: frozen facts without FHIR, network or clock.

`None` means that the chart does not say; an empty tuple means that it says "none".
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from hooks.results import Comparator, LabResult, Measure, OtherResult, Pending, Unreadable
from hooks.sentences import NOTHING, Sentence

__all__ = [
    "LIFELONG",
    "LOOK_BACK_DAYS",
    "Allergy",
    "ArtEvent",
    "ArtHistory",
    "ArtStatus",
    "Comparator",
    "DraftOrder",
    "DraftedArt",
    "Fact",
    "Gap",
    "Hiv",
    "HivStatus",
    "LabResult",
    "Measure",
    "Medication",
    "OtherResult",
    "PatientRecord",
    "Pending",
    "Problem",
    "ProblemState",
    "Unreadable",
]

HivStatus = Literal["established", "unclear", "none", "unknown"]
ProblemState = Literal["active", "past", "unknown"]
ArtStatus = Literal["never", "on", "stopped", "unclear"]
ArtEvent = Literal["none", "start", "restart", "switch", "continue", "unclear"]

# Of these tests an old result may still count, so an old one that cannot be read may still hide something
LIFELONG = frozenset(("toxoplasma-igg", "g6pd", "hbsag", "anti-hbs", "tb-test", "crag"))
LOOK_BACK_DAYS = 365  # no rule acts on a result older than a year, so nothing older can hide one (decision tables 5.1)


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


@dataclass(frozen=True, slots=True)
class DraftedArt:
    """What the drafted antiretrovirals would do (made by `hooks.art_history`): the event, and the regimen that would result."""

    event: ArtEvent
    agents: frozenset[str] = frozenset()
    replaces: bool = False  # a whole regimen beside an active one is read as its replacement


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftOrder:
    """One order of the signing session. Neither a drug nor a test we know: an order for something else."""

    source: str
    medication: Medication | None = None
    tests: frozenset[str] = frozenset()  # measures and tests it asks for
    stops: bool = False  # an order to stop, or not to give, its medication
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


Fact = LabResult | OtherResult | Problem | Medication | Allergy | DraftOrder  # what a finding can rest on


@dataclass(frozen=True, slots=True)
class Gap:
    """A datum that was not supplied, came in part, or could not be read; why, in words fit for a card.

    `foreseen`: the site has said that it cannot send it, so that no card says it again.
    """

    datum: str
    why: Sentence
    foreseen: bool = False


@dataclass(frozen=True, slots=True)
class Hiv:
    """What the chart says of HIV infection, and on what basis."""

    status: HivStatus
    basis: Sentence = NOTHING
    type_2: bool = False
    treated: bool = False  # not established, yet there are the antiretrovirals of a regimen, or a draft of any


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
    drafted_art: DraftedArt = DraftedArt("none")
    problems: tuple[Problem, ...] | None = None
    allergies: tuple[Allergy, ...] | None = None
    no_known_allergy: bool = False
    pregnant: bool | None = None
    other_results: tuple[OtherResult, ...] = ()
    tests_on_order: frozenset[str] = frozenset()
    pending: tuple[Pending, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    gaps: tuple[Gap, ...] = field(default=())  # not supplied, or supplied in part

    def results(self, datum: str) -> tuple[LabResult | OtherResult, ...]:
        """The usable results of one measure or test, newest first."""
        by_datum: dict[str, tuple[LabResult, ...]] = {
            "cd4-count": self.cd4_counts,
            "cd4-percent": self.cd4_percents,
            "viral-load": self.viral_loads,
        }
        return by_datum[datum] if datum in by_datum else self.others(datum)

    def others(self, test: str) -> tuple[OtherResult, ...]:
        """The results of one of the other tests, newest first."""
        return tuple(one for one in self.other_results if one.test == test)

    def gap(self, datum: str) -> Gap | None:
        """Why this datum cannot be relied on, or None where it can (which includes "the chart does not say")."""
        if not self.gaps and not self.unreadable:
            return None  # most charts
        for gap in self.gaps:
            if gap.datum == datum:
                return gap
        return next((Gap(datum, one.why) for one in self.unreadable if one.datum == datum and self._hides(one)), None)

    def _hides(self, one: Unreadable) -> bool:
        """Could this unreadable thing be newer than all we can read, and recent enough to matter?"""
        if one.latest is None:
            return True
        newest = next(iter(self.results(one.datum)), None)
        recent = one.datum in LIFELONG or (self.as_of - one.latest).days <= LOOK_BACK_DAYS
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

    def problems_of(
        self, concept: str, states: Iterable[ProblemState] = ("active", "past", "unknown")
    ) -> tuple[Problem, ...]:
        """The problems of this concept that are on the list in one of the states."""
        return tuple(one for one in self.problems or () if concept in one.concepts and one.state in states)

    def has_problem(self, concept: str, states: Iterable[ProblemState] = ("active", "past", "unknown")) -> bool:
        """Whether a problem of this concept is on the list in one of the states."""
        return bool(self.problems_of(concept, states))

    def taken_medications(self) -> tuple[Medication, ...]:
        """The current entries of the medication list, orders and statements."""
        return tuple(one for one in self.medications or () if one.current)

    def drafted_medications(self) -> tuple[Medication, ...]:
        """The drugs among the draft orders; not those that an order is to stop."""
        return tuple(order.medication for order in self.draft_orders or () if order.medication and not order.stops)

    def current_medications(self) -> tuple[Medication, ...]:
        """What is being taken or about to be signed: current entries and the drugs among the draft orders."""
        return self.taken_medications() + self.drafted_medications()
