"""The cards of one answer in; out go remarks on each by the CDS Hooks specification (2.0.1)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cds_service.simulate.remarks import Remark, address, coding, fault, is_text, note, objects, texts

INDICATORS = ("info", "warning", "critical")
BEHAVIOURS = ("at-most-one", "any")
_LONGEST_SUMMARY = 139
Member = Mapping[str, Any]


def judge_cards(cards: Iterable[Any], patient_id: str) -> Iterator[Remark]:
    """Everything to be said of cards about this patient."""
    known = []
    for place, card in enumerate(cards, 1):
        if isinstance(card, dict):
            known.append(card)
            yield from _card(f"card {place}", card, patient_id)
        else:
            yield fault(f"card {place} is not an object")
    ids = Counter(str(one["uuid"]) for one in (*known, *_suggestions(known)) if "uuid" in one)
    if any(count > 1 for count in ids.values()):
        yield fault("a uuid stands at two cards or suggestions")


def _suggestions(cards: Iterable[Member]) -> list[Member]:
    return [one for card in cards for one in objects("", card, "suggestions")[0]]


def _card(where: str, card: Member, patient_id: str) -> Iterator[Remark]:
    yield from texts(where, card, "summary")
    if len(str(card.get("summary", ""))) > _LONGEST_SUMMARY:
        yield fault(f"{where}: summary must have fewer than 140 characters")
    if card.get("indicator") not in INDICATORS:
        yield fault(f"{where}: indicator must be one of {', '.join(INDICATORS)}")
    if "uuid" not in card:
        yield note(f"{where}: without a uuid nobody can say what became of it")
    elif not is_text(card["uuid"]):
        yield fault(f"{where}: uuid must be text")
    if "detail" in card and not isinstance(card["detail"], str):
        yield fault(f"{where}: detail must be text")
    yield from _source(where, card.get("source"))
    yield from _reasons(where, card)
    yield from _links(where, card)
    suggestions, wrong = objects(where, card, "suggestions")
    yield from wrong
    if suggestions:
        yield from _choice(where, card, suggestions)
        for place, one in enumerate(suggestions, 1):
            yield from _suggestion(f"{where}, suggestion {place}", one, patient_id)


def _source(where: str, source: Any) -> Iterator[Remark]:
    if not isinstance(source, dict):
        yield fault(f"{where}: source is required, with a label")
        return
    yield from texts(f"{where}, source", source, "label")
    for name in ("url", "icon"):
        if name in source:
            yield from address(f"{where}, source", name, source[name])
    if "topic" in source:
        yield from coding(f"{where}, source.topic", source["topic"], display=False)


def _reasons(where: str, card: Member) -> Iterator[Remark]:
    reasons, wrong = objects(where, card, "overrideReasons")
    yield from wrong
    for place, one in enumerate(reasons, 1):
        yield from coding(f"{where}, override reason {place}", one, display=True)


def _links(where: str, card: Member) -> Iterator[Remark]:
    links, wrong = objects(where, card, "links")
    yield from wrong
    for place, link in enumerate(links, 1):
        here = f"{where}, link {place}"
        yield from texts(here, link, "label")
        yield from address(here, "url", link.get("url"))
        if link.get("type") not in ("absolute", "smart"):
            yield fault(f"{here}: type must be absolute or smart")
        elif link["type"] == "absolute" and "appContext" in link:
            yield fault(f"{here}: an absolute link has no appContext")


def _choice(where: str, card: Member, suggestions: list[Member]) -> Iterator[Remark]:
    behaviour = card.get("selectionBehavior")
    if behaviour not in BEHAVIOURS:
        yield fault(f"{where}: suggestions need a selectionBehavior: {' or '.join(BEHAVIOURS)}")
    if behaviour == "at-most-one" and sum(one.get("isRecommended") is True for one in suggestions) > 1:
        yield fault(f"{where}: of suggestions of which at most one may be chosen, two are recommended")


def _suggestion(where: str, suggestion: Member, patient_id: str) -> Iterator[Remark]:
    yield from texts(where, suggestion, "label")
    if "uuid" not in suggestion:
        yield note(f"{where}: without a uuid nobody can say that it was accepted")
    actions, wrong = objects(where, suggestion, "actions")
    yield from wrong
    for place, action in enumerate(actions, 1):
        yield from judge_action(f"{where}, action {place}", action, patient_id)


def judge_action(where: str, action: Member, patient_id: str) -> Iterator[Remark]:
    """Everything to be said of one action."""
    yield from texts(where, action, "description")
    kind, resource = action.get("type"), action.get("resource")
    if kind not in ("create", "update", "delete"):
        yield fault(f"{where}: type must be create, update or delete")
    elif kind == "delete":
        yield from _deletion(where, action)
    elif not isinstance(resource, dict) or not is_text(resource.get("resourceType")):
        yield fault(f"{where}: {kind} needs a resource")
    elif not _is_about(resource, patient_id):
        yield fault(f"{where}: its resource is about another patient")


def _deletion(where: str, action: Member) -> Iterator[Remark]:
    if is_text(action.get("resourceId")):
        return
    if "resource" in action:
        yield note(f"{where}: delete should name a resourceId; a resource is how older versions did it")
    else:
        yield fault(f"{where}: delete needs a resourceId")


def _is_about(resource: Member, patient_id: str) -> bool:
    subject = resource.get("subject") or resource.get("patient")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    return not isinstance(reference, str) or reference.split("/")[-1] == patient_id
