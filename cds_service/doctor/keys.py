"""Calls in; of each prefetch template out: honoured, in part, under another key, malformed or missing, and how it looked."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from cds_service.chart.decode import is_null
from cds_service.chart.prefetch import KEYS, keys_in_part
from cds_service.doctor.call import Call
from cds_service.doctor.findings import STATES, KeyReport, KeyState
from cds_service.doctor.shown import clean


def keys(calls: Iterable[Call]) -> tuple[KeyReport, ...]:
    """Every template of ours in its order, then the keys that are none of ours."""
    calls = list(calls)
    found = [_report(key, calls) for key in KEYS]
    others = sorted({key for one in calls for key in one.request.prefetch} - set(KEYS))
    return (*found, *(_other(key, calls) for key in others))


def came(calls: Iterable[Call]) -> frozenset[str]:
    """The templates that at least one call answered, under whatever key."""
    return frozenset(key for one in calls for key in KEYS if state(key, one) not in ("missing", "malformed"))


def state(key: str, call: Call) -> KeyState:
    """What became of a template in one call, as the reader judges it."""
    belongs = {own for _, own in call.belongs}
    partial = keys_in_part(call.supply, call.belongs)
    if key in partial:
        return "partial"
    if key in call.supply.answered or (key in belongs and (key, key) in call.belongs):
        return "honoured"
    if key in belongs:
        return "under another key"
    return "malformed" if key in call.request.prefetch and not is_null(call.request.prefetch[key]) else "missing"


def _report(key: str, calls: list[Call]) -> KeyReport:
    states = Counter(state(key, one) for one in calls)
    notes = Counter(note for one in calls for note in _notes(key, one))
    return KeyReport(
        key=key, states=tuple((one, states[one]) for one in STATES if states[one]), notes=tuple(sorted(notes.items()))
    )


def _other(key: str, calls: list[Call]) -> KeyReport:
    """A key that is none of ours: what it brought of what we ask for, if anything."""
    sent = [one for one in calls if key in one.request.prefetch]
    brought = Counter(
        f"it answers {own}" for one in sent for own in sorted({own for under, own in one.belongs if under == key})
    )
    nothing = sum(not any(under == key for under, _ in one.belongs) for one in sent)
    brought["nothing in it is of use to this service"] += nothing
    seen = Counter(note for one in sent for note in _looks(_prefetch(one).get(key)))
    notes = tuple(sorted((note, times) for note, times in (brought + seen).items() if times))
    return KeyReport(key=clean(key, 40), states=(), notes=notes)


def _notes(key: str, call: Call) -> Iterator[str]:
    under = sorted({clean(one, 40) for one, own in call.belongs if own == key and one != key})
    if under and key not in call.request.prefetch:
        yield f"came under {', '.join(under)}"
    if key in call.request.prefetch:
        yield from _looks(_prefetch(call).get(key))


def _prefetch(call: Call) -> dict[str, Any]:
    found = call.content.get("prefetch") if isinstance(call.content, dict) else None
    return found if isinstance(found, dict) else {}


def _looks(found: Any) -> Iterator[str]:
    """How an answer looks, in words fit for whoever set up the client."""
    if found is None:
        yield "null: asked, and there is none"
    elif not isinstance(found, dict):
        yield "neither an object nor null"
    elif found.get("resourceType") == "Bundle":
        yield from _bundle(found)
    elif found.get("resourceType") == "OperationOutcome":
        yield "an OperationOutcome in the place of an answer"
    elif "resource" in found and "response" in found:
        yield "wrapped in response and resource, as before CDS Hooks 1.0"
    elif "resourceType" not in found:
        yield "no FHIR resource"


def _bundle(found: dict[str, Any]) -> Iterator[str]:
    total, links, entry = found.get("total"), found.get("link"), found.get("entry")
    entries = [one for one in entry if isinstance(one, dict)] if isinstance(entry, list) else []
    kinds = [str(one["resource"].get("resourceType")) for one in entries if isinstance(one.get("resource"), dict)]
    if "type" not in found:
        yield "a Bundle without type"
    if isinstance(links, list) and any(isinstance(one, dict) and one.get("relation") == "next" for one in links):
        yield "it goes on: a next link"
    if type(total) is int and total > len(entries) - kinds.count("OperationOutcome"):
        yield "its total is larger than its entries"
    if not entries:
        yield "an empty Bundle: asked, and there is none"
    elif set(kinds) == {"OperationOutcome"}:
        yield "an empty search with an OperationOutcome as its only entry, as Epic answers"
    elif "OperationOutcome" in kinds:
        yield "an OperationOutcome among its entries"
