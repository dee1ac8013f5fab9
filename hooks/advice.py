"""What a rule can answer: a recommendation with its facts, authority and orders; silence with its reason; or what it lacks."""

from dataclasses import dataclass
from typing import Literal

from hooks.knowledge import Citation, Regimen
from hooks.record import Fact
from hooks.sentences import NOTHING, Sentence

Indicator = Literal["critical", "warning", "info"]
URGENCY: tuple[Indicator, ...] = ("critical", "warning", "info")


@dataclass(frozen=True, slots=True)
class DrugOrder:
    """Clinical intent: start this regimen. Without `dosed` the order names the drug and leaves the dose to the prescriber."""

    regimen: Regimen
    dosed: bool = True
    recommended: bool = False

    @property
    def answer(self) -> str:
        """What it answers a finding with: two findings that can be answered alike share a card."""
        return f"drug {self.regimen.key} {self.dosed}"


@dataclass(frozen=True, slots=True)
class TestOrder:
    """Clinical intent: order this laboratory test (a key of the knowledge's tests)."""

    test: str
    recommended: bool = False

    @property
    def answer(self) -> str:
        """See `DrugOrder.answer`."""
        return f"test {self.test}"


@dataclass(frozen=True, slots=True)
class RemoveDraft:
    """Clinical intent: take this drug out of the orders about to be signed."""

    source: str  # Type/id of the draft
    name: Sentence
    recommended: bool = False

    @property
    def answer(self) -> str:
        """See `DrugOrder.answer`."""
        return f"remove {self.source}"


@dataclass(frozen=True, slots=True)
class ReplaceDraft:
    """Clinical intent: make of this draft an order for the regimen (of one drug)."""

    source: str
    name: Sentence
    order: DrugOrder

    @property
    def recommended(self) -> bool:
        """As the order is."""
        return self.order.recommended

    @property
    def answer(self) -> str:
        """The same as that of the order: it does what the order would."""
        return self.order.answer


Suggestion = DrugOrder | TestOrder | RemoveDraft | ReplaceDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What to say: the point in one line, why, on what facts, by whose authority, and what can be ordered."""

    summary: Sentence
    indicator: Indicator
    rationale: tuple[Sentence, ...]
    cites: tuple[Citation, ...]
    facts: tuple[Fact, ...] = ()
    notes: tuple[Sentence, ...] = ()  # what was missing, or not checked
    suggestions: tuple[Suggestion, ...] = ()
    several: bool = False  # more than one suggestion may be taken
    also: Sentence = NOTHING  # what its summary adds to that of a card it shares
    stops: frozenset[str] = frozenset()  # sources of the drugs it says may be stopped: such findings share a card
    about_order: bool = False  # speaks of the very order being signed, so it is never unrelated to it
    level: str | None = None
    ends_matter: bool = False  # no other rule is then listed
    case: str = ""  # which of its rule's discreet sentences says it; empty: that of its urgency, or the usual one

    @property
    def answers(self) -> frozenset[str]:
        """What would answer it: its suggestions, or stopping a drug."""
        return frozenset(one.answer for one in self.suggestions) | {f"stop {source}" for source in self.stops}


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing to say, because …; with the facts that show it."""

    because: str
    facts: tuple[Fact, ...] = ()
    ends_matter: bool = False


@dataclass(frozen=True, slots=True)
class Lacks:
    """The rule cannot be assessed for want of these data; with the facts that were there.

    `unlikely`: nothing on the chart points to there being anything to say, so that no card says what lacks.
    """

    data: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    unlikely: bool = False


Verdict = Recommendation | Silent | Lacks
