"""A card with what it says in, the same card out with a face that tells nobody what it is about: its detail then says all."""

from collections.abc import Iterable, Sequence
from typing import Any

from hooks.advice import Suggestion
from hooks.assess import Finding
from hooks.discreet import PLAIN_DATA, label
from hooks.knowledge import Knowledge
from hooks.sentences import capital
from hooks.wording import name

Card = dict[str, Any]
SERVICE = "Clinical decision support service"
LONGEST_SUMMARY = 139  # the specification asks for fewer than 140 characters


def covered(card: Card, group: Sequence[Finding], suggestions: Sequence[Suggestion], knowledge: Knowledge) -> Card:
    """The card of these findings: its summary moves into the detail, and so do the names of what is offered and of its source."""
    said = [(one.rule.discreet, one.recommendation) for one in group if one.recommendation]
    lead = said[0][1].cites[0].source
    plain = [one["label"] for one in card.get("suggestions", ())]
    labels = _apart([label(one, knowledge) or own for one, own in zip(suggestions, plain, strict=True)])
    told = [f"- {shown}: {own}" for shown, own in zip(labels, plain, strict=True) if shown != own]
    offered = ("What is offered:", "\n".join(told)) if told else ()
    reasons, *sources = card["detail"].partition("\n\nSource: ")
    where = f"The first of the sources: {lead.url}"
    detail = "\n\n".join((f"{card['summary']}.", reasons, *offered)) + f"{''.join(sources)}\n\n{where}"
    covered = card | {
        "summary": _joined(words.face(advice) for words, advice in said),
        "detail": detail,
        "source": {
            "label": f"Clinical source, named in the detail, {lead.date.year}",
            "topic": card["source"]["topic"] | {"display": said[0][0].title},
        },
    }
    if plain:
        covered["suggestions"] = [
            _suggestion(one, shown, own) for one, shown, own in zip(card["suggestions"], labels, plain, strict=True)
        ]
    return covered


def covered_gap(card: Card, hidden: Sequence[Finding]) -> Card:
    """The card that says what could not be assessed: by the rules' discreet titles, and by data that tell of nothing."""
    named = [one for one in hidden if one.rule.id != "scope"] or [*hidden]
    titles = list(dict.fromkeys(one.rule.discreet.title for one in named))
    others = f" and {len(titles) - 1} more" if len(titles) > 1 else ""
    data = dict.fromkeys(gap.datum for one in hidden for gap in one.gaps if not gap.foreseen)
    first = next(iter(data))
    datum = capital(name(first)) if first in PLAIN_DATA else "A laboratory result"
    more = f" (and {len(data) - 1} more)" if len(data) > 1 else ""
    return card | {
        "summary": f"Not assessed: {titles[0].lower()}{others}. {datum} is missing or cannot be used{more}",
        "source": card["source"] | {"label": SERVICE},
    }


def _joined(faces: Iterable[str]) -> str:
    """Each once, as far as the line reaches."""
    first, *others = dict.fromkeys(faces)
    for one in others:
        longer = f"{first}; {one[:1].lower()}{one[1:]}"
        first = longer if len(longer) <= LONGEST_SUMMARY else first
    return first


def _apart(labels: list[str]) -> list[str]:
    """The same labels, numbered where two would read alike."""
    alike = {one for one in labels if labels.count(one) > 1}
    numbers = {one: iter(range(1, len(labels) + 1)) for one in alike}
    return [f"{one} ({next(numbers[one])} of {labels.count(one)})" if one in alike else one for one in labels]


def _suggestion(one: dict[str, Any], shown: str, own: str) -> dict[str, Any]:
    """Its label, and the descriptions of its actions, which some clients show in its place. The order itself names the drug."""
    if shown == own:
        return one
    several = len(one["actions"])
    described = [shown] if several == 1 else [f"{shown}, part {part} of {several}" for part in range(1, several + 1)]
    actions = [action | {"description": text} for action, text in zip(one["actions"], described, strict=True)]
    return one | {"label": shown, "actions": actions}
