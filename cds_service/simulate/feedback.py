"""The cards of an answer in; out goes what an EHR says became of them: accepted, or overridden for a reason that they list."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args

Mode = Literal["none", "accept", "override", "both"]
MODES: tuple[Mode, ...] = get_args(Mode)
COMMENT = "Sent by cds-service simulate."


def feedback_on(cards: Iterable[Any], mode: Mode, turn: int) -> list[dict[str, Any]]:
    """An entry for each card that has a uuid; `turn` counts calls, so that reasons and outcomes take turns."""
    known = [one for one in cards if isinstance(one, dict) and isinstance(one.get("uuid"), str)]
    entries = (_entry(card, mode, turn + place) for place, card in enumerate(known))
    return [one for one in entries if one]


def _entry(card: Mapping[str, Any], mode: Mode, turn: int) -> dict[str, Any] | None:
    chosen = _suggestion(card) if mode == "accept" or (mode == "both" and turn % 2 == 0) else None
    if mode == "none" or (mode == "accept" and chosen is None):
        return None
    said = _accepted(chosen) if chosen else _overridden(card, turn)
    when = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"card": card["uuid"], "outcomeTimestamp": when} | said


def _accepted(suggestion: str) -> dict[str, Any]:
    return {"outcome": "accepted", "acceptedSuggestions": [{"id": suggestion}]}


def _overridden(card: Mapping[str, Any], turn: int) -> dict[str, Any]:
    given: dict[str, Any] = {"userComment": COMMENT}
    reasons = [one for one in card.get("overrideReasons") or () if isinstance(one, dict) and "code" in one]
    if reasons:
        reason = reasons[turn % len(reasons)]
        given["reason"] = {name: reason[name] for name in ("code", "system") if name in reason}
    return {"outcome": "overridden", "overrideReason": given}


def _suggestion(card: Mapping[str, Any]) -> str | None:
    """The recommended one, else the first, of those that can be named."""
    listed = card.get("suggestions")
    named = [
        one
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and isinstance(one.get("uuid"), str)
    ]
    named.sort(key=lambda one: one.get("isRecommended") is not True)
    return str(named[0]["uuid"]) if named else None
