"""A caller and what its request asks for in, the voice of the answer out; and on the answer, which languages it is in."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Response, request
from markupsafe import Markup, escape

from cds_service.access import Issuer
from cds_service.languages import ENGLISH, LANGUAGES, Untranslated, Voice, load
from hooks.sentences import VERBATIM, Sentence, figure, verbatim

_ENGLISH = Markup('<span lang="en">{}</span>')
_PLACE = "\0{}\0"  # of an element in a sentence, while the sentence is told: no text holds this sign


def voice_for(issuer: Issuer | None) -> Voice:
    """In the language of the client's entry; else in that which the request accepts, if we have it; else in English."""
    english = ENGLISH.language
    own = issuer.language if issuer else None
    wanted = own or request.accept_languages.best_match(LANGUAGES, english)
    return Voice(load(wanted)) if wanted and wanted != english else Voice()


def marked(response: Response, voice: Voice) -> Response:
    """The same response, with what tells its language, and that the request decides on it."""
    response.headers["Content-Language"] = voice.spoken
    response.vary.add("Accept-Language")
    return response


def on_a_page(voice: Voice) -> dict[str, Any]:
    """What a template speaks with: `say` and `say_n` for its own messages, `tell` for what it is given, and their parts.

    `english`: the attribute of an element whose whole text stays in English.
    """
    apart = voice.language != ENGLISH.language
    return {
        "say": _with_elements(voice.say),
        "say_n": _with_elements(voice.say_n),
        "tell": _teller(voice),
        "lang": voice.language,
        "english": Markup(' lang="en"') if apart else "",
        "verbatim": verbatim,
        "figure": figure,
    }


def plainly(voice: Voice) -> Callable[[Sentence], str]:
    """For text that cannot be marked, as in a picture: what has no translation is in English."""

    def told(one: Sentence) -> str:
        try:
            return voice.tell(one)
        except Untranslated:
            return str(one)

    return told


def _with_elements(say: Callable[..., str]) -> Callable[..., str]:
    """The same, of which a part may be an element: a link or a code stands where the language wants it in the sentence."""

    def said(*message: Any, **parts: Any) -> str:
        elements = {name: one for name, one in parts.items() if isinstance(one, Markup)}
        if not elements:
            return say(*message, **parts)
        text = escape(say(*message, **parts | {name: verbatim(_PLACE.format(name)) for name in elements}))
        for name, one in elements.items():
            text = text.replace(_PLACE.format(name), one)
        return text

    return said


def _teller(voice: Voice) -> Callable[[str], str]:
    """Sentences in the language of the page; whatever stays in English on a page of another is marked as that."""

    def told(text: str) -> str:
        if voice.language == ENGLISH.language:
            return str(text)
        if isinstance(text, Sentence) and text.context != VERBATIM:
            try:
                return in_english(escape(voice.tell(text)), _titles(text))
            except Untranslated:
                pass
        return _ENGLISH.format(str(text))

    return told


def in_english(said: Markup, titles: Iterable[str]) -> Markup:
    """The same with these titles marked as what they are, English in a text of another language."""
    for one in sorted(set(titles), key=len, reverse=True):
        said = said.replace(escape(one), _ENGLISH.format(one))
    return said


def _titles(one: Sentence) -> Iterator[str]:
    """What stands in a sentence in the words of its authors: more than a name or a code."""
    for part in one.parts.values():
        if isinstance(part, Sentence):
            yield from [str(part)] if part.context == VERBATIM and " " in part else _titles(part)
