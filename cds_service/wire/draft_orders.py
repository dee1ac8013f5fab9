"""The reference of a draft order in, the order as the client sent it out: what an action on it has to give back whole."""

from typing import Any

from msgspec import DecodeError, json

from cds_service.wire.request import HookRequest


def draft_order(request: HookRequest, source: str) -> dict[str, Any]:
    """The draft of this reference (Type/id); empty where the session has none of it."""
    try:
        found = json.decode(request.draft_orders) if request.draft_orders is not None else {}
    except DecodeError:  # pragma: no cover  (the envelope has decoded it before)
        return {}
    for one in _resources(found):
        if isinstance(one, dict) and f"{one.get('resourceType')}/{one.get('id')}" == source:
            return one
    return {}


def _resources(found: Any) -> list[Any]:
    """Those of a Bundle, or the single order that older clients send in its place."""
    if not isinstance(found, dict) or found.get("resourceType") != "Bundle":
        return [found]
    entries = found.get("entry")
    return [one.get("resource") for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
