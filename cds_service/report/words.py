"""What a report is about in; the words for it out, the same on a terminal and on a page, and safe to print whoever wrote them."""

import unicodedata
from typing import Final

from cds_service.report.asked import Asked, By, Span
from cds_service.report.counts import Counts, Rate
from cds_service.wire.override_reasons import NONE, OVERRIDE_REASONS
from hooks.holding import NO_ROOM, NOT_ASSESSED, QUIET, SHADOW, UNRELATED
from hooks.wording import day, name

REASON: Final = {one.code: one.display for one in OVERRIDE_REASONS} | {NONE: "Another reason, or none"}
WHY: Final = {QUIET: "quiet period", NO_ROOM: "no room", UNRELATED: "unrelated orders", SHADOW: "shadow"}
NOTES: Final = (
    "No feedback: the CDS Hooks standard lets a client report what was accepted or overridden, never what was ignored. "
    "So it means ignored, or seen and acted on elsewhere, or never displayed.",
    "Shown counts a card once for each rule on it. Accepted and overridden count the newest outcome of a card, "
    "on the day the card was shown.",
    "Ordered afterwards: no feedback came, and what the card suggested was among orders signed within 30 days.",
    "Repeats: the same advice, on the same facts about the same patient, shown again on a later day within 30 days.",
    "Held, silent and not assessed are counted for each answer, the same patient each time. Held means: quiet period, after an "
    "override or while an ordered test is waited for; no room, other cards were more urgent; unrelated orders, the orders being "
    "signed have nothing to do with it; shadow, the site looks on first.",
    "Feedback on cards nobody here showed is not among the figures of the rules. "
    "What is older than CDS_RETENTION_DAYS is deleted.",
    "Days are days in UTC; weeks begin on Monday. The first and the last week or month may be cut short. "
    "Small numbers stand as they are: this report is for the site itself, not for publication.",
)
COMMENTS_MAY_NAME: Final = (
    "These are clinicians' own words. They may name a patient: handle them as you would a chart, and pass none on."
)
_UNSEEN: Final = ("C", "Zl", "Zp")  # controls, formats such as turned writing, surrogates, what is no character


def title(rule: str) -> str:
    """A rule as it is spoken of: its id, which is all that is left of one that is no more."""
    return "“Not assessed” card" if rule == NOT_ASSESSED else clean(rule)


def clean(text: str) -> str:
    """Nothing in it moves a cursor, turns the writing or starts a line; what would is spelt out."""
    return "".join(f"\\u{ord(one):04x}" if unicodedata.category(one).startswith(_UNSEEN) else one for one in text)


def why(held: str) -> str:
    """Why advice was held."""
    return WHY.get(held, clean(held))


def held_by(one: Counts) -> dict[str, int]:
    """How often it was held, by why."""
    return {why(held): times for held, times in one.held.items()}


def wanting(one: Counts) -> dict[str, int]:
    """How often it was not assessed, by what was wanting; several may be at once."""
    off = {"(switched off)": one.switched_off} if one.switched_off else {}
    return {clean(name(datum)): times for datum, times in one.lacked.items()} | off


def not_said(one: Counts) -> list[str]:
    """Why advice was held or not assessed, and how often; for example quiet period 5."""
    wanted = {f"no {datum}" if datum[0] != "(" else datum: times for datum, times in wanting(one).items()}
    return [f"{reason} {times:,}" for reason, times in (held_by(one) | wanted).items()]


def percent(rate: Rate) -> str:
    """For example 40%; a dash where there is nothing to divide by."""
    return "–" if rate.share is None else f"{100 * rate.share:.0f}%"


def of(rate: Rate) -> str:
    """For example 40% (2 of 5)."""
    return f"{percent(rate)} ({rate.number:,} of {rate.of:,})"


def period(days: Span) -> str:
    """For example 1 Nov 2026 to 30 Nov 2026."""
    return day(days.first) if days.first == days.last else f"{day(days.first)} to {day(days.last)}"


def span(one: Span, by: By | None) -> str:
    """For example 2 Nov 2026, Week of 2 Nov 2026, Nov 2026."""
    if by is None:
        return period(one)
    first = day(one.first)
    return {"day": first, "week": f"Week of {first}", "month": first.partition(" ")[2]}[by]


def begins(one: Span, by: By | None) -> str:
    """The same for a place where there is less room: a week by its first day."""
    return day(one.first) if by == "week" else span(one, by)


def about(asked: Asked) -> str:
    """For example 1 Nov 2026 to 30 Nov 2026; rule art-start."""
    return "; ".join([period(asked.days), *(f"{name} {clean(value)}" for name, value in asked.filters().items())])
