"""A message with its parts in; out comes a sentence: the English text, which remembers what it was made of.

Whoever wants it in another language finds the message in a catalogue and fills in the parts, each told likewise. No
language but English is known here.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal, TypeVar

VERBATIM, FIGURE = "verbatim", "figure"  # contexts of what no catalogue holds: names and codes; numerals
Beginning = Literal["", "capital", "small"]
_PART = re.compile(r"\{\w+\}")


class Sentence(str):
    """An English text that can be told otherwise. It compares, sorts and prints as the text it is.

    `message`: the text with its parts named in braces. `context`: what kind of word it is, where it is one of a list.
    `many`: the message for another number than one. `begins`: with a capital or a small letter, whatever the message does.
    """

    __slots__ = ("begins", "context", "how_many", "many", "message", "parts")
    message: str
    parts: "Mapping[str, Part]"
    context: str
    many: str
    how_many: int
    begins: Beginning

    @property
    def is_speechless(self) -> bool:
        """Whether the message has no letter of its own, so that it is the same in every language."""
        return self.context == VERBATIM or _has_no_letter(self.message)


Part = Sentence | int
NO_PARTS: Mapping[str, Part] = {}


def say(message: str, **parts: Part) -> Sentence:
    """The message, with its parts in their places. The messages of the catalogue are those that stand in such calls."""
    return _sentence(message.format_map(parts) if parts else message, message, parts)


def say_n(one: str, many: str, count: int, **parts: Part) -> Sentence:
    """The one message for a single thing, the other for any other number of them; `{count}` is the number."""
    counted: dict[str, Part] = {"count": count, **parts}
    return _sentence((one if count == 1 else many).format_map(counted), one, counted, many=many, how_many=count)


def term(context: str, text: str) -> Sentence:
    """A word of the knowledge, or of another closed list: the catalogue holds it under its context."""
    return _sentence(text, text, NO_PARTS, context=context)


def verbatim(text: object) -> Sentence:
    """What is the same in every language: a code, a grade, a year, the title of a text."""
    return _sentence(str(text), str(text), NO_PARTS, context=VERBATIM)


def figure(text: str) -> Sentence:
    """A numeral as it is written in English, 1,234.5: languages differ in their marks."""
    return _sentence(text, text, NO_PARTS, context=FIGURE)


def join(mark: str, sentences: Sequence[Sentence]) -> Sentence:
    """One after the other, with the mark between them; what is empty is left out."""
    said = [one for one in sentences if one]
    return say(mark.join(f"{{part{place}}}" for place in range(len(said))), **_numbered(said)) if said else NOTHING


def together(sentences: Sequence[Sentence]) -> Sentence:
    """a, b and c."""
    if len(sentences) < 2:
        return sentences[0] if sentences else NOTHING
    return say("{first} and {last}", first=join(", ", sentences[:-1]), last=sentences[-1])


def capital(sentence: "Spoken") -> "Spoken":
    """The sentence with a capital first letter."""
    text = sentence[:1].upper() + sentence[1:]
    if not isinstance(sentence, Sentence):
        return text
    return _begun(sentence, text, "capital")


def small(sentence: "Spoken") -> "Spoken":
    """The sentence with a small first letter."""
    text = sentence[:1].lower() + sentence[1:]
    if not isinstance(sentence, Sentence):
        return text
    return _begun(sentence, text, "small")


Spoken = TypeVar("Spoken", str, Sentence)


def _begun(sentence: Sentence, text: str, begins: Beginning) -> Sentence:
    made = _sentence(text, sentence.message, sentence.parts, context=sentence.context)
    made.many, made.how_many = sentence.many, sentence.how_many
    made.begins = begins
    return made


def _sentence(
    text: str, message: str, parts: Mapping[str, Part], *, context: str = "", many: str = "", how_many: int = 1
) -> Sentence:
    made = Sentence(text)
    made.message, made.parts, made.context = message, parts, context
    made.many, made.how_many, made.begins = many, how_many, ""
    return made


def _numbered(sentences: Sequence[Sentence]) -> dict[str, Part]:
    return {f"part{place}": one for place, one in enumerate(sentences)}


@cache
def _has_no_letter(message: str) -> bool:
    return not any(sign.isalpha() for sign in _PART.sub("", message))


NOTHING = _sentence("", "", NO_PARTS)
