"""A finding in; out come the words for what became of its rule, and for why what it would say is held back."""

from collections.abc import Mapping

from hooks.assess import Finding
from hooks.sentences import NOTHING, Sentence, join, say, term

HELD = "held"  # context of terms
_OUTCOMES: Mapping[str, Sentence] = {
    "recommended": say("recommended"),
    "held": say("held"),
    "silent": say("silent"),
    "not-assessed": say("not assessed"),
}
_INDICATORS: Mapping[str, Sentence] = {"critical": say("critical"), "warning": say("warning"), "info": say("info")}


def outcome(word: str) -> Sentence:
    """What became of a rule."""
    return _OUTCOMES[word]


def held(why: str | None) -> Sentence:
    """Why it is held, or was not asked; nothing where it is neither."""
    return term(HELD, why) if why else NOTHING


def in_words(one: Finding) -> Sentence:
    """For example `recommended, warning`."""
    more = _INDICATORS[one.recommendation.indicator] if one.recommendation else held(one.why)
    return join(", ", (outcome(one.outcome), more))
