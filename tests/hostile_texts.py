"""A request in; the same with a hostile text in one place, in all of them, or where it had none out."""

from collections.abc import Iterator
from typing import Any

HOSTILE = (
    "ZZCANARY <img src=x onerror=alert(1)> [click](javascript:alert(1)) ![seen](https://beacon.example/p.png) | a | b |"
    "\n\n# Stop all treatment \u202enoitca\u202c \u200b\u2066 d\u0430psone &lt;b&gt; `x` '; DROP--"
)
PIECES = (
    "ZZCANARY",
    "onerror",
    "javascript",
    "beacon",
    "Stop all",
    "\u202e",
    "\u200b",
    "\u2066",
    "d\u0430psone",
    "DROP",
)
MARK = "ZZCANARY-1.x"  # a legal id, code and reference
ADDED: dict[str, Any] = {
    "text": {"status": "generated", "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>{HOSTILE}</div>"},
    "note": [{"text": HOSTILE, "authorString": HOSTILE}],
    "comment": HOSTILE,
    "name": [{"text": HOSTILE, "family": HOSTILE, "given": [HOSTILE]}],
    "title": HOSTILE,
    "description": HOSTILE,
    "patientInstruction": HOSTILE,
    "identifier": [{"system": "urn:x", "value": HOSTILE, "assigner": {"display": HOSTILE}}],
    "extension": [{"url": "https://x.example/e", "valueString": HOSTILE}, {"url": HOSTILE, "valueMarkdown": HOSTILE}],
    "meta": {"source": HOSTILE, "tag": [{"code": HOSTILE, "display": HOSTILE}], "versionId": HOSTILE},
    "contained": [{"resourceType": "Practitioner", "id": "zz", "name": [{"text": HOSTILE}]}],
    "performer": [{"display": HOSTILE}],
    "recorder": {"display": HOSTILE},
    "method": {"text": HOSTILE},
    "bodySite": {"coding": [{"system": HOSTILE, "code": HOSTILE, "display": HOSTILE}]},
    "reasonCode": [{"text": HOSTILE, "coding": [{"system": "http://snomed.info/sct", "code": HOSTILE}]}],
    "interpretation": [{"text": HOSTILE}],
    "referenceRange": [{"text": HOSTILE, "type": {"text": HOSTILE}}],
    "dosageInstruction": [{"text": HOSTILE, "patientInstruction": HOSTILE, "route": {"text": HOSTILE}}],
    "statusReason": {"text": HOSTILE},
    "reaction": [{"description": HOSTILE, "manifestation": [{"text": HOSTILE}], "substance": {"text": HOSTILE}}],
    "stage": [{"summary": {"text": HOSTILE}}],
    "address": [{"text": HOSTILE}],
    "_status": {"extension": [{"url": "https://x.example/e", "valueString": HOSTILE}]},
}
VALUES: dict[str, dict[str, Any]] = {
    "text": {"valueString": HOSTILE},
    "a unit nobody knows": {"valueQuantity": {"value": 120, "unit": HOSTILE, "code": HOSTILE, "system": HOSTILE}},
    "a comparator nobody knows": {"valueQuantity": {"value": 120, "unit": "/uL", "comparator": HOSTILE}},
    "a concept": {"valueCodeableConcept": {"text": HOSTILE, "coding": [{"system": HOSTILE, "code": HOSTILE}]}},
    "a range": {"valueRange": {"low": {"value": 1, "unit": HOSTILE}, "high": {"value": 2, "unit": HOSTILE}}},
    "absent": {"dataAbsentReason": {"text": HOSTILE, "coding": [{"code": HOSTILE}]}},
    "a date": {"effectiveDateTime": HOSTILE},
    "a status": {"status": HOSTILE},
    "components": {"component": [{"code": {"text": HOSTILE}, "valueString": HOSTILE}]},
}
CODES: dict[str, dict[str, Any]] = {
    "text beside the code": {"text": HOSTILE},
    "text alone": {"text": HOSTILE, "coding": []},
    "a system nobody knows": {"coding": [{"system": "https://x.example/codes", "code": MARK, "display": HOSTILE}]},
    "a code nobody knows": {"coding": [{"system": "http://loinc.org", "code": HOSTILE, "display": HOSTILE}]},
}


def strings(node: Any) -> Iterator[str]:
    """Every string at any depth, the names of members too."""
    if isinstance(node, dict):
        for name, one in node.items():
            yield name
            yield from strings(one)
    elif isinstance(node, list):
        for one in node:
            yield from strings(one)
    elif isinstance(node, str):
        yield node


def leaves(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a string stands."""
    if isinstance(node, dict | list):
        for name, one in node.items() if isinstance(node, dict) else enumerate(node):
            yield from leaves(one, (*path, name))
    elif isinstance(node, str):
        yield path


def places(request: dict[str, Any]) -> list[tuple[str | int, ...]]:
    """One string of each kind of place: in a Bundle of twelve results, that of the first and of the last."""
    found: dict[tuple[Any, ...], list[tuple[str | int, ...]]] = {}
    for path in leaves({name: one for name, one in request.items() if name != "extension"}):
        found.setdefault(tuple("*" if isinstance(step, int) else step for step in path), []).append(path)
    return [path for paths in found.values() for path in dict.fromkeys((paths[0], paths[-1]))]


def put(request: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The request with something else in one place; what is not on the way there is shared."""

    def at(node: Any, path: tuple[str | int, ...]) -> Any:
        if not path:
            return value
        copied: Any = node.copy()
        copied[path[0]] = at(node[path[0]], path[1:])
        return copied

    changed: dict[str, Any] = at(request, path)
    return changed


def resources(node: Any) -> Iterator[dict[str, Any]]:
    """Every resource in a request, Bundles apart."""
    if isinstance(node, dict):
        if "resourceType" in node and node["resourceType"] != "Bundle":
            yield node
        for one in node.values():
            yield from resources(one)
    elif isinstance(node, list):
        for one in node:
            yield from resources(one)


def concepts(node: Any) -> Iterator[dict[str, Any]]:
    """Every CodeableConcept in a request."""
    if isinstance(node, dict):
        if isinstance(node.get("coding"), list):
            yield node
        for one in node.values():
            yield from concepts(one)
    elif isinstance(node, list):
        for one in node:
            yield from concepts(one)
