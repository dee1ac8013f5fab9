"""A hook request in, one PatientRecord out: every fact the rules may read, and why others cannot be relied on."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from cds_service.chart import allergies, conditions, medications
from cds_service.chart.coverage import Coverage, coverage
from cds_service.chart.dates import ages
from cds_service.chart.draft_orders import read_drafts, tests_on_order
from cds_service.chart.drug_codes import named_drug, sibling_medications
from cds_service.chart.elements import (
    AllergyIntolerance,
    Condition,
    MedicationRequest,
    MedicationStatement,
    Observation,
)
from cds_service.chart.intake import Intake, take_in
from cds_service.chart.lab_values import LabReader, Read
from cds_service.chart.other_results import Other, read_other
from cds_service.chart.quantities import Units
from cds_service.chart.results import one_a_day, one_a_moment
from cds_service.wire.request import HookRequest
from hooks.art_history import art_history, drafted_art
from hooks.drugs import agents
from hooks.hiv import hiv_status
from hooks.knowledge import Knowledge
from hooks.record import (
    Allergy,
    DraftOrder,
    Hiv,
    LabResult,
    Medication,
    OtherResult,
    PatientRecord,
    Pending,
    Problem,
    Unreadable,
)
from hooks.sentences import say


class Reading(NamedTuple):
    """The record, and how much of what came was coded in systems we read."""

    record: PatientRecord
    coverage: Coverage


def read_chart(
    request: HookRequest,
    now: datetime,
    knowledge: Knowledge,
    iu_per_copy: Decimal | None = None,
    not_supplied: frozenset[str] = frozenset(),
) -> PatientRecord:
    """The patient's record at this moment. `not_supplied`: prefetch keys that the site has said it cannot send.

    Raises Contradiction (another patient's data) and MissingData.
    """
    return read(request, now, knowledge, iu_per_copy, not_supplied).record


def read(
    request: HookRequest,
    now: datetime,
    knowledge: Knowledge,
    iu_per_copy: Decimal | None = None,
    not_supplied: frozenset[str] = frozenset(),
) -> Reading:
    """As `read_chart`, with the coverage."""
    labs = LabReader(now, knowledge, Units(knowledge, iu_per_copy))
    intake = take_in(request, labs, not_supplied)
    covered = coverage((one.resource for one in intake.supply.received), knowledge)
    return Reading(_record(intake, knowledge), covered)


def _record(intake: Intake, knowledge: Knowledge) -> PatientRecord:
    taken, drug_faults = _medications(intake, knowledge)
    drafts = _without_withdrawn(read_drafts(intake, knowledge), taken)
    art = art_history(taken, intake.as_of, knowledge)
    signs = sorted({sign for one in intake.his(Condition) for sign in conditions.hiv_signs(one, knowledge)})
    in_doubt = bool(drug_faults) or _lacks(intake, "medications")
    results = _lab_results(intake) if signs or in_doubt or _any_art(taken, drafts, knowledge) else []
    loads = one_a_moment(_of(results, "viral-load"))
    hiv = hiv_status(signs, art=art, drafts=drafts or (), viral_loads=loads, as_of=intake.as_of, knowledge=knowledge)
    hiv = _judged(hiv, intake)
    problems = _problems(intake, knowledge)
    others = _other_results(intake) if hiv.status == "established" else []
    known = tuple(one for one in others if isinstance(one, OtherResult))
    stated, none_known = _allergies(intake, knowledge)
    everything = (*results, *others)
    faults = {*drug_faults, *intake.faults(), *(one for one in everything if isinstance(one, Unreadable))}
    return PatientRecord(
        as_of=intake.as_of,
        hiv=hiv,
        ages=ages(intake.patient.birthDate, intake.as_of),
        cd4_counts=one_a_day(_of(results, "cd4-count")),
        cd4_percents=one_a_day(_of(results, "cd4-percent")),
        viral_loads=loads,
        medications=taken if "medications" in intake.supplied else None,
        art=art,
        draft_orders=drafts,
        drafted_art=drafted_art(art, drafts or (), knowledge),
        problems=problems,
        allergies=stated,
        no_known_allergy=none_known,
        pregnant=_pregnant(problems, known),
        other_results=tuple(one for one in known if one.test != "pregnancy-status"),
        tests_on_order=tests_on_order(intake, knowledge),
        pending=tuple(sorted({one for one in everything if isinstance(one, Pending)}, key=str)),
        unreadable=tuple(sorted(faults, key=str)),
        gaps=intake.gaps(),
    )


def _any_art(taken: Iterable[Medication], drafts: Iterable[DraftOrder] | None, knowledge: Knowledge) -> bool:
    """Without a sign of HIV and without antiretrovirals, none of them unread, no result need be read: most charts end here."""
    drafted = (order.medication for order in drafts or () if order.medication and not order.stops)
    return bool(agents((*taken, *drafted), knowledge))


def _without_withdrawn(
    drafts: tuple[DraftOrder, ...] | None, taken: Iterable[Medication]
) -> tuple[DraftOrder, ...] | None:
    """A stop of what is not being taken is a draft that was withdrawn: it asks for nothing."""
    current = [one.ingredients for one in taken if one.current]
    return None if drafts is None else tuple(one for one in drafts if not one.stops or _stops_any(one, current))


def _stops_any(draft: DraftOrder, current: Iterable[frozenset[str]]) -> bool:
    return draft.medication is not None and any(draft.medication.ingredients & one for one in current)


def _judged(hiv: Hiv, intake: Intake) -> Hiv:
    """No evidence in a problem list that did not come whole is not the absence of evidence."""
    in_part = hiv.status == "none" and _lacks(intake, "conditions")
    return Hiv("unknown", say("the problem list did not come whole")) if in_part else hiv


def _lacks(intake: Intake, datum: str) -> bool:
    return any(gap.datum == datum for gap in intake.gaps())


def _lab_results(intake: Intake) -> list[Read]:
    return [read for one, his, key in intake.observations() for read in intake.labs.read(one, his, key)]


def _of(results: Iterable[Read], measure: str) -> list[LabResult]:
    return [one for one in results if isinstance(one, LabResult) and one.measure == measure]


def _medications(intake: Intake, knowledge: Knowledge) -> tuple[tuple[Medication, ...], list[Unreadable]]:
    siblings = sibling_medications(intake.siblings())
    taken: list[Medication | None] = []
    faults = []
    for order in intake.his(MedicationRequest):
        named = named_drug(order, siblings, knowledge)
        if named:
            taken.append(medications.requested(order, named, intake.as_of))
        elif order.status == "active":
            faults.append(Unreadable("medications", say("an entry does not say which drug it is"), None, f"{order.id}"))
    for statement in intake.his(MedicationStatement):
        named = named_drug(statement, siblings, knowledge)
        taken.append(medications.stated(statement, named, intake.as_of) if named else None)
    return tuple(sorted((one for one in taken if one), key=_source)), faults


def _problems(intake: Intake, knowledge: Knowledge) -> tuple[Problem, ...] | None:
    if "conditions" not in intake.supplied:
        return None
    found = (conditions.problem(one, knowledge) for one in intake.his(Condition))
    return tuple(sorted((one for one in found if one), key=_source))


def _allergies(intake: Intake, knowledge: Knowledge) -> tuple[tuple[Allergy, ...] | None, bool]:
    if "allergies" not in intake.supplied:
        return None, False
    standing = [one for one in intake.his(AllergyIntolerance) if allergies.counts(one)]
    none_known = [one for one in standing if allergies.says_none(one, knowledge)]
    read = (allergies.read_allergy(one, knowledge) for one in standing if one not in none_known)
    return tuple(sorted(read, key=_source)), bool(none_known)


def _other_results(intake: Intake) -> list[Other]:
    """Newest first; of one day the one that asks for care goes first."""
    found = [read for one in intake.his(Observation) for read in read_other(one, True, intake.labs)]
    return sorted(found, key=_newest_and_gravest_first, reverse=True)


def _newest_and_gravest_first(one: Other) -> tuple[date, bool, str]:
    if not isinstance(one, OtherResult):
        return date.min, False, str(one)
    return one.date, one.result in ("positive", "deficient", "pregnant"), one.source


def _source(fact: Medication | Problem | Allergy) -> tuple[str, list[str]]:
    """By id; what has none by what it says, so that the order in which the entries came never shows."""
    said = (getattr(fact, field.name) for field in fields(fact))
    return fact.source, [str(sorted(one)) if isinstance(one, frozenset) else str(one) for one in said]


def _pregnant(problems: tuple[Problem, ...] | None, others: tuple[OtherResult, ...]) -> bool | None:
    """From the newest pregnancy status, else from the problem list; None where neither says."""
    stated = next((one.result for one in others if one.test == "pregnancy-status"), None)
    if stated:
        return stated == "pregnant"
    on_list = any("pregnancy" in one.concepts and one.state != "past" for one in problems or ())
    return True if on_list else None
