"""The fields of a form in, what might be otherwise in a chart out; what makes no sense is refused with a sentence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from cds_service.errors import Malformed
from hooks.knowledge import Knowledge

FIELDS = ("cd4", "load", "measured", "add", "remove", "allergy", "on", "profile")
ALLERGIES = {"": "as on file", "severe": "severe", "mild": "not severe", "none": "none"}
Bound = Literal["", "<", ">"]
_NUMBER = re.compile(r"(<|>)? ?(\d{1,9}(?:\.\d{1,2})?)")
_LARGEST = {"cd4": 5000, "load": 100_000_000}
_NAMES = {"cd4": "The CD4 count", "load": "The viral load"}


@dataclass(frozen=True, slots=True)
class Value:
    """A result: a number, or a bound."""

    bound: Bound
    number: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """None and empty: as it is. Drugs are a key of a regimen or the code of an ingredient."""

    cd4: Value | None = None
    load: Value | None = None
    measured: date | None = None
    add: str = ""
    remove: str = ""
    allergy: str = ""
    on: date | None = None
    profile: str = ""

    @property
    def changes_chart(self) -> bool:
        """Whether the request itself is another."""
        return bool(self.cd4 or self.load or self.add or self.remove or self.allergy)


def read_what_if(form: Mapping[str, str], knowledge: Knowledge, profiles: Mapping[str, object]) -> WhatIf:
    """Raises Malformed, naming the field."""
    said = {name: form.get(name, "").strip() for name in FIELDS}
    drugs = knowledge.regimens.keys() | knowledge.ingredients.keys()
    for name, words, known in (
        ("add", "The drug to add", drugs), ("remove", "The drug to take away", drugs),
        ("allergy", "The allergy", ALLERGIES), ("profile", "The guideline", profiles),
    ):  # fmt: skip
        if said[name] and said[name] not in known:
            raise Malformed(f"{words} is none of those that can be chosen.")
    found = WhatIf(
        cd4=_value("cd4", said["cd4"]),
        load=_value("load", said["load"]),
        measured=_day("The day of the results", said["measured"]),
        add=said["add"],
        remove=said["remove"],
        allergy=said["allergy"],
        on=_day("The day of the evaluation", said["on"]),
        profile=said["profile"],
    )
    if found.measured and not (found.cd4 or found.load):
        raise Malformed("A day of results was given, but neither a CD4 count nor a viral load of that day.")
    return found


def _value(name: str, text: str) -> Value | None:
    if not text:
        return None
    found = _NUMBER.fullmatch(text.replace(",", ""))
    if found is None or Decimal(found[2]) > _LARGEST[name]:
        raise Malformed(f"{_NAMES[name]}: a number up to {_LARGEST[name]:,} is expected, or a bound such as <20.")
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
