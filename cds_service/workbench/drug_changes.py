"""How a chart was read and what of drugs and allergies might be otherwise in; out comes what has to be done to its request."""

from datetime import date

from cds_service.wire.orders import PRODUCT
from cds_service.workbench import made
from cds_service.workbench.choices import SULFONAMIDES
from cds_service.workbench.steps import Changes
from cds_service.workbench.what_if import WhatIf
from hooks.facts import DRUG
from hooks.knowledge import Knowledge
from hooks.record import Allergy, Medication, PatientRecord
from hooks.sentences import Sentence, say, term, verbatim

_NOT_HELD = say(
    "Drug neither taken nor ordered: no entry of the medication list and no draft holds it, so nothing was taken away."
)


def change_drugs(one: WhatIf, record: PatientRecord, knowledge: Knowledge, found: Changes) -> None:
    """What is taken, what no longer, and what is about to be signed."""
    if one.remove:
        _take_drug(one, record, knowledge, found)
    for code, display in _products(one.add, knowledge):
        words = say("Drug taken besides: {drug}", drug=display)
        found.add(made.drug(code, str(display), one.since or record.as_of), words)
    for code, display in _products(one.order, knowledge):
        words = say("Drug ordered besides: {drug}", drug=display)
        found.add(made.drug(code, str(display), record.as_of, drafted=True), words)


def _products(key: str, knowledge: Knowledge) -> list[tuple[str, Sentence]]:
    """Code and name of each drug of a regimen, or of the one ingredient; nothing for no key."""
    if regimen := knowledge.regimens.get(key):
        return [(drug.code, term(PRODUCT, drug.display)) for drug in regimen.drugs]
    return [(key, term(DRUG, knowledge.ingredients[key].name))] if key else []


def _take_drug(one: WhatIf, record: PatientRecord, knowledge: Knowledge, found: Changes) -> None:
    """Off the medication list and from among the orders about to be signed."""
    regimen = knowledge.regimens.get(one.remove)
    agents = regimen.agents if regimen else frozenset({one.remove})
    taken = [each for each in record.medications or () if each.ingredients & agents]
    ordered = [each for each in record.drafted_medications() if each.ingredients & agents]
    for each in taken:
        _end(each, one.until, found)
    for each in ordered:
        found.take(each.source, say("Drug not ordered"))
    if not taken and not ordered:
        found.faults.append(_NOT_HELD)


def _end(taken: Medication, until: date | None, found: Changes) -> None:
    words = say("Drug not taken")
    if until and taken.since and taken.since > until:
        found.faults.append(
            say(
                "Drug not taken: an entry begins on {day}, after the day on which it would end; it was left away.",
                day=verbatim(taken.since),
            )
        )
        until = None
    if found.take(taken.source, words) and until:
        found.ended[taken.source] = taken.since, until
        del found.gone[taken.source]


def change_allergy(one: WhatIf, record: PatientRecord, knowledge: Knowledge, found: Changes) -> None:
    """One in the place of those on file to the same."""
    if not one.allergy:
        return
    known = [each for each in record.allergies or () if _is_to(each, one.allergen)]
    for each in known:
        found.take(each.source, say("Allergy on file"))
    if one.allergy != "none":
        found.add(made.allergy(one.allergen, one.allergy, knowledge), say("Allergy"))
    elif not known:
        found.faults.append(
            say("Allergy: the allergy list did not come, so nothing was taken away.")
            if record.allergies is None
            else say("Allergy: none is on file, so nothing was taken away.")
        )


def _is_to(known: Allergy, allergen: str) -> bool:
    return known.sulfonamide if allergen == SULFONAMIDES else allergen in known.ingredients
