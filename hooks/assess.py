"""A service, a patient record and a profile in; an Assessment out: every rule, said or silent, with its reason."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from hooks.drugs import concerns_hiv_care
from hooks.knowledge import Citation, Profile, Regimen
from hooks.record import Gap, LabResult, PatientRecord

Indicator = Literal["critical", "warning", "info"]
URGENCY: tuple[Indicator, ...] = ("critical", "warning", "info")
MOST_CARDS = 3
_log = logging.getLogger("hooks.assess")


@dataclass(frozen=True, slots=True)
class DrugOrder:
    """Clinical intent: start this regimen. Without `dosed` the order names the drug and leaves the dose to the prescriber."""

    regimen: Regimen
    dosed: bool = True
    recommended: bool = False


@dataclass(frozen=True, slots=True)
class TestOrder:
    """Clinical intent: order this laboratory test (a key of the knowledge's tests)."""

    test: str
    recommended: bool = False


@dataclass(frozen=True, slots=True)
class RemoveDraft:
    """Clinical intent: take this drug out of the orders about to be signed."""

    source: str  # Type/id of the draft
    name: str
    recommended: bool = False


Suggestion = DrugOrder | TestOrder | RemoveDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What to say: the point in one line, why, on what facts, by whose authority, and what can be ordered."""

    summary: str
    indicator: Indicator
    rationale: tuple[str, ...]
    cites: tuple[Citation, ...]
    facts: tuple[LabResult, ...] = ()
    notes: tuple[str, ...] = ()  # what was missing, or not checked
    suggestions: tuple[Suggestion, ...] = ()
    several: bool = False  # more than one suggestion may be taken
    level: str | None = None
    ends_matter: bool = False  # no other rule is then listed


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing to say, because …"""

    because: str
    ends_matter: bool = False


@dataclass(frozen=True, slots=True)
class Lacks:
    """The rule cannot be assessed for want of these data."""

    data: tuple[str, ...]


Verdict = Recommendation | Silent | Lacks


@dataclass(frozen=True, slots=True)
class Rule:
    """One recommendation as code; made by `@rule`, called like the function it was made from."""

    id: str
    title: str
    cites: tuple[str, ...]
    needs: tuple[str, ...]
    worst: Indicator  # the most urgent it can be: a gap that could hide a warning is said aloud
    function: Callable[[PatientRecord, Profile], Verdict]

    @property
    def statement(self) -> str:
        """The When / Then of its docstring."""
        return " ".join((self.function.__doc__ or "").split("\n", 1)[-1].split())

    def __call__(self, record: PatientRecord, profile: Profile) -> Verdict:
        return self.function(record, profile)


def rule(
    *, cites: tuple[str, ...], needs: tuple[str, ...], worst: Indicator = "info"
) -> Callable[[Callable[[PatientRecord, Profile], Verdict]], Rule]:
    """Makes a rule of a function: its name is the id, its docstring the title and the When / Then."""

    def make(function: Callable[[PatientRecord, Profile], Verdict]) -> Rule:
        title = (function.__doc__ or "").strip().split("\n", 1)[0].rstrip(".")
        return Rule(function.__name__.replace("_", "-"), title, cites, needs, worst, function)

    return make


Outcome = Literal["recommended", "held", "silent", "not-assessed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of one rule. `gaps` is empty where the chart was read and simply does not say."""

    rule: Rule
    outcome: Outcome
    recommendation: Recommendation | None = None
    why: str | None = None  # held
    because: str | None = None  # silent
    missing: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """What is answered at one moment of the workflow: which hook, which prefetch, which rules. `scope` comes first."""

    id: str
    hook: str
    title: str
    description: str
    rules: tuple[Rule, ...]
    at_order: bool


@dataclass(frozen=True, slots=True)
class Assessment:
    """All findings, silent ones too, so that every answer, empty or not, can be explained."""

    profile: Profile
    findings: tuple[Finding, ...]

    @property
    def complete(self) -> bool:
        """Whether everything the rules needed came and could be read."""
        return not any(finding.gaps for finding in self.findings)

    @property
    def recommended(self) -> tuple[Finding, ...]:
        """What is said now, most urgent first."""
        said = (finding for finding in self.findings if finding.outcome == "recommended")
        return tuple(sorted(said, key=urgency))

    @property
    def hidden_by_gaps(self) -> tuple[Finding, ...]:
        """The rules whose gap could hide a warning or worse."""
        return tuple(one for one in self.findings if one.gaps and (one.rule.worst != "info" or one.rule.id == "scope"))


def urgency(finding: Finding) -> int:
    """Sorts the most urgent first."""
    return URGENCY.index(finding.recommendation.indicator) if finding.recommendation else len(URGENCY)


def assess(service: Service, record: PatientRecord, profile: Profile) -> Assessment:
    """Every rule of the service over the record; pure: the same record gives the same assessment."""
    findings: list[Finding] = []
    in_doubt: Lacks | None = None  # scope not assessed: nobody knows yet whether any advice applies
    for one in service.rules:
        verdict = in_doubt or _verdict(one, record, profile)
        if isinstance(verdict, Recommendation | Silent) and verdict.ends_matter:
            findings = [_finding(one, verdict, record)]
            break
        if isinstance(verdict, Lacks) and not findings:
            in_doubt = verdict
        findings.append(_finding(one, verdict, record))
    return Assessment(profile, _hold_what_found_no_room(_hold_at_unrelated_order(findings, service, record, profile)))


def _verdict(one: Rule, record: PatientRecord, profile: Profile) -> Verdict:
    lacking = tuple(datum for datum in one.needs if record.gap(datum))
    if lacking:
        return Lacks(lacking)
    try:
        return one(record, profile)
    except Exception as error:  # one faulty rule must not take the others down; its message could hold patient data
        _log.error("rule %s raised %s and was not assessed", one.id, type(error).__name__)
        return Lacks(())


def _finding(one: Rule, verdict: Verdict, record: PatientRecord) -> Finding:
    if isinstance(verdict, Recommendation):
        return Finding(rule=one, outcome="recommended", recommendation=verdict)
    if isinstance(verdict, Silent):
        return Finding(rule=one, outcome="silent", because=verdict.because)
    gaps = tuple(gap for gap in map(record.gap, verdict.data) if gap)
    if not verdict.data:  # it raised: all it needs is in doubt
        gaps = tuple(Gap(datum, "could not be assessed for an internal fault") for datum in one.needs)
    return Finding(rule=one, outcome="not-assessed", missing=verdict.data or one.needs, gaps=gaps)


def _hold_at_unrelated_order(
    findings: list[Finding], service: Service, record: PatientRecord, profile: Profile
) -> list[Finding]:
    """Information speaks at an order only where the order concerns it; warnings speak always."""
    if not service.at_order or any(concerns_hiv_care(order, profile.knowledge) for order in record.draft_orders or ()):
        return findings
    return [
        replace(one, outcome="held", why="unrelated-order")
        if one.recommendation and one.recommendation.indicator == "info"
        else one
        for one in findings
    ]


def _hold_what_found_no_room(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    findings = tuple(findings)
    said = sorted((one for one in findings if one.outcome == "recommended"), key=urgency)
    for late in said[MOST_CARDS:]:
        findings = tuple(replace(one, outcome="held", why="no-room") if one is late else one for one in findings)
    return findings
