"""An Assessment in, the body of the answer out: cards a clinician reads, and the evaluation extension that explains them."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cds_service.wire import orders
from cds_service.wire.override_reasons import CODINGS
from cds_service.wire.request import HookRequest
from hooks.assess import Assessment, Finding, Service
from hooks.knowledge import Knowledge
from hooks.trace import TracedFinding, gap_in_words, trace
from hooks.wording import capital, listed, name

TOPIC = "https://immune-status-cds.org/CodeSystem/topic"
EXTENSION = "org.immune-status-cds.evaluation"
LONGEST_SUMMARY = 139  # the specification asks for fewer than 140 characters
_NAMESPACE = uuid5(NAMESPACE_URL, "https://immune-status-cds.org/card")


def render(assessment: Assessment, service: Service, request: HookRequest, as_of: date, explain: str) -> dict[str, Any]:
    """The whole answer. `explain` is full, summary (no reasons for silence) or off."""
    identity = _Identity(service, request)
    traced = {one.rule: one for one in trace(assessment, as_of)}
    knowledge = assessment.profile.knowledge
    cards = [
        _card(finding, traced[finding.rule.id], request, knowledge, identity) for finding in assessment.recommended
    ]
    crowded = [finding for finding in assessment.findings if finding.why == "no-room"]
    if crowded and cards:
        cards[-1]["detail"] += f"\n\nNot shown for want of room: {listed([one.rule.title for one in crowded])}."
    hidden = assessment.hidden_by_gaps
    if hidden:
        cards.append(_not_assessed(hidden, identity))
    body: dict[str, Any] = {"cards": cards}
    if explain != "off":
        body["extension"] = {EXTENSION: _evaluation(assessment, traced.values(), identity, full=explain == "full")}
    return body


class _Identity:
    """UUIDs that are the same when the same call is repeated: of service, call, patient and rule."""

    def __init__(self, service: Service, request: HookRequest) -> None:
        self._call = f"{service.id}|{request.hook_instance}|{request.patient_id}"

    def of(self, *parts: object) -> str:
        """The UUID of a card, or of a suggestion of it."""
        return str(uuid5(_NAMESPACE, "|".join((self._call, *map(str, parts)))))


def topic(rule_id: str) -> str:
    """The rule's id in CamelCase: some EHRs key their memory of overrides on it and allow letters and digits only."""
    return "".join(word.capitalize() for word in rule_id.split("-"))


def _card(
    finding: Finding, told: TracedFinding, request: HookRequest, knowledge: Knowledge, identity: _Identity
) -> dict[str, Any]:
    said = finding.recommendation
    assert said is not None  # noqa: S101  (only recommended findings come here)
    source = said.cites[0].source
    card: dict[str, Any] = {
        "uuid": identity.of(told.rule),
        "summary": told.summary,
        "detail": _detail(told),
        "indicator": told.indicator,
        "source": {
            "label": f"{source.title}, {source.date.year}",
            "url": source.url,
            "topic": {"system": TOPIC, "code": topic(told.rule), "display": told.title},
        },
        "overrideReasons": CODINGS,
    }
    if said.suggestions:
        card["suggestions"] = [
            {
                "label": orders.label(one, knowledge),
                "uuid": identity.of(told.rule, "suggestion", place),
                **({"isRecommended": True} if one.recommended else {}),
                "actions": [orders.action(one, request, knowledge)],
            }
            for place, one in enumerate(said.suggestions)
        ]
        card["selectionBehavior"] = "any" if said.several else "at-most-one"
    return card


def _detail(told: TracedFinding) -> str:
    """Plain Markdown, no tables, no HTML: why; the values with their dates; what was missing or not checked; the source."""
    listing = "\n".join(f"- {line}" for line in (*told.facts, *told.notes))
    sources = "\n\n".join(f"Source: {source}." for source in told.sources)
    return "\n\n".join(filter(None, (" ".join(filter(None, told.rationale)), listing, sources)))


def _not_assessed(hidden: tuple[Finding, ...], identity: _Identity) -> dict[str, Any]:
    """The one card that says which advice could not be assessed, for want of which datum, and why."""
    gaps = {gap.datum: gap.why for finding in hidden for gap in finding.gaps}
    advice = [finding.rule.title for finding in hidden]
    reasons = [gap_in_words(datum, why) for datum, why in gaps.items()]
    told = "\n".join(f"- {one}" for one in advice)
    lines = "\n".join(f"- {capital(reason)}." for reason in reasons)
    return {
        "uuid": identity.of("not-assessed"),
        "summary": _gap_summary(hidden, len(gaps)),
        "detail": f"This advice could not be assessed:\n\n{told}\n\nWhat is in the way:\n\n{lines}\n\n"
        "That no advice is shown does not mean that nothing is due: check the chart.",
        "indicator": "info",
        "source": {
            "label": "HIV immune-status CDS service",
            "topic": {"system": TOPIC, "code": "NotAssessed", "display": "Not assessed"},
        },
        "overrideReasons": CODINGS,
    }


def _gap_summary(hidden: tuple[Finding, ...], in_all: int) -> str:
    """The first advice and its reason, as much of it as fits the line; how many more there are, and how many more reasons."""
    named = [one for one in hidden if one.rule.id != "scope"] or [*hidden]
    others = f" and {len(named) - 1} more" if len(named) > 1 else ""
    advice, first = named[0].rule.title + others, named[0].gaps[0]
    more = f" (and {in_all - 1} more)" if in_all > 1 else ""
    longest = f"Not assessed: {advice}. {capital(gap_in_words(first.datum, first.why))}{more}"
    if len(longest) <= LONGEST_SUMMARY:
        return longest
    return f"Not assessed: {advice}. {capital(name(first.datum))} cannot be used{more}"


def _evaluation(
    assessment: Assessment, traced: Iterable[TracedFinding], identity: _Identity, full: bool
) -> dict[str, Any]:
    return {
        "knowledge": assessment.profile.knowledge.version,
        "profile": assessment.profile.name,
        "complete": assessment.complete,
        "findings": [_finding(one, identity, full) for one in traced],
    }


def _finding(told: TracedFinding, identity: _Identity, full: bool) -> dict[str, Any]:
    optional = {
        "indicator": told.indicator,
        "level": told.level,
        "card": identity.of(told.rule) if told.outcome == "recommended" else None,
        "why": told.why,
        "because": told.because if full else None,
        "missing": list(told.missing),
    }
    return {"rule": told.rule, "outcome": told.outcome} | {key: value for key, value in optional.items() if value}
