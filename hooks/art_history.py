"""Medications over time in; the antiretroviral history out: never, on since, stopped or unclear, and what a draft would do to it.

Read as the contract's *ART* says: the earliest start of the unbroken course counts, a break is 30 days or more, and only a known
end or a known supply makes one. PrEP before a first full regimen is not treatment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from hooks.drugs import FULL_REGIMEN, agents, agents_in, antiretrovirals, is_treatment
from hooks.knowledge import Knowledge
from hooks.record import ArtEvent, ArtHistory, DraftedArt, DraftOrder, Medication

BREAK_DAYS = 30
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Spell:
    """One stretch of taking some agents; `end` None: it goes on, or nobody knows when it ended (`known` False)."""

    agents: frozenset[str]
    start: date | None
    end: date | None
    known: bool


def art_history(medications: Iterable[Medication], as_of: date, knowledge: Knowledge) -> ArtHistory:
    """The history from every entry with an antiretroviral, whatever order they come in."""
    spells = sorted(_spells(medications, as_of, knowledge), key=_by_start)
    course = _treatment(spells, knowledge)
    if not course:
        return ArtHistory(status="never")
    taken = frozenset[str]().union(*(one.agents for one in course if one.end is None and one.known))
    if is_treatment(taken, knowledge):
        return _going_on(course, taken)
    if any(not one.known for one in course):
        return ArtHistory(status="unclear")
    last = max(one.end for one in course if one.end)
    if (as_of - last).days < BREAK_DAYS:
        return _going_on(course, _lately(course, as_of, last))
    return ArtHistory(status="stopped", stopped=last)


def _spells(medications: Iterable[Medication], as_of: date, knowledge: Knowledge) -> Iterable[_Spell]:
    for one in medications:
        found = antiretrovirals(one, knowledge)
        if not found or (one.since and one.since > as_of):
            continue
        if one.current:
            yield _Spell(found, one.since, None, known=True)
        else:
            end = one.until or one.supplied_until
            yield _Spell(found, one.since, min(end, as_of) if end else None, known=end is not None)


def _by_start(spell: _Spell) -> tuple[date, date, list[str]]:
    return spell.start or date.min, spell.end or date.max, sorted(spell.agents)


def _treatment(spells: Sequence[_Spell], knowledge: Knowledge) -> list[_Spell]:
    """What of the spells is treatment: their parts on the days on which all that was taken together was treatment.

    The rest was PrEP or PEP: backbone drugs are treatment only from the day a third agent joined them to the day it went.
    """
    parts = (_part(one, first, last) for first, last in _treated(spells, knowledge) for one in spells)
    return sorted((one for one in parts if one), key=_by_start)


def _treated(spells: Sequence[_Spell], knowledge: Knowledge) -> list[tuple[date, date]]:
    """The stretches of days of treatment, each as long as can be."""
    after = {_last_day(one) + _ONE_DAY for one in spells if _last_day(one) < date.max}
    days: list[date | None] = [*sorted({_first_day(one) for one in spells} | after), None]
    stretches: list[tuple[date, date]] = []
    for first, following in pairwise(days):
        if first and is_treatment(_taken_on(first, spells), knowledge):
            joined = stretches.pop()[0] if stretches and stretches[-1][1] + _ONE_DAY == first else first
            stretches.append((joined, following - _ONE_DAY if following else date.max))
    return stretches


def _part(spell: _Spell, first: date, last: date) -> _Spell | None:
    """The part of a spell within a stretch of days."""
    begun, ended = max(first, _first_day(spell)), min(last, _last_day(spell))
    if begun > ended:
        return None
    start = None if begun == date.min else begun
    return replace(spell, start=start, end=None if ended == date.max or not spell.known else ended)


def _taken_on(day: date, spells: Iterable[_Spell]) -> frozenset[str]:
    return frozenset[str]().union(*(one.agents for one in spells if _first_day(one) <= day <= _last_day(one)))


def _first_day(spell: _Spell) -> date:
    return spell.start or date.min


def _last_day(spell: _Spell) -> date:
    """Where nobody knows the end, only the first day is sure."""
    return spell.end or (date.max if spell.known else spell.start or date.max)


def _lately(course: Sequence[_Spell], as_of: date, last: date) -> frozenset[str]:
    """What goes on or ended less than a break ago, but for what the agents taken last had taken the place of."""
    final = frozenset[str]().union(*(one.agents for one in course if one.end == last))
    came = max(min(_first_day(one) for one in course if agent in one.agents) for agent in final)
    lately = (one for one in course if one.end is None or (one.end > came and (as_of - one.end).days < BREAK_DAYS))
    return final.union(*(one.agents for one in lately))


def _going_on(course: Sequence[_Spell], taken: frozenset[str]) -> ArtHistory:
    """The current course: back from today to the last break that a known end or supply makes."""
    unbroken = _unbroken(course)
    if any(one.start is None for one in unbroken):
        return ArtHistory(status="on", agents=taken)
    since = min(one.start for one in unbroken if one.start)
    return ArtHistory(status="on", agents=taken, since=since, changed=_last_change(unbroken, taken, since))


def _unbroken(course: Sequence[_Spell]) -> list[_Spell]:
    """The spells of the last course. A spell whose end nobody knows makes no break."""
    kept: list[_Spell] = []
    reach = date.min
    for one in course:
        if kept and ((one.start or date.min) - reach).days >= BREAK_DAYS:
            kept = []
        kept.append(one)
        reach = max(reach, one.end or date.max)
    return kept


def _last_change(course: Sequence[_Spell], taken: frozenset[str], since: date) -> date:
    """The last day on which an ingredient of today came in, or another one went."""
    came = [min(one.start for one in course if one.start and agent in one.agents) for agent in taken]
    gone = frozenset[str]().union(*(one.agents for one in course)) - taken
    went = [end for agent in gone if (end := _last_end(agent, course))]
    return max([since, *came, *went])


def _last_end(agent: str, course: Sequence[_Spell]) -> date | None:
    """When an agent that is no longer taken was last known to be; its start where its end is not known."""
    ends = [end for one in course if agent in one.agents and (end := one.end or one.start)]
    return max(ends, default=None)


def drafted_art(history: ArtHistory, drafts: Iterable[DraftOrder], knowledge: Knowledge) -> DraftedArt:
    """What the drafts of this session would do to the regimen."""
    drafted = agents((order.medication for order in drafts if order.medication and not order.stops), knowledge)
    if not drafted:
        return DraftedArt("none")
    whole = is_complete(drafted, knowledge)
    result = drafted if whole or history.status != "on" else drafted | history.agents
    if not is_treatment(result, knowledge):
        return DraftedArt("none", result)
    if history.status == "on":
        same = _one_tenofovir(result, knowledge) == _one_tenofovir(history.agents, knowledge)
        return DraftedArt("continue" if same else "switch", result, replaces=whole and not same)
    events: dict[str, ArtEvent] = {"never": "start", "stopped": "restart", "unclear": "unclear"}
    return DraftedArt(events[history.status], result)


def is_complete(found: frozenset[str], knowledge: Knowledge) -> bool:
    """Whether these agents are a whole regimen: three of them, or one of the two-drug regimens in use."""
    return agents_in(found, knowledge) >= FULL_REGIMEN or found in TWO_DRUG_REGIMENS


def _one_tenofovir(found: frozenset[str], knowledge: Knowledge) -> frozenset[str]:
    """The agents with both tenofovirs written alike: trading one for the other is no change that matters here."""
    tenofovir = knowledge.with_role(found, "tenofovir")
    return found - tenofovir | ({"tenofovir"} if tenofovir else set())


# dolutegravir with lamivudine or rilpivirine; cabotegravir with rilpivirine (RxNorm ingredients)
TWO_DRUG_REGIMENS = frozenset(map(frozenset, (("1433868", "68244"), ("1433868", "1102270"), ("2475077", "1102270"))))
