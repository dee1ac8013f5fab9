"""The rules that gaps keep from being assessed in; the one card that says so out: which advice, which datum, why."""

from cds_service.languages import Voice
from cds_service.wire.lines import TOPIC, Card, Detail, bullets, fits, stop
from cds_service.wire.override_reasons import CODINGS
from hooks.assess import Finding
from hooks.sentences import Sentence, capital, join, say
from hooks.trace import gap_in_words
from hooks.wording import name


def not_assessed(hidden: tuple[Finding, ...], uuid: str, voice: Voice) -> Card:
    """The one card that says which advice could not be assessed, for want of which datum, and why."""
    gaps = {gap.datum: gap.why for finding in hidden for gap in finding.gaps if not gap.foreseen}
    advice = join("; ", [finding.rule.title for finding in hidden])
    reasons = [stop(capital(gap_in_words(datum, why))) for datum, why in gaps.items()]
    parts = (
        say("This advice could not be assessed: {advice}.", advice=advice),
        say("What is in the way:"),
        bullets(reasons),
        say("That no advice is shown does not mean that nothing is due: check the chart."),
    )
    return {
        "uuid": uuid,
        "summary": _gap_summary(hidden, len(gaps), voice),
        "detail": Detail(paragraphs=parts),
        "indicator": "info",
        "source": {
            "label": say("HIV immune-status CDS service"),
            "topic": {"system": TOPIC, "code": "NotAssessed", "display": say("Not assessed")},
        },
        "overrideReasons": CODINGS,
    }


def _gap_summary(hidden: tuple[Finding, ...], in_all: int, voice: Voice) -> Sentence:
    """The first advice and its reason, as much of it as fits the line; how many more there are, and how many more reasons."""
    named = [one for one in hidden if one.rule.id != "scope"] or [*hidden]
    first = next(gap for gap in named[0].gaps if not gap.foreseen)
    advice = named[0].rule.title
    if len(named) > 1:
        advice = say("{advice} and {count} more", advice=advice, count=len(named) - 1)
    longest = lacking(advice, capital(gap_in_words(first.datum, first.why)), in_all)
    if fits(longest, voice):
        return longest
    return lacking(advice, say("{datum} cannot be used", datum=capital(name(first.datum))), in_all)


def lacking(advice: Sentence, reason: Sentence, in_all: int) -> Sentence:
    """The summary; `in_all`: how many reasons there are."""
    if in_all > 1:
        more = in_all - 1
        return say("Not assessed: {advice}. {reason} (and {count} more)", advice=advice, reason=reason, count=more)
    return say("Not assessed: {advice}. {reason}", advice=advice, reason=reason)
