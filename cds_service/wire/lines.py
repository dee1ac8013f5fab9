"""The lines of a card in, a card that is whole in one language out: what fits a line, what stands in a list."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cds_service.languages import ENGLISH, Untranslated, Voice
from hooks.sentences import Sentence, join, say

LONGEST_SUMMARY = 139  # the specification asks for fewer than 140 characters
TOPIC = "https://immune-status-cds.org/CodeSystem/topic"
Card = dict[str, Any]
_log = logging.getLogger("cds_service.wire")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What a card's detail is made of, in the order it is read: the list stands before the sources."""

    paragraphs: tuple[Sentence, ...]
    listed: tuple[Sentence, ...] = ()
    sources: tuple[Sentence, ...] = ()
    last: tuple[Sentence, ...] = ()

    @property
    def whole(self) -> Sentence:
        """As a card has it: plain Markdown, no tables, no HTML."""
        return join("\n\n", (*self.paragraphs, bullets(self.listed), *self.sources, *self.last))

    def with_lines(self, lines: Sequence[Sentence]) -> "Detail":
        """Those of the lines that it does not have yet are added to the list."""
        said = self.whole
        return replace(self, listed=(*self.listed, *(one for one in lines if f"- {one}" not in said)))


def fits(sentence: Sentence, voice: Voice) -> bool:
    """Whether it can be a summary in this language. Raises Untranslated."""
    return len(voice.tell(sentence)) <= LONGEST_SUMMARY


def bullets(lines: Sequence[Sentence]) -> Sentence:
    """One a line, each with its dash."""
    return join("\n", [say("- {line}", line=line) for line in lines])


def stop(sentence: Sentence) -> Sentence:
    """With a full stop."""
    return say("{sentence}.", sentence=sentence)


def whole(rule: str, make: Callable[[Voice], Card], voice: Voice) -> Card:
    """The card in this language; where one of its messages has no translation, or its summary no room, all of it in English."""
    fault = "TooLong"
    try:
        told: Card = voice.told(make(voice))
        if voice.language == ENGLISH.language or len(told["summary"]) <= LONGEST_SUMMARY:
            return told
    except Untranslated as untranslated:
        fault = type(untranslated).__name__
    voice.fell_back = True
    said = {"event": "card-in-english", "rule": rule, "fault": fault}
    _log.error("the card of %s is told in English, not in %s: %s", rule, voice.language, fault, extra=said)
    card: Card = ENGLISH.told(make(ENGLISH))
    return card
