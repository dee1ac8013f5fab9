"""The fields of a form in, what might be otherwise in a chart out; what makes no sense is refused with a sentence."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from cds_service.errors import Malformed
from cds_service.workbench.choices import ALLERGIES, NEW, Choices, of_key, said_by

ROWS = ("1", "2", "3")  # results that can be changed at once, besides the newest
FIELDS = (
    *(
        "cd4",
        "load",
        "measured",
        "add",
        "since",
        "remove",
        "until",
        "order",
        "allergen",
        "allergy",
        "problem",
        "onset",
        "on",
    ),
    *(f"{name}{row}" for row in ROWS for name in ("result", "value", "day")),
    "profile",
)
RARER = ("since", "until", "problem", "onset", *(f"result{row}" for row in ROWS))  # behind a summary, if none is filled
Bound = Literal["", "<", ">"]
_NUMBER = re.compile(r"(<|>)? ?(\d{1,9}(?:\.\d{1,2})?)")
_LARGEST = {"cd4-count": 5000, "cd4-percent": 100, "viral-load": 100_000_000}
_NAMES = {"cd4-count": "The CD4 count", "cd4-percent": "The CD4 percentage", "viral-load": "The viral load"}
NONE = "none"


@dataclass(frozen=True, slots=True)
class Value:
    """A result: a number, or a bound; or a word."""

    bound: Bound = ""
    number: Decimal | None = None
    word: str = ""


@dataclass(frozen=True, slots=True)
class ResultChange:
    """A result of the chart, or a new one. No value: as it is; no day: as it is, or today; `gone`: it is not there."""

    key: str
    value: Value | None
    day: date | None
    gone: bool = False

    @property
    def is_new(self) -> bool:
        """Whether it stands beside what the chart has."""
        return self.key.startswith(NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """None and empty: as it is. Drugs are a key of a regimen or the code of an ingredient."""

    cd4: Value | None = None
    load: Value | None = None
    measured: date | None = None
    results: tuple[ResultChange, ...] = ()
    add: str = ""
    since: date | None = None
    remove: str = ""
    until: date | None = None
    order: str = ""
    problem: str = ""
    onset: date | None = None
    allergen: str = ""  # empty: sulfonamides
    allergy: str = ""
    on: date | None = None
    profile: str = ""

    @property
    def changes_chart(self) -> bool:
        """Whether the request itself is another."""
        drugs = self.add or self.remove or self.order
        return bool(self.cd4 or self.load or self.results or drugs or self.problem or self.allergy)


def read_what_if(form: Mapping[str, str], choices: Choices) -> WhatIf:
    """Raises Malformed, naming the field."""
    said = {name: form.get(name, "").strip() for name in FIELDS}
    for name, words, known in (
        ("add", "The drug to add", choices.drugs), ("remove", "The drug to take away", choices.drugs),
        ("order", "The drug to order", choices.drugs), ("problem", "The diagnosis", choices.problems),
        ("allergen", "The allergen", choices.allergens),
        ("allergy", "The allergy", ALLERGIES), ("profile", "The guideline", choices.profiles),
    ):  # fmt: skip
        if said[name] and said[name] not in known:
            raise Malformed(f"{words} is none of those that can be chosen.")
    for name, needed, words in _TOGETHER:
        if said[name] and not any(said[one] for one in needed):
            raise Malformed(words)
    return WhatIf(
        cd4=_number("cd4-count", said["cd4"]),
        load=_number("viral-load", said["load"]),
        measured=_day("The day of the results", said["measured"]),
        results=tuple(_results(said)),
        add=said["add"],
        since=_day("The day since when the drug is taken", said["since"]),
        remove=said["remove"],
        until=_day("The day until when the drug was taken", said["until"]),
        order=said["order"],
        problem=said["problem"],
        onset=_day("The day since when the diagnosis is known", said["onset"]),
        allergen=said["allergen"],
        allergy=said["allergy"],
        on=_day("The day of the evaluation", said["on"]),
        profile=said["profile"],
    )


_TOGETHER = (
    ("measured", ("cd4", "load"), "A day of results was given, but neither a CD4 count nor a viral load of that day."),
    ("since", ("add",), "A day since when a drug is taken was given, but no drug that is taken besides."),
    ("until", ("remove",), "A day until when a drug was taken was given, but no drug that is not taken."),
    ("onset", ("problem",), "A day of a diagnosis was given, but no diagnosis."),
    ("allergen", ("allergy",), "An allergen was chosen, but not what the allergy to it is like."),
)


def _results(said: Mapping[str, str]) -> Iterator[ResultChange]:
    for row in ROWS:
        key, text, day = (said[f"{name}{row}"] for name in ("result", "value", "day"))
        if not key and (text or day):
            raise Malformed("A value or a day was given, but not of which result.")
        if key and not text and not day:
            raise Malformed("A result was chosen, but neither another value nor another day given.")
        if key:
            yield _result(key, text, _day("The day of the result", day))


def _result(key: str, text: str, day: date | None) -> ResultChange:
    new = key.startswith(NEW)
    if text.casefold() == NONE and not new:
        return ResultChange(key, None, day, gone=True)
    if new and not text:
        raise Malformed("A new result needs its value.")
    return ResultChange(key, _value(of_key(key), text) if text else None, day)


def _value(measure: str, text: str) -> Value | None:
    words = said_by(measure)
    word = text.casefold()
    if word in words:
        return Value(word=word)
    if measure in _LARGEST:
        return _number(measure, text, words)
    raise Malformed(f"The result is none that this test can have: {', '.join(words)}.")


def _number(measure: str, text: str, words: tuple[str, ...] = ()) -> Value | None:
    if not text:
        return None
    found = _NUMBER.fullmatch(text.replace(",", ""))
    if found is None or Decimal(found[2]) > _LARGEST[measure]:
        besides = f", or {', '.join(words)}" if words else ""
        raise Malformed(
            f"{_NAMES[measure]}: a number up to {_LARGEST[measure]:,} is expected, or a bound such as <20{besides}."
        )
    bound: Bound = "<" if found[1] == "<" else ">" if found[1] == ">" else ""
    return Value(bound, Decimal(found[2]))


def _day(words: str, text: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 1900 <= found.year <= 2199:
        raise Malformed(f"{words}: a day is expected, such as 2026-11-20.")
    return found
