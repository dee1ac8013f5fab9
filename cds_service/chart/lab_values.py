"""An Observation in; out come CD4 counts, CD4 percentages and viral loads, or the reason why a result cannot be trusted.

Nothing is guessed and nothing raises: what does not fit is `Unreadable`, with its reason. Status, date, subject, specimen
and codes are judged here, the value by `amounts` (what it says) and `quantities` (what that is in our units).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from cds_service.chart import amounts
from cds_service.chart.amounts import Faulty, NoResult, Words
from cds_service.chart.codes import is_standard, measures, words_of
from cds_service.chart.dates import When, latest, when
from cds_service.chart.decode import anything, objects, present
from cds_service.chart.elements import Concept, Observation, Value
from cds_service.chart.quantities import Measured, Units, in_words
from hooks.knowledge import Knowledge
from hooks.record import LabResult, Pending, Unreadable
from hooks.sentences import Sentence, say

COUNTS = (None, "final", "amended", "corrected")
PENDING = ("registered", "preliminary")
NEVER = ("cancelled", "entered-in-error", "unknown")
_CD4 = frozenset(("cd4-count", "cd4-percent", "cd4-unverified"))
_VIRAL_LOAD = frozenset(("viral-load-copies", "viral-load-log", "viral-load-iu", "viral-load-unverified"))
_UNVERIFIED = frozenset(("cd4-unverified", "viral-load-unverified"))
_FOREIGN = frozenset(("not-a-measure", "hiv2-viral-load"))
_DATA = {"cd4": ("cd4-count",), "viral-load": ("viral-load",), "contradictory": ("cd4-count", "viral-load")}
_KEYS = {"cd4": "cd4", "viralLoads": "viral-load"}
_NOT_BLOOD = (
    "csf",
    "cerebrospinal",
    "body fluid",
    "bronch",
    "lavage",
    "semen",
    "vaginal",
    "breast milk",
    "tissue",
    "lymph node",
)

_NO_OWNER = say("it does not say whose it is")
_STATUS = say("its status is not known to this service")
_MODIFIED = say("it carries a modifier this service does not know")
_CONTRADICTED = say("its codes contradict each other")
_UNRELIABLE = say("its code is not one this service can rely on")
_UNDATED = say("it has no usable date")
_NO_STATUS, _BY_ISSUE = say("status not stated"), say("dated by the day it was issued")
_IN_WORDS = say("its result is in words")
FUTURE = say("it is dated in the future")

Read = LabResult | Unreadable | Pending


@dataclass(frozen=True, slots=True)
class LabReader:
    """What reading a result depends on besides the result: the moment, the knowledge, the assay factor of the site."""

    now: datetime
    knowledge: Knowledge
    units: Units
    _seen: dict[Concept | None, dict[str, str]] = field(default_factory=dict)  # a chart repeats the same few codes

    def measures(self, concept: Concept | None) -> dict[str, str]:
        """What the laboratory codes of a concept say they measure: measure -> note."""
        found = self._seen.get(concept)
        if found is None:
            found = self._seen[concept] = measures(concept, self.knowledge)
        return found

    def read(self, observation: Observation, his: bool | None, asked_for: str | None = None) -> Iterator[Read]:
        """Everything this Observation and its components say. `asked_for`: the prefetch key it came under."""
        if observation.status in NEVER or _not_blood(observation):
            return
        panel = observation.component and not amounts.has_value(observation)
        parts: tuple[Value, ...] = () if panel else (observation,)
        for part in (*parts, *(observation.component or ())):
            family = self.family(part, asked_for if part is observation else None)
            if family:
                yield from self._part(part, family, observation, his)

    def family(self, part: Value, asked_for: str | None = None) -> str | None:
        """cd4 or viral-load where the codes say so, or where they say nothing and only words or the key do."""
        coded = self.measures(part.code).keys()
        families = [name for name, codes in (("cd4", _CD4), ("viral-load", _VIRAL_LOAD)) if codes & coded]
        if len(families) == 2:
            return "contradictory"
        if families or coded:
            return families[0] if families else None
        return _doubted(part, None if is_standard(part.code, self.knowledge) else asked_for)

    def _part(self, part: Value, family: str, whole: Observation, his: bool | None) -> Iterator[Read]:
        coded = frozenset(self.measures(part.code))
        dated = _dated(whole)
        if whole.status in PENDING and his:
            yield from (Pending(datum, dated[0].day if dated else None) for datum in _DATA[family])
            return
        fault = self._fault(whole, coded, family, his, dated)
        found = Faulty(fault) if fault else self._value(part, family, coded)
        if isinstance(found, Measured) and dated:
            notes = (*found.notes, *dated[1], *(() if whole.status else (_NO_STATUS,)))
            yield LabResult(
                measure=found.measure,
                unit=found.unit,
                number=found.number,
                comparator=found.comparator,
                detected=found.detected,
                received=found.received,
                date=dated[0].day,
                instant=dated[0].instant,
                source=source(whole),
                notes=notes,
            )
        elif isinstance(found, Faulty):
            yield from (Unreadable(one, found.why, _last_day(whole), source(whole)) for one in self._data(part, family))

    def _fault(
        self,
        whole: Observation,
        coded: frozenset[str],
        family: str,
        his: bool | None,
        dated: tuple[When, tuple[Sentence, ...]] | None,
    ) -> Sentence | None:
        """What forbids using the result, whatever its value; in words fit for a card."""
        modified = present(whole.modifierExtension) or present(whole.focus)
        faults = (
            (not his, _NO_OWNER),
            (whole.status not in COUNTS, _STATUS),
            (modified, _MODIFIED),
            (family == "contradictory" or bool(coded & _FOREIGN), _CONTRADICTED),
            (not coded - _UNVERIFIED, _UNRELIABLE),
            (dated is None, _UNDATED),
            (dated is not None and dated[0].is_future(self.now), FUTURE),
        )
        return next((why for wrong, why in faults if wrong), None)

    def _value(self, part: Value, family: str, coded: frozenset[str]) -> Measured | Faulty | NoResult:
        said = amounts.given(part, self.knowledge)
        if isinstance(said, Faulty | NoResult):
            return said
        if family == "cd4":
            return Faulty(_IN_WORDS) if isinstance(said, Words) else self.units.cd4(said, coded)
        return in_words(said) if isinstance(said, Words) else self.units.viral_load(said, coded)

    def _data(self, part: Value, family: str) -> tuple[str, ...]:
        """The data that an untrusted result could have been: one in percent only a percentage."""
        quantity = part.valueQuantity
        spellings = tuple(filter(None, (quantity.code, quantity.unit))) if quantity else ()
        if family != "cd4":
            return _DATA[family]
        if self.units.means_percent_only(spellings):
            return ("cd4-percent",)
        return ("cd4-count", "cd4-percent") if "cd4-percent" in self.measures(part.code) else ("cd4-count",)


def source(whole: Observation) -> str:
    """The relative reference of an Observation."""
    return f"Observation/{whole.id}" if whole.id else "Observation"


def _doubted(part: Value, asked_for: str | None) -> str | None:
    """No code of ours: words, or the key that was asked for, can only raise the doubt that it is one of ours."""
    words = " ".join(words_of(part.code))
    if "cd4" in words and "cd8" not in words and "ratio" not in words:
        return "cd4"
    if "viral load" in words and "hiv" in words:
        return "viral-load"
    return _KEYS.get(asked_for or "")


def _stated(whole: Observation) -> str | None:
    end = whole.effectivePeriod.end if whole.effectivePeriod else None
    return whole.effectiveDateTime or whole.effectiveInstant or end


def _dated(whole: Observation) -> tuple[When, tuple[Sentence, ...]] | None:
    """When the result is from: effective date, instant, end of period, else the day it was issued, with a note."""
    stated = _stated(whole)
    found = when(stated or whole.issued)
    return (found, () if stated else (_BY_ISSUE,)) if found else None


def _last_day(whole: Observation) -> date | None:
    return latest(_stated(whole) or whole.issued)


def _not_blood(whole: Observation) -> bool:
    """Whether the specimen is stated, and stated to be something else than blood."""
    said = anything(whole.specimen)
    if not isinstance(said, dict):
        return False
    parts: list[object] = [said]
    if str(said.get("reference", "")).startswith("#"):
        inside = objects(whole.contained)
        parts += [one.get("type") for one in inside if one.get("id") == said["reference"][1:]]
    words = " ".join(_words(parts)).casefold()
    return any(word in words for word in _NOT_BLOOD)


def _words(found: object) -> Iterable[str]:
    """The displays and texts in a specimen's description."""
    if isinstance(found, list):
        for one in found:
            yield from _words(one)
    elif isinstance(found, dict):
        yield from (found[key] for key in ("display", "text") if isinstance(found.get(key), str))
        yield from _words(found.get("coding"))
