"""A call in; out comes what is odd about it besides its resources: its form, its context, its authorization, its client."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from cds_service.chart.templates import ASKED_FOR
from cds_service.doctor.call import Call
from cds_service.doctor.findings import Remark, Weight
from cds_service.doctor.shown import clean

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SCOPE = re.compile(r"(?:user|patient|system)/(\*|[A-Za-z]+)\.(\*|read|[cruds]*r[cruds]*)(?:\?\S*)?")
_OLD = ("redirect", "user", "patient", "preFetchData")
_EPIC = "com.epic.cdshooks.request."
_TRIGGER = f"{_EPIC}bpa-trigger-action"
Said = Iterator[tuple[Weight, str]]


def envelope_remarks(call: Call) -> Iterator[Remark]:
    """What is odd about one call, each with how much it matters."""
    body = call.content
    if call.refused:
        yield Remark(weight="refused", says=call.refused)
    if not isinstance(body, dict) or call.made:
        return
    context = body.get("context")
    parts = (_form(body), _context(context, call), _server(body), _client(body, call))
    for weight, says in (one for part in parts for one in part):
        yield Remark(weight=weight, says=says)


def _form(body: dict[str, Any]) -> Said:
    instance = body.get("hookInstance")
    if isinstance(instance, str) and not _UUID.fullmatch(instance):
        yield "harmless", "hookInstance is no UUID"
    old = [one for one in _OLD if one in body]
    if old:
        yield "harmless", f"members of the time before CDS Hooks 1.0: {', '.join(old)}"
    if body.get("prefetch") in (None, {}):
        yield "loses", "it brings no prefetch at all: everything must be asked of its FHIR server"


def _context(context: Any, call: Call) -> Said:
    if not isinstance(context, dict):
        if context is not None:
            yield "refused", "context is no object" + (": a list, as before 1.0" if isinstance(context, list) else "")
        return
    if "patientId" not in context:
        yield "refused", "context names no patient: some EHRs strip a call whose address they do not know of its data"
    elif str(context["patientId"]).startswith("Patient/"):
        yield "harmless", "context.patientId is a reference, not an id"
    yield from _user(context.get("userId"))
    if call.hook in ("order-sign", "order-select"):
        yield from _orders(context, call)


def _user(user: Any) -> Said:
    if not isinstance(user, str):
        yield (
            "harmless",
            "context.userId did not come: suggested orders have no requester, feedback counts for the patient",
        )
    elif "/" not in user:
        yield "harmless", "context.userId is a bare id: it does not say what it is the id of"
    elif user.startswith("PractitionerRole/"):
        yield "harmless", "context.userId is a PractitionerRole"


def _orders(context: dict[str, Any], call: Call) -> Said:
    if "encounterId" not in context:
        yield "harmless", "context.encounterId did not come: suggested orders have no encounter"
    drafts = context.get("draftOrders")
    if not isinstance(drafts, dict):
        yield "refused", "context.draftOrders did not come: in Epic the scopes for unsigned orders have to be granted"
        return
    if drafts.get("resourceType") != "Bundle":
        yield "harmless", "context.draftOrders is a single resource, not a Bundle"
    elif "type" not in drafts:
        yield "harmless", "context.draftOrders is a Bundle without type"
    if not call.orders:
        yield "loses", "context.draftOrders is empty: advice about what is being ordered cannot be given"
    if call.hook == "order-select" and "selections" not in context:
        yield "harmless", "context.selections did not come"


def _server(body: dict[str, Any]) -> Said:
    server, lent = body.get("fhirServer"), body.get("fhirAuthorization")
    if not isinstance(server, str):
        yield "harmless", "fhirServer did not come: what the prefetch lacks cannot be asked for"
        return
    if server.startswith("http://"):
        yield "harmless", "fhirServer is plain http: it is asked only on this machine, and only where that is allowed"
    if not isinstance(lent, dict):
        yield "harmless", "fhirAuthorization did not come: its FHIR server is asked without a token"
        return
    if not lent.get("access_token"):
        yield "loses", "fhirAuthorization.access_token is empty: its FHIR server is asked without a token"
    if "subject" not in lent:
        yield "harmless", "fhirAuthorization.subject did not come"
    yield from _scopes(lent.get("scope"))


def _scopes(scope: Any) -> Said:
    granted = [found for one in str(scope or "").split() if (found := _SCOPE.fullmatch(one))]
    kinds = {found[1] for found in granted}
    if not kinds:
        yield "harmless", "fhirAuthorization.scope is none of SMART: what it grants is not known here"
    elif "*" not in kinds and set(ASKED_FOR) - kinds:
        lacking = [one for one in ASKED_FOR if one not in kinds]
        yield "loses", f"fhirAuthorization.scope does not grant {', '.join(lacking)}: these cannot be asked for"


def _client(body: dict[str, Any], call: Call) -> Said:
    """What tells which client it is, and what the way it came in says."""
    extension = body.get("extension")
    names = sorted(extension) if isinstance(extension, dict) else []
    if any(one.startswith(_EPIC) for one in names):
        yield "harmless", "Epic's extensions are there: preset `epic` in the trust file"
    if isinstance(extension, dict) and _TRIGGER in extension and call.hook == "patient-view":
        trigger = clean(str(extension[_TRIGGER]), 8)
        yield "harmless", f"Epic reuses patient-view for another of its triggers: bpa-trigger-action {trigger}"
    if any(one.startswith("davinci-crd") for one in names):
        yield "harmless", "an extension of Da Vinci CRD is there: it is not read"
    if call.headers and not call.headers.get("authorization"):
        yield "refused", "no Authorization header came with it"
    if call.headers.get("origin"):
        origin = clean(call.headers["origin"])
        yield "harmless", f"a browser page calls: put {origin} under `origins` in the trust file"
    media = call.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        yield "refused", f"Content-Type is {clean(media)}, and JSON is expected"


def feedback_remarks(entries: Iterable[Any], body: Any) -> Iterator[Remark]:
    """What is odd about the entries of a feedback call."""
    if not isinstance(body, dict) or "feedback" not in body:
        yield Remark(weight="refused", says="feedback is a single object, not a list under `feedback`")
    for one in entries:
        if not isinstance(one, dict):
            continue
        if not _UUID.fullmatch(str(one.get("card", ""))):
            yield Remark(weight="harmless", says="feedback.card is no UUID: it is of no card that was issued here")
        if "overrideReasons" in one:
            yield Remark(weight="harmless", says="feedback has overrideReasons in the plural, as Epic sends it")
        given = one.get("overrideReason") or one.get("overrideReasons")
        if one.get("outcome") == "overridden" and not given:
            yield Remark(weight="harmless", says="an override without a reason")
