"""The fields of a form in, what might be otherwise in a chart out; what makes no sense is refused with a sentence."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from cds_service.errors import Malformed
from cds_service.workbench.choices import ALLERGIES, NEW, Choices, of_key
from cds_service.workbench.typed import Tell, Value, day, number, says_none, value
from hooks.sentences import Sentence, say

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


def read_what_if(form: Mapping[str, str], choices: Choices, tell: Tell = str) -> WhatIf:
    """`tell`: in the language of the page, whose words are understood. Raises Malformed, naming the field."""
    said = {name: form.get(name, "").strip() for name in FIELDS}
    for name, words, known in _chosen(choices):
        if said[name] and said[name] not in known:
            raise Malformed(say("{what} is none of those that can be chosen.", what=words))
    for name, needed, words in _TOGETHER:
        if said[name] and not any(said[one] for one in needed):
            raise Malformed(words)
    days = {name: day(words, said[name]) for name, words in _DAYS.items()}
    return WhatIf(
        cd4=number("cd4-count", said["cd4"], words=False) if said["cd4"] else None,
        load=number("viral-load", said["load"], words=False) if said["load"] else None,
        measured=days["measured"],
        results=tuple(_results(said, tell)),
        add=said["add"],
        since=days["since"],
        remove=said["remove"],
        until=days["until"],
        order=said["order"],
        problem=said["problem"],
        onset=days["onset"],
        allergen=said["allergen"],
        allergy=said["allergy"],
        on=days["on"],
        profile=said["profile"],
    )


def _chosen(choices: Choices) -> Iterator[tuple[str, Sentence, Container[str]]]:
    """Of each field that is chosen: its name, what it is, and all that it can be."""
    yield "add", say("The drug to add"), choices.drugs
    yield "remove", say("The drug to take away"), choices.drugs
    yield "order", say("The drug to order"), choices.drugs
    yield "problem", say("The diagnosis"), choices.problems
    yield "allergen", say("The allergen"), choices.allergens
    yield "allergy", say("The allergy"), ALLERGIES
    yield "profile", say("The guideline"), choices.profiles


_DAYS = {
    "measured": say("The day of the results"),
    "since": say("The day since when the drug is taken"),
    "until": say("The day until when the drug was taken"),
    "onset": say("The day since when the diagnosis is known"),
    "on": say("The day of the evaluation"),
}
_TOGETHER = (
    (
        "measured",
        ("cd4", "load"),
        say("A day of results was given, but neither a CD4 count nor a viral load of that day."),
    ),
    ("since", ("add",), say("A day since when a drug is taken was given, but no drug that is taken besides.")),
    ("until", ("remove",), say("A day until when a drug was taken was given, but no drug that is not taken.")),
    ("onset", ("problem",), say("A day of a diagnosis was given, but no diagnosis.")),
    ("allergen", ("allergy",), say("An allergen was chosen, but not what the allergy to it is like.")),
)


def _results(said: Mapping[str, str], tell: Tell) -> Iterator[ResultChange]:
    for row in ROWS:
        key, text, when = (said[f"{name}{row}"] for name in ("result", "value", "day"))
        if not key and (text or when):
            raise Malformed(say("A value or a day was given, but not of which result."))
        if key and not text and not when:
            raise Malformed(say("A result was chosen, but neither another value nor another day given."))
        if key:
            yield _result(key, text, day(say("The day of the result"), when), tell)


def _result(key: str, text: str, when: date | None, tell: Tell) -> ResultChange:
    new = key.startswith(NEW)
    if not new and says_none(text, tell):
        return ResultChange(key, None, when, gone=True)
    if new and not text:
        raise Malformed(say("A new result needs its value."))
    return ResultChange(key, value(of_key(key), text, tell) if text else None, when)
