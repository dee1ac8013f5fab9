"""A request and what has to be done to it in; the request as it would then be out."""

from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.workbench.pasted import Request
from cds_service.workbench.steps import Changes

_SIGNED, _OPENED = "order-sign", "patient-view"
KEY = "whatIf"  # a resource counts under whatever key it comes
_DEEPEST = 3  # a wrapper, a Bundle, a Bundle in it: what is deeper is not read either


def changed(request: Request, changes: Changes) -> Request:
    """What is taken away is no longer sent; what is added stands under a key of its own, orders among the drafts."""
    prefetch = {key: _changed(held, changes) for key, held in (request.get("prefetch") or {}).items()}
    entries = _made(request, changes, drafted=False)
    new = {KEY: {"resourceType": "Bundle", "type": "collection", "entry": entries}} if entries else {}
    return _ordered(request, changes) | {"prefetch": prefetch | new}


def _made(request: Request, changes: Changes, *, drafted: bool) -> list[Request]:
    patient = {"reference": f"Patient/{request['context']['patientId'].removeprefix('Patient/')}"}
    return [
        {"resource": one.resource | {_owner(one.resource): patient}} for one in changes.made if one.drafted == drafted
    ]


def _ordered(request: Request, changes: Changes) -> Request:
    """The request with its drafts as they would be; where a chart was only opened, and now there are some, they are signed."""
    context, new = request["context"], _made(request, changes, drafted=True)
    opened = request["hook"] == _OPENED
    if opened and not new:
        return request
    drafts = {"resourceType": "Bundle", "type": "collection"} if opened else _changed(context["draftOrders"], changes)
    entries = drafts.get("entry")
    context = context | {"draftOrders": drafts | {"entry": [*(entries if isinstance(entries, list) else ()), *new]}}
    if isinstance(selected := context.get("selections"), list):  # those of them that are just being ordered
        kept = [one for one in selected if str(one) not in changes.gone]
        context["selections"] = [*kept, *(one.source for one in changes.made if one.drafted)]
    return request | {"hook": _SIGNED if opened else request["hook"], "context": context}


def _owner(resource: Request) -> str:
    return "patient" if resource["resourceType"] == "AllergyIntolerance" else "subject"


def _changed(held: Any, changes: Changes, deep: int = 0) -> Any:
    """A Bundle without these resources, its total told anew; in place of a single one that there is none."""
    if not isinstance(held, dict) or deep == _DEEPEST:
        return held
    entries = held.get("entry")
    if held.get("resourceType") == "Bundle" and isinstance(entries, list):
        kept = list(_entries(entries, changes, deep + 1))
        total = held.get("total")
        told = {"total": total - len(entries) + len(kept)} if isinstance(total, int) else {}
        return held | {"entry": kept} | told
    if "resourceType" not in held and "resource" in held:
        return held | {"resource": _changed(held["resource"], changes, deep + 1)}
    return None if _reference(held) in changes.gone else _ended(held, changes)


def _entries(entries: list[Any], changes: Changes, deep: int) -> Iterator[Any]:
    for one in entries:
        resource = one.get("resource") if isinstance(one, dict) else None
        if not isinstance(resource, dict):
            yield one
        elif _reference(resource) not in changes.gone:
            yield one | {"resource": _changed(resource, changes, deep)}


def _reference(resource: Mapping[str, Any]) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def _ended(resource: Mapping[str, Any], changes: Changes) -> Mapping[str, Any]:
    """An order or statement that ended on a day; its beginning stays as it was read."""
    if _reference(resource) not in changes.ended:
        return resource
    since, until = changes.ended[_reference(resource)]
    period = ({"start": since.isoformat()} if since else {}) | {"end": until.isoformat()}
    rest = {key: one for key, one in resource.items() if key not in ("effectiveDateTime", "dispenseRequest")}
    if resource["resourceType"] == "MedicationStatement":
        return rest | {"status": "completed", "effectivePeriod": period}
    return rest | {"status": "stopped", "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": period}}}]}
