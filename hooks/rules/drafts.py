"""Draft orders in; what they would leave to be taken, and what a card can offer to do with them, out."""

from collections.abc import Iterable

from hooks.advice import RemoveDraft
from hooks.drugs import antiretrovirals
from hooks.facts import drug_names
from hooks.knowledge import Profile
from hooks.record import DraftOrder, Medication, PatientRecord


def has_id(order: DraftOrder) -> bool:
    """Whether an action can name it: a draft without an id cannot be told from another."""
    return not order.source.endswith("/None")


def removals(orders: Iterable[DraftOrder], profile: Profile) -> tuple[RemoveDraft, ...]:
    """The offer to take each of these drugs out of the orders; none is recommended, the clinician decides."""
    return tuple(
        RemoveDraft(one.source, drug_names(one.medication.ingredients, profile.knowledge))
        for one in orders
        if one.medication and has_id(one)
    )


def resulting(record: PatientRecord, profile: Profile) -> list[Medication]:
    """What will be taken: the list, less what a draft ends or a whole drafted regimen replaces, and what is drafted."""
    staying = list(record.taken_medications())
    for order in record.draft_orders or ():
        if order.stops and order.medication:
            staying = _without(order.medication.ingredients, staying)
    if record.drafted_art.replaces:
        staying = [one for one in staying if not antiretrovirals(one, profile.knowledge)]
    return [*staying, *record.drafted_medications()]


def _without(ended: frozenset[str], taken: list[Medication]) -> list[Medication]:
    """What is left after a stop: it ends the entries of just its ingredients, or else those that share one with it."""
    same = [one for one in taken if one.ingredients == ended] or [one for one in taken if one.ingredients & ended]
    return [one for one in taken if one not in same]


def art_drafts(record: PatientRecord, profile: Profile) -> tuple[DraftOrder, ...]:
    """The drafts that order an antiretroviral."""
    return tuple(
        one
        for one in record.draft_orders or ()
        if one.medication and not one.stops and antiretrovirals(one.medication, profile.knowledge)
    )
