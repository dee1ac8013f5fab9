"""An Assessment in, the body of the answer out: cards a clinician reads, and the evaluation extension that explains them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cds_service.languages import ENGLISH, Voice
from cds_service.wire import orders
from cds_service.wire.lines import TOPIC, Card, bullets, fits, stop, whole
from cds_service.wire.links import why_link
from cds_service.wire.not_assessed import not_assessed
from cds_service.wire.override_reasons import CODINGS
from cds_service.wire.request import HookRequest
from hooks.advice import Recommendation
from hooks.assess import Assessment, Finding, Service
from hooks.grouping import joined
from hooks.holding import NOT_ASSESSED
from hooks.knowledge import Knowledge
from hooks.sentences import NOTHING, Sentence, join, say
from hooks.trace import TracedFinding, trace

EXTENSION = "org.immune-status-cds.evaluation"
_NAMESPACE = uuid5(NAMESPACE_URL, "https://immune-status-cds.org/card")


def render(
    assessment: Assessment,
    service: Service,
    request: HookRequest,
    as_of: date,
    explain: str,
    *,
    why: str | None = None,
    voice: Voice = ENGLISH,
) -> dict[str, Any]:
    """The whole answer. `explain` is full, summary (no reasons for silence) or off; `why`: where the reasons are shown.

    The cards are told by the voice, the evaluation in English always.
    """
    identity = _Identity(service, request)
    traced = {one.rule: one for one in trace(assessment, as_of)}
    knowledge = assessment.profile.knowledge
    groups = assessment.cards
    crowded = [finding for finding in assessment.findings if finding.why == "no-room"]

    links: Card = {"links": [why_link(service, why)]} if why else {}

    def shown(group: tuple[Finding, ...]) -> Callable[[Voice], Card]:
        left_out = crowded if group is groups[-1] else []
        return lambda one: _card(group, traced, request, knowledge, identity, left_out=left_out, voice=one) | links

    cards = [whole(group[0].rule.id, shown(group), voice) for group in groups]
    hidden = assessment.hidden_by_gaps
    if hidden:
        uuid = identity.of("not-assessed")
        cards.append(whole(NOT_ASSESSED, lambda one: not_assessed(hidden, uuid, one) | links, voice))
    body: dict[str, Any] = {"cards": cards}
    if explain != "off":
        body["extension"] = {EXTENSION: _evaluation(assessment, groups, identity, full=explain == "full")}
    return body


def _crowded_out(findings: Iterable[Finding]) -> Sentence:
    """What found no room, in its own words, so that nothing is lost unsaid."""
    lines = [one.recommendation.summary for one in findings if one.recommendation]
    return join("\n\n", (say("Also found, not shown for want of room:"), bullets(lines))) if lines else NOTHING


class _Identity:
    """UUIDs that are the same when the same call is repeated: of service, call, patient and rule."""

    def __init__(self, service: Service, request: HookRequest) -> None:
        self._call = f"{service.id}|{request.hook_instance}|{request.patient_id}"

    def of(self, *parts: object) -> str:
        """The UUID of a card, or of a suggestion of it."""
        return str(uuid5(_NAMESPACE, "|".join((self._call, *map(str, parts)))))


def card_uuid(service: Service, request: HookRequest, rule_id: str) -> str:
    """The UUID of the card that a rule leads, or would."""
    return _Identity(service, request).of(rule_id)


def topic(rule_id: str) -> str:
    """The rule's id in CamelCase: some EHRs key their memory of overrides on it and allow letters and digits only."""
    return "".join(word.capitalize() for word in rule_id.split("-"))


def _card(
    group: tuple[Finding, ...],
    traced: Mapping[str, TracedFinding],
    request: HookRequest,
    knowledge: Knowledge,
    identity: _Identity,
    *,
    left_out: Iterable[Finding],
    voice: Voice,
) -> Card:
    """The findings that one order answers on one card, under the name of the most urgent."""
    advice = [one.recommendation for one in group if one.recommendation]
    told = [traced[one.rule.id] for one in group]
    lead, source = told[0], advice[0].cites[0].source
    card: dict[str, Any] = {
        "uuid": identity.of(lead.rule),
        "summary": _summary(advice, voice),
        "detail": join("\n\n", (_detail(told), _crowded_out(left_out))),
        "indicator": lead.indicator,
        "source": {
            "label": f"{source.title}, {source.date.year}",
            "url": source.url,
            "topic": {"system": TOPIC, "code": topic(lead.rule), "display": lead.title},
        },
        "overrideReasons": CODINGS,
    }
    suggestions = joined(advice)
    if suggestions:
        card["suggestions"] = [
            {
                "label": orders.label(one, knowledge),
                "uuid": identity.of(lead.rule, "suggestion", place),
                **({"isRecommended": True} if one.recommended else {}),
                "actions": orders.actions(one, request, knowledge),
            }
            for place, one in enumerate(suggestions)
        ]
        card["selectionBehavior"] = "any" if all(one.several for one in advice) else "at-most-one"
    return card


def _summary(advice: Sequence[Recommendation], voice: Voice) -> Sentence:
    """That of the most urgent, with what the others add to it as far as the line reaches."""
    said = advice[0].summary
    for one in advice[1:]:
        longer = join("; ", (said, one.also))
        said = longer if fits(longer, voice) else said
    return said


def _detail(told: Sequence[TracedFinding]) -> Sentence:
    """Plain Markdown, no tables, no HTML: why; the values with their dates; what was missing or not checked; the sources."""
    reasons = [join(" ", told[0].rationale)]
    reasons += [join(" ", (stop(one.summary), *one.rationale)) for one in told[1:] if one.summary]
    lines = dict.fromkeys(line for part in ("facts", "notes") for one in told for line in getattr(one, part))
    sources = dict.fromkeys(say("Source: {source}.", source=source) for one in told for source in one.sources)
    return join("\n\n", (*reasons, bullets([*lines]), *sources))


def _evaluation(
    assessment: Assessment, groups: tuple[tuple[Finding, ...], ...], identity: _Identity, full: bool
) -> dict[str, Any]:
    leads = {one.rule.id: identity.of(group[0].rule.id) for group in groups for one in group}
    return {
        "knowledge": assessment.profile.knowledge.version,
        "profile": assessment.profile.name,
        "complete": assessment.complete,
        "findings": [_finding(one, leads.get(one.rule.id), full) for one in assessment.findings],
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
