"""The types of knowledge, frozen: a citation, a threshold, a regimen, a profile over them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Source:
    """A text that advice rests on."""

    key: str
    title: str
    section: str
    date: dt.date
    checked: dt.date
    url: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Where in a source something stands, with strength and evidence as its authors grade it ("" where they do not)."""

    source: Source
    locator: str
    strength: str = ""
    evidence: str = ""

    @property
    def grade(self) -> str:
        """For example AI; empty where the source gives none."""
        return self.strength + self.evidence

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
    def days(self) -> int:
        """The value as whole days."""
        return int(self.value)


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
class Regimen:
    """A drug that can be ordered: RxNorm product with a dose, ingredient without one."""

    key: str
    label: str
    name: str
    code: str
    display: str
    ingredient_code: str
    ingredient_display: str
    agents: frozenset[str]
    dose: Dose
    cite: Citation
    toxo_active: bool


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


Code = tuple[str, str]  # canonical system, code


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Everything that is data, under one version."""

    version: str
    sources: Mapping[str, Source]
    drugs: Mapping[str, Regimen]
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
    thresholds: Mapping[str, Threshold]  # those that hold under every profile

    def with_role(self, ingredients: frozenset[str], role: str) -> frozenset[str]:
        """Those of the ingredients that have the role."""
        known = self.ingredients
        return frozenset(code for code in ingredients if code in known and role in known[code].roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One guideline's numbers, statements and regimens over the same rules."""

    name: str
    title: str
    thresholds: Mapping[str, Threshold]
    statements: Mapping[str, Citation]
    regimens: Mapping[str, tuple[Regimen, ...]]
    knowledge: Knowledge

    def cite(self, key: str) -> Citation:
        """The citation of a statement or of a threshold."""
        return self.statements[key] if key in self.statements else self.thresholds[key].cite

    def knows(self, key: str) -> bool:
        """Whether the key names a statement or a threshold of this profile."""
        return key in self.statements or key in self.thresholds

    def limit(self, key: str) -> Decimal:
        """The value of a threshold."""
        return self.thresholds[key].value

    def days(self, key: str) -> int:
        """The value of a threshold in days."""
        return self.thresholds[key].days
