"""Services and demo patients, or captured requests, in; every moment that the EHR can play goes out, its prefetch in full."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask

from cds_service.demo.ehr import context_of, filled
from cds_service.demo.fhir import fhir_endpoint
from cds_service.demo.store import LOINC, Charts, DraftOrder, Play, Story
from cds_service.simulate.captured import Captured
from cds_service.simulate.services import Service

ORDER_HOOKS = ("order-sign", "order-select")
_ENCOUNTER_HOOKS = ("encounter-start", "encounter-discharge")
PLAYED = ("patient-view", *ORDER_HOOKS, *_ENCOUNTER_HOOKS)
_A_TEST = DraftOrder(
    LOINC, "20447-9", "HIV 1 RNA [#/volume] (viral load) in Serum or Plasma by NAA with probe detection"
)
_ENCOUNTER = "demo-encounter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One hook about one patient, at one service: the request without what each call has of its own."""

    service: Service
    who: str  # as it is shown: a demo patient, or a file; never a name out of a captured request
    patient_id: str
    request: Mapping[str, Any]
    prefetch: Mapping[str, Any]
    queries: Mapping[str, str]  # what each key of the prefetch asks for, where it is known
    asked: int  # keys that the service asks for


def chart_app(charts: Charts) -> Flask:
    """The demo charts under /fhir."""
    app = Flask("cds_service.simulate")
    app.register_blueprint(fhir_endpoint(charts))
    return app


def of_demo_patients(services: Iterable[Service], charts: Charts, patients: Iterable[str], origin: str) -> list[Moment]:
    """One moment for each service and patient; `origin` is where the addresses in the charts' Bundles lead."""
    wanted, app = frozenset(patients), chart_app(charts)
    stories = [one for one in charts.stories if not wanted or one.patient_id in wanted]
    return [
        _moment(service, story, charts, app, origin)
        for story in stories
        for service in services
        if service.hook in PLAYED
    ]


def _moment(service: Service, story: Story, charts: Charts, app: Flask, origin: str) -> Moment:
    context = _context(service.hook, story, charts)
    queries = {key: query for key, one in service.templates.items() if (query := filled(one, context))}
    return Moment(
        service=service,
        who=story.patient_id,
        patient_id=story.patient_id,
        request={"hook": service.hook, "context": context},
        prefetch=dict(_answered(queries, app, origin)),
        queries=queries,
        asked=len(service.templates),
    )


def _context(hook: str, story: Story, charts: Charts) -> dict[str, Any]:
    if hook in _ENCOUNTER_HOOKS:
        return context_of(Play("patient-view", ()), story.patient_id, charts.as_of) | {"encounterId": _ENCOUNTER}
    if hook not in ORDER_HOOKS:
        return context_of(Play(hook, ()), story.patient_id, charts.as_of)
    ordering = [play for play in story.plays if play.orders]
    chosen = next((play for play in ordering if play.hook == hook), ordering[0] if ordering else None)
    return context_of(Play(hook, chosen.orders if chosen else (_A_TEST,)), story.patient_id, charts.as_of)


def _answered(queries: Mapping[str, str], app: Flask, origin: str) -> Iterator[tuple[str, Any]]:
    """Null where a read finds nothing; no key where the charts do not serve what is asked."""
    client = app.test_client()
    for key, query in queries.items():
        answer = client.get(f"/fhir/{query}", base_url=origin)
        if answer.status_code == 200 or (answer.status_code == 404 and "?" not in query):
            yield key, answer.get_json() if answer.status_code == 200 else None


def of_captured(services: Iterable[Service], captured: Iterable[Captured]) -> list[Moment]:
    """One moment for each captured request and service of its hook; its prefetch is what it came with."""
    listed = tuple(services)
    return [
        Moment(
            service=service,
            who=one.name,
            patient_id=one.patient_id,
            request=one.request,
            prefetch=one.prefetch,
            queries={},
            asked=len(one.prefetch),
        )
        for one in captured
        for service in listed
        if service.hook == one.request["hook"]
    ]
