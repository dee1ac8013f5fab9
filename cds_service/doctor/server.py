"""The base URL of a FHIR server and ids of patients in; out come calls as a client of that server would make them, and how it went.

It is asked as the service asks when a prefetch did not come: through the same client, guard, limits and templates.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any
from urllib.parse import quote

import msgspec

from cds_service.chart.fhir_client import FhirClient
from cds_service.chart.fhir_pages import Fetched
from cds_service.chart.gather import filled, joined
from cds_service.chart.templates import prefetch_templates
from cds_service.doctor.asking import Server
from cds_service.doctor.captured import Captured, captured
from cds_service.doctor.clocks import date_remarks
from cds_service.doctor.examine import Beside, Site
from cds_service.doctor.findings import Remark
from cds_service.doctor.probes import probe
from cds_service.outbound.connection import trusting
from cds_service.outbound.url_guard import AllowedServer, Guard
from cds_service.wire.request import HookRequest

_SECONDS = 60.0  # for all templates of one patient
_INSTANCE = "00000000-0000-4000-8000-000000000000"  # of calls that nobody made


class NoServerError(Exception):
    """The URL is not one that may be asked; in a sentence, without the URL."""


@dataclass(frozen=True, slots=True)
class Charts:
    """What the server had, as calls, and what was noticed on the way."""

    calls: tuple[Captured, ...]
    beside: Beside


def server_at(base: str, bearer: str | None, private: bool) -> Server:
    """Raises NoServerError."""
    try:
        allowed = AllowedServer.of(base, private)
    except ValueError as fault:
        raise NoServerError(f"{fault} (http only for this machine)") from None
    return Server(base, Guard((allowed,)), trusting(), bearer)


def charts(server: Server, patients: Iterable[str], site: Site) -> Charts:
    """Every template asked for every patient, then each search parameter tried on the first."""
    patients = list(patients)
    client, templates = FhirClient(), prefetch_templates(site.knowledge)
    remarks: Counter[Remark] = Counter()
    calls, whole = [], []
    for place, patient in enumerate(patients, 1):
        fetched = _fetched(client, server, templates, patient)
        remarks.update(one for key, found in fetched.items() for one in _said(key, found))
        whole.append(
            _call(f"laboratory of patient {place}", patient, server.base, _laboratory(client, server, patient))
        )
        calls.append(_call(f"patient {place}", patient, server.base, fetched))
    parameters, about, date = probe(server, patients[0])
    return Charts(
        tuple(calls),
        Beside(
            parameters=parameters,
            clocks=tuple(date_remarks(date, site.now)),
            remarks=(*remarks.elements(), *about),
            laboratories=tuple(whole),
        ),
    )


def _fetched(client: FhirClient, server: Server, templates: Mapping[str, str], patient: str) -> Mapping[str, Fetched]:
    request = HookRequest(hook="patient-view", hook_instance=_INSTANCE, patient_id=patient)
    queries = {key: query for key, template in templates.items() if (query := filled(template, request))}
    return client.fetch(server.guard, server.base, server.bearer, queries, monotonic() + _SECONDS)


def _laboratory(client: FhirClient, server: Server, patient: str) -> Mapping[str, Fetched]:
    """Every result, whatever its code: a search by LOINC codes never shows a laboratory that has codes of its own."""
    query = {"laboratory": f"Observation?patient={quote(patient, safe='')}&_count=200"}
    return client.fetch(server.guard, server.base, server.bearer, query, monotonic() + _SECONDS)


def _said(key: str, found: Fetched) -> Iterable[Remark]:
    where = f"template {key}"
    if not found.complete:
        hint = ": a private address needs --allow-private" if found.fault == "not-allowed" else ""
        yield Remark(weight="loses", says=f"it did not come whole: {found.fault}{hint}", where=where)
    if len(found.pages) > 1:
        yield Remark(
            weight="harmless",
            says="its answer came in several pages: a client that sends only the first sends a part",
            where=where,
        )


def _call(name: str, patient: str, base: str, fetched: Mapping[str, Fetched]) -> Captured:
    prefetch: dict[str, Any] = {key: joined((), found.pages) for key, found in fetched.items() if found.pages}
    body = {
        "hook": "patient-view",
        "hookInstance": _INSTANCE,
        "context": {"patientId": patient, "userId": "Practitioner/check"},
        "fhirServer": base,
        "prefetch": prefetch,
    }
    return replace(captured(name, msgspec.json.encode(body)), made=True)
