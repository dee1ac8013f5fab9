"""The types of a check's findings, frozen: counts, codes, units and shapes, and nothing of a patient but ids of resources."""

from dataclasses import dataclass
from typing import Literal

Weight = Literal["refused", "loses", "harmless"]  # the call is refused; advice is lost; it is read all the same
KeyState = Literal["honoured", "partial", "under another key", "malformed", "missing"]
WEIGHTS: tuple[Weight, ...] = ("refused", "loses", "harmless")
STATES: tuple[KeyState, ...] = ("honoured", "under another key", "partial", "malformed", "missing")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Remark:
    """Something odd, how much it matters, where it was seen and how often."""

    weight: Weight
    says: str
    where: str = ""
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One request that was looked at. `outcome`: answered, or the refusal it gets and why."""

    name: str
    hook: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReport:
    """One prefetch template: what became of it, how often, and what was noticed of the answers."""

    key: str
    states: tuple[tuple[KeyState, int], ...]
    notes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeReport:
    """One way of naming a result, drug, problem, allergy or order. `ours` None: its code is not recognised."""

    kind: str
    codes: tuple[str, ...]  # system|code
    display: str
    ours: bool | None
    taken_for: str
    why: str
    times: int
    example: str = ""  # a resource to look at, where something could not be used


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitReport:
    """One spelling of a unit, or the shape of a result written as text, under one measure."""

    measure: str
    unit: str
    shape: str
    why: str  # empty: it is read
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A datum that a rule lacked, why, and how often."""

    datum: str
    why: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReport:
    """One rule: how often it was assessed, what it lacked, and the templates that never came."""

    rule: str
    title: str
    assessed: int
    not_assessed: int
    not_reached: int  # refused, or the matter ended before (no sign of HIV, a child)
    lacked: tuple[Lack, ...]
    never: tuple[str, ...]  # keys it cannot do without, and that no request brought


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterReport:
    """One search parameter of a FHIR server: what it declares, and what it does."""

    search: str  # such as Observation?code
    declared: bool | None  # None: there is no CapabilityStatement
    found: Literal["honoured", "ignored", "refused", "cannot tell"]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCheck:
    """One check of a token, by the name of the reason it gives in the metrics."""

    name: str
    result: Literal["passed", "failed", "not checked"]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a check found."""

    version: str
    knowledge: str
    profile: str
    checked: str  # when, UTC
    issuer: str
    examined: tuple[Examined, ...]
    remarks: tuple[Remark, ...]
    keys: tuple[KeyReport, ...]
    codes: tuple[CodeReport, ...]
    units: tuple[UnitReport, ...]
    clocks: tuple[Remark, ...]
    parameters: tuple[ParameterReport, ...]
    token: tuple[TokenCheck, ...]
    rules: tuple[RuleReport, ...]
    invalid: tuple[Remark, ...]
    lines: tuple[str, ...]  # for a map of local codes
