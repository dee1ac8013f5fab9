"""A fact of the record in, a line for a card or a trace out: what, how much, when, how long ago; never a string of the chart."""

from collections.abc import Iterable
from datetime import date

from hooks.knowledge import Knowledge
from hooks.record import Allergy, DraftOrder, Fact, LabResult, Medication, OtherResult, Problem
from hooks.sentences import Sentence, capital, join, say, term, together, verbatim
from hooks.wording import ago, amount, day, name

DRUG, RESULT = "drug", "result"  # contexts of terms


def fact(one: Fact, as_of: date, knowledge: Knowledge) -> Sentence:
    """One fact in words."""
    match one:
        case LabResult():
            said = say("{what} {amount}, {when}", what=name(one.measure), amount=amount(one), when=_when(one, as_of))
            return join("; ", (said, *one.notes))
        case OtherResult():
            result = term(RESULT, one.result)
            return say("{what} {result}, {when}", what=capital(name(one.test)), result=result, when=_when(one, as_of))
        case Problem():
            return _problem(one)
        case Medication():
            drugs = drug_names(one.ingredients, knowledge)
            return say("On the medication list: {drugs}, {taken}", drugs=drugs, taken=_taking(one))
        case Allergy():
            allergens, severity = _allergens(one, knowledge), _SEVERITIES[one.severe]
            return say("Allergy: {allergens}, {severity}", allergens=allergens, severity=severity)
        case DraftOrder():  # pragma: no branch  (there is no other kind of fact)
            asked = _asked(one, knowledge)
            return say("To be stopped: {what}", what=asked) if one.stops else say("Being ordered: {what}", what=asked)


def origin(one: Fact) -> str:
    """Where a fact comes from: the resource, and what a result was received as."""
    received = f"received as {one.received}, " if isinstance(one, LabResult | OtherResult) and one.received else ""
    return f"{received}{one.source}"


def drug_names(ingredients: Iterable[str], knowledge: Knowledge) -> Sentence:
    """The names of ingredients, by their code where one has none."""
    known = knowledge.ingredients
    named = {code: term(DRUG, known[code].name) if code in known else verbatim(code) for code in ingredients}
    return together(sorted(named.values()))


def problem_name(one: Problem) -> Sentence:
    """The most telling name of a problem."""
    concepts = sorted(one.concepts, key=lambda concept: (concept in _BROAD, concept))
    return name(concepts[0])


_BROAD = ("aids", "cryptococcosis", "hiv-infection", "tb-active")  # said only where nothing narrower is known
_STATES = {"active": say("active"), "past": say("past"), "unknown": say("state not recorded")}
_SEVERITIES = {True: say("severe"), False: say("not severe"), None: say("severity not recorded")}


def _when(one: LabResult | OtherResult, as_of: date) -> Sentence:
    return say("{day} ({ago})", day=day(one.date), ago=ago(one.age_days(as_of)))


def _problem(one: Problem) -> Sentence:
    problem, state = problem_name(one), _STATES[one.state]
    if one.onset:
        onset = day(one.onset)
        return say("On the problem list: {problem}, {state} since {day}", problem=problem, state=state, day=onset)
    return say("On the problem list: {problem}, {state}", problem=problem, state=state)


def _taking(one: Medication) -> Sentence:
    if one.current:
        return say("taken since {day}", day=day(one.since)) if one.since else say("taken")
    ended = say("taken until {day}", day=day(one.until)) if one.until else say("no longer taken")
    return say("{ended}, begun {day}", ended=ended, day=day(one.since)) if one.since else ended


def _allergens(one: Allergy, knowledge: Knowledge) -> Sentence:
    sulfonamides = [say("sulfonamides")] if one.sulfonamide else []
    named = [drug_names(one.ingredients, knowledge)] if one.ingredients else []
    return together([*named, *sulfonamides]) or say("not recognised")


def _asked(one: DraftOrder, knowledge: Knowledge) -> Sentence:
    if one.medication:
        return drug_names(one.medication.ingredients, knowledge)
    tests = together(sorted(map(name, one.tests)))
    return tests or (say("another order") if one.readable else say("not stated"))
