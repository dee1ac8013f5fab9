"""One guideline over the common knowledge: what a rule asks of it, and how a result compares with its numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from hooks.knowledge.types import Citation, Knowledge, Measured, Regimen, Threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One guideline's numbers, statements and regimens over the same rules, with what the site has set.

    `switches`: where guidelines differ in kind (docs/adding-a-profile.md). `left_out`: rules on which it says nothing.
    """

    name: str
    title: str
    thresholds: Mapping[str, Threshold]
    statements: Mapping[str, Citation]
    regimens: Mapping[str, tuple[Regimen, ...]]
    knowledge: Knowledge
    switches: Mapping[str, bool] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    endemic: frozenset[str] = frozenset()

    def at_site(self, endemic: frozenset[str] = frozenset(), **switches: bool) -> "Profile":
        """The same profile with the site's endemic regions and switches."""
        named = {key.replace("_", "-"): value for key, value in switches.items()}
        return replace(self, endemic=self.endemic | endemic, switches={**self.switches, **named})

    def cite(self, key: str) -> Citation:
        """The citation of a statement or of a threshold."""
        return self.statements[key] if key in self.statements else self.thresholds[key].cite

    def knows(self, key: str) -> bool:
        """Whether the key names a statement or a threshold of this profile."""
        return key in self.statements or key in self.thresholds

    def switch(self, key: str) -> bool:
        """Whether the guideline, or the site, goes this way; false where it does not say."""
        return self.switches.get(key, False)

    def limit(self, key: str) -> Decimal:
        """The value of a threshold."""
        return self.thresholds[key].value

    def days(self, key: str) -> int:
        """The value of a threshold in days."""
        return self.thresholds[key].days

    def under(self, key: str, found: Measured) -> bool:
        """See `Threshold.under`."""
        return self.thresholds[key].under(found)

    def not_under(self, key: str, found: Measured) -> bool:
        """See `Threshold.not_under`."""
        return self.thresholds[key].not_under(found)

    def reaches(self, key: str, found: Measured) -> bool:
        """See `Threshold.reached_by`."""
        return self.thresholds[key].reached_by(found)

    def short_of(self, key: str, found: Measured) -> bool:
        """See `Threshold.missed_by`."""
        return self.thresholds[key].missed_by(found)
