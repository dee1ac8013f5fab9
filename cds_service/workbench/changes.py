"""How a chart was read and what might be otherwise in; out comes what has to be done to its request, and what cannot be done."""

from cds_service.workbench import made
from cds_service.workbench.choices import Result, all_results, key_of, of_key, unread_key_of
from cds_service.workbench.drug_changes import change_allergy, change_drugs
from cds_service.workbench.pasted import Request
from cds_service.workbench.steps import Changes
from cds_service.workbench.typed import Value
from cds_service.workbench.what_if import ResultChange, WhatIf
from hooks.knowledge import Knowledge
from hooks.record import LabResult, PatientRecord, Unreadable
from hooks.sentences import Sentence, capital, say, verbatim
from hooks.wording import name

_UNIT = {"cd4-count": "/uL", "cd4-percent": "%", "viral-load": "copies/mL"}


def changes_of(one: WhatIf, record: PatientRecord, knowledge: Knowledge) -> Changes:
    """What has to be done to the request; `record` is how it was read, on the day of the evaluation."""
    found = Changes()
    _newest(one, record, found)
    for each in one.results:
        _result(each, record, knowledge, found)
    change_drugs(one, record, knowledge, found)
    if one.problem:
        words = say("Diagnosis: {problem}", problem=name(one.problem))
        found.add(made.problem(one.problem, one.onset, knowledge), words)
    change_allergy(one, record, knowledge, found)
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
            found.add(resource, capital(say("Newest {test}", test=name(measure))), measure)


def _take_result(old: Result, record: PatientRecord, found: Changes) -> bool:
    """Of a panel the other parts that count are sent again, each alone."""
    words = _of_day(of_key(key_of(old)), old.date.isoformat())
    others = [each for each in all_results(record) if each.source == old.source and each is not old]
    unread = any(each.source == old.source for each in record.unreadable)
    if unread or any(not isinstance(each, LabResult) for each in others):
        found.faults.append(
            say("{what}: it came in one panel with what cannot be read and cannot be changed alone.", what=words)
            if unread
            else say("{what}: it came in one panel with other tests and cannot be changed alone.", what=words)
        )
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


def _of_day(measure: str, iso_day: str) -> Sentence:
    return say("{test} of {day}", test=capital(name(measure)), day=verbatim(iso_day))


def _of_another_day(measure: str) -> Sentence:
    return say("{test} of another day", test=capital(name(measure)))


def _part(one: Result) -> Sentence:
    return say("Part of {source}: {key}", source=verbatim(one.source), key=verbatim(key_of(one)))


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
        what = capital(name(measure))
        found.faults.append(
            say("{test}: the chosen result does not stand in this chart, or does not count in it.", test=what)
        )
    elif _take_result(old, record, found) and not each.gone:
        when = each.day.isoformat() if each.day else _when(old)
        if each.value:
            _add_result(measure, each.value, when, knowledge, found)
        elif isinstance(old, LabResult):
            found.add(_again(old, when), _of_another_day(measure), measure)
        else:
            found.add(made.in_words(measure, old.result, when, knowledge), _of_another_day(measure), measure)


def _read_at_last(
    bad: Unreadable, each: ResultChange, record: PatientRecord, knowledge: Knowledge, found: Changes
) -> None:
    """In the place of what cannot be read, what it would say if it could."""
    words, day = say("{test} that cannot be read", test=capital(name(bad.datum))), each.day or bad.latest
    if any(one.source == bad.source for one in all_results(record)):
        found.faults.append(
            say("{what}: it came in one panel with what can be read and cannot be changed alone.", what=words)
        )
    elif not each.gone and not (each.value and day):
        found.faults.append(say("{what}: it needs a value, and a day where it has none of its own.", what=words))
    elif found.take(bad.source, words) and each.value and day:
        _add_result(bad.datum, each.value, day.isoformat(), knowledge, found)


def _add_result(measure: str, value: Value, when: str, knowledge: Knowledge, found: Changes) -> None:
    if value.number is not None:
        resource = made.quantity(value.number, _UNIT[measure], value.bound, when)
    elif measure == "viral-load":
        resource = made.load_in_words(value.word, when)
    else:
        resource = made.in_words(measure, value.word, when, knowledge)
    found.add(resource, _of_day(measure, when[:10]), measure)
