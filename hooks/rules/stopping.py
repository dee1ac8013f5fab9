"""A lapsed indication and the drugs that serve it in; out comes the advice to stop them, or why the question is idle."""

from collections.abc import Iterable

from hooks.advice import Recommendation, RemoveDraft, Silent
from hooks.drugs import SULFADIAZINE, systemic
from hooks.facts import drug_names
from hooks.knowledge import Profile
from hooks.record import Medication, PatientRecord
from hooks.rules.recovery import Lapsed
from hooks.sentences import NOTHING, Sentence, say

_NOT_CHECKED = say("Not checked: whether the drug is taken for another reason as well, symptoms, adherence.")
GAPS = say("A count that has risen can leave gaps in the defences for some time: one result is never enough to stop.")
_HOW = say("To stop it, end the order on the medication list. Go on measuring: it is due again if the CD4 count falls.")


def idle(taken: tuple[Medication, ...], record: PatientRecord) -> Silent | None:
    """Why there is nothing to stop: it is not taken, an order ends it, or it is no prophylaxis."""
    if not taken:
        return Silent("no such prophylaxis is taken")
    ingredients = _ingredients(taken)
    ends = tuple(
        one
        for one in record.draft_orders or ()
        if one.stops and one.medication and one.medication.ingredients & ingredients
    )
    if ends:
        return Silent("an order of this session ends it already", ends)
    if SULFADIAZINE in ingredients and not record.has_problem("toxoplasmosis"):
        return Silent("sulfadiazine is a treatment of toxoplasmosis, which is not on the problem list", taken)
    return None


def stop(
    what: Sentence,
    taken: tuple[Medication, ...],
    found: Lapsed,
    record: PatientRecord,
    profile: Profile,
    *,
    notes: Iterable[Sentence] = (),
    also: Sentence = NOTHING,
) -> Recommendation:
    """It can be stopped. An order of the chart cannot be ended from a card; a renewal among the drafts can be taken out."""
    removals = _removals(taken, record, profile)
    return Recommendation(
        summary=found.advise(what),
        indicator="info",
        rationale=(found.why,),
        cites=(found.cite,),
        facts=(*found.facts, *taken),
        notes=(*notes, _HOW, _NOT_CHECKED),
        suggestions=removals,
        several=True,
        also=also,
        stops=frozenset(one.source for one in taken),
        about_order=bool(removals),
    )


def without_percent(found: Lapsed, record: PatientRecord, profile: Profile) -> tuple[Sentence, ...]:
    """A line where the guideline goes by the percentage too, and none of that time is on file."""
    seen = any(one.date >= found.since for one in record.cd4_percents)
    return (
        ()
        if seen or not profile.knows("pneumocystis-cd4-percent")
        else (say("No CD4 percentage of that time is on file."),)
    )


def _removals(taken: tuple[Medication, ...], record: PatientRecord, profile: Profile) -> tuple[RemoveDraft, ...]:
    """A course of treatment with the same drug is no renewal."""
    wanted = _ingredients(taken)
    renewals = [
        (order.source, order.medication.ingredients)
        for order in record.draft_orders or ()
        if order.medication and not order.stops and systemic(order.medication) and not order.medication.short_course
    ]
    return tuple(
        RemoveDraft(source, drug_names(found, profile.knowledge))
        for source, found in renewals
        if found & wanted and not source.endswith("/None")
    )


def _ingredients(medications: Iterable[Medication]) -> frozenset[str]:
    return frozenset[str]().union(*(one.ingredients for one in medications))
