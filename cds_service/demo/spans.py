"""A FHIR date as written comes in; the span of time that it can mean goes out."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Any

from cds_service.dates import FHIR_DATE

Span = tuple[datetime, datetime]  # from the first moment a date can mean up to, not including, the first it cannot

ALWAYS: Span = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def span_of(held: Any) -> Span | None:
    """Give the span of a date, dateTime, instant or Period; no zone means UTC; None where it is none of them."""
    if isinstance(held, dict):
        first, last = span_of(held.get("start")), span_of(held.get("end"))
        return ((first or ALWAYS)[0], (last or ALWAYS)[1]) if first or last else None
    written = FHIR_DATE.fullmatch(str(held))
    try:
        return written and _span(written)
    except (OverflowError, ValueError):
        return None


def _span(written: re.Match[str]) -> Span:
    if written["time"]:
        moment = datetime.fromisoformat(written[0])
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment, moment + timedelta(seconds=1)
    first = datetime(int(written["year"]), int(written["month"] or 1), int(written["day"] or 1), tzinfo=UTC)
    if written["day"]:
        return first, first + timedelta(days=1)
    last_month = first.month if written["month"] else 12
    last_day = monthrange(first.year, last_month)[1]
    return first, first.replace(month=last_month, day=last_day) + timedelta(days=1)
