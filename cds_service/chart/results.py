"""Lab results as read in; newest first out, one a day (CD4) or a moment (viral load), whatever order they came in."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from hooks.record import LabResult

_RANK = {"<": 0, "<=": 1, "": 2, ">=": 3, ">": 4}  # of results with the same number, from the lowest
_DAWN = datetime.min.replace(tzinfo=UTC)


def one_a_day(results: Iterable[LabResult]) -> tuple[LabResult, ...]:
    """Different CD4 results of one day: the lower."""
    by_day: defaultdict[date, list[LabResult]] = defaultdict(list)
    for one in results:
        by_day[one.date].append(one)
    return _newest_first(min(same, key=_low_first) for same in by_day.values())


def one_a_moment(results: Iterable[LabResult]) -> tuple[LabResult, ...]:
    """Different viral loads of one moment: the higher. A result without a time may be any moment of its day."""
    by_moment: defaultdict[tuple[date, datetime | None], list[LabResult]] = defaultdict(list)
    results = list(results)
    untimed = {one.date for one in results if one.instant is None}
    for one in results:
        by_moment[one.date, None if one.date in untimed else one.instant].append(one)
    return _newest_first(max(same, key=_high_last) for same in by_moment.values())


def _newest_first(results: Iterable[LabResult]) -> tuple[LabResult, ...]:
    return tuple(sorted(results, key=lambda one: (one.date, one.instant or _DAWN), reverse=True))


def _size(result: LabResult) -> Decimal:
    return result.number if result.number is not None else Decimal(0)


def _low_first(result: LabResult) -> tuple[bool, Decimal, int, tuple[str, bool, str]]:
    """A bound that is open above is never shown to be the lower."""
    open_above = result.comparator in (">", ">=")
    return open_above, _size(result), _RANK[result.comparator], _place(result)


def _high_last(result: LabResult) -> tuple[bool, bool, bool, Decimal, Decimal, int, tuple[str, bool, str]]:
    """A result that can be compared outweighs one in IU, a number words, "detected" its opposite; then the higher.

    An upper bound proves no height: `<500` does not outweigh 300.
    """
    size, stated = _size(result), result.number is not None
    proven = Decimal(0) if result.comparator in ("<", "<=") else size
    seen = stated or result.detected is not False
    return result.unit != "IU/mL", stated, seen, proven, size, _RANK[result.comparator], _place(result)


def _place(result: LabResult) -> tuple[str, bool, str]:
    """Settles what nothing else does, so that the order in which results came never shows."""
    return result.source, not result.notes, result.received
