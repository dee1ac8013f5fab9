"""A moment and how its prefetch is to be sent in; each way to send it, in words and as JSON, goes out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cds_service.simulate.moments import Moment

Mode = Literal["full", "none", "partial", "broken"]
MODES: tuple[Mode, ...] = ("full", "none", "partial", "broken")
_OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception", "diagnostics": "The EHR could not read this."}],
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One way to send it; whole: all that the templates ask for, and right."""

    words: str
    prefetch: Mapping[str, Any] | None
    whole: bool = False


def ways(moment: Moment, mode: Mode, fhir: str) -> Iterator[Sent]:
    """Full and none are one call each; partial and broken one for each key, or for each key and defect. `fhir`: a base address."""
    if mode == "full":
        yield _full(moment)
    elif mode == "none":
        yield Sent("no prefetch", None)
    elif mode == "partial":
        for key in moment.prefetch:
            yield Sent(f"prefetch without {key}", {name: one for name, one in moment.prefetch.items() if name != key})
    else:
        for key in moment.prefetch:
            for words, broken in _defects(moment, key, fhir):
                yield Sent(f"prefetch with {key} {words}", {**moment.prefetch, key: broken})


def _full(moment: Moment) -> Sent:
    count = len(moment.prefetch)
    if not moment.asked:
        return Sent("no prefetch, as none is asked for", None, whole=True)
    if count < moment.asked:
        return Sent(f"{count} of {moment.asked} prefetch keys (these charts do not have the others)", moment.prefetch)
    return Sent(f"prefetch of all {count} keys", moment.prefetch, whole=True)


def _defects(moment: Moment, key: str, fhir: str) -> Iterator[tuple[str, Any]]:
    yield "an OperationOutcome", _OUTCOME
    yield "null", None
    held = moment.prefetch[key]
    entries = held.get("entry") if isinstance(held, dict) else None
    if isinstance(entries, list) and len(entries) > 1:
        yield "cut after its first entry, with a next link", _cut(held, fhir, moment.queries.get(key, ""))


def _cut(bundle: Mapping[str, Any], fhir: str, query: str) -> dict[str, Any]:
    """The rest is on a next page, at the address of the FHIR server that is lent."""
    listed = [one for one in bundle.get("link", []) if isinstance(one, dict) and one.get("relation") != "next"]
    following = {"relation": "next", "url": f"{fhir}/{query or 'Observation?'}&_offset=1"}
    return {**bundle, "entry": bundle["entry"][:1], "link": [*listed, following]}
