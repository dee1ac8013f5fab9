"""What somebody typed into a field in, the value or the day that it means out; what makes no sense is refused with a sentence."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from cds_service.errors import Malformed
from cds_service.workbench.choices import CHOICE, said_by
from hooks.sentences import Sentence, figure, join, say, term, verbatim

Bound = Literal["", "<", ">"]
Tell = Callable[[Sentence], str]
NONE = "none"
BOUND = verbatim("<20")  # an example of one
# Thousands set apart by commas or spaces, or not at all; what follows the last mark in less than three digits are decimals.
_NUMBER = re.compile(
    r"(<|>)? ?(?:(\d{1,9}|[1-9]\d{0,2}(?:[ \xa0\u202f]\d{3})+)(?:[.,](\d{1,2}))?|([1-9]\d{0,2}(?:,\d{3})+)(?:\.(\d{1,2}))?)"
)
_LARGEST = {"cd4-count": 5000, "cd4-percent": 100, "viral-load": 100_000_000}
_NAMES = {
    "cd4-count": say("The CD4 count"),
    "cd4-percent": say("The CD4 percentage"),
    "viral-load": say("The viral load"),
}


TAKES_AWAY = term(CHOICE, NONE)
WORDS = ("not detected", "positive", "negative", "deficient", "normal")  # that any result can be


@dataclass(frozen=True, slots=True)
class Value:
    """A result: a number, or a bound; or a word."""

    bound: Bound = ""
    number: Decimal | None = None
    word: str = ""


def plain(text: str) -> str:
    """Without capitals and accents: by this words are found and sorted."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def says_none(text: str, tell: Tell) -> bool:
    """Whether it says that there is no such result, in English or in the language of the page."""
    return bool(_ours(text, [NONE], tell))


def value(measure: str, text: str, tell: Tell) -> Value:
    """A number, a bound, or a word that such a result can be, in English or in the language of the page. Raises Malformed."""
    words = said_by(measure)
    if word := _ours(text, words, tell):
        return Value(word=word)
    if measure in _LARGEST:
        return number(measure, text)
    raise Malformed(say("The result is none that this test can have: {words}.", words=_listed(words)))


def number(measure: str, text: str, *, words: bool = True) -> Value:
    """A number, or a bound. `words`: whether the field takes words as well. Raises Malformed."""
    found = _NUMBER.fullmatch(text)
    digits = _digits(found) if found else Decimal("Infinity")
    if found is None or digits > _LARGEST[measure]:
        raise Malformed(_expected(measure, said_by(measure) if words else ()))
    bound: Bound = "<" if found[1] == "<" else ">" if found[1] == ">" else ""
    return Value(bound, digits)


def day(words: Sentence, text: str) -> date | None:
    """`words`: what day it is. Raises Malformed."""
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 1900 <= found.year <= 2199:
        raise Malformed(say("{what}: a day is expected, such as 2026-11-20.", what=words))
    return found


def _digits(found: re.Match[str]) -> Decimal:
    whole, decimals = re.sub(r"\D", "", found[2] or found[4]), found[3] or found[5]
    return Decimal(f"{whole}.{decimals}" if decimals else whole)


def _ours(text: str, words: Iterable[str], tell: Tell) -> str:
    """The word that it is; empty where it is none of them."""
    return next((one for one in words if plain(text) in (plain(one), plain(tell(term(CHOICE, one))))), "")


def _expected(measure: str, words: tuple[str, ...]) -> Sentence:
    what, most = _NAMES[measure], figure(f"{_LARGEST[measure]:,}")
    if not words:
        return say(
            "{what}: a number up to {most} is expected, or a bound such as {bound}.", what=what, most=most, bound=BOUND
        )
    return say(
        "{what}: a number up to {most} is expected, or a bound such as {bound}, or {words}.",
        what=what,
        most=most,
        bound=BOUND,
        words=_listed(words),
    )


def _listed(words: Iterable[str]) -> Sentence:
    return join(", ", [term(CHOICE, one) for one in words])


TYPED = _listed(WORDS)
