"""How a chart was read and what might be otherwise in; out comes what has to be done to its request, and what cannot be done."""

from datetime import date

from cds_service.workbench import made
from cds_service.workbench.choices import SULFONAMIDES, Result, all_results, key_of, of_key, unread_key_of
from cds_service.workbench.pasted import Request
from cds_service.workbench.steps import Changes
from cds_service.workbench.what_if import ResultChange, Value, WhatIf
from hooks.knowledge import Knowledge
from hooks.record import Allergy, LabResult, Medication, PatientRecord, Unreadable
from hooks.sentences import capital
from hooks.wording import name

_UNIT = {"cd4-count": "/uL", "cd4-percent": "%", "viral-load": "copies/mL"}


def changes_of(one: WhatIf, record: PatientRecord, knowledge: Knowledge) -> Changes:
    """What has to be done to the request; `record` is how it was read, on the day of the evaluation."""
    found = Changes()
    _newest(one, record, found)
    for each in one.results:
        _result(each, record, knowledge, found)
    _drugs(one, record, knowledge, found)
    if one.problem:
        found.add(made.problem(one.problem, one.onset, knowledge), f"Diagnosis: {name(one.problem)}")
    _allergy(one, record, knowledge, found)
    return found


def _newest(one: WhatIf, record: PatientRecord, found: Changes) -> None:
    """Instead of whatever is as new or newer."""
    since = one.measured or record.as_of
    for measure, value, results in (
        ("cd4-count", one.cd4, record.cd4_counts),
        ("viral-load", one.load, record.viral_loads),
    ):
        if value and value.number is not None:
            for old in (each for each in results if each.date >= since):
                _take_result(old, record, found)
            resource = made.quantity(value.number, _UNIT[measure], value.bound, since.isoformat())
            found.add(resource, f"Newest {name(measure)}", measure)


def _take_result(old: Result, record: PatientRecord, found: Changes) -> bool:
    """Of a panel the other parts that count are sent again, each alone."""
    words = f"{capital(name(of_key(key_of(old))))} of {old.date}"
    others = [each for each in all_results(record) if each.source == old.source and each is not old]
    unread = any(each.source == old.source for each in record.unreadable)
    if unread or any(not isinstance(each, LabResult) for each in others):
        with_what = "what cannot be read" if unread else "other tests"
        found.faults.append(f"{words}: it came in one panel with {with_what} and cannot be changed alone.")
        return False
    if old.source in found.gone:
        found.made = [each for each in found.made if each.words != _part(old)]
        return True
    if not found.take(old.source, words):
        return False
    for each in others:
        if isinstance(each, LabResult):
            found.add(_again(each), _part(each), each.measure)
    return True


def _part(one: Result) -> str:
    return f"Part of {one.source}: {key_of(one)}"


def _again(one: LabResult, when: str = "") -> Request:
    """The same result once more, in the unit that it was read as."""
    when = when or _when(one)
    if one.number is None:
        return made.load_in_words("not detected" if one.detected is False else "detected", when)
    return made.quantity(one.number, one.unit, one.comparator, when)


def _when(one: Result) -> str:
    instant = one.instant if isinstance(one, LabResult) else None
    return instant.isoformat() if instant and instant.date() == one.date else one.date.isoformat()


def _result(each: ResultChange, record: PatientRecord, knowledge: Knowledge, found: Changes) -> None:
    measure = of_key(each.key)
    if each.is_new and each.value:
        _add_result(measure, each.value, (each.day or record.as_of).isoformat(), knowledge, found)
        return
    bad = next((one for one in record.unreadable if unread_key_of(one) == each.key), None)
    if bad:
        _read_at_last(bad, each, record, knowledge, found)
        return
    old = next((one for one in all_results(record) if key_of(one) == each.key), None)
    if old is None:
        found.faults.append(
            f"{capital(name(measure))}: the chosen result does not stand in this chart, or does not count in it."
        )
    elif _take_result(old, record, found) and not each.gone:
        when = each.day.isoformat() if each.day else _when(old)
        if each.value:
            _add_result(measure, each.value, when, knowledge, found)
        elif isinstance(old, LabResult):
            found.add(_again(old, when), f"{capital(name(measure))} of another day", measure)
        else:
            found.add(
                made.in_words(measure, old.result, when, knowledge), f"{capital(name(measure))} of another day", measure
            )


def _read_at_last(
    bad: Unreadable, each: ResultChange, record: PatientRecord, knowledge: Knowledge, found: Changes
) -> None:
    """In the place of what cannot be read, what it would say if it could."""
    words, day = f"{capital(name(bad.datum))} that cannot be read", each.day or bad.latest
    if any(one.source == bad.source for one in all_results(record)):
        found.faults.append(f"{words}: it came in one panel with what can be read and cannot be changed alone.")
    elif not each.gone and not (each.value and day):
        found.faults.append(f"{words}: it needs a value, and a day where it has none of its own.")
    elif found.take(bad.source, words) and each.value and day:
        _add_result(bad.datum, each.value, day.isoformat(), knowledge, found)


def _add_result(measure: str, value: Value, when: str, knowledge: Knowledge, found: Changes) -> None:
    if value.number is not None:
        resource = made.quantity(value.number, _UNIT[measure], value.bound, when)
    elif measure == "viral-load":
        resource = made.load_in_words(value.word, when)
    else:
        resource = made.in_words(measure, value.word, when, knowledge)
    found.add(resource, f"{capital(name(measure))} of {when[:10]}", measure)


def _drugs(one: WhatIf, record: PatientRecord, knowledge: Knowledge, found: Changes) -> None:
    if one.remove:
        _take_drug(one, record, knowledge, found)
    for code, display in _products(one.add, knowledge):
        found.add(made.drug(code, display, one.since or record.as_of), f"Drug taken besides: {display}")
    for code, display in _products(one.order, knowledge):
        found.add(made.drug(code, display, record.as_of, drafted=True), f"Drug ordered besides: {display}")


def _products(key: str, knowledge: Knowledge) -> list[tuple[str, str]]:
    """Code and name of each drug of a regimen, or of the one ingredient; nothing for no key."""
    if regimen := knowledge.regimens.get(key):
        return [(drug.code, drug.display) for drug in regimen.drugs]
    return [(key, knowledge.ingredients[key].name)] if key else []


def _take_drug(one: WhatIf, record: PatientRecord, knowledge: Knowledge, found: Changes) -> None:
    """Off the medication list and from among the orders about to be signed."""
    regimen = knowledge.regimens.get(one.remove)
    agents = regimen.agents if regimen else frozenset({one.remove})
    taken = [each for each in record.medications or () if each.ingredients & agents]
    ordered = [each for each in record.drafted_medications() if each.ingredients & agents]
    for each in taken:
        _end(each, one.until, found)
    for each in ordered:
        found.take(each.source, "Drug not ordered")
    if not taken and not ordered:
        found.faults.append(
            "Drug neither taken nor ordered: no entry of the medication list and no draft holds it, so nothing was taken away."
        )


def _end(taken: Medication, until: date | None, found: Changes) -> None:
    words = "Drug not taken"
    if until and taken.since and taken.since > until:
        found.faults.append(
            f"{words}: an entry begins on {taken.since}, after the day on which it would end; it was left away."
        )
        until = None
    if found.take(taken.source, words) and until:
        found.ended[taken.source] = taken.since, until
        del found.gone[taken.source]


def _allergy(one: WhatIf, record: PatientRecord, knowledge: Knowledge, found: Changes) -> None:
    if not one.allergy:
        return
    known = [each for each in record.allergies or () if _is_to(each, one.allergen)]
    for each in known:
        found.take(each.source, "Allergy on file")
    if one.allergy != "none":
        found.add(made.allergy(one.allergen, one.allergy, knowledge), "Allergy")
    elif not known:
        lacking = "the allergy list did not come" if record.allergies is None else "none is on file"
        found.faults.append(f"Allergy: {lacking}, so nothing was taken away.")


def _is_to(known: Allergy, allergen: str) -> bool:
    return known.sulfonamide if allergen == SULFONAMIDES else allergen in known.ingredients
