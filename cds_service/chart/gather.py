"""A hook request in; the same request out, its prefetch completed with what the client's FHIR server had of the rest.

What needs fetching is judged as the reader judges it: a key is lacking where nothing, an error or something unusable came;
`null` and an empty searchset are answers. A Bundle with a `next` link is read on. What does not come stays lacking, what
comes in part keeps its `next` link: the reader sees both as they are.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct

from cds_service.chart.decode import bundle, is_null, present, resource
from cds_service.chart.elements import NOTHING, Bundle, BundleLink, Known, OperationOutcome, Other, Patient
from cds_service.chart.fhir_client import MOST_AT_ONCE, FhirClient
from cds_service.chart.intake import keys_that_came, subject_of
from cds_service.chart.lab_values import LabReader
from cds_service.chart.prefetch import unpack
from cds_service.outbound.url_guard import Guard
from cds_service.wire.request import HookRequest

_TOKEN = re.compile(r"{{\s*(.*?)\s*}}")


class _Page(Struct, frozen=True):
    """A Bundle whose entries are handed on as they are."""

    total: Raw = NOTHING
    link: tuple[BundleLink, ...] | None = None
    entry: tuple[Raw, ...] | None = None


_page = msgspec.json.Decoder(_Page)


def gather(
    request: HookRequest,
    templates: Mapping[str, str],
    client: FhirClient,
    guard: Guard | None,
    *,
    deadline: float,
    labs: LabReader,
) -> HookRequest:
    """What cannot be fetched is lacking. `guard`: the caller's; None where nobody may be asked for it.

    `deadline` is of `time.monotonic`. Raises Contradiction where another patient's data came: then nobody is asked.
    """
    lent = request.authorization
    if guard is None or request.fhir_server is None or (lent and lent.has_expired):
        return request
    queries = _queries(request, templates, labs)
    if not queries:
        return request
    fetched = client.fetch(guard, request.fhir_server, lent.access_token if lent else None, queries, deadline)
    came = {key: joined(_before(request, queries[key], key), one.pages) for key, one in fetched.items() if one.pages}
    return replace(request, prefetch={**request.prefetch, **came})


def _queries(request: HookRequest, templates: Mapping[str, str], labs: LabReader) -> dict[str, str]:
    """Key -> what to ask: the template of a lacking key, the next page of one that was cut."""
    if _is_complete(request.prefetch, request.patient_id, templates):
        return {}
    supply = unpack(request.prefetch)
    if any(isinstance(one.resource, Patient) for one in supply.received):  # else the ids that are his are not known yet
        subject_of(request, supply.received)
    answered = supply.answered | {own for _, own in keys_that_came(supply, labs)}
    if not any(_is_patient(one.resource, request.patient_id) for one in supply.received):
        answered.discard("patient")
    lacking = {key: filled(one, request) for key, one in templates.items() if key not in answered}
    cut = {key: _next(raw) for key, raw in request.prefetch.items() if key not in lacking}
    wanted = [(key, query) for key, query in (lacking | cut).items() if query]
    return dict(wanted[:MOST_AT_ONCE])


def _is_complete(prefetch: Mapping[str, Raw], patient_id: str, keys: Iterable[str]) -> bool:
    """Whether at first sight nothing is lacking. Mostly so, and the first sight costs a fifth of reading it all."""
    patient = resource(prefetch["patient"]) if "patient" in prefetch else None
    return _is_patient(patient, patient_id) and all(key in prefetch and _is_plain(prefetch[key]) for key in keys)


def _is_patient(one: Known | Other | None, patient_id: str) -> bool:
    return isinstance(one, Patient) and one.id == patient_id


def _is_plain(raw: Raw) -> bool:
    if is_null(raw):
        return True
    found = bundle(raw)
    if found is None or _next(found):
        return False
    first = raw
    if found.resourceType == "Bundle":
        if not found.entry:
            return True
        first = found.entry[0].resource if found.entry[0] else NOTHING
    one = resource(first) if present(first) else None
    return one is not None and not isinstance(one, OperationOutcome)


def _next(found: Raw | Bundle) -> str | None:
    whole = found if isinstance(found, Bundle) else bundle(found)
    links = whole.link or () if whole and whole.resourceType == "Bundle" else ()
    absolute = (one.url for one in links if one.relation == "next" and one.url and one.url.startswith("http"))
    return next(absolute, None)


def filled(template: str, request: HookRequest) -> str | None:
    """A template with the context in it; None where the context lacks what it asks for."""
    stated = {"patientId": request.patient_id, "userId": request.user_id, "encounterId": request.encounter_id}
    known = {f"context.{name}": quote(value, safe="") for name, value in stated.items() if value}
    if not set(_TOKEN.findall(template)) <= known.keys():
        return None
    return _TOKEN.sub(lambda token: known[token[1]], template)


def _before(request: HookRequest, query: str, key: str) -> tuple[Raw, ...]:
    """The pages the client sent of a Bundle that was read on."""
    return (request.prefetch[key],) if query.startswith("http") else ()


def joined(sent: tuple[Raw, ...], fetched: Iterable[bytes]) -> Raw:
    """Several pages as one Bundle: the entries of all, the total of the first, the links (if it goes on) of the last."""
    pages = [*sent, *map(Raw, fetched)]
    if len(pages) == 1:
        return pages[0]
    read = [_page.decode(one) for one in pages]  # each was found to be a Bundle
    whole: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if present(read[0].total):
        whole["total"] = read[0].total
    whole["link"] = [link for link in read[-1].link or () if link.relation == "next"]
    whole["entry"] = [entry for page in read for entry in page.entry or ()]
    return Raw(msgspec.json.encode(whole))
