"""What speaks against drugs in; out comes what a card offers instead: another agent, a test, the order taken out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hooks.advice import DrugOrder, RemoveDraft, ReplaceDraft, Suggestion, TestOrder
from hooks.drugs import (
    ATOVAQUONE,
    AZITHROMYCIN,
    CLARITHROMYCIN,
    DAPSONE,
    PENTAMIDINE,
    PYRIMETHAMINE,
    SULFADIAZINE,
    SULFAMETHOXAZOLE,
)
from hooks.knowledge import Profile
from hooks.record import PatientRecord
from hooks.rules.agent_faults import Fault, Use
from hooks.rules.agents import choose
from hooks.rules.drafts import has_id
from hooks.sentences import Sentence, say

_PURPOSES = {
    "pneumocystis": frozenset((SULFAMETHOXAZOLE, DAPSONE, ATOVAQUONE, PENTAMIDINE)),
    "toxoplasma": frozenset((PYRIMETHAMINE, SULFADIAZINE)),
    "mac": frozenset((AZITHROMYCIN, CLARITHROMYCIN)),  # rifabutin may be meant for tuberculosis
}


@dataclass(frozen=True, slots=True)
class Remedies:
    """What is offered, and the lines that belong to it."""

    suggestions: tuple[Suggestion, ...]
    notes: tuple[Sentence, ...]
    several: bool


def remedies(found: list[Fault], record: PatientRecord, profile: Profile) -> Remedies:
    """For the drug with the worst fault: alternatives, its test, its removal; the removal of every other faulty draft."""
    grave = [one for one in found if one.indicator != "info"]
    if not grave:
        return Remedies((), (), several=False)
    use = grave[0].use
    offers, notes = _alternatives(use, [one for one in grave if one.use == use], record, profile)
    tests = _tests(grave, record)
    removals = tuple(
        RemoveDraft(one.order.source, one.named(profile))
        for one in dict.fromkeys(one.use for one in grave)
        if one.order and has_id(one.order)
    )
    return Remedies((*tests, *offers, *removals), notes, several=bool(tests) and not offers)


def _tests(found: Iterable[Fault], record: PatientRecord) -> tuple[TestOrder, ...]:
    unknown = any(one.kind == "g6pd-unknown" for one in found)
    return (TestOrder("g6pd", recommended=True),) if unknown and not record.is_on_its_way("g6pd") else ()


def _alternatives(
    use: Use, found: list[Fault], record: PatientRecord, profile: Profile
) -> tuple[tuple[DrugOrder | ReplaceDraft, ...], tuple[Sentence, ...]]:
    """Other agents for the same purpose that the chart allows; none where the count no longer asks for prophylaxis."""
    cover = any(one.kind == "cover" for one in found) and "toxoplasma" in profile.regimens
    purpose = "toxoplasma" if cover else _purpose(use)
    if purpose is None or use.medication.short_course or _recovered(record, profile):
        return (), (say("Not checked: kidney function, drug interactions."),)
    choice = choose(record, profile, purpose)
    back = {DAPSONE} if all(one.kind == "cover" for one in found) else set()  # to cover, with pyrimethamine
    others = [one for one in choice.offers if not one.regimen.agents & (use.medication.ingredients - back)]
    if any(one.kind == "g6pd-unknown" for one in found):  # then the test is what is recommended
        others = [replace(one, recommended=False) for one in others]
    offers = tuple(_in_its_place(use, one, profile) for one in others)
    beside = any(isinstance(one, DrugOrder) for one in offers)
    ends = (
        (say("What is ordered beside {named} does not end it: take that out as well.", named=use.named(profile)),)
        if beside
        else ()
    )
    return offers, (*ends, *choice.notes)


def _purpose(use: Use) -> str | None:
    return next((purpose for purpose, agents in _PURPOSES.items() if use.medication.ingredients & agents), None)


def _recovered(record: PatientRecord, profile: Profile) -> bool:
    """A fresh count that does not ask for prophylaxis: then its stop is the question, not another agent."""
    count = next(iter(record.cd4_counts), None)
    fresh = count is not None and profile.under("cd4-fresh-for-start", count.age_days(record.as_of))
    return bool(count and fresh and profile.not_under("pneumocystis-cd4", count))


def _in_its_place(use: Use, order: DrugOrder, profile: Profile) -> DrugOrder | ReplaceDraft:
    """In place of the draft where one drug is enough and nothing else goes with it; else an order beside it."""
    only = profile.knowledge.with_role(use.medication.ingredients, "oi") == use.medication.ingredients
    if use.order and has_id(use.order) and only and len(order.regimen.drugs) == 1:
        return ReplaceDraft(use.order.source, use.named(profile), order)
    return order
