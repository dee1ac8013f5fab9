"""A plot in, an SVG of it out: every number formatted, every text escaped, all looks left to the style sheet."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from html import escape
from itertools import pairwise

from cds_service.plots.axes import BOTTOM, HIGH, LEFT, RIGHT, TOP, WIDE, Axis, Days, linear, logarithmic
from cds_service.plots.bands import Band
from cds_service.plots.plot import Plot
from cds_service.plots.say import told
from hooks.record import LabResult
from hooks.sentences import Sentence, say
from hooks.wording import amount, day

_LETTER = 6.0  # the width of one, at the least
_APART = 12.0  # from label to label
_EDGE = 12.0  # from the last day to where a limit's name begins: room for a mark
_MANY = 120  # results, from which on they are drawn smaller
_BEYOND = {"<": Decimal("0.3"), "<=": Decimal("0.3"), ">": Decimal("1.3"), ">=": Decimal("1.3")}
Point = tuple[float, float, LabResult]
Tell = Callable[[Sentence], str]


def draw(plot: Plot, tell: Tell = str) -> str:
    """The picture; it says in words what it shows. `tell`: in which language."""
    held = [*_held(plot), *(one.value for one in plot.limits)]
    axis: Axis = linear(held) if plot.measure == "cd4-count" else logarithmic(held)
    days = Days(*plot.days)
    points = [(days.place(one.date, _part(one.instant)), _height(one, axis), one) for one in plot.drawn]
    parts = (
        *_bands(plot, days, tell),
        *_axes(axis, days, tell),
        *_limits(plot, axis, tell),
        *_lines(points),
        *_marks(points, plot, tell),
    )
    none = escape(tell(say("No result that counts")))
    empty = f'<text class="plot-none" x="{(LEFT + RIGHT) / 2}" y="{HIGH / 2}">{none}</text>'
    body = "\n".join((*parts, *([] if points else [empty])))
    box, said = f"0 0 {WIDE:g} {HIGH:g}", escape(tell(told(plot)))
    return f'<svg class="plot-over-time" viewBox="{box}" role="img" aria-label="{said}">\n{body}\n</svg>'


def _held(plot: Plot) -> Iterator[Decimal]:
    """The numbers that the axis holds; beyond a bound there is room, for there the value lies."""
    for one in plot.drawn:
        if one.number is not None:
            yield one.number
            yield one.number * _BEYOND.get(one.comparator, 1)


def _part(instant: datetime | None) -> float:
    """How much of its day has gone by; noon where nobody knows."""
    return (instant.hour * 60 + instant.minute) / 1440 if instant else 0.5


def _height(one: LabResult, axis: Axis) -> float:
    return axis.place(one.number) if one.number is not None else BOTTOM


def _bands(plot: Plot, days: Days, tell: Tell) -> Iterator[str]:
    shown = [one for one in plot.bands if one.last >= days.first]
    for place, one in enumerate(shown):
        left, right = days.place(one.first), days.place(one.last)
        said = say("{agents}, {first} to {until}", agents=one.agents, first=day(one.first), until=one.until)
        yield (
            f'<g><title>{escape(tell(said))}</title><rect class="band-{place % 2 + 1}" x="{left}" y="{TOP}" '
            f'width="{right - left:.1f}" height="{BOTTOM - TOP:g}"/>'
        )
        words = _fitting(tell(one.agents), right - left)
        yield (
            f'<text class="band-name" x="{left + 3:.1f}" y="{TOP - 8}">{escape(words)}</text></g>' if words else "</g>"
        )
    yield from _edges(shown, days)


def _edges(bands: Iterable[Band], days: Days) -> Iterator[str]:
    """Where a treatment begins, is switched or ends, for a band hardly differs from its ground."""
    for when in sorted({when for one in bands for when in (one.first, one.last) if days.first < when < days.last}):
        yield f'<path class="switch" d="M{days.place(when)} {TOP - 6}V{BOTTOM}"/>'


def _fitting(words: str, room: float) -> str:
    """As much of the words as there is room for; nothing where that would tell nothing."""
    most = int(room / _LETTER) - 1
    return words if len(words) <= most else f"{words[: most - 1]}…" if most >= 12 else ""


def _axes(axis: Axis, days: Days, tell: Tell) -> Iterator[str]:
    for tick in axis.ticks():
        yield f'<path class="grid" d="M{LEFT} {tick.place}H{RIGHT}"/>'
        yield f'<text class="tick" x="{LEFT - 12}" y="{tick.place + 4:.1f}">{escape(tell(tick.label))}</text>'
    for tick in days.ticks():
        yield f'<path class="tick-mark" d="M{tick.place} {BOTTOM}v5"/>'
        yield f'<text class="day" x="{tick.place}" y="{BOTTOM + 19}">{escape(tell(tick.label))}</text>'


def _limits(plot: Plot, axis: Axis, tell: Tell) -> Iterator[str]:
    """A line for each number; a label that would stand on another is moved up, and a stroke leads to it."""
    above, end = BOTTOM + 2 * _APART, RIGHT + _EDGE
    for place in sorted({axis.place(one.value) for one in plot.limits}):
        yield f'<path class="limit" d="M{LEFT} {place}H{end}"/>'
    for one in plot.limits:
        place = axis.place(one.value)
        above = min(place, above - _APART)
        yield f"<g><title>{escape(tell(one.whole))}</title>"
        yield f'<path class="leader" d="M{end} {place}l8 {above - place:.1f}"/>'
        yield f'<text class="limit-name" x="{end + 11}" y="{above + 4:.1f}">{escape(tell(one.label))}</text></g>'


def _lines(points: Iterable[Point]) -> Iterator[str]:
    """From value to value; broken where one of the two is a bound, for nobody knows where it lies."""
    sure: list[str] = []
    unsure: list[str] = []
    for before, after in pairwise(points):
        piece = f"M{before[0]} {before[1]}L{after[0]} {after[1]}"
        (sure if _is_exact(before[2]) and _is_exact(after[2]) else unsure).append(piece)
    yield from (
        f'<path class="{name}" d="{"".join(pieces)}"/>'
        for name, pieces in (("sure", sure), ("unsure", unsure))
        if pieces
    )


def _is_exact(one: LabResult) -> bool:
    return one.number is not None and not one.comparator


def _marks(points: Iterable[Point], plot: Plot, tell: Tell) -> Iterator[str]:
    size = 3.5 if len(plot.drawn) <= _MANY else 2
    for across, down, one in points:
        decisive = one in plot.decisive
        said = say("{amount}, {day}", amount=amount(one), day=day(one.date))
        said = say("{result}; what is said rests on it", result=said) if decisive else said
        middle = down if one.number is not None else down - 5
        ring = f'<circle class="decisive" cx="{across}" cy="{middle:.1f}" r="8"/>' if decisive else ""
        yield f"<g><title>{escape(tell(said))}</title>{ring}{_mark(one, across, down, size)}</g>"


def _mark(one: LabResult, across: float, down: float, size: float) -> str:
    """A dot for a value; for a bound a bar at the limit of detection, with an arrow to where the value lies; else what is known."""
    if _is_exact(one):
        return f'<circle class="value" cx="{across}" cy="{down}" r="{size}"/>'
    if one.number is None:
        if one.detected is False:
            return f'<path class="undetected" d="M{across - 5:.1f} {down - 9:.1f}h10l-5 9z"/>'
        return f'<path class="uncounted" d="M{across} {down - 10:.1f}l5 5l-5 5l-5 -5z"/>'
    up = one.comparator in (">", ">=")
    room = min(13.0, max(8.0, down - TOP if up else BOTTOM - down))
    tip, barb = (-room, 5) if up else (room, -5)
    arrow = f"M{across} {down}v{tip:g}m-4 {barb}l4 {-barb}l4 {barb}"
    return f'<path class="bound bound-{"up" if up else "down"}" d="M{across - 6:.1f} {down}h12{arrow}"/>'
