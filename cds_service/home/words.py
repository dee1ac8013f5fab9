"""A threshold, a source or a sentence of a rule in; out come the words that the page for people writes for it."""

import re

from hooks.knowledge import Citation, LabTest, Regimen, Source, Threshold
from hooks.rules.agents import AGAINST, PURPOSE
from hooks.sentences import Sentence, capital, join, say, term, verbatim
from hooks.wording import day, in_unit, name, number, regimen_name, test_name
from hooks.wording import grade as graded

PRESET = "preset"  # context of what a preset of the trust file is for, as a term
SWITCHES = {
    "cotrimoxazole": say("prophylaxis is named by its drug, co-trimoxazole, which also prevents other infections"),
    "cotrimoxazole-for-all": say(
        "everyone is offered co-trimoxazole: malaria or severe bacterial infections are common here"
    ),
    "preventive-treatment-untested": say("preventive treatment of tuberculosis does not wait for a test"),
    "preventive-treatment-in-pregnancy": say("preventive treatment of tuberculosis is not put off in pregnancy"),
}  # where guidelines differ in kind


def switch(key: str) -> Sentence:
    """What a guideline goes by, at the beginning of a line."""
    return capital(SWITCHES[key])


def limit(one: Threshold) -> Sentence:
    """For example `200/µL`, `100,000 copies/mL`, `180 days`."""
    return in_unit(number(one.value), one.unit)


def border(one: Threshold) -> Sentence:
    """On which side the number itself lies."""
    value = number(one.value)
    return (
        say("{number} itself counts", number=value)
        if one.inclusive
        else say("{number} itself does not count", number=value)
    )


def grade(one: Citation) -> Sentence:
    """As the authors give it, or that they give none."""
    return join(", ", [graded(one)]) or say("none given")  # as part of a sentence: letters are of no language


def written(one: Source) -> Sentence:
    """When the text was written, or that nobody knows and when it was read."""
    return say("undated, read {day}", day=day(one.date)) if one.undated else day(one.date)


def under(titles: tuple[str, ...]) -> Sentence:
    """The guidelines that have it, where they are not all of them."""
    return join(", ", [verbatim(one) for one in titles]) or say("all")


def when_then(statement: str) -> list[tuple[str, bool]]:
    """The sentence in pieces, each with whether it is one of the two words that it turns on."""
    return [(piece, piece in ("When", "then")) for piece in re.split(r"\b(When|then)\b", statement) if piece]


def lacking(needs: tuple[str, ...]) -> Sentence:
    """The data that a rule is not assessed without."""
    return join(", ", [name(one) for one in needs])


def regions(found: frozenset[str]) -> Sentence:
    """The infections that are endemic at a site."""
    return join(", ", [name(one) for one in sorted(found)])


def purpose(key: str) -> Sentence:
    """What a regimen is against."""
    return capital(term(PURPOSE, AGAINST[key]))


def regimen(one: Regimen) -> Sentence:
    """With its dose, as a card orders it."""
    return regimen_name(one, dosed=True)


def test(one: LabTest) -> Sentence:
    """As a card orders it."""
    return test_name(one)


def preset(about: str) -> Sentence:
    """For which client a preset of the trust file is."""
    return term(PRESET, about)
