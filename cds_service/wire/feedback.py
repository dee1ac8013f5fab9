"""The bytes of a feedback call in, checked entries out: all of them, or a refusal that names the first fault."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from cds_service.errors import Malformed
from cds_service.wire.envelope import members_of
from cds_service.wire.override_reasons import displayed
from cds_service.wire.validation import first_fault

_WORDS = "com.epic.cdshooks.feedback.overrideReason.reasonDisplay"  # one EHR's; more letters may follow


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackEntry:
    """What became of one card."""

    card: str
    outcome: str
    at: datetime  # UTC
    accepted: tuple[str, ...] = ()
    reason_code: str | None = None
    reason_system: str | None = None
    comment: str | None = None


def read_feedback(body: bytes) -> tuple[FeedbackEntry, ...]:
    """Raises Malformed where any entry is wrong: nothing of the call is then kept."""
    members_of(body)
    content = msgspec.json.decode(body)
    fault = first_fault("feedback", content)
    if fault:
        raise Malformed(f"The body is not CDS Hooks feedback: {fault}")
    return tuple(_entry(place, one) for place, one in enumerate(content["feedback"]))


def _entry(place: int, one: dict[str, Any]) -> FeedbackEntry:
    given = one.get("overrideReason") or one.get("overrideReasons") or {}  # one EHR spells it in the plural
    reason = given.get("reason") or {}
    code, system = reason.get("code"), reason.get("system")
    shown = displayed(_words(given, reason)) if code is None else None
    if shown:
        code, system = shown.code, shown.system
    return FeedbackEntry(
        card=one["card"],
        outcome=one["outcome"],
        at=_instant(place, one["outcomeTimestamp"]),
        accepted=tuple(each["id"] for each in one.get("acceptedSuggestions", ())),
        reason_code=code,
        reason_system=system,
        comment=given.get("userComment"),
    )


def _words(given: dict[str, Any], reason: dict[str, Any]) -> str:
    """What the clinician chose, where the client tells only the words: as display, or in an extension of its own."""
    extension = given.get("extension") or {}
    found = (text for name, text in extension.items() if name.startswith(_WORDS) and isinstance(text, str))
    return str(reason.get("display") or next(found, ""))


def _instant(place: int, text: str) -> datetime:
    written = text.upper()  # RFC 3339 allows t and z
    try:
        found = datetime.fromisoformat(written if "T" in written else "")
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # no timestamp, or one that is beyond the calendar in UTC
        raise Malformed(f"feedback.{place}.outcomeTimestamp is not an RFC 3339 timestamp.") from None
