"""Draft orders in; what a card can offer to do with them out."""

from collections.abc import Iterable

from hooks.advice import RemoveDraft
from hooks.drugs import antiretrovirals
from hooks.facts import drug_names
from hooks.knowledge import Profile
from hooks.record import DraftOrder, PatientRecord


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


def art_drafts(record: PatientRecord, profile: Profile) -> tuple[DraftOrder, ...]:
    """The drafts that order an antiretroviral."""
    return tuple(
        one
        for one in record.draft_orders or ()
        if one.medication and not one.stops and antiretrovirals(one.medication, profile.knowledge)
    )
