"""What somebody asked for, as text, in; out come the days, their division and the filters of a report, or what is wrong with it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

By = Literal["day", "week", "month"]
BY: tuple[By, ...] = get_args(By)
USUAL_DAYS = 90
MOST_DAYS = 3660
MOST_SPANS = 800
LONGEST = {"issuer": 256, "service": 64, "rule": 64}  # characters, as the ledger keeps them
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)


class NotClear(ValueError):
    """What was asked for cannot be answered: a sentence that names what is wrong."""


@dataclass(frozen=True, slots=True)
class Span:
    """Some days, the first and the last of them included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report is about. `by` divides the days (UTC); None leaves them whole, as None of a filter leaves nothing out."""

    days: Span
    by: By | None = None
    issuer: str | None = None
    service: str | None = None
    rule: str | None = None

    def spans(self) -> tuple[Span, ...]:
        """The days as they are divided; the first and the last may be cut."""
        found, first = [], self.days.first
        while first <= self.days.last:
            after = _after(first, self.by) if self.by else self.days.last + timedelta(days=1)
            found.append(Span(first, min(after - timedelta(days=1), self.days.last)))
            first = after
        return tuple(found)

    def filters(self) -> dict[str, str]:
        """What is looked at alone, by the name of its column."""
        named = {"issuer": self.issuer, "service": self.service, "rule": self.rule}
        return {name: value for name, value in named.items() if value is not None}


def read(given: Mapping[str, str], today: date, *, by: By | None = None) -> Asked:
    """`given` may have from, to, by, issuer, service and rule; an empty text is none. Raises NotClear.

    Without days the last ninety are meant; `by` is how they are divided where nothing is said.
    """
    said = {name: value for name, value in given.items() if value}
    last = _day("to", said["to"]) if "to" in said else today
    first = _day("from", said["from"]) if "from" in said else max(_FIRST, last - timedelta(days=USUAL_DAYS - 1))
    if not 0 <= (last - first).days < MOST_DAYS:
        raise NotClear(f"from, to: from the earlier to the later day, at most {MOST_DAYS} days, is expected.")
    filters = {name: _text(name, said[name]) for name in LONGEST if name in said}
    asked = Asked(days=Span(first, last), by=_by(said["by"]) if "by" in said else by, **filters)
    if len(asked.spans()) > MOST_SPANS:
        raise NotClear(f"by: at most {MOST_SPANS} rows a rule are given; choose week or month, or fewer days.")
    return asked


def fitting(days: Span) -> By:
    """A division of these days that a chart can show."""
    number = (days.last - days.first).days + 1
    return "day" if number <= 31 else "week" if number <= 400 else "month"


def _after(first: date, by: By) -> date:
    """The day on which the next day, week (Monday) or month begins."""
    if by == "day":
        return first + timedelta(days=1)
    if by == "week":
        return first + timedelta(days=7 - first.weekday())
    return (first.replace(day=1) + timedelta(days=31)).replace(day=1)


def _day(name: str, text: str) -> date:
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None or not _FIRST <= found <= _LAST:
        raise NotClear(f"{name}: a day such as 2026-11-20 is expected.")
    return found


def _by(text: str) -> By:
    for one in BY:
        if text == one:
            return one
    raise NotClear(f"by: one of {', '.join(BY)} is expected.")


def _text(name: str, text: str) -> str:
    if len(text) > LONGEST[name] or not text.isprintable():
        raise NotClear(f"{name}: a line of at most {LONGEST[name]} characters is expected.")
    return text
