"""An Assessment in, the body of the answer out: cards a clinician reads, and the evaluation extension that explains them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cds_service.wire import discreet, orders
from cds_service.wire.evaluation import EXTENSION, evaluation
from cds_service.wire.fitted import ends_nothing, fitted, usable
from cds_service.wire.links import why_link
from cds_service.wire.override_reasons import CODINGS
from cds_service.wire.request import HookRequest
from cds_service.wire.shape import STANDARD, Shape
from hooks.advice import Recommendation
from hooks.assess import Assessment, Finding, Service
from hooks.grouping import joined
from hooks.knowledge import Knowledge
from hooks.trace import TracedFinding, gap_in_words, trace
from hooks.wording import capital, name

TOPIC = "https://immune-status-cds.org/CodeSystem/topic"
LONGEST_SUMMARY = discreet.LONGEST_SUMMARY
_NAMESPACE = uuid5(NAMESPACE_URL, "https://immune-status-cds.org/card")


def render(
    assessment: Assessment,
    service: Service,
    request: HookRequest,
    as_of: date,
    explain: str,
    *,
    shape: Shape = STANDARD,
    why: str | None = None,
) -> dict[str, Any]:
    """The whole answer. `explain` is full, summary (no reasons for silence) or off.

    `shape`: as this client wants its cards; `why`: where the EHR opens all the reasons, if it can.
    """
    identity, knowledge, groups = _Identity(service, request), assessment.profile.knowledge, assessment.cards
    traced = {one.rule: one for one in trace(assessment, as_of)}
    cards = [_card(group, traced, knowledge, identity, shape) for group in groups]
    if shape != STANDARD:
        cards = [_shaped(card, group, knowledge, shape) for card, group in zip(cards, groups, strict=True)]
    crowded = [finding for finding in assessment.findings if finding.why == "no-room"]
    if crowded and cards:
        cards[-1]["detail"] += _crowded_out(crowded)
    hidden = assessment.hidden_by_gaps
    if hidden:
        gap = _not_assessed(hidden, identity)
        gap = discreet.covered_gap(gap, hidden) if shape.discreet else gap
        cards.append(fitted(gap, shape, knowledge) if shape != STANDARD else gap)
    if why:
        cards = [card | {"links": [why_link(service, why)]} for card in cards]
    body: dict[str, Any] = {"cards": cards}
    if explain != "off" and "evaluation" not in shape.leaves_out:
        leads = {one.rule.id: identity.of(group[0].rule.id) for group in groups for one in group}
        body["extension"] = {EXTENSION: evaluation(assessment, leads, full=explain == "full")}
    return body


def _crowded_out(findings: Iterable[Finding]) -> str:
    """What found no room, in its own words, so that nothing is lost unsaid."""
    lines = "\n".join(f"- {one.recommendation.summary}" for one in findings if one.recommendation)
    return f"\n\nAlso found, not shown for want of room:\n\n{lines}"


class _Identity:
    """UUIDs that are the same when the same call is repeated: of service, call, patient and rule."""

    def __init__(self, service: Service, request: HookRequest) -> None:
        self.request = request
        self._call = f"{service.id}|{request.hook_instance}|{request.patient_id}"

    def of(self, *parts: object) -> str:
        """The UUID of a card, or of a suggestion of it."""
        return str(uuid5(_NAMESPACE, "|".join((self._call, *map(str, parts)))))


def suggestion_uuid(service: Service, request: HookRequest, rule_id: str, place: int) -> str:
    """The UUID of what such a card offers in this place, shown to the client or not."""
    return _Identity(service, request).of(rule_id, "suggestion", place)


def card_uuid(service: Service, request: HookRequest, rule_id: str) -> str:
    """The UUID of the card that a rule leads, or would."""
    return _Identity(service, request).of(rule_id)


def topic(rule_id: str) -> str:
    """The rule's id in CamelCase: some EHRs key their memory of overrides on it and allow letters and digits only."""
    return "".join(word.capitalize() for word in rule_id.split("-"))


def _card(
    group: tuple[Finding, ...],
    traced: Mapping[str, TracedFinding],
    knowledge: Knowledge,
    identity: _Identity,
    shape: Shape,
) -> dict[str, Any]:
    """The findings that one order answers on one card, under the name of the most urgent."""
    advice = [one.recommendation for one in group if one.recommendation]
    told = [traced[one.rule.id] for one in group]
    lead, source = told[0], advice[0].cites[0].source
    card: dict[str, Any] = {
        "uuid": identity.of(lead.rule),
        "summary": _summary(advice),
        "detail": _detail(told),
        "indicator": lead.indicator,
        "source": {
            "label": f"{source.title}, {source.date.year}",
            "url": source.url,
            "topic": {"system": TOPIC, "code": topic(lead.rule), "display": lead.title},
        },
        "overrideReasons": CODINGS,
    }
    suggestions = usable(joined(advice), shape)
    if suggestions:
        card["suggestions"] = [
            {
                "label": orders.label(one, knowledge),
                "uuid": identity.of(lead.rule, "suggestion", place),
                **({"isRecommended": True} if one.recommended else {}),
                "actions": orders.actions(one, identity.request, knowledge),
            }
            for place, one in enumerate(suggestions)
        ]
        card["selectionBehavior"] = "any" if all(one.several for one in advice) else "at-most-one"
    return card


def _shaped(card: dict[str, Any], group: tuple[Finding, ...], knowledge: Knowledge, shape: Shape) -> dict[str, Any]:
    """As the client wants it."""
    offered = joined([one.recommendation for one in group if one.recommendation])
    if shape.discreet:
        card = discreet.covered(card, group, usable(offered, shape), knowledge)
    return fitted(card, shape, knowledge, ends_nothing(offered, shape))


def _summary(advice: Sequence[Recommendation]) -> str:
    """That of the most urgent, with what the others add to it as far as the line reaches."""
    said = advice[0].summary
    for one in advice[1:]:
        longer = f"{said}; {one.also}" if one.also else said
        said = longer if len(longer) <= LONGEST_SUMMARY else said
    return said


def _detail(told: Sequence[TracedFinding]) -> str:
    """Plain Markdown, no tables, no HTML: why; the values with their dates; what was missing or not checked; the sources."""
    reasons = [" ".join(filter(None, told[0].rationale))]
    reasons += [" ".join(filter(None, (f"{one.summary}.", *one.rationale))) for one in told[1:]]
    lines = dict.fromkeys(line for part in ("facts", "notes") for one in told for line in getattr(one, part))
    listing = "\n".join(f"- {line}" for line in lines)
    sources = dict.fromkeys(f"Source: {source}." for one in told for source in one.sources)
    return "\n\n".join(filter(None, (*reasons, listing, *sources)))


def _not_assessed(hidden: tuple[Finding, ...], identity: _Identity) -> dict[str, Any]:
    """The one card that says which advice could not be assessed, for want of which datum, and why."""
    gaps = {gap.datum: gap.why for finding in hidden for gap in finding.gaps if not gap.foreseen}
    advice = [finding.rule.title for finding in hidden]
    reasons = [gap_in_words(datum, why) for datum, why in gaps.items()]
    lines = "\n".join(f"- {capital(reason)}." for reason in reasons)
    return {
        "uuid": identity.of("not-assessed"),
        "summary": _gap_summary(hidden, len(gaps)),
        "detail": f"This advice could not be assessed: {'; '.join(advice)}.\n\nWhat is in the way:\n\n{lines}\n\n"
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
    first = next(gap for gap in named[0].gaps if not gap.foreseen)
    advice = named[0].rule.title + others
    more = f" (and {in_all - 1} more)" if in_all > 1 else ""
    longest = f"Not assessed: {advice}. {capital(gap_in_words(first.datum, first.why))}{more}"
    if len(longest) <= LONGEST_SUMMARY:
        return longest
    return f"Not assessed: {advice}. {capital(name(first.datum))} cannot be used{more}"
