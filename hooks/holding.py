"""Advice that would be said and what the site knows of it in; out comes whether it is held back all the same, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from hooks.advice import Recommendation
from hooks.knowledge import Knowledge
from hooks.record import PatientRecord
from hooks.sameness import Mark, has_crossed

UNRELATED, QUIET, NO_ROOM, SHADOW, SWITCHED_OFF = "unrelated-order", "quiet-period", "no-room", "shadow", "switched-off"
NOT_ASSESSED = "not-assessed"  # in the place of a rule: the card that says what could not be assessed


@dataclass(frozen=True, slots=True)
class Quiet:
    """Advice of one rule about this patient that was overridden, or whose test was ordered; silent until that day."""

    mark: Mark
    until: date  # the first day on which it may speak again


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """What the site knows before the rules are asked. `quiet`: by rule. `shadow`: rules that are judged and not shown.

    `off`: rules that are not even judged.
    """

    quiet: Mapping[str, tuple[Quiet, ...]] = field(default_factory=dict)
    shadow: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()

    def quiet_until(
        self, rule: str, said: Recommendation, found: Mark, record: PatientRecord, knowledge: Knowledge
    ) -> date | None:
        """Until when this advice is silent; None where it speaks. What is critical always speaks."""
        if said.indicator == "critical":
            return None
        over = (
            one.until
            for one in self.quiet.get(rule, ())
            if record.as_of < one.until
            and one.mark.fingerprint == found.fingerprint
            and not has_crossed(one.mark.newest, record, knowledge)
        )
        return max(over, default=None)


NOTHING = Holds()
