"""A captured call in; out comes the request as the service takes it, or why it is refused and what of it can be looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw

from cds_service.chart.decode import resource
from cds_service.chart.identity import Subject
from cds_service.chart.intake import keys_that_came, subject_of
from cds_service.chart.lab_values import LabReader
from cds_service.chart.prefetch import Received, Supply, unpack, unpack_orders
from cds_service.doctor.captured import Captured
from cds_service.errors import Refusal
from cds_service.wire.envelope import members_of, read_envelope
from cds_service.wire.request import HookRequest
from hooks import SERVICES, Service

_NOBODY = "unknown"
_members = msgspec.json.Decoder(dict[str, Raw])


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, with what came of it. `refused`: what the service answers in place of cards; empty where it answers with them."""

    name: str
    hook: str
    service: Service | None
    request: HookRequest
    now: datetime
    refused: str
    content: Any
    headers: Mapping[str, str]
    supply: Supply
    orders: tuple[Received, ...]
    subject: Subject | None
    received: datetime | None  # when it came in, where that is known
    made: bool  # nobody made this call: its envelope says nothing
    belongs: tuple[tuple[str, str], ...]  # of each resource the key it came under and a key it answers


def read_call(one: Captured, labs: LabReader) -> Call:
    """Nothing in it can raise: what the service refuses is looked at all the same."""
    members = _object(one.body)
    hook = one.content.get("hook") if isinstance(one.content, dict) else None
    service = next((each for each in SERVICES if each.hook == hook), None)
    request, refused = _as_taken(one, members, service)
    supply = unpack(request.prefetch)
    orders = tuple(unpack_orders(request.draft_orders)) if request.draft_orders is not None else ()
    subject = None
    try:
        subject = subject_of(request, [*supply.received, *orders])
    except Refusal as refusal:
        refused = refused or _said(refusal)
    return Call(
        name=one.name,
        hook=hook if isinstance(hook, str) else "",
        service=service,
        request=request,
        now=labs.now,
        refused=refused,
        content=one.content,
        headers=one.headers,
        supply=supply,
        orders=orders,
        subject=subject,
        received=one.received,
        made=one.made,
        belongs=tuple(keys_that_came(supply, labs)),
    )


def _as_taken(one: Captured, members: Mapping[str, Raw], service: Service | None) -> tuple[HookRequest, str]:
    if service is None:
        try:
            members_of(one.body)
        except Refusal as refusal:
            return _anyway(members), _said(refusal)
        return _anyway(members), f"its hook is none of ours, which are {', '.join(each.hook for each in SERVICES)}"
    try:
        return read_envelope(one.body, service), ""
    except Refusal as refusal:
        return _anyway(members), _said(refusal)


def _said(refusal: Refusal) -> str:
    return f"{refusal.status} {refusal.code}: {refusal.sentence}"


def _anyway(members: Mapping[str, Raw]) -> HookRequest:
    """What can be looked at of a request that is refused."""
    context = _object(members.get("context"))
    prefetch = _object(members.get("prefetch"))
    patient = resource(prefetch["patient"]) if "patient" in prefetch else None
    server = _text(members.get("fhirServer"))
    named = (_text(context.get("patientId")) or "").removeprefix("Patient/")
    return HookRequest(
        hook=_text(members.get("hook")) or "",
        hook_instance="",
        patient_id=named or (patient.id if patient and patient.id else _NOBODY),
        draft_orders=context.get("draftOrders"),
        prefetch=prefetch,
        fhir_server=server,
    )


def _object(raw: Raw | bytes | None) -> dict[str, Raw]:
    try:
        return _members.decode(raw) if raw is not None else {}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}


def _text(raw: Raw | None) -> str | None:
    found = msgspec.json.decode(raw) if raw is not None else None
    return found if isinstance(found, str) else None
