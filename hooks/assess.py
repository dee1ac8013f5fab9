"""A service, a patient record and a profile in; an Assessment out: every rule, said or silent, with its reason."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from hooks.advice import URGENCY, Indicator, Lacks, Recommendation, Silent, Verdict
from hooks.discreet import Discreet
from hooks.drugs import concerns_hiv_care
from hooks.grouping import grouped
from hooks.holding import NO_ROOM, NOTHING, QUIET, SHADOW, SWITCHED_OFF, UNRELATED, Holds
from hooks.knowledge import Profile
from hooks.record import Fact, Gap, PatientRecord
from hooks.sameness import Mark, mark
from hooks.sentences import Sentence, say, term

MOST_CARDS = 3
TITLE = "title"  # context of the titles of rules, as terms
_log = logging.getLogger("hooks.assess")


@dataclass(frozen=True, slots=True)
class Rule:
    """One recommendation as code; made by `@rule`, called like the function it was made from."""

    id: str
    title: Sentence
    cites: tuple[str, ...]  # statements and thresholds that every profile has
    may_cite: tuple[str, ...]  # those that a guideline may be without: the rule then does without them
    needs: tuple[str, ...]
    worst: Indicator  # the most urgent it can be: a gap that could hide a warning is said aloud
    of_order: bool  # speaks of drugs being started, switched or removed, and needs an order for that
    discreet: Discreet  # its words for a card's face that others can see
    function: Callable[[PatientRecord, Profile], Verdict]

    @property
    def statement(self) -> str:
        """The When / Then of its docstring."""
        return " ".join((self.function.__doc__ or "").split("\n", 1)[-1].split())

    def __call__(self, record: PatientRecord, profile: Profile) -> Verdict:
        return self.function(record, profile)


def rule(
    *,
    cites: tuple[str, ...],
    needs: tuple[str, ...],
    discreet: Discreet,
    may_cite: tuple[str, ...] = (),
    worst: Indicator = "info",
    of_order: bool = False,
) -> Callable[[Callable[[PatientRecord, Profile], Verdict]], Rule]:
    """Makes a rule of a function: its name is the id, its docstring the title and the When / Then."""

    def make(function: Callable[[PatientRecord, Profile], Verdict]) -> Rule:
        title = term(TITLE, (function.__doc__ or "").strip().split("\n", 1)[0].rstrip("."))
        named = function.__name__.replace("_", "-")
        return Rule(named, title, cites, may_cite, needs, worst, of_order, discreet, function)

    return make


Outcome = Literal["recommended", "held", "silent", "not-assessed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of one rule. `gaps` is empty where the chart was read and simply does not say."""

    rule: Rule
    outcome: Outcome
    recommendation: Recommendation | None = None
    why: str | None = None  # held, or not assessed because the site has switched the rule off
    until: date | None = None  # held for a quiet period
    because: str | None = None  # silent
    missing: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    facts: tuple[Fact, ...] = ()  # what it rests on, said or not
    unlikely: bool = False  # not assessed, yet nothing points to there being anything to say


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
        return not any(finding.gaps or finding.why == SWITCHED_OFF for finding in self.findings)

    @property
    def cards(self) -> tuple[tuple[Finding, ...], ...]:
        """What is said now, most urgent first: the findings that one order answers together, the most urgent leading."""
        said = tuple(finding for finding in self.findings if finding.outcome == "recommended")
        return tuple(tuple(said[place] for place in group) for group in _groups(said))

    @property
    def hidden_by_gaps(self) -> tuple[Finding, ...]:
        """The rules whose gap could hide a warning or worse, but for gaps that the site has foreseen, and rules not shown."""
        open_ = (one for one in self.findings if not one.why and not one.unlikely)
        told = (one for one in open_ if any(not gap.foreseen for gap in one.gaps))
        return tuple(one for one in told if one.rule.worst != "info" or one.rule.id == "scope")


def _groups(said: Sequence[Finding]) -> list[list[int]]:
    """Which of the said findings share a card, by place; cards and findings most urgent first."""
    advice = [one.recommendation for one in said]
    return grouped([(URGENCY.index(one.indicator), one.answers) for one in advice if one])


def assess(service: Service, record: PatientRecord, profile: Profile, holds: Holds = NOTHING) -> Assessment:
    """Every rule of the service over the record; pure: the same record and holds give the same assessment."""
    findings: list[Finding] = []
    in_doubt: Lacks | None = None  # scope not assessed: nobody knows yet whether any advice applies
    for one in service.rules:
        if one.id in holds.off:
            findings.append(Finding(rule=one, outcome="not-assessed", why=SWITCHED_OFF))
            continue
        verdict = in_doubt or judge(one, record, profile)
        if isinstance(verdict, Recommendation | Silent) and verdict.ends_matter:
            findings = [_finding(one, verdict, record)]
            break
        if isinstance(verdict, Lacks) and not findings:
            in_doubt = verdict
        findings.append(_finding(one, verdict, record))
    findings = _hold_at_unrelated_order(findings, service, record, profile)
    return Assessment(profile, _hold_what_found_no_room(_hold(one, record, profile, holds) for one in findings))


def judge(one: Rule, record: PatientRecord, profile: Profile) -> Verdict:
    """What one rule says of the record, or that it cannot be assessed: a gap in its needs, or a fault in its code."""
    if one.id in profile.left_out:
        return Silent(f"the guideline profile {profile.name} gives no recommendation on this")
    lacking = tuple(datum for datum in one.needs if record.gap(datum))
    if lacking:
        return Lacks(lacking)
    try:
        return one(record, profile)
    except Exception as error:  # one faulty rule must not take the others down; its message could hold patient data
        fault = type(error).__name__
        said = {"event": "rule-failed", "rule": one.id, "fault": fault}
        _log.error("rule %s raised %s and was not assessed", one.id, fault, extra=said)
        return Lacks(())


def mark_of(one: Rule, said: Recommendation, record: PatientRecord, profile: Profile) -> Mark:
    """By what the same advice of the rule is known again."""
    return mark(one.id, said, record, profile.knowledge, of_order=one.of_order)


def _finding(one: Rule, verdict: Verdict, record: PatientRecord) -> Finding:
    if isinstance(verdict, Recommendation):
        return Finding(rule=one, outcome="recommended", recommendation=verdict, facts=verdict.facts)
    if isinstance(verdict, Silent):
        return Finding(rule=one, outcome="silent", because=verdict.because, facts=verdict.facts)
    gaps = tuple(gap for gap in map(record.gap, verdict.data) if gap)
    if not verdict.data:  # it raised: all it needs is in doubt
        gaps = tuple(Gap(datum, say("could not be assessed for an internal fault")) for datum in one.needs)
    missing = verdict.data or one.needs
    return Finding(
        rule=one, outcome="not-assessed", missing=missing, gaps=gaps, facts=verdict.facts, unlikely=verdict.unlikely
    )


def _hold_at_unrelated_order(
    findings: list[Finding], service: Service, record: PatientRecord, profile: Profile
) -> list[Finding]:
    """Information speaks at an order only where the order concerns it; warnings speak always."""
    if not service.at_order or any(concerns_hiv_care(order, profile.knowledge) for order in record.draft_orders or ()):
        return findings
    return [replace(one, outcome="held", why=UNRELATED) if _is_unrelated(one) else one for one in findings]


def _is_unrelated(finding: Finding) -> bool:
    said = finding.recommendation
    return said is not None and said.indicator == "info" and not said.about_order


def _hold(one: Finding, record: PatientRecord, profile: Profile, holds: Holds) -> Finding:
    """Held for a quiet period, or because the site looks on first: either makes room for what is shown."""
    said = one.recommendation
    if said and one.outcome == "recommended" and one.rule.id in holds.quiet:
        found = mark_of(one.rule, said, record, profile)
        until = holds.quiet_until(one.rule.id, said, found, record, profile.knowledge)
        if until:
            return replace(one, outcome="held", why=QUIET, until=until)
    if one.rule.id not in holds.shadow or one.why or one.outcome == "silent":
        return one
    return replace(one, outcome="held" if one.outcome == "recommended" else one.outcome, why=SHADOW)


def _hold_what_found_no_room(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    findings = tuple(findings)
    said = [one for one in findings if one.outcome == "recommended"]
    if len(said) <= MOST_CARDS:
        return findings
    late = {said[place].rule.id for group in _groups(said)[MOST_CARDS:] for place in group}
    return tuple(replace(one, outcome="held", why=NO_ROOM) if one.rule.id in late else one for one in findings)
