"""Medications in; out come the stretches of days of one set of antiretroviral agents each, from the first start to today."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from hooks.drugs import antiretrovirals
from hooks.facts import drug_names
from hooks.knowledge import Knowledge
from hooks.record import Medication
from hooks.sentences import Sentence, say
from hooks.wording import day

_Spell = tuple[date, date, frozenset[str], bool]  # the last: the chart says when it ended, or it goes on


@dataclass(frozen=True, slots=True)
class Band:
    """Days, the last not among them unless it is today, on which the same agents were taken."""

    first: date
    last: date
    agents: Sentence  # names of our knowledge, never words of the chart
    ends: bool = True  # False: the chart does not say when; drawn until the next treatment began

    @property
    def until(self) -> Sentence:
        """Its last day in words."""
        last = day(self.last)
        return last if self.ends else say("{day}, when the next began: its own end is not recorded", day=last)


def treatment(medications: Iterable[Medication], as_of: date, knowledge: Knowledge) -> tuple[Band, ...]:
    """A band for each regimen; none for days on which nothing was taken, or nobody knows since when."""
    spells = list(_spells(medications, as_of, knowledge))
    days = sorted({when for one in spells for when in one[:2]})
    found: list[_Spell] = []
    for first, last in pairwise(days):
        there = [one for one in spells if one[0] <= first and last <= one[1]]
        taken = frozenset[str]().union(*(one[2] for one in there))
        ends = all(one[3] for one in there if one[1] == last)
        if taken and found and found[-1][1] == first and found[-1][2] == taken:
            found[-1] = (found[-1][0], last, taken, ends)
        elif taken:
            found.append((first, last, taken, ends))
    return tuple(Band(first, last, drug_names(taken, knowledge), ends) for first, last, taken, ends in found)


def _spells(medications: Iterable[Medication], as_of: date, knowledge: Knowledge) -> Iterator[_Spell]:
    """Where nobody knows when a past drug ended, it is drawn until the next one began."""
    found = [(one, agents) for one in medications if (agents := antiretrovirals(one, knowledge)) and one.since]
    begun = [one.since for one, _ in found if one.since]
    for one, agents in found:
        since = one.since or as_of
        following = min((when for when in begun if when > since), default=None)
        until = as_of if one.current else one.until or one.supplied_until or following
        if until and since < min(until, as_of):
            yield since, min(until, as_of), agents, one.current or bool(one.until or one.supplied_until)
