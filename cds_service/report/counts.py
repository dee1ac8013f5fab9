"""How often something became of a rule's advice, cell by cell, in; the counts of a period, and what follows from them, out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cds_service.wire.override_reasons import NONE, OVERRIDE_REASONS

REASONS = (*(one.code for one in OVERRIDE_REASONS), NONE)
What = tuple[str, str]  # what became of it, and why: of the words below
SHOWN, SHADOWED, ORDERED, REPEATED = "shown", "shadowed", "ordered", "repeated"
ACCEPTED, OVERRIDDEN, ANSWERED_ORDERED = "accepted", "overridden", "answered-ordered"
SWITCHED_OFF = "switched-off"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many."""

    number: int
    of: int

    @property
    def share(self) -> float | None:
        """From 0 to 1; None where there is nothing to divide by."""
        return self.number / self.of if self.of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of advice. A card counts once for each rule on it, and by its newest outcome."""

    shown: int = 0
    shadowed: int = 0  # would have been shown
    accepted: int = 0
    overridden_by: Mapping[str, int] = field(default_factory=dict)  # every reason of REASONS
    ordered_unanswered: int = 0  # no feedback came, and what was suggested was then ordered
    held: Mapping[str, int] = field(default_factory=dict)  # by why
    not_assessed: int = 0
    lacked: Mapping[str, int] = field(default_factory=dict)  # by datum
    switched_off: int = 0  # of those not assessed
    silent: int = 0
    repeated: int = 0  # the same advice about the same patient, again on a later day within thirty

    @property
    def overridden(self) -> int:
        """For whatever reason."""
        return sum(self.overridden_by.values())

    @property
    def answered(self) -> int:
        """With feedback."""
        return self.accepted + self.overridden

    @property
    def unanswered(self) -> int:
        """Without feedback."""
        return self.shown - self.answered

    @property
    def accepted_of_answered(self) -> Rate:
        """Of what there is feedback on, so much was accepted."""
        return Rate(self.accepted, self.answered)

    @property
    def accepted_of_shown(self) -> Rate:
        """Of what was shown, so much was accepted."""
        return Rate(self.accepted, self.shown)

    @property
    def empty(self) -> bool:
        """Whether nothing at all became of the rule."""
        return not (self.shown or self.shadowed or self.held or self.not_assessed or self.silent)


def counts(found: Mapping[What, int]) -> Counts:
    """The counts that these cells amount to."""
    reasons = _by_why(found, OVERRIDDEN)
    return Counts(
        shown=found.get((SHOWN, ""), 0),
        shadowed=found.get((SHADOWED, ""), 0),
        accepted=found.get((ACCEPTED, ""), 0),
        overridden_by={reason: reasons.get(reason, 0) for reason in REASONS},
        ordered_unanswered=found.get((ORDERED, ""), 0) - found.get((ANSWERED_ORDERED, ""), 0),
        held=_by_why(found, "held"),
        not_assessed=sum(_by_why(found, "not-assessed").values()),
        lacked=_by_why(found, "lacked"),
        switched_off=found.get(("not-assessed", SWITCHED_OFF), 0),
        silent=found.get(("silent", ""), 0),
        repeated=found.get((REPEATED, ""), 0),
    )


def together(parts: Iterable[Mapping[What, int]]) -> Counter[What]:
    """The cells of several rules or periods as one."""
    found: Counter[What] = Counter()
    for one in parts:
        found.update(one)
    return found


def _by_why(found: Mapping[What, int], what: str) -> dict[str, int]:
    """The most frequent first."""
    chosen = {why: times for (which, why), times in found.items() if which == what}
    return dict(sorted(chosen.items(), key=lambda one: (-one[1], one[0])))
