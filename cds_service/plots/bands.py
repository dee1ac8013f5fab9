"""Medications in; out come the stretches of days of one set of antiretroviral agents each, from the first start to today."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from hooks.drugs import antiretrovirals
from hooks.facts import drug_names
from hooks.knowledge import Knowledge
from hooks.record import Medication

_Spell = tuple[date, date, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Band:
    """Days, the last not among them unless it is today, on which the same agents were taken."""

    first: date
    last: date
    agents: str  # names of our knowledge, never words of the chart


def treatment(medications: Iterable[Medication], as_of: date, knowledge: Knowledge) -> tuple[Band, ...]:
    """A band for each regimen; none for days on which nothing was taken, or nobody knows since when."""
    spells = list(_spells(medications, as_of, knowledge))
    days = sorted({day for one in spells for day in one[:2]})
    found: list[tuple[date, date, frozenset[str]]] = []
    for first, last in pairwise(days):
        taken = frozenset[str]().union(*(one[2] for one in spells if one[0] <= first and last <= one[1]))
        if taken and found and found[-1][1] == first and found[-1][2] == taken:
            found[-1] = (found[-1][0], last, taken)
        elif taken:
            found.append((first, last, taken))
    return tuple(Band(first, last, drug_names(taken, knowledge)) for first, last, taken in found)


def _spells(medications: Iterable[Medication], as_of: date, knowledge: Knowledge) -> Iterator[_Spell]:
    """Where nobody knows when a past drug ended, it is drawn until the next one began."""
    found = [(one, agents) for one in medications if (agents := antiretrovirals(one, knowledge)) and one.since]
    begun = [one.since for one, _ in found if one.since]
    for one, agents in found:
        since = one.since or as_of
        following = min((day for day in begun if day > since), default=None)
        until = as_of if one.current else one.until or one.supplied_until or following
        if until and since < min(until, as_of):
            yield since, min(until, as_of), agents
