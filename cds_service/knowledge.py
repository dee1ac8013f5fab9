"""A report on the knowledge, or what differs between two profiles, in; plain text for a terminal out."""

from collections.abc import Iterable, Iterator, Mapping

from hooks.knowledge import QuietPeriods
from hooks.knowledge.diff import PARTS, Difference, differences
from hooks.knowledge.profile import Profile
from hooks.knowledge.report import KINDS, Overdue, Report, Resting, SourceUse
from hooks.wording import day

_QUIET = "QUIET PERIODS IN DAYS, AND WHAT ENDS THEM: CHOICES OF THIS SERVICE, AWAITING CLINICAL REVIEW"
_ABSENT = {"switches": "off", "left_out": "in use", "endemic": "not endemic"}


def report_in_words(found: Report) -> str:
    """The whole report."""
    head = f"Knowledge {found.version} on {day(found.as_of)}; profiles: {', '.join(found.profiles)}"
    late = f"OVERDUE: LAST CHECKED MORE THAN {found.overdue_after} DAYS AGO"
    parts = [
        ("SOURCES", [line for one in found.sources for line in _source(one, found)]),
        ("CHOICES OF THIS SERVICE, AWAITING CLINICAL REVIEW", [_choice(one, found) for one in found.choices]),
        (_QUIET, [*_quiet(found.quiet)]),
        (late, [_overdue(one, found) for one in found.overdue]),
    ]
    return "\n".join([head, *(line for title, lines in parts for line in ("", title, *(lines or ["none"])))]) + "\n"


def _source(used: SourceUse, found: Report) -> Iterator[str]:
    one = used.source
    written = f"undated, read {day(one.date)}" if one.undated else f"of {day(one.date)}"
    secondary = "; secondary: read through another's report" if one.secondary else ""
    late = "; overdue" if any(due.kind == "source" and due.key == one.key for due in found.overdue) else ""
    yield f"{one.key}: {one.title}, {one.section}"
    yield f"    {written}; checked {day(one.checked)}{secondary}{late}"
    resting = [f"{name}: {_counted(counts)}" for name, counts in used.counts.items()]
    yield f"    {'; '.join(resting) or 'nothing rests on it'}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[kind]} {kind}{'s' if counts[kind] > 1 else ''}" for kind in KINDS if counts.get(kind))


def _choice(one: Resting, found: Report) -> str:
    amount = one.threshold.amount if one.threshold else ""
    return f"{one.key}: {amount}; {one.cite.source.key}, {one.cite.locator} [{_held(one.profiles, found)}]"


def _quiet(periods: QuietPeriods) -> Iterator[str]:
    for reason, days in periods.reasons.items():
        own = (f"{rule} {found[reason]}" for rule, found in periods.rules.items() if reason in found)
        yield f"{reason}: information {days['info']}, a warning {days['warning']}; {', '.join(own) or 'every rule alike'}"
    for measure, borders in periods.bands.items():
        yield f"borders of {measure}: {', '.join(f'{border:f}' for border in borders)}"


def _overdue(one: Overdue, found: Report) -> str:
    held = f" [{_held(one.profiles, found)}]" if one.profiles else ""
    source = "" if one.kind == "source" else f" ({one.source})"
    return f"{one.kind} {one.key}{source}: checked {day(one.checked)}, {one.days} days ago{held}"


def _held(profiles: tuple[str, ...], found: Report) -> str:
    return "every profile" if profiles == found.profiles else ", ".join(profiles)


def difference_in_words(first: Profile, second: Profile) -> str:
    """What differs between two profiles, part by part."""
    names = (first.name, second.name)
    found = differences(first, second)
    lines = [line for part in PARTS for line in _part(part, [one for one in found if one.part == part], names)]
    return "\n".join([f"{first.name} and {second.name}", *(lines or ["", "no difference"])]) + "\n"


def _part(part: str, found: Iterable[Difference], names: tuple[str, str]) -> Iterator[str]:
    for place, one in enumerate(found):
        yield from ("", part.replace("_", " ").upper()) if place == 0 else ()
        yield one.key
        yield from (
            f"    {name}: {said or _ABSENT.get(part, 'none')}"
            for name, said in zip(names, (one.first, one.second), strict=True)
        )
