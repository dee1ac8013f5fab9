"""The knowledge, its profiles and a day in; out comes what rests on which source, what awaits review, and what is overdue."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hooks.knowledge.profile import Profile
from hooks.knowledge.types import Citation, Knowledge, QuietPeriods, Source, Threshold

KINDS = ("statement", "threshold", "regimen")


@dataclass(frozen=True, slots=True)
class Resting:
    """One thing of the knowledge that rests on a source, and the profiles that hold it."""

    kind: str  # one of KINDS
    key: str
    cite: Citation
    checked: dt.date
    threshold: Threshold | None
    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceUse:
    """A source, and how many things of each kind rest on it, by profile."""

    source: Source
    counts: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Overdue:
    """What was last compared with its text too long ago."""

    kind: str  # source, or one of KINDS
    key: str
    source: str
    profiles: tuple[str, ...]
    checked: dt.date
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What somebody who answers for the knowledge wants to see of it."""

    version: str
    as_of: dt.date
    overdue_after: int
    profiles: tuple[str, ...]
    sources: tuple[SourceUse, ...]
    choices: tuple[Resting, ...]  # thresholds that are choices of this service and await clinical review
    quiet: QuietPeriods  # all of them likewise
    overdue: tuple[Overdue, ...]


def report(knowledge: Knowledge, profiles: Mapping[str, Profile], as_of: dt.date, overdue_after: int = 365) -> Report:
    """`overdue_after`: days; what was checked longer ago is overdue."""
    resting = tuple(rests(profiles))
    return Report(
        version=knowledge.version,
        as_of=as_of,
        overdue_after=overdue_after,
        profiles=tuple(sorted(profiles)),
        sources=tuple(_use(source, resting) for _, source in sorted(knowledge.sources.items())),
        choices=tuple(one for one in resting if one.threshold and one.threshold.design),
        quiet=knowledge.quiet,
        overdue=tuple(_overdue(knowledge.sources.values(), resting, as_of, overdue_after)),
    )


def rests(profiles: Mapping[str, Profile]) -> Iterator[Resting]:
    """Everything that is cited, once, sorted by kind and key; what profiles share stands once for all of them."""
    holders: defaultdict[tuple[str, str, Citation, dt.date, Threshold | None], list[str]] = defaultdict(list)
    for name, profile in sorted(profiles.items()):
        for key, said in profile.statements.items():
            holders["statement", key, said, said.checked or said.source.checked, None].append(name)
        for key, one in profile.thresholds.items():
            holders["threshold", key, one.cite, one.checked, one].append(name)
        for key, cite in _regimens(profile):
            holders["regimen", key, cite, cite.checked or cite.source.checked, None].append(name)
    order = sorted(holders, key=lambda found: (KINDS.index(found[0]), found[1], holders[found]))
    yield from (Resting(*found, tuple(holders[found])) for found in order)


def _regimens(profile: Profile) -> Iterator[tuple[str, Citation]]:
    for purpose, chosen in profile.regimens.items():
        yield from ((f"{purpose}: {one.key}", one.cite) for one in chosen if one.cite)


def _use(source: Source, resting: Iterable[Resting]) -> SourceUse:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in resting:
        for name in one.profiles if one.cite.source == source else ():
            counts[name][one.kind] += 1
    return SourceUse(source, dict(sorted(counts.items())))


def _overdue(sources: Iterable[Source], resting: Iterable[Resting], as_of: dt.date, after: int) -> Iterator[Overdue]:
    """The longest overdue first."""
    found = [Overdue("source", one.key, one.key, (), one.checked, (as_of - one.checked).days) for one in sources]
    found += [
        Overdue(one.kind, one.key, one.cite.source.key, one.profiles, one.checked, (as_of - one.checked).days)
        for one in resting
    ]
    yield from sorted((one for one in found if one.days > after), key=lambda one: (-one.days, one.kind, one.key))
