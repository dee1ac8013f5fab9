"""The types of knowledge, frozen: a source, a citation, a threshold, a regimen, a code's meaning."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from hooks.record import LabResult

Measured = LabResult | Decimal | int  # a result, a difference of two, or days


@dataclass(frozen=True, slots=True)
class Source:
    """A text that advice rests on."""

    key: str
    title: str
    section: str
    date: dt.date
    checked: dt.date
    url: str
    secondary: bool = False  # read through another's report of it
    undated: bool = False  # `date` is then the day it was read


@dataclass(frozen=True, slots=True)
class Citation:
    """Where in a source something stands, with strength and evidence as its authors grade it ("" where they do not)."""

    source: Source
    locator: str
    strength: str = ""
    evidence: str = ""
    checked: dt.date | None = field(default=None, compare=False)  # None: with its source

    @property
    def grade(self) -> str:
        """For example AI, or strong, moderate; empty where the source gives none."""
        letters = len(self.strength) == 1
        return self.strength + self.evidence if letters else ", ".join(filter(None, (self.strength, self.evidence)))

    def __str__(self) -> str:
        grade = f", {self.grade}" if self.grade else ""
        return f"{self.source.title}, {self.source.section} ({self.locator}){grade}, {self.source.date.year}"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that decides, with its unit. `inclusive`: the number itself is on the side that fires or still counts."""

    key: str
    value: Decimal
    unit: str
    inclusive: bool
    cite: Citation
    since: dt.date
    checked: dt.date
    design: bool = False

    @property
    def amount(self) -> str:
        """The value with its unit, as written in the knowledge; a mere number has none."""
        return f"{self.value:f}" if self.unit == "1" else f"{self.value:f} {self.unit}"

    @property
    def days(self) -> int:
        """The value as whole days."""
        return int(self.value)

    def under(self, found: Measured) -> bool:
        """Proves that it lies below the limit; the limit itself counts where it is inclusive. For days: within."""
        if isinstance(found, LabResult):
            return found.is_at_most(self.value) if self.inclusive else found.is_below(self.value)
        return found <= self.value if self.inclusive else found < self.value

    def not_under(self, found: Measured) -> bool:
        """Proves the opposite of `under`; a bound or a word may prove neither."""
        if isinstance(found, LabResult):
            return found.is_above(self.value) if self.inclusive else found.is_at_least(self.value)
        return not self.under(found)

    def reached_by(self, found: Measured) -> bool:
        """Proves that it lies above the limit; the limit itself counts where it is inclusive. For days: since."""
        if isinstance(found, LabResult):
            return found.is_at_least(self.value) if self.inclusive else found.is_above(self.value)
        return found >= self.value if self.inclusive else found > self.value

    def missed_by(self, found: Measured) -> bool:
        """Proves the opposite of `reached_by`; a bound or a word may prove neither."""
        if isinstance(found, LabResult):
            return found.is_below(self.value) if self.inclusive else found.is_at_most(self.value)
        return not self.reached_by(found)


@dataclass(frozen=True, slots=True)
class Dose:
    """How much how often; `code` is the UCUM code of the unit."""

    value: Decimal
    unit: str
    code: str
    frequency: int
    period: int
    period_unit: str
    text: str


@dataclass(frozen=True, slots=True)
class Drug:
    """One drug of a regimen: the RxNorm product that is ordered with a dose, its ingredient where the dose is left open."""

    code: str
    display: str
    ingredient_code: str
    ingredient_display: str
    agents: frozenset[str]
    dose: Dose


@dataclass(frozen=True, slots=True)
class Regimen:
    """What can be ordered for a purpose: one drug, or several that are only taken together."""

    key: str
    label: str
    name: str
    drugs: tuple[Drug, ...]
    toxo_active: bool = False
    against_toxoplasma: bool = False  # offered only where toxoplasma is the reason
    cite: Citation | None = None  # as a profile grades it for a purpose
    agents: frozenset[str] = field(init=False)  # the ingredients of all its drugs

    def __post_init__(self) -> None:
        object.__setattr__(self, "agents", frozenset[str]().union(*(one.agents for one in self.drugs)))


@dataclass(frozen=True, slots=True)
class LabTest:
    """A test that can be ordered, by LOINC code."""

    key: str
    label: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Ingredient:
    """An RxNorm ingredient and what it is to us: art, oi, tb, sulfonamide, …"""

    code: str
    name: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Product:
    """A drug code resolved: its ingredients, its route where known, and what sets it apart."""

    ingredients: frozenset[str]
    route: str
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class UnitSpelling:
    """What a unit's spelling means: the measure it belongs to and the factor to the canonical unit."""

    measure: str
    factor: Decimal
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietPeriods:
    """Days by reason and urgency, by rule and reason where a rule has its own; and the borders of the bands of results."""

    most_days: int
    reasons: Mapping[str, Mapping[str, int]]
    rules: Mapping[str, Mapping[str, int]]
    bands: Mapping[str, tuple[Decimal, ...]]

    def days(self, rule: str, reason: str, indicator: str) -> int:
        """For how many days this advice stays silent; 0: not at all. A reason that is none of ours counts as none."""
        if indicator == "critical":
            return 0
        known = reason if reason in self.reasons else "none"
        return self.rules.get(rule, {}).get(known, self.reasons[known][indicator])


_NONE: frozenset[str] = frozenset()
Code = tuple[str, str]  # canonical system, code


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Everything that is data, under one version."""

    version: str
    sources: Mapping[str, Source]
    regimens: Mapping[str, Regimen]
    tests: Mapping[str, LabTest]
    ingredients: Mapping[str, Ingredient]
    systems: Mapping[str, str]  # any spelling of a code system -> the canonical one
    lab_codes: Mapping[Code, tuple[str, str]]  # -> measure, note
    conditions: Mapping[Code, frozenset[str]]  # -> concepts
    allergens: Mapping[Code, str]
    results: Mapping[Code, str]
    units: Mapping[str, tuple[UnitSpelling, ...]]  # folded spelling -> every meaning
    products: Mapping[Code, Product]
    drug_names: Mapping[str, Product]
    nonsystemic_words: frozenset[str]
    thresholds: Mapping[str, Threshold]  # those that hold under every profile, unless it has its own
    statements: Mapping[str, Citation]  # likewise
    quiet: QuietPeriods
    local: frozenset[Code] = frozenset()  # those among the codes above that stand in a site's own map
    roles: Mapping[str, frozenset[str]] = field(init=False)  # role -> the ingredients that have it

    def __post_init__(self) -> None:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for one in self.ingredients.values():
            for role in one.roles:
                found[role].add(one.code)
        object.__setattr__(self, "roles", {role: frozenset(codes) for role, codes in found.items()})

    def with_role(self, ingredients: frozenset[str], role: str) -> frozenset[str]:
        """Those of the ingredients that have the role."""
        return ingredients & self.roles.get(role, _NONE)
