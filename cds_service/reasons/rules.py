"""An evaluation in; out come the pictures of its results over time, and every rule's reasons with what would change them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cds_service import plots
from cds_service.reasons.evaluated import Evaluated
from cds_service.reasons.outcomes import held, outcome
from hooks.assess import Finding
from hooks.counterfactual import what_would_change
from hooks.record import Fact
from hooks.sentences import Sentence, say
from hooks.trace import TracedFinding, trace


@dataclass(frozen=True, slots=True)
class Picture:
    """A measure over time: the SVG, and its results in words."""

    title: Sentence
    svg: str
    rows: tuple[plots.Row, ...]


@dataclass(frozen=True, slots=True)
class Reasons:
    """A rule in words, and what would change what it says."""

    told: TracedFinding
    changes: tuple[Sentence, ...]

    @property
    def outcome(self) -> Sentence:
        """What became of the rule."""
        return outcome(self.told.outcome)

    @property
    def held(self) -> Sentence:
        """Why it is held back, where it is."""
        return held(self.told.why)


def pictures(one: Evaluated, tell: plots.Tell = str) -> tuple[Picture, ...]:
    """CD4 counts and viral loads over the same days. `tell`: in which language."""
    knowledge, record = one.assessment.profile.knowledge, one.record
    bands = plots.treatment(record.medications or (), record.as_of, knowledge)
    facts: list[Fact] = [found for said in one.assessment.findings if said.recommendation for found in said.facts]
    made = ((say("CD4 count, /µL"), plots.cd4(record, one.assessment.profile, bands, facts)),
            (say("HIV viral load, copies/mL"), plots.viral_load(record, one.assessment.profile, bands, facts)))  # fmt: skip
    return tuple(Picture(title, plots.draw(plot, tell), plots.rows(plot)) for title, plot in made)


def reasons(one: Evaluated) -> tuple[Reasons, ...]:
    """Of every rule, those that speak first."""
    told = trace(one.assessment, one.record.as_of, whole=True)
    both = sorted(zip(one.assessment.findings, told, strict=True), key=_silent)
    return tuple(_reasons(one, both))


def _silent(both: tuple[Finding, TracedFinding]) -> bool:
    return both[0].recommendation is None


def _reasons(one: Evaluated, both: Sequence[tuple[Finding, TracedFinding]]) -> Iterator[Reasons]:
    for finding, told in both:
        yield Reasons(told, what_would_change(finding.rule, one.record, one.assessment.profile))
