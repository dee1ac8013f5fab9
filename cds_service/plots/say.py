"""A plot in; out come the sentence for those who do not see it, and a row of a table for each of its results."""

from dataclasses import dataclass

from cds_service.plots.plot import Plot
from hooks.sentences import capital
from hooks.wording import amount, day, name

_UPPER, _LOWER = ("<", "<="), (">", ">=")


@dataclass(frozen=True, slots=True)
class Row:
    """One result in words."""

    day: str
    amount: str
    received: str
    decisive: bool


def rows(plot: Plot) -> tuple[Row, ...]:
    """Newest first."""
    return tuple(Row(day(one.date), amount(one), one.received, one in plot.decisive) for one in plot.results)


def told(plot: Plot) -> str:
    """How many, since when, the newest, the lowest and the highest, how many are bounds, what decides, what was taken."""
    if not plot.results:
        return f"{capital(name(plot.measure))}: no result that counts.{_taken(plot)}{_limits(plot)}"
    return (
        f"{capital(name(plot.measure))}, {_values(plot)}{_bounds(plot)}{_decisive(plot)}{_taken(plot)}{_limits(plot)}"
    )


def _values(plot: Plot) -> str:
    newest, oldest = plot.results[0], plot.results[-1]
    if len(plot.results) == 1:
        return f"one result: {amount(newest)} on {day(newest.date)}."
    said = f"{len(plot.results):,} results from {day(oldest.date)} to {day(newest.date)}; newest {amount(newest)}"
    exact = [(one.number, one) for one in plot.drawn if one.number is not None and not one.comparator]
    if len(exact) > 1:
        lowest, highest = min(exact, key=lambda one: one[0])[1], max(exact, key=lambda one: one[0])[1]
        said += f"; lowest {amount(lowest)} on {day(lowest.date)}, highest {amount(highest)} on {day(highest.date)}"
    return f"{said}."


def _bounds(plot: Plot) -> str:
    upper = sum(one.comparator in _UPPER or one.detected is False for one in plot.results)
    lower = sum(one.comparator in _LOWER for one in plot.results)
    undrawn = len(plot.results) - len(plot.drawn)
    said = (
        (upper, "below what the test can count"),
        (lower, "above what the test can count"),
        (undrawn, "in IU/mL, not drawn"),
    )
    parts = [f"{count:,} {words}" for count, words in said if count]
    return f" {capital('; '.join(parts))}." if parts else ""


def _decisive(plot: Plot) -> str:
    deciding = [one for one in plot.results if one in plot.decisive]
    named = ", ".join(f"{amount(one)} of {day(one.date)}" for one in deciding)
    return f" What is said rests on {named}." if named else ""


def _taken(plot: Plot) -> str:
    parts = [f"{one.agents} from {day(one.first)} to {one.until}" for one in plot.bands]
    return f" Treatment: {'; '.join(parts)}." if parts else ""


def _limits(plot: Plot) -> str:
    named = "; ".join(one.label for one in plot.limits)
    return f" Limits: {named}." if named else ""
