"""What somebody pasted in, the request that it is, or that can be made of it, out; else a sentence."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from cds_service.errors import Malformed
from cds_service.wire.envelope import members_of
from hooks.sentences import say

Request = dict[str, Any]
_KEYS = {
    "Observation": "labs",
    "Condition": "conditions",
    "AllergyIntolerance": "allergies",
    "MedicationRequest": "medications",
    "Medication": "medications",
    "MedicationStatement": "medicationStatements",
    "ServiceRequest": "orders",
}
_ASKED = ("cd4", "viralLoads", *dict.fromkeys(_KEYS.values()))
_DRAFTED = ("MedicationRequest", "ServiceRequest")
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Played:
    """A demo patient at one moment: the key and label by which it is chosen, and the request."""

    key: str
    label: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pasted:
    """A request, and its bytes."""

    request: Request
    body: bytes


def encoded(request: Mapping[str, Any]) -> bytes:
    """The request as it is sent; numbers as they came. Raises Malformed."""
    try:
        return _encoder.encode(request)
    except (ValueError, OverflowError):  # half a surrogate pair, a number of more than 64 bits
        raise Malformed(say("It holds a number or a character that cannot be written again.")) from None


def played(one: Played) -> Pasted:
    """The request of a demo patient."""
    return Pasted(dict(one.request), encoded(one.request))


def pasted(text: str) -> Pasted:
    """A captured request as it is, a Bundle as the patient's whole chart. Raises Malformed."""
    body = text.encode("utf-8", "replace")
    members_of(body)
    try:
        found: Request = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise Malformed(say("It holds a number or a depth that is not read here.")) from None
    if found.get("resourceType") == "Bundle":
        made = _of_chart(found)
        return Pasted(made, encoded(made))
    if "hook" not in found:
        raise Malformed(say("This is neither a CDS Hooks request, which names its hook, nor a Bundle."))
    return Pasted(found, body)


def own_day(request: Mapping[str, Any]) -> date | None:
    """The day a fixture is written for; None where it does not say."""
    try:
        return date.fromisoformat(request["extension"]["org.immune-status-cds.fixture"]["asOf"])
    except (ValueError, KeyError, TypeError):
        return None


def _of_chart(bundle: Mapping[str, Any]) -> Request:
    """What it does not hold, the patient does not have. With drafts in it they are about to be signed."""
    entries = bundle.get("entry")
    held = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    whole = [one for one in held if isinstance(one.get("resource"), dict)]
    patients = [one["resource"] for one in whole if one["resource"].get("resourceType") == "Patient"]
    if len(patients) != 1 or not isinstance(patients[0].get("id"), str):
        raise Malformed(say("A Bundle must hold exactly one Patient, with its id: the one whose chart it is."))
    drafts = [one for one in whole if _is_draft(one["resource"])]
    context: dict[str, Any] = {"userId": "Practitioner/workbench", "patientId": patients[0]["id"]}
    if drafts:
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": drafts}
    return {
        "hook": "order-sign" if drafts else "patient-view",
        "hookInstance": str(uuid5(NAMESPACE_URL, "urn:workbench")),
        "context": context,
        "prefetch": {"patient": patients[0]} | _by_key(one for one in whole if one not in drafts),
    }


def _is_draft(resource: Mapping[str, Any]) -> bool:
    return resource.get("resourceType") in _DRAFTED and resource.get("status") == "draft"


def _by_key(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    found: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in entries:
        key = _KEYS.get(str(one["resource"].get("resourceType")))
        if key:
            found[key].append(one)
    return {
        key: {"resourceType": "Bundle", "type": "searchset", "entry": found[key]} if key in found else None
        for key in _ASKED
    }
