"""The dates of a call and the moment it is judged at in; out comes what lies in the future, and what says a clock is wrong."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from cds_service.chart.dates import when
from cds_service.doctor.call import Call
from cds_service.doctor.findings import Remark
from cds_service.doctor.shapes import resources

_ALLOWED = timedelta(seconds=60)  # as for tokens
_DATED = ("authoredOn", "effectiveDateTime", "effectiveInstant", "issued", "recordedDate", "dateAsserted")


def clock_remarks(call: Call) -> Iterator[Remark]:
    """Of every resource of a call, and of its Date header where it is known when it came in."""
    for one in resources(call.content):
        kind = str(one["resourceType"])
        meta = one.get("meta")
        if isinstance(meta, dict) and _is_future(meta.get("lastUpdated"), call.now):
            yield Remark(weight="harmless", says="meta.lastUpdated lies in the future", where=kind)
        for name in _DATED:
            if _is_future(one.get(name), call.now):
                yield Remark(weight="loses", says=f"{name} lies in the future", where=kind)
    if call.received:
        yield from date_remarks(call.headers.get("date"), call.received)


def date_remarks(header: str | None, now: datetime) -> Iterator[Remark]:
    """How far the clock of whoever sent this Date header is from ours, where it is more than a minute."""
    if not header:
        return
    try:
        skew = parsedate_to_datetime(header) - now
    except (TypeError, ValueError):
        yield Remark(weight="harmless", says="the Date header is no date")
        return
    if abs(skew) > _ALLOWED:
        late = "behind" if skew < timedelta() else "ahead of"
        says = f"its clock is {abs(int(skew.total_seconds()))} seconds {late} ours: tokens may be refused"
        yield Remark(weight="loses", says=says, where="Date header")


def _is_future(text: Any, now: datetime) -> bool:
    found = when(text) if isinstance(text, str) else None
    return bool(found and found.is_future(now + _ALLOWED))
