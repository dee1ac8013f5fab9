"""value[x] in; out comes an amount (number, comparator, unit spellings), words, or the reason why there is neither.

Text results are read by a closed grammar: what does not fit it whole is not guessed at.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from cds_service.chart.codes import result_of, words_of
from cds_service.chart.decode import anything, number, present
from cds_service.chart.elements import Quantity, Range, Value
from hooks.knowledge import Knowledge
from hooks.record import Comparator
from hooks.sentences import Sentence, say

_COMPARATORS: dict[str | None, Comparator] = {None: "", "": "", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_IN_WORDS: dict[str, Comparator] = {
    "≤": "<=",
    "≥": ">=",
    "less than": "<",
    "below": "<",
    "greater than": ">",
    "more than": ">",
    "above": ">",
}
_TARGET = r"(?:(?:hiv(?: ?-? ?[12])?(?: rna)?|target|rna|virus) )?"
_NOT_DETECTED = re.compile(
    _TARGET + r"(?:not detected|not detectable|undetected|undetectable|indetectable)|tnd|none detected"
)
_DETECTED = re.compile(_TARGET + r"(?:detected|detectable)")
_BELOW_LIMIT = re.compile(
    r"(?:<|below|lower than|less than|under) ?(?:the )?(?:limit of (?:detection|quantification|quantitation)"
    r"|(?:detection|detectable|quantification|quantitation) (?:limit|level)|threshold(?: level)?|ldl|lod|loq|lloq)"
    r"|bdl|ldl|blq|low detection level|lower than detectable"
)
_NO_RESULT = re.compile(
    r"fail(?:ed|ure)?|err(?:or)?|invalid|no ?result|no|none|n/?a|inconclusive|indeterminate|rejected|cancelled"
    r"|(?:test )?not (?:done|performed)|no sample|collect new sample|insufficient"
)
_POINT_MAY_GROUP = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_LONGEST = 120  # characters; a longer text is a comment, not a result
_NUMERIC = re.compile(
    r"(?:(?P<lead>[a-z0-9 -]*?detect[a-z]*)[ ,:;]*)?"
    r"(?P<comparator><=|>=|<|>|≤|≥|less than|greater than|more than|below|above)? ?"
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d{1,2})?)"
    r" ?(?P<unit>[^\d\s(<>=][^(<>=]*?)??"
    r" ?(?P<restated>\([<>]? ?\d+(?:\.\d+)? ?(?:log|copies|cp|iu)[^()]*\))?"
    r"[ ,:;]*(?P<tail>[a-z0-9 -]*?detect[a-z]*)?"
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as it came. `units`: every spelling of the unit that came with it. `detected`: said in words beside it."""

    number: Decimal
    comparator: Comparator
    units: tuple[str, ...]
    detected: bool | None = None
    grouped: bool = False  # written with thousands commas
    point_may_group: bool = False  # text such as 42.000: forty-two, or forty-two thousand written the continental way


@dataclass(frozen=True, slots=True)
class Words:
    """A result in words that we know: not-detected, detected, below-limit, positive, negative …"""

    result: str


@dataclass(frozen=True, slots=True)
class NoResult:
    """The laboratory says that there is no result: nothing is hidden, nothing is known."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """There is something, and it cannot be trusted; why, in words fit for a card."""

    why: Sentence


Given = Amount | Words | NoResult | Faulty


def given(value: Value, knowledge: Knowledge) -> Given:
    """What the value of an Observation or component says."""
    count, odd = _forms(value)
    absent = present(value.dataAbsentReason)
    if odd or count > 1:
        return Faulty(
            say("its value has a form this service does not read") if odd else say("it has more than one value")
        )
    if not count:
        return NoResult() if absent else Faulty(say("it has no value"))
    if absent:
        return (
            _quantity(value.valueQuantity, absent=True)
            if value.valueQuantity
            else Faulty(say("it has a value and a reason for having none"))
        )
    return _one(value, knowledge)


def _forms(value: Value) -> tuple[int, bool]:
    """How many of the forms of value[x] that we read came, and whether one came that we do not read."""
    read = (value.valueQuantity, value.valueString, value.valueCodeableConcept, value.valueRange)
    other = (value.valueBoolean, value.valueRatio, value.valueSampledData, value.valueTime, value.valueDateTime)
    count = sum(one is not None for one in read) + present(value.valueInteger)
    return count, any(map(present, other)) or present(value.valuePeriod)


def has_value(value: Value) -> bool:
    """Whether there is a value of a form that we read, or a reason for having none."""
    return _forms(value)[0] > 0 or present(value.dataAbsentReason)


def _one(value: Value, knowledge: Knowledge) -> Given:
    if value.valueQuantity is not None:
        return _quantity(value.valueQuantity)
    if present(value.valueInteger):
        found = number(value.valueInteger)
        return Faulty(say("its value is not a number")) if found is None else Amount(found, "", ())
    if value.valueRange is not None:
        return _range(value.valueRange)
    if value.valueString is not None:
        return text(value.valueString)
    coded = result_of(value.valueCodeableConcept, knowledge)
    if coded:
        return NoResult() if coded == "inconclusive" else Words(coded)
    spoken = {text(words) for words in words_of(value.valueCodeableConcept)}
    return spoken.pop() if len(spoken) == 1 else Faulty(say("its coded result is not known to this service"))


def _quantity(quantity: Quantity, absent: bool = False) -> Given:
    if not present(quantity.value):
        return NoResult() if absent else Faulty(say("it has no value"))
    if absent:
        return Faulty(say("it has a value and a reason for having none"))
    found = number(quantity.value)
    if found is None:
        as_text = anything(quantity.value)
        return Faulty(
            say("its value is text where a number is due")
            if isinstance(as_text, str)
            else say("its value is not a number")
        )
    if quantity.comparator not in _COMPARATORS:
        return Faulty(say("its comparator is not known to this service"))
    units = tuple(spelling for spelling in (quantity.code, quantity.unit) if spelling and spelling.strip())
    return Amount(found, _COMPARATORS[quantity.comparator], units)


def _range(found: Range) -> Given:
    """A range open at one end is a bound; closed at both it is no single amount."""
    low, high = (given_end if given_end and present(given_end.value) else None for given_end in (found.low, found.high))
    if (low is None) == (high is None):
        return Faulty(say("its value is a range"))
    one = _quantity(low or high)  # type: ignore[arg-type]
    if isinstance(one, Amount):
        return Amount(one.number, ">=" if low else "<=", one.units)
    return one


def fold(words: str) -> str:
    """Lower case, one form of each letter, single blanks, no stray quotes or full stop."""
    return " ".join(unicodedata.normalize("NFKC", words).casefold().split()).strip(" .\"'")


def text(words: str) -> Given:
    """A result written as text."""
    folded = fold(words)
    if not folded:
        return Faulty(say("it has no value"))
    if len(folded) > _LONGEST:
        return Faulty(say("its result is text this service does not read"))
    if _NO_RESULT.fullmatch(folded):
        return NoResult()
    if _NOT_DETECTED.fullmatch(folded):
        return Words("not-detected")
    if _DETECTED.fullmatch(folded):
        return Words("detected")
    if _BELOW_LIMIT.fullmatch(folded) or _BELOW_LIMIT.fullmatch(folded.removesuffix(" copies/ml")):
        return Words("below-limit")
    if folded in ("positive", "reactive", "negative", "nonreactive", "non-reactive", "deficient", "normal"):
        return Words(
            {"reactive": "positive", "nonreactive": "negative", "non-reactive": "negative"}.get(folded, folded)
        )
    return _numeric(folded)


def _numeric(folded: str) -> Given:
    found = _NUMERIC.fullmatch(folded)
    said = [fold(part) for part in (found["lead"], found["tail"]) if part] if found else []
    if (
        found is None
        or not all(_NOT_DETECTED.fullmatch(part) or _DETECTED.fullmatch(part) for part in said)
        or len(said) > 1
    ):
        return Faulty(say("its result is text this service does not read"))
    comparator = found["comparator"] or ""
    digits = found["number"]
    try:
        amount = Decimal(digits.replace(",", ""))
    except InvalidOperation:  # pragma: no cover  (the grammar admits numbers only)
        return Faulty(say("its result is text this service does not read"))
    if digits.startswith("0") and "," in digits:
        return Faulty(say("its result is text this service does not read"))  # a decimal comma, most likely
    detected = None if not said else not _NOT_DETECTED.fullmatch(said[0])
    unit = (found["unit"] or "").strip()
    return Amount(
        amount,
        _IN_WORDS.get(comparator) or _COMPARATORS[comparator],
        (unit,) if unit else (),
        detected=detected,
        grouped="," in digits,
        point_may_group=bool(_POINT_MAY_GROUP.fullmatch(digits)),
    )
