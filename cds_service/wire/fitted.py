"""A card and the shape of a client in, the card as that client can show and use it out: the last stop of rendering.

Nothing is lost unsaid: an order that the client could not place as it is meant is named in the detail, to be placed by hand.
"""

from collections.abc import Iterable, Sequence

from cds_service.wire.lines import Card
from cds_service.wire.override_reasons import CODINGS
from cds_service.wire.shape import Shape
from cds_service.wire.shaped_orders import shaped_order
from hooks.advice import ReplaceDraft, Suggestion
from hooks.knowledge import Knowledge
from hooks.sentences import Sentence, say, small

ONE_DRUG = say("Of the drugs that are offered, order one.")
MORE_THAN_ONE = say(
    "More than one of what is offered may be taken; here one can be chosen, the others are ordered by hand."
)
OWN_DOSES = say("The EHR fills in its own usual dose: compare it with the one that is offered before signing.")


def usable(suggestions: Sequence[Suggestion], shape: Shape) -> tuple[Suggestion, ...]:
    """What is offered, as many: a draft that the client cannot update is left as it is, and the other drug ordered beside it."""
    if "update" in shape.actions:
        return (*suggestions,)
    return tuple(one.order if isinstance(one, ReplaceDraft) else one for one in suggestions)


def ends_nothing(suggestions: Iterable[Suggestion], shape: Shape) -> tuple[Sentence, ...]:
    """What has to be said where an order was to take a draft's place and cannot."""
    if "update" in shape.actions:
        return ()
    names = dict.fromkeys(one.name for one in suggestions if isinstance(one, ReplaceDraft))
    return tuple(
        say("What is ordered beside {named} does not end it: take that out as well.", named=one) for one in names
    )


def fitted(card: Card, shape: Shape, knowledge: Knowledge, notes: Sequence[Sentence] = ()) -> Card:
    """The card in that shape; `notes` are lines for its detail."""
    offered, by_hand = _parted(card.get("suggestions", []), shape)
    found = {name: one for name, one in card.items() if name not in ("suggestions", "selectionBehavior")}
    lines = [*notes, *map(_by_hand, by_hand)]
    if offered:
        behaviour, offered, more = _selected(card["selectionBehavior"], offered, shape)
        found |= {"suggestions": [_ordered(one, shape, knowledge) for one in offered], "selectionBehavior": behaviour}
        lines += (*more, *_of_doses(offered, shape))
    found["overrideReasons"] = [one for code in shape.override_reasons for one in CODINGS if one["code"] == code]
    return _without(found | {"detail": card["detail"].with_lines(lines)}, shape)


def _parted(suggestions: Sequence[Card], shape: Shape) -> tuple[list[Card], list[Card]]:
    """What the client can carry out whole; what it cannot."""
    fits = [_fits(one["actions"], shape) for one in suggestions]
    return (
        [one for one, whole in zip(suggestions, fits, strict=True) if whole],
        [one for one, whole in zip(suggestions, fits, strict=True) if not whole],
    )


def _fits(actions: Sequence[Card], shape: Shape) -> bool:
    several = shape.one_action and len(actions) > 1
    return not several and all(one["type"] in shape.actions for one in actions)


def _by_hand(suggestion: Card) -> Sentence:
    """What it would have done, without the words of a button."""
    label: Sentence = suggestion["label"]
    if len(suggestion["actions"]) > 1:
        return say("To be ordered by hand, together: {what}.", what=label.parts.get("drug", label))
    return say("To be done by hand: {what}.", what=small(label))


def _selected(behaviour: str, offered: list[Card], shape: Shape) -> tuple[str, list[Card], tuple[Sentence, ...]]:
    """How many may be taken, where the client does not know the value that says so.

    A client that knows `any` alone may take what is recommended as chosen: where one of several is meant, none is marked, and the
    word says it.
    """
    if behaviour in shape.selection or len(offered) == 1:
        return (behaviour if behaviour in shape.selection else shape.selection[0]), offered, ()
    if behaviour == "any":
        first = next((place for place, one in enumerate(offered) if one.get("isRecommended")), None)
        marked = [one if place == first else _in_words(one) for place, one in enumerate(offered)]
        return shape.selection[0], marked, (MORE_THAN_ONE,)
    drugs = [one for one in offered if _orders_a_drug(one)]
    return shape.selection[0], [_in_words(one) for one in offered], (ONE_DRUG,) if len(drugs) > 1 else ()


def _orders_a_drug(suggestion: Card) -> bool:
    return any(one.get("resource", {}).get("resourceType") == "MedicationRequest" for one in suggestion["actions"])


def _of_doses(offered: Sequence[Card], shape: Shape) -> tuple[Sentence, ...]:
    """What a prescriber has to know of the dose and the supply, where a drug is offered with them."""
    if not any("dosageInstruction" in action.get("resource", {}) for one in offered for action in one["actions"]):
        return ()
    days = shape.order_supply_days
    supply = say("A drug order is for {days} days, without repeats: change what does not fit.", days=days)
    return (*((OWN_DOSES,) if shape.own_doses else ()), *((supply,) if days else ()))


def _unmarked(suggestion: Card) -> Card:
    return {name: one for name, one in suggestion.items() if name != "isRecommended"}


def _in_words(suggestion: Card) -> Card:
    """`isRecommended` as a word on the label and, where the client shows that, on the action."""
    if not suggestion.get("isRecommended"):
        return suggestion
    actions = [one | {"description": _recommended(one["description"])} for one in suggestion["actions"]]
    return _unmarked(suggestion) | {"label": _recommended(suggestion["label"]), "actions": actions}


def _recommended(label: Sentence) -> Sentence:
    return say("{label} (recommended)", label=label)


def _ordered(suggestion: Card, shape: Shape, knowledge: Knowledge) -> Card:
    if shape.plain_orders:
        return suggestion
    actions = [
        one | ({"resource": shaped_order(one["resource"], shape, knowledge)} if "resource" in one else {})
        for one in suggestion["actions"]
    ]
    return suggestion | {"actions": actions}


def _without(card: Card, shape: Shape) -> Card:
    if not shape.leaves_out:
        return card
    found = {name: one for name, one in card.items() if name not in shape.leaves_out}
    found["source"] = {name: one for name, one in card["source"].items() if name not in shape.leaves_out}
    if "suggestions" in found and "isRecommended" in shape.leaves_out:
        found["suggestions"] = [_in_words(one) for one in found["suggestions"]]
    return found
