"""An Assessment in, the body of the answer out: cards a clinician reads, and the evaluation extension that explains them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cds_service.languages import ENGLISH, Voice
from cds_service.wire import discreet, orders
from cds_service.wire.evaluation import EXTENSION, evaluation
from cds_service.wire.fitted import ends_nothing, fitted, usable
from cds_service.wire.lines import TOPIC, Card, Detail, bullets, fits, stop, whole
from cds_service.wire.links import why_link
from cds_service.wire.not_assessed import not_assessed
from cds_service.wire.override_reasons import CODINGS
from cds_service.wire.request import HookRequest
from cds_service.wire.shape import STANDARD, Shape
from hooks.advice import Recommendation
from hooks.assess import Assessment, Finding, Service
from hooks.grouping import joined
from hooks.holding import NOT_ASSESSED
from hooks.knowledge import Knowledge
from hooks.sentences import NOTHING, Sentence, join, say
from hooks.trace import TracedFinding, trace

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
    voice: Voice = ENGLISH,
) -> dict[str, Any]:
    """The whole answer. `explain` is full, summary (no reasons for silence) or off; the evaluation is in English always.

    `shape`: as this client wants its cards; `why`: where the EHR opens all the reasons, if it can; `voice`: in which language.
    """
    identity, knowledge, groups = _Identity(service, request), assessment.profile.knowledge, assessment.cards
    traced = {one.rule: one for one in trace(assessment, as_of)}
    crowded = [finding for finding in assessment.findings if finding.why == "no-room"]
    links: Card = {"links": [why_link(service, why)]} if why else {}

    def shown(group: tuple[Finding, ...]) -> Callable[[Voice], Card]:
        left_out = crowded if group is groups[-1] else []
        return lambda one: _card(group, traced, knowledge, identity, shape, left_out=left_out, voice=one) | links

    cards = [whole(group[0].rule.id, shown(group), voice) for group in groups]
    hidden = assessment.hidden_by_gaps
    if hidden:
        uuid = identity.of("not-assessed")
        cards.append(whole(NOT_ASSESSED, lambda one: _gap_card(hidden, uuid, knowledge, shape, one) | links, voice))
    body: dict[str, Any] = {"cards": cards}
    if explain != "off" and "evaluation" not in shape.leaves_out:
        leads = {one.rule.id: identity.of(group[0].rule.id) for group in groups for one in group}
        body["extension"] = {EXTENSION: evaluation(assessment, leads, full=explain == "full")}
    return body


def _crowded_out(findings: Iterable[Finding]) -> Sentence:
    """What found no room, in its own words, so that nothing is lost unsaid."""
    lines = [one.recommendation.summary for one in findings if one.recommendation]
    return join("\n\n", (say("Also found, not shown for want of room:"), bullets(lines))) if lines else NOTHING


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
    *,
    left_out: Iterable[Finding],
    voice: Voice,
) -> Card:
    """The findings that one order answers on one card, under the name of the most urgent, as the client wants it."""
    card = _plain(group, traced, knowledge, identity, shape=shape, voice=voice)
    if shape != STANDARD:
        offered = joined([one.recommendation for one in group if one.recommendation])
        if shape.discreet:
            card = discreet.covered(card, group, usable(offered, shape), knowledge, voice)
        card = fitted(card, shape, knowledge, ends_nothing(offered, shape))
    return card | {"detail": join("\n\n", (card["detail"].whole, _crowded_out(left_out)))}


def _gap_card(hidden: tuple[Finding, ...], uuid: str, knowledge: Knowledge, shape: Shape, voice: Voice) -> Card:
    """The card that says what could not be assessed, as the client wants it."""
    card = not_assessed(hidden, uuid, voice)
    card = discreet.covered_gap(card, hidden) if shape.discreet else card
    card = fitted(card, shape, knowledge) if shape != STANDARD else card
    return card | {"detail": card["detail"].whole}


def _plain(
    group: tuple[Finding, ...],
    traced: Mapping[str, TracedFinding],
    knowledge: Knowledge,
    identity: _Identity,
    *,
    shape: Shape,
    voice: Voice,
) -> Card:
    """The card as CDS Hooks allows it."""
    advice = [one.recommendation for one in group if one.recommendation]
    told = [traced[one.rule.id] for one in group]
    lead, source = told[0], advice[0].cites[0].source
    card: Card = {
        "uuid": identity.of(lead.rule),
        "summary": _summary(advice, voice),
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


def _summary(advice: Sequence[Recommendation], voice: Voice) -> Sentence:
    """That of the most urgent, with what the others add to it as far as the line reaches."""
    said = advice[0].summary
    for one in advice[1:]:
        longer = join("; ", (said, one.also))
        said = longer if fits(longer, voice) else said
    return said


def _detail(told: Sequence[TracedFinding]) -> Detail:
    """Why; the values with their dates; what was missing or not checked; the sources."""
    reasons = [join(" ", told[0].rationale)]
    reasons += [join(" ", (stop(one.summary), *one.rationale)) for one in told[1:] if one.summary]
    lines = dict.fromkeys(line for part in ("facts", "notes") for one in told for line in getattr(one, part))
    sources = dict.fromkeys(say("Source: {source}.", source=source) for one in told for source in one.sources)
    return Detail(paragraphs=(*reasons,), listed=(*lines,), sources=(*sources,))
