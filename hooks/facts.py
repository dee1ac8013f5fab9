"""A fact of the record in, a line for a card or a trace out: what, how much, when, how long ago; never a string of the chart."""

from collections.abc import Iterable
from datetime import date

from hooks.knowledge import Knowledge
from hooks.record import Allergy, DraftOrder, Fact, LabResult, Medication, OtherResult, Problem
from hooks.wording import ago, amount, capital, day, listed, name


def fact(one: Fact, as_of: date, knowledge: Knowledge) -> str:
    """One fact in words."""
    match one:
        case LabResult():
            line = f"{name(one.measure)} {amount(one)}, {day(one.date)} ({ago(one.age_days(as_of))})"
            return "; ".join((line, *one.notes))
        case OtherResult():
            return f"{capital(name(one.test))} {one.result}, {day(one.date)} ({ago(one.age_days(as_of))})"
        case Problem():
            return f"On the problem list: {problem_name(one)}, {_STATES[one.state]}{_since(one.onset)}"
        case Medication():
            return f"On the medication list: {drug_names(one.ingredients, knowledge)}, {_taking(one)}"
        case Allergy():
            return f"Allergy: {_allergens(one, knowledge)}, {_SEVERITIES[one.severe]}"
        case DraftOrder():  # pragma: no branch  (there is no other kind of fact)
            return f"{'To be stopped' if one.stops else 'Being ordered'}: {_asked(one, knowledge)}"


def origin(one: Fact) -> str:
    """Where a fact comes from: the resource, and what a result was received as."""
    received = f"received as {one.received}, " if isinstance(one, LabResult | OtherResult) and one.received else ""
    return f"{received}{one.source}"


def drug_names(ingredients: Iterable[str], knowledge: Knowledge) -> str:
    """The names of ingredients, by their code where one has none."""
    known = knowledge.ingredients
    return listed(sorted(known[code].name if code in known else code for code in ingredients))


def problem_name(one: Problem) -> str:
    """The most telling name of a problem."""
    concepts = sorted(one.concepts, key=lambda concept: (concept in _BROAD, concept))
    return name(concepts[0])


_BROAD = ("aids", "cryptococcosis", "hiv-infection", "tb-active")  # said only where nothing narrower is known
_STATES = {"active": "active", "past": "past", "unknown": "state not recorded"}
_SEVERITIES = {True: "severe", False: "not severe", None: "severity not recorded"}


def _taking(one: Medication) -> str:
    if one.current:
        return f"taken{_since(one.since)}"
    ended = f"taken until {day(one.until)}" if one.until else "no longer taken"
    return f"{ended}, begun {day(one.since)}" if one.since else ended


def _since(when: date | None) -> str:
    return f" since {day(when)}" if when else ""


def _allergens(one: Allergy, knowledge: Knowledge) -> str:
    sulfonamides = ["sulfonamides"] if one.sulfonamide else []
    named = [drug_names(one.ingredients, knowledge)] if one.ingredients else []
    return listed([*named, *sulfonamides]) or "not recognised"


def _asked(one: DraftOrder, knowledge: Knowledge) -> str:
    if one.medication:
        return drug_names(one.medication.ingredients, knowledge)
    return listed(sorted(map(name, one.tests))) or ("another order" if one.readable else "not stated")
