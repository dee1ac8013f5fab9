"""FHIR dates as text in; calendar days and instants out, with what a partial or missing date can still tell."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_DATE_TIME = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(T.+)?)?)?")
_ONE_DAY = timedelta(days=1)
_LONG_PAST_DAYS = 3 * 365  # the longest time that rules count from a start is two years


@dataclass(frozen=True, slots=True)
class When:
    """A date as written: its day, and the instant where a time and zone were given."""

    day: date
    instant: datetime | None = None

    def is_future(self, now: datetime) -> bool:
        """A timed result is future when its instant is; a date alone may be one day ahead (time zones)."""
        if self.instant:
            return self.instant > now
        return self.day > now.astimezone(UTC).date() + _ONE_DAY


def when(text: str | None) -> When | None:
    """A whole FHIR date, dateTime or instant; None where it is missing, partial or malformed."""
    found = _DATE_TIME.fullmatch(text.strip()) if text else None
    if not found or not found[3] or not text:
        return None
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
        timed = datetime.fromisoformat(text.strip()) if found[4] else None
    except ValueError:
        return None
    return When(day, timed if timed and timed.tzinfo else None)


def earliest(text: str | None) -> date | None:
    """The first day a possibly partial date can be."""
    return _bound(text, first=True)


def latest(text: str | None) -> date | None:
    """The last day a possibly partial date can be."""
    return _bound(text, first=False)


def begun(text: str | None, as_of: date) -> date | None:
    """The start of something. A partial date counts where no day of it would change an answer: long past, or in the future."""
    first, last = earliest(text), latest(text)
    if first is None or last is None or first == last or first > as_of:
        return first
    return first if (as_of - last).days > _LONG_PAST_DAYS else None


def _bound(text: str | None, first: bool) -> date | None:
    found = _DATE_TIME.fullmatch(text.strip()) if text else None
    if not found:
        return None
    try:
        year = int(found[1])
        month = int(found[2]) if found[2] else (1 if first else 12)
        day = int(found[3]) if found[3] else (1 if first else calendar.monthrange(year, month)[1])
        return date(year, month, day)
    except ValueError:
        return None


def ages(birth_date: str | None, as_of: date) -> tuple[int, int] | None:
    """The least and the most whole years that a birth date, possibly partial, leaves open."""
    first, last = earliest(birth_date), latest(birth_date)
    if first is None or last is None or first > as_of:
        return None
    return max(_years(last, as_of), 0), _years(first, as_of)


def _years(born: date, as_of: date) -> int:
    return as_of.year - born.year - ((as_of.month, as_of.day) < (born.month, born.day))
