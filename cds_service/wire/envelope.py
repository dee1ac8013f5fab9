"""The bytes of a request in, a checked HookRequest out; what is wrong is refused with its field named and nothing echoed."""

import re
from typing import Any

import msgspec
from msgspec import Raw

from cds_service.errors import Contradiction, Malformed
from cds_service.wire.request import Authorization, HookRequest
from cds_service.wire.strict_json import json_fault
from cds_service.wire.validation import first_fault
from hooks.assess import Service

_OPTIONAL = ("fhirServer", "fhirAuthorization", "prefetch", "extension")  # null stands for absent
_REQUIRED = ("patientId", "draftOrders")  # null is no value for these
_OUTLINED = ("draftOrders", "selections")  # only their type matters to the envelope
_PATIENT_ID = re.compile(r"(?:Patient/)?([A-Za-z0-9\-._]{1,64})")
_LAYMAN = re.compile(r"(?:.*/)?(?:Patient|RelatedPerson)/[^/]*")
_members = msgspec.json.Decoder(dict[str, Raw])


def read_envelope(body: bytes, service: Service) -> HookRequest:
    """Raises Malformed (400), then Contradiction (422): another service's hook, another patient's authorization, a lay user."""
    members = members_of(body)
    context = _object(members.get("context"))
    fault = first_fault("order-request" if service.at_order else "request", _outline(members, context))
    if fault:
        raise Malformed(f"The request is not a CDS Hooks request: {fault}")
    request = _hook_request(members, context, service)
    if request.hook != service.hook:
        raise Contradiction(f"This service answers the hook {service.hook}. Call the service of the hook that fired.")
    lent = request.authorization.patient if request.authorization else None
    if lent is not None and _patient_id(lent) != request.patient_id:
        raise Contradiction("fhirAuthorization is for another patient than the context.")
    if _LAYMAN.fullmatch(request.user_id or ""):
        raise Contradiction(
            "This service advises health care professionals; context.userId is a patient or a relative."
        )
    return request


def members_of(body: bytes) -> dict[str, Raw]:
    """The members of the JSON object that the body must be. Raises Malformed."""
    if not body.strip():
        raise Malformed("The body is empty; a JSON object is expected.")
    fault = json_fault(body)
    if fault:
        raise Malformed(f"The body is not JSON that can be read: {fault}.")
    try:
        return _members.decode(body)
    except msgspec.ValidationError:
        raise Malformed("The body is not a JSON object.") from None


def _object(raw: Raw | None) -> dict[str, Raw]:
    try:
        return _members.decode(raw) if raw is not None else {}
    except msgspec.ValidationError:
        return {}


def _outline(members: dict[str, Raw], context: dict[str, Raw]) -> dict[str, Any]:
    """The envelope as the schema sees it: small members whole, large ones by their type alone."""
    found: dict[str, Any] = {}
    for name in ("hook", "hookInstance", *_OPTIONAL):
        if name in members and not (name in _OPTIONAL and bytes(memoryview(members[name])[:4]) == b"null"):
            found[name] = (
                _type_only(members[name]) if name in ("prefetch", "extension") else msgspec.json.decode(members[name])
            )
    if "context" in members:
        found["context"] = _context(context) if _first(members["context"]) == b"{" else _type_only(members["context"])
    return found


def _context(context: dict[str, Raw]) -> dict[str, Any]:
    read = {
        name: msgspec.json.decode(context[name]) for name in ("patientId", "userId", "encounterId") if name in context
    }
    outlined = {name: _type_only(context[name]) for name in _OUTLINED if name in context}
    return {name: value for name, value in (read | outlined).items() if value is not None or name in _REQUIRED}


def _type_only(raw: Raw) -> Any:
    """An empty object or array in place of a large one; anything else is small enough to be itself."""
    first = _first(raw)
    return {} if first == b"{" else [] if first == b"[" else msgspec.json.decode(raw)


def _first(raw: Raw) -> bytes:
    return bytes(memoryview(raw)[:1])


def _patient_id(text: str) -> str | None:
    found = _PATIENT_ID.fullmatch(text)
    return found[1] if found else None


def _hook_request(members: dict[str, Raw], context: dict[str, Raw], service: Service) -> HookRequest:
    outline = _outline(members, context)
    known = outline["context"]
    patient_id = _patient_id(known["patientId"])
    if patient_id is None:  # a line break at the end, which a schema pattern lets pass
        raise Malformed("The request is not a CDS Hooks request: context.patientId is not a FHIR id.")
    lent = outline.get("fhirAuthorization")
    return HookRequest(
        hook=outline["hook"],
        hook_instance=outline["hookInstance"],
        patient_id=patient_id,
        user_id=known.get("userId"),
        encounter_id=known.get("encounterId"),
        draft_orders=context.get("draftOrders") if service.at_order else None,
        prefetch=_object(members.get("prefetch")),
        fhir_server=outline.get("fhirServer"),
        authorization=Authorization(
            access_token=lent.get("access_token", ""), patient=lent.get("patient"), expires_in=lent.get("expires_in")
        )
        if lent
        else None,
    )
