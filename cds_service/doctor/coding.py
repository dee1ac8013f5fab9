"""The accounts of a chart's entries in; out come the ways of naming things and of writing units, each with how often it came."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from cds_service.chart.account import Account
from cds_service.doctor.findings import CodeReport, UnitReport
from cds_service.doctor.shown import clean, shape

_KINDS = ("result", "drug", "problem", "allergy", "order")
_OF_UNIT = ("unit", "logarithm", "plausible", "two ways")  # words of the reasons that speak of unit or value


def codes(found: Iterable[Account]) -> tuple[CodeReport, ...]:
    """Not recognised first, then those taken for something, then those that are none of ours; of each the commonest first."""
    ways: dict[CodeReport, list[str]] = {}
    for one in found:
        ways.setdefault(_way(one), []).append(one.source)
    rows = (
        replace(one, times=len(sources), example=clean(sources[0]) if one.why else "") for one, sources in ways.items()
    )
    place = {None: 0, True: 1, False: 2}
    return tuple(
        sorted(rows, key=lambda one: (_KINDS.index(one.kind), place[one.ours], -one.times, one.codes, one.why))
    )


def _way(one: Account) -> CodeReport:
    named = tuple(dict.fromkeys(clean(f"{system or 'no system'}|{code}") for system, code, _ in one.codes if code))
    display = next((clean(text, 60) for _, _, text in one.codes if text), "")
    return CodeReport(
        kind=one.kind, codes=named, display=display, ours=one.ours, taken_for=one.taken_for, why=one.why, times=1
    )


def units(found: Iterable[Account]) -> tuple[UnitReport, ...]:
    """Of every result of ours: its unit, or the shape of its text, and whether it was read."""
    counted: Counter[tuple[str, str, str, str]] = Counter()
    for one in found:
        if one.kind != "result" or not one.ours or not one.taken_for or not (one.number or one.text):
            continue
        unit = " · ".join(clean(each, 40) for each in one.units) or "none"
        written = shape(one.text) if one.text else shape(one.number)
        speaks = one.text or any(word in one.why for word in _OF_UNIT)
        counted[one.taken_for, "" if one.text else unit, written if speaks else "", one.why if speaks else ""] += 1
    rows = (UnitReport(measure=a, unit=b, shape=c, why=d, times=n) for (a, b, c, d), n in counted.items())
    return tuple(sorted(rows, key=lambda one: (one.measure, not one.why, -one.times, one.unit, one.shape)))
