"""Advice with its urgency and the orders that answer it in; out comes what shares a card, and what that card offers."""

from collections.abc import Sequence

from hooks.advice import DrugOrder, Recommendation, ReplaceDraft, Suggestion


def grouped(advice: Sequence[tuple[int, frozenset[str]]]) -> list[list[int]]:
    """The places of what shares a card, the most urgent first, within a card and among cards; equals keep their order.

    Advice joins the first card that has an answer in common with it, and a card keeps the answers that all of it shares.
    """
    cards: list[tuple[frozenset[str], list[int]]] = []
    for place in sorted(range(len(advice)), key=lambda one: advice[one][0]):
        answers = advice[place][1]
        for number, (shared, places) in enumerate(cards):
            if shared & answers:
                cards[number] = (shared & answers, [*places, place])
                break
        else:
            cards.append((answers, [place]))
    return [places for _, places in cards]


def joined(advice: Sequence[Recommendation]) -> tuple[Suggestion, ...]:
    """What a card offers: of drugs only what answers all of its findings that offer any; else everything, each once."""
    lists = [one.suggestions for one in advice]
    drugs = [{one.answer for one in offered if _is_drug(one)} for offered in lists]
    offering = [frozenset(one) for one in drugs if one]
    common = frozenset[str].intersection(*offering) if offering else frozenset()
    common = common or frozenset[str]().union(*offering)  # they share the card for another order
    found: dict[str, Suggestion] = {}
    for one in (one for offered in lists for one in offered):
        known = found.get(one.answer)
        if (not _is_drug(one) or one.answer in common) and not isinstance(known, ReplaceDraft):
            found[one.answer] = one if known is None or isinstance(one, ReplaceDraft) else known
    return tuple(found.values())


def _is_drug(one: Suggestion) -> bool:
    return isinstance(one, DrugOrder | ReplaceDraft)
