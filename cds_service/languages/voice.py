"""A sentence, or a whole card of sentences, in; the same told in one language out, and nothing half in another."""

from typing import Any

from cds_service.languages.catalogue import Catalogue
from hooks.sentences import FIGURE, Part, Sentence, capital, say, say_n, small

_BEGUN = {"capital": capital, "small": small}


class Untranslated(Exception):
    """A message has no translation: what it stands on is told whole in English."""


class Voice:
    """One answer's language. `catalogue` None: English, which is the messages themselves."""

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self._catalogue = catalogue
        self.fell_back = False  # whether anything had to be told in English

    @property
    def language(self) -> str:
        """The language asked for, as a tag."""
        return self._catalogue.language if self._catalogue else "en"

    @property
    def spoken(self) -> str:
        """The languages told in, as the header Content-Language lists them."""
        return f"{self.language}, en" if self.fell_back else self.language

    def tell(self, one: Sentence) -> str:
        """The sentence in this language. Raises Untranslated."""
        if self._catalogue is None:
            return str(one)
        if one.context == FIGURE:
            return str(one).translate(self._catalogue.marks)
        text = str(one) if one.is_speechless and not one.parts else self._filled(one, self._catalogue)
        return _BEGUN[one.begins](text) if one.begins else text

    def say(self, message: str, **parts: Part) -> str:
        """For the template of a page, under the name `say`; what has no translation is in English there, line by line."""
        return self._or_english(say(message, **parts))

    def say_n(self, one: str, many: str, count: int, **parts: Part) -> str:
        """Likewise, under the name `say_n`: the one message for a single thing, the other for any other number of them."""
        return self._or_english(say_n(one, many, count, **parts))

    def told(self, node: Any) -> Any:
        """The same value with every sentence in it as plain text in this language. Raises Untranslated."""
        if isinstance(node, Sentence):
            return self.tell(node)
        if isinstance(node, dict):
            return {key: self.told(one) for key, one in node.items()}
        return [self.told(one) for one in node] if isinstance(node, list | tuple) else node

    def _or_english(self, said: Sentence) -> str:
        try:
            return self.tell(said)
        except Untranslated:
            return str(said)

    def _filled(self, one: Sentence, catalogue: Catalogue) -> str:
        message = one.message if one.is_speechless else _translated(one, catalogue)
        return (
            message.format_map({name: self._part(part) for name, part in one.parts.items()}) if one.parts else message
        )

    def _part(self, part: Part) -> str:
        if isinstance(part, Sentence):
            return self.tell(part)
        if isinstance(part, int):
            return str(part)
        raise Untranslated(part)  # a bare text would be left in English


def _translated(one: Sentence, catalogue: Catalogue) -> str:
    forms = catalogue.messages.get((one.context, one.message), ())
    place = catalogue.form_for(one.how_many) if one.many else 0
    if place >= len(forms) or not forms[place]:
        raise Untranslated(one.message)
    return forms[place]


ENGLISH = Voice()
