"""An Observation of another test that rules read in; positive, negative, deficient or normal out, or nothing."""

from cds_service.chart import amounts
from cds_service.chart.amounts import Amount, Words
from cds_service.chart.codes import result_of
from cds_service.chart.dates import When, when
from cds_service.chart.decode import anything, concepts
from cds_service.chart.elements import Observation
from cds_service.chart.lab_values import COUNTS, LabReader, source
from cds_service.chart.quantities import fold_unit
from hooks.knowledge import Knowledge
from hooks.record import OtherResult

TESTS = frozenset(("toxoplasma-igg", "g6pd", "pregnancy-status"))
_G6PD = {"low": "deficient", "deficient": "deficient", "normal": "normal", "high": "normal"}
_IGG = {"positive": "positive", "detected": "positive", "negative": "negative", "not-detected": "negative"}
_PREGNANCY = {"pregnant": "pregnant", "not-pregnant": "not-pregnant"}
_MEANINGS = {"g6pd": _G6PD, "toxoplasma-igg": _IGG, "pregnancy-status": _PREGNANCY}


def read_other(observation: Observation, his: bool | None, reader: LabReader) -> OtherResult | None:
    """One result of our other tests, where it is final, dated, his, and says something we know."""
    tests = TESTS & reader.measures(observation.code).keys()
    if len(tests) != 1:
        return None
    period = observation.effectivePeriod.end if observation.effectivePeriod else None
    dated: When | None = when(
        observation.effectiveDateTime or observation.effectiveInstant or period or observation.issued
    )
    if not his or observation.status not in COUNTS or dated is None or dated.is_future(reader.now):
        return None
    test = next(iter(tests))
    said = _said(observation, test, reader.knowledge)
    meaning = _MEANINGS[test].get(said or "")
    return OtherResult(test=test, result=meaning, date=dated.day, source=source(observation)) if meaning else None


def _said(observation: Observation, test: str, knowledge: Knowledge) -> str | None:
    """The result in words: as coded or written, else as interpreted by the laboratory, else by its reference range."""
    found = amounts.given(observation, knowledge)
    if isinstance(found, Words):
        return found.result
    interpreted = {result_of(one, knowledge) for one in concepts(observation.interpretation)} - {None}
    if len(interpreted) == 1:
        return interpreted.pop()
    return _by_range(found, observation) if isinstance(found, Amount) and test == "g6pd" else None


def _by_range(amount: Amount, observation: Observation) -> str | None:
    """Below or not below the laboratory's own lower limit, where that is in the same unit."""
    ranges = anything(observation.referenceRange)
    if not isinstance(ranges, list) or len(ranges) != 1 or not isinstance(ranges[0], dict) or amount.comparator:
        return None
    low = ranges[0].get("low")
    if not isinstance(low, dict) or isinstance(low.get("value"), bool) or not isinstance(low.get("value"), int | float):
        return None
    units = {fold_unit(one) for one in amount.units}
    if not units & {fold_unit(one) for one in (low.get("unit"), low.get("code")) if isinstance(one, str)}:
        return None
    return "low" if amount.number < low["value"] else "normal"
