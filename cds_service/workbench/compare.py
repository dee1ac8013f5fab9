"""Two evaluations in, before and after; out comes which cards came, went or changed, and which rules now say something else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cds_service.reasons.evaluated import Evaluated
from cds_service.reasons.outcomes import in_words
from hooks.sentences import Sentence, say

Mark = Literal["new", "gone", "changed", "same", ""]
_SHOWN = ("summary", "detail", "indicator")
_NOT_ASKED = say("not asked")


@dataclass(frozen=True, slots=True)
class Card:
    """A card and what became of it; no mark where there is nothing to compare it with."""

    content: Mapping[str, Any]
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A rule whose outcome is another."""

    rule: str
    title: Sentence
    before: Sentence
    after: Sentence


def cards(one: Evaluated, other: Evaluated | None = None, missing: Mark = "new") -> tuple[Card, ...]:
    """The cards of an answer as they are shown, compared as they are sent; `missing` is the mark of those that the other lacks."""
    if other is None:
        return tuple(Card(card) for card in one.cards)
    known = {_topic(card): card for card in other.answer["cards"]}
    marks = (_mark(card, known.get(_topic(card)), missing) for card in one.answer["cards"])
    return tuple(Card(card, mark) for card, mark in zip(one.cards, marks, strict=True))


def changes(before: Evaluated, after: Evaluated) -> tuple[Change, ...]:
    """In the order of the rules; a rule that was not asked at all, for another ended the matter, is `not asked`."""
    return tuple(_changes(before, after))


def _changes(before: Evaluated, after: Evaluated) -> Iterator[Change]:
    was, now = ({one.rule: in_words(one) for one in each.assessment.findings} for each in (before, after))
    for rule in dict.fromkeys((*now, *was)):
        if was.get(rule) != now.get(rule):
            yield Change(rule.id, rule.title, was.get(rule, _NOT_ASKED), now.get(rule, _NOT_ASKED))


def _topic(card: Mapping[str, Any]) -> str:
    return str(card["source"]["topic"]["code"])


def _mark(card: Mapping[str, Any], other: Mapping[str, Any] | None, missing: Mark) -> Mark:
    if other is None:
        return missing
    return "same" if _said(card) == _said(other) else "changed"


def _said(card: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*(card[name] for name in _SHOWN), [one["label"] for one in card.get("suggestions", ())])
