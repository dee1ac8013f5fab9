"""What a report is about in; the words for it out, as sentences: English on a terminal, any language on a page; safe to print."""

import unicodedata
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from cds_service.report.asked import Asked, By, Span
from cds_service.report.counts import Counts, Rate
from cds_service.wire.override_reasons import NONE, OVERRIDE_REASONS
from hooks.holding import NO_ROOM, NOT_ASSESSED, QUIET, SHADOW, UNRELATED
from hooks.sentences import Sentence, figure, join, say, term, verbatim
from hooks.wording import MONTH, MONTHS, day, name

FORM: Final = "form"  # context of the words beside the fields of a form
FIELDS: Final = {"from": term(FORM, "From"), "to": term(FORM, "To"), "by": term(FORM, "By")}
REASON: Final[Mapping[str, Sentence]] = {
    **{one.code: one.display for one in OVERRIDE_REASONS},
    NONE: say("Another reason, or none"),
}
WHY: Final[Mapping[str, Sentence]] = {
    QUIET: say("quiet period"),
    NO_ROOM: say("no room"),
    UNRELATED: say("unrelated orders"),
    SHADOW: say("shadow"),
}
NOTES: Final = (
    say(
        "No feedback: the CDS Hooks standard lets a client report what was accepted or overridden, never what was ignored. "
        "So it means ignored, or seen and acted on elsewhere, or never displayed."
    ),
    say(
        "Shown counts a card once for each rule on it. Accepted and overridden count the newest outcome of a card, "
        "on the day the card was shown."
    ),
    say("Ordered afterwards: no feedback came, and what the card suggested was among orders signed within 30 days."),
    say(
        "Repeats: the same advice, on the same facts about the same patient, shown again on a later day within 30 days."
    ),
    say(
        "Held, silent and not assessed are counted for each answer, the same patient each time. Held means: quiet period, after "
        "an override or while an ordered test is waited for; no room, other cards were more urgent; unrelated orders, the orders "
        "being signed have nothing to do with it; shadow, the site looks on first."
    ),
    say(
        "Feedback on cards nobody here showed is not among the figures of the rules. What is older than {setting} is deleted.",
        setting=verbatim("CDS_RETENTION_DAYS"),
    ),
    say(
        "Days are days in UTC; weeks begin on Monday. The first and the last week or month may be cut short. "
        "Small numbers stand as they are: this report is for the site itself, not for publication."
    ),
)
COMMENTS_MAY_NAME: Final = (
    "These are clinicians' own words. They may name a patient: handle them as you would a chart, and pass none on."
)
Drawn = Literal["shown", "accepted", "overridden"]  # over time
_OFF: Final = say("(switched off)")
_UNSEEN: Final = ("C", "Zl", "Zp")  # controls, formats such as turned writing, surrogates, what is no character


class Division(NamedTuple):
    """How days are divided: its name in the form, over a column, of the figures, of the table to download."""

    name: Sentence
    head: Sentence
    figures: Sentence
    table: Sentence


DIVISIONS: Final[Mapping[By, Division]] = {
    "day": Division(say("day"), say("Day"), say("Figures by day"), say("CSV by day")),
    "week": Division(say("week"), say("Week"), say("Figures by week"), say("CSV by week")),
    "month": Division(say("month"), say("Month"), say("Figures by month"), say("CSV by month")),
}


def title(rule: str) -> Sentence:
    """A rule as it is spoken of: its id, which is all that is left of one that is no more."""
    return say("“Not assessed” card") if rule == NOT_ASSESSED else verbatim(clean(rule))


def clean(text: str) -> str:
    """Nothing in it moves a cursor, turns the writing or starts a line; what would is spelt out."""
    return "".join(f"\\u{ord(one):04x}" if unicodedata.category(one).startswith(_UNSEEN) else one for one in text)


def number(times: int) -> Sentence:
    """For example 12,345."""
    return figure(f"{times:,}")


def why(held: str) -> Sentence:
    """Why advice was held."""
    return WHY.get(held) or verbatim(clean(held))


def held_by(one: Counts) -> dict[Sentence, int]:
    """How often it was held, by why."""
    return {why(held): times for held, times in one.held.items()}


def wanting(one: Counts) -> dict[Sentence, int]:
    """How often it was not assessed, by what was wanting; several may be at once."""
    off = {_OFF: one.switched_off} if one.switched_off else {}
    return {_datum(datum): times for datum, times in one.lacked.items()} | off


def not_said(one: Counts) -> list[Sentence]:
    """Why advice was held or not assessed, and how often; for example quiet period 5."""
    held = [say("{why} {times}", why=reason, times=number(times)) for reason, times in held_by(one).items()]
    lacked = [
        say("{why} {times}", why=what, times=number(times))
        if what == _OFF
        else say("no {datum} {times}", datum=what, times=number(times))
        for what, times in wanting(one).items()
    ]
    return held + lacked


def _datum(datum: str) -> Sentence:
    """A name of the catalogue, unless nobody here wrote it."""
    return name(datum) if clean(datum) == datum else verbatim(clean(name(datum)))


def percent(rate: Rate) -> Sentence:
    """For example 40%; a dash where there is nothing to divide by."""
    return say("–") if rate.share is None else say("{number}%", number=figure(f"{100 * rate.share:.0f}"))


def of(rate: Rate) -> Sentence:
    """For example 40% (2 of 5)."""
    return say("{share} ({number} of {of})", share=percent(rate), number=number(rate.number), of=number(rate.of))


def each(repeats: float | None) -> Sentence:
    """For example 0.60; a dash where there is nobody."""
    return say("–") if repeats is None else figure(f"{repeats:.2f}")


def period(days: Span) -> Sentence:
    """For example 1 Nov 2026 to 30 Nov 2026."""
    if days.first == days.last:
        return day(days.first)
    return say("{first} to {last}", first=day(days.first), last=day(days.last))


def span(one: Span, by: By | None) -> Sentence:
    """For example 2 Nov 2026, Week of 2 Nov 2026, Nov 2026."""
    match by:
        case "day":
            return day(one.first)
        case "week":
            return say("Week of {day}", day=day(one.first))
        case "month":
            return say("{month} {year}", month=term(MONTH, MONTHS[one.first.month - 1]), year=one.first.year)
    return period(one)


def begins(one: Span, by: By | None) -> Sentence:
    """The same for a place where there is less room: a week by its first day."""
    return day(one.first) if by == "week" else span(one, by)


def over_time(what: Drawn, times: int, most: int, when: Sentence) -> Sentence:
    """How often in all, and where that was most; for example accepted 2, most in Nov 2026: 2."""
    if not times:
        return {"shown": say("Shown 0"), "accepted": say("accepted 0"), "overridden": say("overridden 0")}[what]
    figures = {"number": number(times), "when": when, "most": number(most)}
    match what:
        case "shown":
            return say("Shown {number}, most in {when}: {most}", **figures)
        case "accepted":
            return say("accepted {number}, most in {when}: {most}", **figures)
    return say("overridden {number}, most in {when}: {most}", **figures)


def about(asked: Asked) -> Sentence:
    """For example 1 Nov 2026 to 30 Nov 2026; rule art-start."""
    return join("; ", [period(asked.days), *(_alone(what, clean(one)) for what, one in asked.filters().items())])


def _alone(what: str, named: str) -> Sentence:
    match what:
        case "issuer":
            return say("issuer {name}", name=verbatim(named))
        case "service":
            return say("service {name}", name=verbatim(named))
    return say("rule {name}", name=verbatim(named))
