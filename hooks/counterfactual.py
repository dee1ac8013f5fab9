"""A rule and a record in; out comes what would change the answer: each change is tried on the rule itself, never guessed."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hooks.advice import DrugOrder, Recommendation, Silent, TestOrder, Verdict
from hooks.art_history import art_history, drafted_art
from hooks.assess import Rule, judge
from hooks.facts import RESULT, drug_names, problem_name
from hooks.knowledge import Profile, Threshold
from hooks.record import LabResult, Measure, Medication, OtherResult, PatientRecord
from hooks.sentences import Sentence, capital, join, say, term
from hooks.wording import amount, day, name, regimen_name, test_name

Change = tuple[
    str, Sentence, PatientRecord
]  # its kind (the nearest of a kind is said), in words, the record as it would then be
_MEASURES: dict[str, tuple[Measure, str]] = {
    "/uL": ("cd4-count", "cd4_counts"),
    "%": ("cd4-percent", "cd4_percents"),
    "copies/mL": ("viral-load", "viral_loads"),
}
_TESTS = {
    "toxoplasma-igg": ("positive", "negative"),
    "g6pd": ("normal", "deficient"),
    "crag": ("positive", "negative"),
    "hbsag": ("positive", "negative"),
    "tb-test": ("positive", "negative"),
}


def what_would_change(rule: Rule, record: PatientRecord, profile: Profile) -> tuple[Sentence, ...]:
    """One sentence for each single change of the chart that would change what the rule says; of like changes the nearest."""
    said = judge(rule, record, profile)
    found: dict[tuple[str, str], Sentence] = {}
    for kind, words, changed in _changes(rule, said, record, profile):
        then = _outcome(judge(rule, changed, profile))
        if then != _outcome(said):
            found.setdefault((kind, then), say("{words}: {then}", words=words, then=then))
    return tuple(found.values())


def _outcome(verdict: Verdict) -> Sentence:
    match verdict:
        case Recommendation():
            return {"critical": say("critical"), "warning": say("a warning"), "info": say("information")}[
                verdict.indicator
            ]
        case Silent():
            return say("nothing to say")
        case _:
            return say("not assessed ({data})", data=join(", ", [name(one) for one in verdict.data]))


def _changes(rule: Rule, said: Verdict, record: PatientRecord, profile: Profile) -> Iterator[Change]:
    limits = [profile.thresholds[key] for key in (*rule.cites, *rule.may_cite) if key in profile.thresholds]
    yield from _other_values(limits, record)
    yield from _later(limits, record, profile)
    yield from _without(record, profile)
    yield from _with_what_is_offered(said, record, profile)
    yield from _with_tests(record)
    yield from _with_gaps_filled(record)


def _other_values(limits: Iterable[Threshold], record: PatientRecord) -> Iterator[Change]:
    """The newest result on each limit and just beside it, the nearest first."""
    for unit, (measure, field) in _MEASURES.items():
        results: tuple[LabResult, ...] = getattr(record, field)
        values = {
            one.value + step for one in limits if one.unit == unit for step in (Decimal(-1), Decimal(0), Decimal(1))
        }
        newest = results[0] if results else None
        known = (newest.number if newest else None) or Decimal(0)
        for _, value in sorted((abs(one - known), one) for one in values):
            then = _result(measure, unit, value, newest, record)
            changed: dict[str, Any] = {field: (then, *results[1:])}
            yield measure, _measured(then, newest), replace(record, **changed)


def _result(measure: Measure, unit: str, value: Decimal, newest: LabResult | None, record: PatientRecord) -> LabResult:
    if newest:
        return replace(newest, number=value, unit=unit, comparator="", detected=None)
    return LabResult(measure=measure, unit=unit, number=value, date=record.as_of, received="", source="")


def _measured(then: LabResult, newest: LabResult | None) -> Sentence:
    measure, value = capital(name(then.measure)), amount(then)
    if newest:
        return say("{measure} {amount}, not {other}", measure=measure, amount=value, other=amount(newest))
    return say("{measure} {amount}, measured today", measure=measure, amount=value)


def _later(limits: Iterable[Threshold], record: PatientRecord, profile: Profile) -> Iterator[Change]:
    """The day after the newest result has outlived a limit of days, should no newer one come."""
    newest = [one.date for results in (record.cd4_counts, record.viral_loads) for one in results[:1]]
    starts = [*newest, *filter(None, (record.art.since, record.art.changed))]
    days = {start + timedelta(days=one.days + 1) for one in limits if one.unit == "d" for start in starts}
    for when in sorted(one for one in days if one > record.as_of):
        words = say("From {day} on, should nothing else change", day=day(when))
        yield "time", words, _again(replace(record, as_of=when), profile)


def _again(record: PatientRecord, profile: Profile) -> PatientRecord:
    """The record with what follows from its drugs, orders and day judged anew."""
    knowledge, taken = profile.knowledge, record.medications
    art = record.art if taken is None else art_history(taken, record.as_of, knowledge)
    return replace(record, art=art, drafted_art=drafted_art(art, record.draft_orders or (), knowledge))


def _without(record: PatientRecord, profile: Profile) -> Iterator[Change]:
    """Without one of the drugs, orders, problems or allergies."""
    for drug in record.taken_medications():
        rest = tuple(one for one in record.medications or () if one is not drug)
        then = _again(replace(record, medications=rest), profile)
        drugs = drug_names(drug.ingredients, profile.knowledge)
        yield drug.source, say("Without {drugs} taken", drugs=drugs), then
    for draft in record.draft_orders or ():
        if draft.medication:
            rest_of = tuple(one for one in record.draft_orders or () if one is not draft)
            said = drug_names(draft.medication.ingredients, profile.knowledge)
            yield (
                draft.source,
                say("Without the order about {drugs}", drugs=said),
                _again(replace(record, draft_orders=rest_of), profile),
            )
    for problem in record.problems or ():
        left = tuple(one for one in record.problems or () if one is not problem)
        said = say("Without {problem} on the problem list", problem=problem_name(problem))
        yield problem.source, said, replace(record, problems=left)
    for allergy in record.allergies or ():
        others = tuple(one for one in record.allergies or () if one is not allergy)
        yield allergy.source, say("Without an allergy on file"), replace(record, allergies=others)


def _with_what_is_offered(said: Verdict, record: PatientRecord, profile: Profile) -> Iterator[Change]:
    """With what the rule itself offers taken or ordered."""
    for one in said.suggestions if isinstance(said, Recommendation) else ():
        if isinstance(one, DrugOrder):
            drugs = tuple(Medication(ingredients=part.agents, source="", current=True) for part in one.regimen.drugs)
            taken = (*(record.medications or ()), *drugs)
            said_of = say("With {regimen} taken", regimen=regimen_name(one.regimen, dosed=True))
            yield "offered", said_of, replace(record, medications=taken)
        elif isinstance(one, TestOrder):
            asked = record.tests_on_order | {one.test}
            ordered = say("With {test} ordered", test=test_name(profile.knowledge.tests[one.test]))
            yield one.test, ordered, replace(record, tests_on_order=asked)


def _with_tests(record: PatientRecord) -> Iterator[Change]:
    """With another result of one of the tests that rules read, as of today."""
    for test, results in _TESTS.items():
        rest = tuple(one for one in record.other_results if one.test != test)
        clear = tuple(one for one in record.gaps if one.datum != test)
        for result in results:
            new = OtherResult(test=test, result=result, date=record.as_of, source="")
            words = say("With {test} {result}", test=name(test), result=term(RESULT, result))
            yield test, words, replace(record, other_results=(new, *rest), gaps=clear)


def _with_gaps_filled(record: PatientRecord) -> Iterator[Change]:
    """With what was not supplied or could not be read out of the way, as if nothing new had been in it."""
    for datum in dict.fromkeys((*(one.datum for one in record.gaps), *(one.datum for one in record.unreadable))):
        gaps = tuple(one for one in record.gaps if one.datum != datum)
        unreadable = tuple(one for one in record.unreadable if one.datum != datum)
        said = say("Should the {datum} hold nothing new", datum=name(datum))
        yield datum, said, replace(record, gaps=gaps, unreadable=unreadable)
