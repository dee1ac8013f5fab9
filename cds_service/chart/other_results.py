"""An Observation of another test that rules read in; positive, negative, deficient or normal out, or why it cannot be used."""

import re
from collections.abc import Iterable, Iterator

from cds_service.chart import amounts
from cds_service.chart.amounts import Amount, NoResult, Words
from cds_service.chart.codes import result_of
from cds_service.chart.dates import When, latest, when
from cds_service.chart.decode import anything, concepts
from cds_service.chart.elements import Observation, Value
from cds_service.chart.lab_values import COUNTS, FUTURE, PENDING, LabReader, source
from cds_service.chart.quantities import fold_unit
from hooks.knowledge import Knowledge
from hooks.record import OtherResult, Pending, Unreadable
from hooks.sentences import say

_SEROLOGY = {"positive": "positive", "detected": "positive", "negative": "negative", "not-detected": "negative"}
_G6PD = {"low": "deficient", "deficient": "deficient", "normal": "normal", "high": "normal"}
_PREGNANCY = {"pregnant": "pregnant", "not-pregnant": "not-pregnant"}
_MEANINGS = {
    "toxoplasma-igg": _SEROLOGY,
    "crag": _SEROLOGY,
    "hbsag": _SEROLOGY,
    "anti-hbs": _SEROLOGY,
    "tb-test": _SEROLOGY,
    "coccidioides": _SEROLOGY,
    "g6pd": _G6PD,
    "pregnancy-status": _PREGNANCY,
}
TESTS = frozenset(_MEANINGS)
_TITRE = re.compile(
    r"(?:positive,? ?)?(?P<below>< ?)?1 ?: ?\d{1,6}"
)  # an antigen that still shows when diluted is there
_POSITIVE_FROM = {
    ("anti-hbs", "miu/ml"): 10,
    ("anti-hbs", "m[iu]/ml"): 10,
    ("anti-hbs", "iu/l"): 10,
    ("crag", "{titer}"): 1,
    ("crag", "titer"): 1,
}

Other = OtherResult | Unreadable | Pending


def read_other(observation: Observation, his: bool | None, reader: LabReader) -> Iterable[Other]:
    """What an Observation and its components say of our other tests; nothing where they say nothing of them."""
    if not his or (observation.component is None and TESTS.isdisjoint(reader.measures(observation.code))):
        return ()  # most Observations end here
    return list(_read(observation, reader))


def _read(observation: Observation, reader: LabReader) -> Iterator[Other]:
    for part in (observation, *(observation.component or ())):
        tests = TESTS & reader.measures(part.code).keys()
        if len(tests) == 1 and (amounts.has_value(part) or part is observation):
            yield from _result(observation, part, next(iter(tests)), reader)


def _result(observation: Observation, part: Value, test: str, reader: LabReader) -> Iterator[Other]:
    dated = _dated(observation)
    if observation.status in PENDING:
        yield Pending(test, dated.day if dated else None)
    if observation.status not in COUNTS:
        return
    if dated is None or dated.is_future(reader.now):
        why = say("it has no date") if dated is None else FUTURE
        yield Unreadable(test, why, latest(observation.effectiveDateTime), source(observation))
        return
    said = _said(part, test, reader.knowledge)
    meaning = _MEANINGS[test].get(said or "")
    if meaning:
        received = said or ""
        yield OtherResult(test=test, result=meaning, date=dated.day, source=source(observation), received=received)
    elif said not in ("", "inconclusive"):
        yield Unreadable(test, say("its result is not known to this service"), dated.day, source(observation))


def _dated(observation: Observation) -> When | None:
    period = observation.effectivePeriod.end if observation.effectivePeriod else None
    return when(observation.effectiveDateTime or observation.effectiveInstant or period or observation.issued)


def _said(part: Value, test: str, knowledge: Knowledge) -> str | None:
    """The result in words: as coded or written, else as interpreted by the laboratory, else by a limit. "" says nothing."""
    titre = _TITRE.fullmatch(amounts.fold(part.valueString or "")) if test == "crag" else None
    if titre:
        return "negative" if titre["below"] else "positive"
    found = amounts.given(part, knowledge)
    if isinstance(found, Words):
        return found.result
    interpreted = {result_of(one, knowledge) for one in concepts(part.interpretation)} - {None}
    if len(interpreted) == 1:
        return interpreted.pop()
    if isinstance(found, NoResult) or interpreted:
        return ""
    if not isinstance(found, Amount):
        return None
    return _by_range(found, part) if test == "g6pd" else _by_limit(found, test)


def _by_limit(amount: Amount, test: str) -> str | None:
    """From a limit on positive; an upper bound at the limit or below it is negative."""
    limits = {_POSITIVE_FROM[test, unit] for unit in map(fold_unit, amount.units) if (test, unit) in _POSITIVE_FROM}
    if len(limits) != 1:
        return None
    limit = limits.pop()
    if amount.comparator in ("<", "<="):
        return "negative" if amount.number <= limit and amount.comparator == "<" else None
    return "positive" if amount.number >= limit else None if amount.comparator else "negative"


def _by_range(amount: Amount, part: Value) -> str | None:
    """Below or not below the laboratory's own lower limit, where that is in the same unit."""
    ranges = anything(part.referenceRange)
    if not isinstance(ranges, list) or len(ranges) != 1 or not isinstance(ranges[0], dict) or amount.comparator:
        return None
    low = ranges[0].get("low")
    if not isinstance(low, dict) or isinstance(low.get("value"), bool) or not isinstance(low.get("value"), int | float):
        return None
    units = {fold_unit(one) for one in amount.units}
    if not units & {fold_unit(one) for one in (low.get("unit"), low.get("code")) if isinstance(one, str)}:
        return None
    return "low" if amount.number < low["value"] else "normal"
