"""An amount and its laboratory codes in; a measured value in the canonical unit out, or why it cannot be trusted.

Code, unit and plausible range decide together; when code and unit disagree the unit decides, if the value fits it
(contract, *Units*; decision tables 4.2 and 5.4).
"""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from cds_service.chart.amounts import Amount, Faulty, Words
from hooks.knowledge import Knowledge, UnitSpelling
from hooks.record import Comparator, Measure
from hooks.sentences import Sentence, figure, say

CD4_MOST, PERCENT_MOST, VIRAL_LOAD_MOST = Decimal(5000), Decimal(100), Decimal(10) ** 8
LOG_MOST, LOG_IS_COPIES_ABOVE = Decimal(8), Decimal(10)
COUNT_WITHOUT_UNIT_LEAST, COPIES_WITHOUT_UNIT_ABOVE, LOOKS_LIKE_A_LOG_BELOW = Decimal(5), Decimal(8), Decimal(10)
STATED_NOWHERE = Decimal(200)  # "below the limit", limit not stated: below 200, as the measure CMS314 counts it
_VIRAL_LOAD_UNITS = ("copies-per-ml", "log-copies-per-ml", "iu-per-ml", "log-iu-per-ml", "log-unspecified")
_UNIT_FOLDS = str.maketrans({"\u00b5": "u", "\u03bc": "u"})
_TWO_WAYS = say("its number can be read in two ways")
_NO_UNIT = UnitSpelling("none", Decimal(1), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a laboratory result says, before it has a date: everything of a LabResult but when and where from."""

    measure: Measure
    unit: str
    number: Decimal | None
    received: str
    comparator: Comparator = ""
    detected: bool | None = None
    notes: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Units:
    """The unit spellings we know, and the assay factor of the site (IU a copy) where it set one."""

    knowledge: Knowledge
    iu_per_copy: Decimal | None = None
    _known: dict[tuple[str, ...], UnitSpelling | Faulty] = field(default_factory=dict)  # a chart repeats the same few

    def cd4(self, amount: Amount, coded: frozenset[str]) -> Measured | Faulty:
        """A CD4 count in cells/µL (0 to 5000), or a percentage (0 to 100)."""
        unit = self._unit(amount, ("cells-per-ul", "percent"))
        if isinstance(unit, Faulty):
            return unit
        notes: tuple[Sentence, ...] = ()
        if unit is _NO_UNIT:
            if "cd4-percent" in coded or not _whole(amount.number) or amount.number < COUNT_WITHOUT_UNIT_LEAST:
                return Faulty(say("it has no unit"))
            unit, notes = UnitSpelling("cells-per-ul", Decimal(1), ""), (say("no unit given, read as cells/µL"),)
        percent = unit.measure == "percent"
        number = amount.number * unit.factor
        if amount.point_may_group and unit.factor == 1:
            return Faulty(_TWO_WAYS)
        if not 0 <= number <= (PERCENT_MOST if percent else CD4_MOST):
            return Faulty(say("its value is not plausible for its unit"))
        measure: Measure = "cd4-percent" if percent else "cd4-count"
        if measure not in coded:
            notes = (*notes, say("its code and unit disagree; the unit decides"))
        return _measured(measure, "%" if percent else "/uL", number, amount, notes)

    def viral_load(self, amount: Amount, coded: frozenset[str]) -> Measured | Faulty:
        """A viral load in copies/mL; in IU/mL where it came so and the site set no factor."""
        unit = self._unit(amount, _VIRAL_LOAD_UNITS)
        if isinstance(unit, Faulty):
            return unit
        number = amount.number
        if amount.point_may_group and not unit.measure.startswith("log"):
            return Faulty(_TWO_WAYS)
        if unit is _NO_UNIT or unit.note == "volume-not-stated":
            coded_copies = unit is not _NO_UNIT or "viral-load-copies" in coded
            if not coded_copies or number <= COPIES_WITHOUT_UNIT_ABOVE:
                return Faulty(say("it has no unit"))
            return _copies(number, amount, (say("no unit given, read as copies/mL"),))
        if unit.measure == "log-unspecified" and "viral-load-log" not in coded:
            return Faulty(say("its unit is not known for this test"))
        if unit.measure.startswith("log"):
            return self._from_log(amount, iu="iu" in unit.measure)
        if unit.measure == "iu-per-ml":
            return self._from_iu(number * unit.factor, amount)
        return _copies(number * unit.factor, amount, ())

    def means_percent_only(self, spellings: tuple[str, ...]) -> bool:
        """Whether a unit can only be a percentage."""
        known = [self.knowledge.units.get(fold_unit(one), ()) for one in spellings]
        return bool(known) and all(any(one.measure == "percent" for one in meanings) for meanings in known)

    def _unit(self, amount: Amount, of: tuple[str, ...]) -> UnitSpelling | Faulty:
        """What the unit means among these measures; `_NO_UNIT` where none came. A code and a text must agree."""
        key = (*amount.units, *of)
        if key not in self._known:
            self._known[key] = self._judged(amount, of)
        return self._known[key]

    def _judged(self, amount: Amount, of: tuple[str, ...]) -> UnitSpelling | Faulty:
        table = self.knowledge.units
        found = [one for unit in amount.units for one in table.get(fold_unit(unit), ()) if one.measure in of]
        if amount.units and not found:
            return Faulty(say("its unit is not known for this test"))
        if len({(one.measure, one.factor) for one in found}) > 1:
            return Faulty(say("its unit and the code of its unit disagree"))
        return found[0] if found else _NO_UNIT

    def _from_log(self, amount: Amount, iu: bool) -> Measured | Faulty:
        number = amount.number
        if not amount.grouped and number > LOG_IS_COPIES_ABOVE:
            note = say("unit says log, but the value is above 10: read as not a log")
            return self._from_iu(number, amount) if iu else _copies(number, amount, (note,))
        if amount.grouped or not 0 <= number <= LOG_MOST:
            return Faulty(say("its value is not plausible for its unit"))
        plain = (Decimal(10) ** number).quantize(Decimal(1), ROUND_HALF_UP)
        if iu:
            return self._from_iu(plain, amount)
        return _measured(
            "viral-load", "copies/mL", plain, amount, (say("{number} log10 copies/mL", number=figure(str(number))),)
        )

    def _from_iu(self, number: Decimal, amount: Amount) -> Measured | Faulty:
        """IU are never converted silently: only with the factor of the site's assay, and then both numbers are shown."""
        factor = self.iu_per_copy
        if not 0 <= number <= VIRAL_LOAD_MOST * (factor or 1):
            return Faulty(say("its value is not plausible for its unit"))
        if factor is None:
            note = say("in IU/mL: not comparable with limits in copies/mL")
            return _measured("viral-load", "IU/mL", number, amount, (note,))
        copies = (number / factor).quantize(Decimal(1), ROUND_HALF_UP)
        given, assay = figure(f"{number.normalize():f}"), figure(str(factor))
        note = say("{number} IU/mL at {factor} IU a copy", number=given, factor=assay)
        return _measured("viral-load", "copies/mL", copies, amount, (note,))


def fold_unit(spelling: str) -> str:
    """A unit's spelling folded for comparison: case, white space and the two micro signs make no difference."""
    return "".join(spelling.casefold().split()).translate(_UNIT_FOLDS)


def in_words(words: Words) -> Measured | Faulty:
    """A viral load in words: not detected, detected, or below a limit that is not stated."""
    if words.result == "below-limit":
        note = say("below a limit that is not stated, taken as 200")
        return Measured(
            measure="viral-load",
            unit="copies/mL",
            number=STATED_NOWHERE,
            comparator="<",
            received="below limit",
            notes=(note,),
        )
    if words.result not in ("not-detected", "detected"):
        return Faulty(say("its coded result is not known to this service"))
    detected = words.result == "detected"
    return Measured(measure="viral-load", unit="copies/mL", number=None, detected=detected, received=words.result)


def _whole(number: Decimal) -> bool:
    return number == number.to_integral_value()


def _copies(number: Decimal, amount: Amount, notes: tuple[Sentence, ...]) -> Measured | Faulty:
    if not 0 <= number <= VIRAL_LOAD_MOST:
        return Faulty(say("its value is not plausible for its unit"))
    if number < LOOKS_LIKE_A_LOG_BELOW and not _whole(number):
        return Faulty(say("its value looks like a logarithm, its unit says copies"))
    return _measured("viral-load", "copies/mL", number, amount, notes)


def _measured(measure: Measure, unit: str, number: Decimal, amount: Amount, notes: tuple[Sentence, ...]) -> Measured:
    units = " | ".join(dict.fromkeys(amount.units))
    return Measured(
        measure=measure,
        unit=unit,
        number=number,
        comparator=amount.comparator,
        detected=amount.detected,
        received=f"{amount.comparator}{amount.number} {units}".strip(),
        notes=notes,
    )
