"""A plot in; out come the sentence for those who do not see it, and a row of a table for each of its results."""

from dataclasses import dataclass

from cds_service.plots.plot import Plot
from hooks.sentences import NOTHING, Sentence, capital, figure, join, say
from hooks.wording import amount, day, name

_UPPER, _LOWER = ("<", "<="), (">", ">=")


@dataclass(frozen=True, slots=True)
class Row:
    """One result in words."""

    day: Sentence
    amount: Sentence
    received: str
    decisive: bool


def rows(plot: Plot) -> tuple[Row, ...]:
    """Newest first."""
    return tuple(Row(day(one.date), amount(one), one.received, one in plot.decisive) for one in plot.results)


def told(plot: Plot) -> Sentence:
    """How many, since when, the newest, the lowest and the highest, how many are bounds, what decides, what was taken."""
    return join(" ", (_values(plot), _bounds(plot), _decisive(plot), _taken(plot), _limits(plot)))


def _values(plot: Plot) -> Sentence:
    measure = capital(name(plot.measure))
    if not plot.results:
        return say("{measure}: no result that counts.", measure=measure)
    newest = plot.results[0]
    if len(plot.results) == 1:
        return say(
            "{measure}, one result: {amount} on {day}.", measure=measure, amount=amount(newest), day=day(newest.date)
        )
    said = say(
        "{measure}, {count} results from {first} to {last}; newest {amount}",
        measure=measure,
        count=_count(len(plot.results)),
        first=day(plot.results[-1].date),
        last=day(newest.date),
        amount=amount(newest),
    )
    return say("{sentence}.", sentence=join("; ", (said, _extremes(plot))))


def _extremes(plot: Plot) -> Sentence:
    exact = [(one.number, one) for one in plot.drawn if one.number is not None and not one.comparator]
    if len(exact) < 2:
        return NOTHING
    low, high = min(exact, key=lambda one: one[0])[1], max(exact, key=lambda one: one[0])[1]
    return say(
        "lowest {low} on {lowday}, highest {high} on {highday}",
        low=amount(low),
        lowday=day(low.date),
        high=amount(high),
        highday=day(high.date),
    )


def _bounds(plot: Plot) -> Sentence:
    upper = sum(one.comparator in _UPPER or one.detected is False for one in plot.results)
    lower = sum(one.comparator in _LOWER for one in plot.results)
    undrawn = len(plot.results) - len(plot.drawn)
    parts = [
        say("{count} below what the test can count", count=_count(upper)) if upper else NOTHING,
        say("{count} above what the test can count", count=_count(lower)) if lower else NOTHING,
        say("{count} in IU/mL, not drawn", count=_count(undrawn)) if undrawn else NOTHING,
    ]
    return say("{sentence}.", sentence=join("; ", parts)) if any(parts) else NOTHING


def _count(number: int) -> Sentence:
    return figure(f"{number:,}")


def _decisive(plot: Plot) -> Sentence:
    deciding = [one for one in plot.results if one in plot.decisive]
    named = join(", ", [say("{amount} of {day}", amount=amount(one), day=day(one.date)) for one in deciding])
    return say("What is said rests on {results}.", results=named) if named else NOTHING


def _taken(plot: Plot) -> Sentence:
    parts = [
        say("{agents} from {day} to {until}", agents=one.agents, day=day(one.first), until=one.until)
        for one in plot.bands
    ]
    return say("Treatment: {spells}.", spells=join("; ", parts)) if parts else NOTHING


def _limits(plot: Plot) -> Sentence:
    named = join("; ", [one.label for one in plot.limits])
    return say("Limits: {labels}.", labels=named) if named else NOTHING
