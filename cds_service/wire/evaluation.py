"""An Assessment in, the evaluation extension of its answer out: what became of every rule, whether a card tells of it or not."""

from collections.abc import Mapping
from typing import Any

from hooks.assess import Assessment, Finding

EXTENSION = "org.immune-status-cds.evaluation"


def evaluation(assessment: Assessment, cards: Mapping[str, str], *, full: bool) -> dict[str, Any]:
    """`cards`: the rules that a card tells of, and its UUID. `full`: with the reasons for silence."""
    return {
        "knowledge": assessment.profile.knowledge.version,
        "profile": assessment.profile.name,
        "complete": assessment.complete,
        "findings": [_finding(one, cards.get(one.rule.id), full) for one in assessment.findings],
    }


def _finding(one: Finding, card: str | None, full: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"rule": one.rule.id, "outcome": one.outcome}
    said = one.recommendation
    if said:
        told["indicator"] = said.indicator
        told |= {"level": said.level} if said.level else {}
        told |= {"card": card} if card else {}
    elif one.because and full:
        told["because"] = str(one.because)
    if one.outcome != "silent" and one.why:
        told["why"] = one.why
    if one.until:
        told["until"] = one.until.isoformat()
    if one.missing:
        told["missing"] = list(one.missing)
    return told
