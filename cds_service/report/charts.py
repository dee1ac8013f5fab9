"""Counts in; out comes where each mark of a chart stands and what it says, for a page to draw: no colour, no size of a screen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log10

from cds_service.report import words
from cds_service.report.asked import By
from cds_service.report.counts import REASONS, Counts
from cds_service.report.make import Part
from hooks.sentences import Sentence, join, say

WIDE, HIGH = 1000.0, 120.0  # of the field of a series; it is stretched to the width there is
_ROOM = 5.0  # percent of a bar that a sign fits into
_MOST_MARKERS, _MOST_HINTS = 40, 200
_STEPS = (1, 2, 3, 4, 5, 6, 8, 10)  # an axis ends at one of these, or ten, a hundred … times as much


@dataclass(frozen=True, slots=True)
class Key:
    """What a sign in a bar means. `kind` names its look."""

    kind: str
    sign: str
    label: Sentence


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar, in percent of it. `sign` is empty where there is no room for it."""

    kind: str
    start: float
    width: float
    sign: str
    says: Sentence


@dataclass(frozen=True, slots=True)
class Bar:
    """All that was shown, by what became of it."""

    segments: tuple[Segment, ...]
    says: Sentence


@dataclass(frozen=True, slots=True)
class Line:
    """A figure over time: `points` of a polyline in the field, and `markers` (percent across, units down) where they fit."""

    kind: str
    points: str
    markers: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Hint:
    """What is said where somebody points: start and width in percent."""

    start: float
    width: float
    says: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Figures over time. `area`: the outline of what was shown. `ticks`: numbers, and how far down they stand."""

    area: str
    lines: tuple[Line, ...]
    hints: tuple[Hint, ...]
    ticks: tuple[tuple[int, float], ...]
    labels: tuple[Sentence, ...]
    says: Sentence


KEYS = (
    Key("accepted", "A", say("Accepted")),
    *(Key(f"reason-{place}", str(place), words.REASON[reason]) for place, reason in enumerate(REASONS, 1)),
    Key("ordered", "O", say("No feedback, ordered afterwards")),
    Key("unanswered", "N", say("No feedback")),
)


def bar(one: Counts) -> Bar:
    """What became of all that was shown."""
    numbers = (one.accepted, *(one.overridden_by[reason] for reason in REASONS), one.ordered_unanswered,
               one.unanswered - one.ordered_unanswered)  # fmt: skip
    said = [
        say("{what}: {number}", what=key.label, number=words.number(number))
        for key, number in zip(KEYS, numbers, strict=True)
        if number
    ]
    return Bar(tuple(_segments(numbers, one.shown)), _said(words.number(one.shown), said))


def _said(shown: Sentence, said: Sequence[Sentence]) -> Sentence:
    if not said:
        return say("Shown {number}. Nothing.", number=shown)
    return say("Shown {number}. {figures}.", number=shown, figures=join("; ", said))


def _segments(numbers: Sequence[int], shown: int) -> Iterator[Segment]:
    start = 0.0
    for key, number in zip(KEYS, numbers, strict=True):
        if number:
            width = 100 * number / shown
            all_shown = words.number(shown)
            says = say("{what}: {number} of {all}", what=key.label, number=words.number(number), all=all_shown)
            yield Segment(key.kind, round(start, 3), round(width, 3), key.sign if width >= _ROOM else "", says)
            start += width


def lengths(numbers: Mapping[Sentence, int]) -> tuple[tuple[Sentence, int, float], ...]:
    """What, how often, and how long its bar is in percent of the longest."""
    most = max(numbers.values(), default=0)
    return tuple((what, number, round(100 * number / most, 3)) for what, number in numbers.items() if number)


def series(parts: Sequence[Part], by: By | None) -> Series:
    """What was shown, accepted and overridden, span by span."""
    top = ceiling(max((one.counts.shown for one in parts), default=0))
    lines = (("accepted", _accepted), ("overridden", _overridden))
    return Series(
        area=_area([one.counts.shown for one in parts], top),
        lines=tuple(_line(kind, [figure(one.counts) for one in parts], top) for kind, figure in lines),
        hints=tuple(_hints(parts, by)) if len(parts) <= _MOST_HINTS else (),
        ticks=tuple((one, _down(one, top)) for one in ((top, top // 2, 0) if top % 2 == 0 else (top, 0))),
        labels=_labels([words.begins(one.span, by) for one in parts]),
        says=_told(parts, by),
    )


def ceiling(most: int) -> int:
    """The least round number that is not below it."""
    if most <= 1:
        return 1
    power = int(10.0 ** int(log10(most)))
    return next(step * power for step in _STEPS if step * power >= most)


def _accepted(one: Counts) -> int:
    return one.accepted


def _overridden(one: Counts) -> int:
    return one.overridden


def _area(numbers: Sequence[int], top: int) -> str:
    """Steps, each as wide as a span."""
    wide = WIDE / max(1, len(numbers))
    steps = (f"V{_down(number, top)}H{round((place + 1) * wide, 2)}" for place, number in enumerate(numbers))
    return f"M0 {HIGH}{''.join(steps)}V{HIGH}Z"


def _line(kind: str, numbers: Sequence[int], top: int) -> Line:
    wide = 1 / max(1, len(numbers))
    places = [((place + 0.5) * wide, _down(number, top)) for place, number in enumerate(numbers)]
    points = " ".join(f"{round(across * WIDE, 2)},{down}" for across, down in places)
    fits = len(numbers) <= _MOST_MARKERS
    return Line(kind, points, tuple((round(100 * across, 2), down) for across, down in places) if fits else ())


def _down(number: int, top: int) -> float:
    return round(HIGH * (1 - number / top), 2)


def _hints(parts: Sequence[Part], by: By | None) -> Iterator[Hint]:
    wide = 100 / max(1, len(parts))
    for place, one in enumerate(parts):
        says = say(
            "{when}: shown {shown}, accepted {accepted}, overridden {overridden}",
            when=words.span(one.span, by),
            shown=words.number(one.counts.shown),
            accepted=words.number(one.counts.accepted),
            overridden=words.number(one.counts.overridden),
        )
        yield Hint(round(place * wide, 3), round(wide, 3), says)


def _labels(names: Sequence[Sentence]) -> tuple[Sentence, ...]:
    """The first, the one in the middle and the last."""
    places = {0, len(names) // 2, len(names) - 1} if len(names) > 2 else set(range(len(names)))
    return tuple(names[place] for place in sorted(places))


def _told(parts: Sequence[Part], by: By | None) -> Sentence:
    """The chart in a sentence for those who do not see it; the table has every figure."""
    told: list[tuple[words.Drawn, Callable[[Counts], int]]] = [
        ("shown", lambda one: one.shown), ("accepted", _accepted), ("overridden", _overridden)
    ]  # fmt: skip
    figures = []
    for what, figure in told:
        most = max(parts, key=lambda one: figure(one.counts))
        times = sum(figure(one.counts) for one in parts)
        figures.append(words.over_time(what, times, figure(most.counts), words.span(most.span, by)))
    return say("{figures}.", figures=join("; ", figures))
