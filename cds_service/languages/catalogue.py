"""A file of translations (gettext's .po) in; every message with its translation out, and how the language writes numerals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from gettext import c2py
from importlib.resources import files

from babel import Locale
from babel.messages.pofile import read_po

LANGUAGES = ("en", "pt")  # the first is that of the messages themselves
_MARKS = {"pt": "pt_PT"}  # whose thousands are set apart by a space: a point would be read as a decimal point elsewhere


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language. `messages`: context and message -> its forms, one, or as many as the language has for numbers."""

    language: str
    messages: Mapping[tuple[str, str], tuple[str, ...]]
    form_for: Callable[[int], int]
    marks: Mapping[int, str]  # of numerals, as str.translate wants them


@cache
def load(language: str) -> Catalogue:
    """The catalogue of one of LANGUAGES but English. Raises OSError or ValueError where its file cannot be read."""
    with files(__package__).joinpath(f"{language}.po").open("rb") as file:
        found = read_po(file, abort_invalid=True)
    messages = {
        (one.context or "", one.id[0] if isinstance(one.id, tuple | list) else one.id): _forms(one.string)
        for one in found
        if one.id and not one.fuzzy
    }
    return Catalogue(language, messages, c2py(found.plural_expr), _marks(language))


def _forms(string: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string or ())


def _marks(language: str) -> Mapping[int, str]:
    """1,234.5 as the language writes it; the space is one that no line breaks at."""
    symbols = Locale.parse(_MARKS[language]).number_symbols["latn"]
    return str.maketrans({",": symbols["group"], ".": symbols["decimal"]})
