"""An Assessment in, the body of the answer out: cards a clinician reads, and the evaluation extension that explains them."""

from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cds_service.wire import orders
from cds_service.wire.override_reasons import CODINGS
from cds_service.wire.request import HookRequest
from hooks.assess import Assessment, Finding, Recommendation, Service
from hooks.wording import capital, fact, listed, name

TOPIC = "https://immune-status-cds.org/CodeSystem/topic"
EXTENSION = "org.immune-status-cds.evaluation"
LONGEST_SUMMARY = 139  # the specification asks for fewer than 140 characters
_NAMESPACE = uuid5(NAMESPACE_URL, "https://immune-status-cds.org/card")


def render(assessment: Assessment, service: Service, request: HookRequest, as_of: date, explain: str) -> dict[str, Any]:
    """The whole answer. `explain` is full, summary (no reasons for silence) or off."""
    identity = _Identity(service, request)
    said = assessment.recommended
    cards = [_card(finding, assessment, request, as_of, identity) for finding in said]
    crowded = [finding for finding in assessment.findings if finding.why == "no-room"]
    if crowded and cards:
        cards[-1]["detail"] += f"\n\nNot shown for want of room: {listed([one.rule.title for one in crowded])}."
    hidden = assessment.hidden_by_gaps
    if hidden:
        cards.append(_not_assessed(hidden, identity))
    body: dict[str, Any] = {"cards": cards}
    if explain != "off":
        body["extension"] = {EXTENSION: _evaluation(assessment, identity, full=explain == "full")}
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
    finding: Finding, assessment: Assessment, request: HookRequest, as_of: date, identity: _Identity
) -> dict[str, Any]:
    said = finding.recommendation
    assert said is not None  # noqa: S101  (only recommended findings come here)
    source = said.cites[0].source
    card: dict[str, Any] = {
        "uuid": identity.of(finding.rule.id),
        "summary": said.summary,
        "detail": _detail(said, as_of),
        "indicator": said.indicator,
        "source": {
            "label": f"{source.title}, {source.date.year}",
            "url": source.url,
            "topic": {"system": TOPIC, "code": topic(finding.rule.id), "display": finding.rule.title},
        },
        "overrideReasons": CODINGS,
    }
    if said.suggestions:
        card["suggestions"] = [
            _suggestion(place, finding, assessment, request, identity) for place in range(len(said.suggestions))
        ]
        card["selectionBehavior"] = "any" if said.several else "at-most-one"
    return card


def _suggestion(
    place: int, finding: Finding, assessment: Assessment, request: HookRequest, identity: _Identity
) -> dict[str, Any]:
    said = finding.recommendation
    assert said is not None  # noqa: S101
    one, knowledge = said.suggestions[place], assessment.profile.knowledge
    label = orders.label(one, knowledge)
    return {
        "label": label,
        "uuid": identity.of(finding.rule.id, "suggestion", place),
        **({"isRecommended": True} if one.recommended else {}),
        "actions": [{"type": "create", "description": label, "resource": orders.order(one, request, knowledge)}],
    }


def _detail(said: Recommendation, as_of: date) -> str:
    """Plain Markdown, no tables, no HTML: why; the values with their dates; what was missing or not checked; the source."""
    lines = [*(fact(result, as_of) for result in said.facts), *said.notes]
    listing = "\n".join(f"- {line}" for line in lines)
    sources = "\n\n".join(f"Source: {cite}." for cite in said.cites)
    return "\n\n".join(filter(None, (" ".join(said.rationale), listing, sources)))


def _not_assessed(hidden: tuple[Finding, ...], identity: _Identity) -> dict[str, Any]:
    """The one card that says which advice could not be assessed, for want of which datum, and why."""
    gaps = {gap.datum: gap.why for finding in hidden for gap in finding.gaps}
    advice = [finding.rule.title for finding in hidden]
    reasons = [_reason(datum, why) for datum, why in gaps.items()]
    told = "\n".join(f"- {one}" for one in advice)
    lines = "\n".join(f"- {capital(reason)}." for reason in reasons)
    return {
        "uuid": identity.of("not-assessed"),
        "summary": _gap_summary(hidden[-1], len(gaps)),
        "detail": f"This advice could not be assessed:\n\n{told}\n\nWhat is in the way:\n\n{lines}\n\n"
        "That no advice is shown does not mean that nothing is due: check the chart.",
        "indicator": "info",
        "source": {
            "label": "HIV immune-status CDS service",
            "topic": {"system": TOPIC, "code": "NotAssessed", "display": "Not assessed"},
        },
        "overrideReasons": CODINGS,
    }


def _reason(datum: str, why: str) -> str:
    """`why` tells either how a datum came (was not supplied), or what is wrong with a resource (its unit …)."""
    return (
        f"{name(datum)} {why}"
        if why.startswith(("was ", "came ", "could "))
        else f"{name(datum)} could not be read: {why}"
    )


def _gap_summary(named: Finding, in_all: int) -> str:
    """One advice with a reason of its own, as much of it as fits the line; and how many more data are in the way."""
    advice, first = named.rule.title, named.gaps[0]
    more = f" (and {in_all - 1} more)" if in_all > 1 else ""
    longest = f"Not assessed: {advice}. {capital(_reason(first.datum, first.why))}{more}"
    if len(longest) <= LONGEST_SUMMARY:
        return longest
    return f"Not assessed: {advice}. {capital(name(first.datum))} cannot be used{more}"


def _evaluation(assessment: Assessment, identity: _Identity, full: bool) -> dict[str, Any]:
    return {
        "knowledge": assessment.profile.knowledge.version,
        "profile": assessment.profile.name,
        "complete": assessment.complete,
        "findings": [_finding(finding, identity, full) for finding in assessment.findings],
    }


def _finding(finding: Finding, identity: _Identity, full: bool) -> dict[str, Any]:
    said = finding.recommendation
    optional = {
        "indicator": said.indicator if said else None,
        "level": said.level if said else None,
        "card": identity.of(finding.rule.id) if finding.outcome == "recommended" else None,
        "why": finding.why,
        "because": finding.because if full else None,
        "missing": list(finding.missing),
    }
    return {"rule": finding.rule.id, "outcome": finding.outcome} | {
        key: value for key, value in optional.items() if value
    }
