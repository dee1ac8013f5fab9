"""A threshold, a source or a sentence of a rule in; out come the words that the page for people writes for it."""

import re

from hooks.knowledge import Source, Threshold
from hooks.wording import day, name, number

_UNITS = {"/uL": "/µL", "%": "%", "1": "", "d": " days", "a": " years", "{log_copies}/mL": " log10 copies/mL"}
SWITCHES = {
    "cotrimoxazole": "prophylaxis is named by its drug, co-trimoxazole, which also prevents other infections",
    "cotrimoxazole-for-all": "everyone is offered co-trimoxazole: malaria or severe bacterial infections are common here",
    "preventive-treatment-untested": "preventive treatment of tuberculosis does not wait for a test",
    "preventive-treatment-in-pregnancy": "preventive treatment of tuberculosis is not put off in pregnancy",
}  # where guidelines differ in kind


def limit(one: Threshold) -> str:
    """For example `200/µL`, `100,000 copies/mL`, `180 days`."""
    return f"{number(one.value)}{_UNITS.get(one.unit, f' {one.unit}')}"


def border(one: Threshold) -> str:
    """On which side the number itself lies."""
    return f"{number(one.value)} itself {'counts' if one.inclusive else 'does not count'}"


def written(one: Source) -> str:
    """When the text was written, or that nobody knows and when it was read."""
    return f"undated, read {day(one.date)}" if one.undated else day(one.date)


def when_then(statement: str) -> list[tuple[str, bool]]:
    """The sentence in pieces, each with whether it is one of the two words that it turns on."""
    return [(piece, piece in ("When", "then")) for piece in re.split(r"\b(When|then)\b", statement) if piece]


def lacking(needs: tuple[str, ...]) -> str:
    """The data that a rule is not assessed without."""
    return ", ".join(map(name, needs))


def purpose(key: str) -> str:
    """What a regimen is against."""
    return {"mac": "MAC", "pneumocystis": "Pneumocystis"}.get(key, key.capitalize())
