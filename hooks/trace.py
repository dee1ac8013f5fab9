"""An assessment in, its trace out: per rule what was concluded, from which facts, by which thresholds, on whose authority.

The one source of a card's detail, of the evaluation extension and of `cds-service explain`.
"""

from dataclasses import dataclass
from datetime import date

from hooks.assess import Assessment, Finding
from hooks.facts import fact, origin
from hooks.knowledge import Profile, Threshold
from hooks.sentences import Sentence, say, verbatim
from hooks.wording import in_unit, name, number


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedFinding:
    """One finding in words."""

    rule: str
    title: Sentence
    outcome: str
    indicator: str | None = None
    level: str | None = None
    summary: Sentence | None = None
    rationale: tuple[Sentence, ...] = ()
    facts: tuple[Sentence, ...] = ()  # values as normalised, with date, age and what came with them
    notes: tuple[Sentence, ...] = ()
    sources: tuple[Sentence, ...] = ()  # of what is said
    because: str | None = None
    why: str | None = None
    missing: tuple[str, ...] = ()
    gaps: tuple[Sentence, ...] = ()
    origins: tuple[str, ...] = ()  # of each fact: the resource, and what a result was received as
    thresholds: tuple[Sentence, ...] = ()  # of the whole rule, each with its source
    authority: tuple[str, ...] = ()  # every statement the rule rests on, said or silent


def trace(assessment: Assessment, as_of: date, *, whole: bool = False) -> tuple[TracedFinding, ...]:
    """The rules of the assessment in their order: those that say something; the `whole`, silent ones too, for an explanation."""
    told = (one for one in assessment.findings if whole or one.recommendation)
    return tuple(_traced(finding, assessment.profile, as_of, whole) for finding in told)


def _traced(finding: Finding, profile: Profile, as_of: date, whole: bool) -> TracedFinding:
    shown = finding.facts if whole or finding.recommendation else ()
    said = finding.recommendation
    return TracedFinding(
        rule=finding.rule.id,
        title=finding.rule.title,
        outcome=finding.outcome,
        indicator=said.indicator if said else None,
        level=said.level if said else None,
        summary=said.summary if said else None,
        rationale=said.rationale if said else (),
        facts=tuple(fact(one, as_of, profile.knowledge) for one in shown),
        notes=said.notes if said else (),
        sources=tuple(verbatim(cite) for cite in said.cites) if said else (),
        because=finding.because,
        why=finding.why,
        missing=finding.missing,
        gaps=tuple(gap_in_words(gap.datum, gap.why) for gap in finding.gaps),
        origins=tuple(map(origin, shown)) if whole else (),
        thresholds=_thresholds(finding, profile) if whole else (),
        authority=_authority(finding, profile) if whole else (),
    )


def gap_in_words(datum: str, why: Sentence) -> Sentence:
    """`why` tells either how a datum came (was not supplied), or what is wrong with a resource (its unit …)."""
    came = why.startswith(("was ", "came ", "could "))
    if came:
        return say("{datum} {why}", datum=name(datum), why=why)
    return say("{datum} could not be read: {why}", datum=name(datum), why=why)


def _cited(finding: Finding) -> tuple[str, ...]:
    return finding.rule.cites + finding.rule.may_cite


def _thresholds(finding: Finding, profile: Profile) -> tuple[Sentence, ...]:
    return tuple(threshold_in_words(profile.thresholds[key]) for key in _cited(finding) if key in profile.thresholds)


def _authority(finding: Finding, profile: Profile) -> tuple[str, ...]:
    said = (profile.statements[key] for key in _cited(finding) if key in profile.statements)
    return tuple(dict.fromkeys(map(str, said)))


def threshold_in_words(one: Threshold) -> Sentence:
    """Key, value and unit, whether the number itself counts, and on whose authority."""
    value = number(one.value)
    amount = say("{number} %", number=value) if one.unit == "%" else in_unit(value, one.unit)
    limit = say("{amount} included", amount=amount) if one.inclusive else amount
    said = say("{key} {limit} — {source}", key=verbatim(one.key), limit=limit, source=verbatim(one.cite))
    return say("{limit}; a choice of this service, awaiting clinical review", limit=said) if one.design else said
