"""CD4 counts and viral loads on ART in; out comes that an indication for prophylaxis has lapsed, on whose authority, or why not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from typing import Literal

from hooks.advice import Lacks, Silent
from hooks.knowledge import Citation, Profile
from hooks.record import Fact, LabResult, PatientRecord
from hooks.rules.art import not_on_art
from hooks.sentences import Sentence, say
from hooks.wording import amount, day, number, short_day

Strength = Literal["can", "may", "consider"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """The keys of what shows recovery: a count over a span; or, where `lower` is given, a lower one with suppression."""

    count: str
    span: str
    cite: str = ""  # of the count, where it has a statement of its own
    lower: str = ""
    suppressed: str = ""  # how long below the assay's limit
    firm: str = ""  # how long for a firmer word


@dataclass(frozen=True, slots=True)
class Lapsed:
    """That an indication has lapsed: the words that open a summary, how firmly, why, on whose authority and which results."""

    said: Sentence
    strength: Strength
    why: Sentence
    cite: Citation
    facts: tuple[Fact, ...]
    since: date  # the first day of what shows it

    def advise(self, what: Sentence) -> Sentence:
        """The whole line."""
        if self.strength == "consider":
            return say("{said}: consider stopping {what}", said=self.said, what=what)
        if self.strength == "may":
            return say("{said}: {what} may be stopped", said=self.said, what=what)
        return say("{said}: {what} can be stopped", said=self.said, what=what)


def lapsed(criterion: Criterion, record: PatientRecord, profile: Profile) -> Lapsed | Silent | Lacks:
    """Whether the criterion is met: by results that are recent, more than one, and none against it between them."""
    unable = _unable(criterion, record, profile)
    if unable:
        return unable
    found = by_count(criterion, record, profile) or _by_suppression(criterion, record, profile)
    if found is None:
        return _not_yet(criterion, record, profile)
    return _against(found, record, profile) or found


def suppressed_now(record: PatientRecord, profile: Profile) -> Silent | Lacks | None:
    """Why nothing may be stopped by the last viral load; None where it is recent, of this course of ART, and suppressed."""
    load = next(iter(on_course(record.viral_loads, record)), None)
    fresh = load is not None and profile.under("viral-load-fresh", load.age_days(record.as_of))
    if load is None or not fresh or record.hiv.type_2 or record.gap("viral-load"):
        return Lacks(("viral-load",), record.viral_loads[:1])
    if profile.under("suppressed", load):
        return None
    if profile.not_under("suppressed", load):
        limit = number(profile.limit("suppressed"))
        return Silent(f"last viral load is {amount(load)} on {day(load.date)}, not below {limit}", (load,))
    return Lacks(("viral-load",), (load,))


def by_count(criterion: Criterion, record: PatientRecord, profile: Profile) -> Lapsed | None:
    """By counts alone: two or more over the span, none lower between, and no viral load of 200 or more in that time."""
    run = _run(on_course(record.cd4_counts, record), lambda one: profile.reaches(criterion.count, one))
    early = _before(run, criterion.span, profile)
    if early is None or not _suppressed_since(early.date, record, profile):
        return None
    cite = profile.cite(criterion.cite or criterion.count)
    newest, limit, when = run[0], at_limit(criterion.count, profile), record.as_of
    copies = number(profile.limit("suppressed"))
    return Lapsed(
        said=say(
            "CD4 {amount} on {day}, {limit} since {since} on ART",
            amount=amount(newest),
            day=short_day(newest.date, when),
            limit=limit,
            since=short_day(early.date, when),
        ),
        strength="can" if cite.strength == "A" else "may",
        why=say(
            "Two CD4 counts, each {limit}, lie {days} apart with none lower between, and the viral "
            "loads of that time are below {copies}.",
            limit=limit,
            days=_days(criterion.span, profile),
            copies=copies,
        ),
        cite=cite,
        facts=(newest, early, *record.viral_loads[:1]),
        since=early.date,
    )


def _by_suppression(criterion: Criterion, record: PatientRecord, profile: Profile) -> Lapsed | None:
    """By lower counts with a viral load below the assay's limit, both over the span: weaker, and the words say so."""
    if not profile.knows(criterion.lower):
        return None
    counts = _run(on_course(record.cd4_counts, record), lambda one: profile.reaches(criterion.lower, one))
    loads = _run(on_course(record.viral_loads, record), lambda one: profile.under("assay-limit", one))
    early, first = (_before(run, criterion.suppressed, profile) for run in (counts, loads))
    if early is None or first is None:
        return None
    long = _before(loads, criterion.firm, profile)
    since, newest, when = (long or first), counts[0], record.as_of
    spans = [_days(key, profile) for key in (criterion.suppressed, criterion.firm if long else criterion.suppressed)]
    return Lapsed(
        said=say(
            "CD4 {amount} on {day}, viral load below assay limit since {since}",
            amount=amount(newest),
            day=short_day(newest.date, when),
            since=short_day(since.date, when),
        ),
        strength="may" if long else "consider",
        why=say(
            "On ART the CD4 count has been {limit} for {span}, and the viral load below the "
            "assay's limit for {span2}; the guideline leaves it to the clinician.",
            limit=at_limit(criterion.lower, profile),
            span=spans[0],
            span2=spans[1],
        ),
        cite=profile.cite(criterion.suppressed),
        facts=tuple(dict.fromkeys((newest, early, loads[0], since))),
        since=min(early.date, since.date),
    )


def on_course(results: Sequence[LabResult], record: PatientRecord) -> tuple[LabResult, ...]:
    """The results since the present course of ART began; all of them where nobody knows when it did."""
    since = record.art.since
    return tuple(one for one in results if since is None or one.date >= since)


def at_limit(key: str, profile: Profile) -> Sentence:
    """For example "200 or more", "above 350"."""
    limit = number(profile.limit(key))
    return (
        say("{limit} or more", limit=limit) if profile.thresholds[key].inclusive else say("above {limit}", limit=limit)
    )


def _days(key: str, profile: Profile) -> Sentence:
    days = profile.days(key)
    return (
        say("{days} days or more", days=days)
        if profile.thresholds[key].inclusive
        else say("more than {days} days", days=days)
    )


def unread(data: Sequence[str], since: date, record: PatientRecord) -> Lacks | None:
    """Results that nobody could read and that may lie within the time in question: they could speak against it."""
    hidden = {one.datum for one in record.unreadable if one.latest is None or one.latest >= since}
    lacking = tuple(datum for datum in data if datum in hidden or record.gap(datum))
    return Lacks(lacking) if lacking else None


def _unable(criterion: Criterion, record: PatientRecord, profile: Profile) -> Silent | Lacks | None:
    """Why the criterion cannot be judged: silent for one sure reason, else all that is lacking."""
    off = not_on_art(record)
    if off:
        return off
    checks = (suppressed_now(record, profile), _count_now(criterion, record, profile))
    silent = next((one for one in checks if isinstance(one, Silent)), None)
    lacks = [one for one in checks if isinstance(one, Lacks)]
    data = tuple(datum for one in lacks for datum in one.data)
    return silent or (Lacks(data, tuple(fact for one in lacks for fact in one.facts)) if data else None)


def _count_now(criterion: Criterion, record: PatientRecord, profile: Profile) -> Silent | Lacks | None:
    count = next(iter(record.cd4_counts), None)
    fresh = count is not None and profile.under("cd4-fresh-for-stop", count.age_days(record.as_of))
    if count is None or not fresh or record.gap("cd4-count"):
        return Lacks(("cd4-count",), record.cd4_counts[:1])
    key = criterion.lower if profile.knows(criterion.lower) else criterion.count
    if profile.short_of(key, count):
        return Silent(f"CD4 count is {amount(count)} on {day(count.date)}, not {at_limit(key, profile)}", (count,))
    return None if profile.reaches(key, count) else Lacks(("cd4-count",), (count,))


def _not_yet(criterion: Criterion, record: PatientRecord, profile: Profile) -> Silent:
    count, load = record.cd4_counts[0], record.viral_loads[0]
    limit, copies = at_limit(criterion.count, profile), number(profile.limit("suppressed"))
    because = (
        f"it is not shown that the CD4 count was {limit}, and each viral load below {copies}, over "
        f"{_days(criterion.span, profile)} on this course of ART"
    )
    return Silent(because, (count, load))


def _against(found: Lapsed, record: PatientRecord, profile: Profile) -> Silent | Lacks | None:
    """What speaks, or may speak, against it: a low percentage (both are needed), or results that nobody could read."""
    key = "pneumocystis-cd4-percent"
    if not profile.knows(key):
        return unread(("cd4-count", "viral-load"), found.since, record)
    recent = [
        one for one in record.cd4_percents[:1] if profile.under("cd4-fresh-for-start", one.age_days(record.as_of))
    ]
    seen = [*recent, *(one for one in record.cd4_percents if one.date >= found.since)]
    low = next((one for one in seen if profile.under(key, one)), None)
    if low:
        limit = number(profile.limit(key))
        return Silent(f"CD4 percentage is {amount(low)} on {day(low.date)}, below {limit} %", (low, *found.facts))
    doubtful = tuple(one for one in seen if not profile.not_under(key, one))
    hidden = unread(("cd4-count", "cd4-percent", "viral-load"), found.since, record)
    return Lacks(("cd4-percent",), doubtful) if doubtful else hidden


def _run(results: Sequence[LabResult], holds: Callable[[LabResult], bool]) -> tuple[LabResult, ...]:
    """The newest results that hold, back to the first that does not."""
    return tuple(takewhile(holds, results))


def _before(run: Sequence[LabResult], span: str, profile: Profile) -> LabResult | None:
    """The newest of the run that lies the whole span before its first."""
    return next((one for one in run if profile.reaches(span, (run[0].date - one.date).days)), None)


def _suppressed_since(since: date, record: PatientRecord, profile: Profile) -> bool:
    return all(profile.under("suppressed", one) for one in record.viral_loads if one.date >= since)
