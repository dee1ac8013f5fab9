"""Discovery, the services and their feedback: the view of the main job reads like the arrow of the architecture."""

from datetime import datetime
from time import monotonic, perf_counter
from typing import Any

import msgspec
from flask import Blueprint, Response, g, request

from cds_service.access import Issuer
from cds_service.chart import gather as asking
from cds_service.chart import read as reading
from cds_service.chart.lab_values import LabReader
from cds_service.chart.quantities import Units
from cds_service.errors import UnknownService
from cds_service.web import callers, memory
from cds_service.web.bodies import read_body
from cds_service.web.callers import give_places_back, take_place
from cds_service.web.spoken import marked, voice_for
from cds_service.web.steps import timed
from cds_service.web.wiring import Wiring, wiring
from cds_service.wire import cards, envelope, feedback
from cds_service.wire.request import HookRequest
from hooks import assess as rules
from hooks.assess import Service

identify = timed("identify", callers.identify)
check = timed("check", envelope.read_envelope)
gather = timed("gather", asking.gather)
read = timed("read", reading.read)
recall = timed("recall", memory.recall)
assess = timed("assess", rules.assess)
render = timed("render", cards.render)
remember = timed("record", memory.remember)

blueprint = Blueprint("cds-hooks", __name__, url_prefix="/cds-services")


@blueprint.get("")
def discover() -> Response:
    """Public, without patient data; a token sent with it is not looked at."""
    return _json(wiring().discovery)


@blueprint.post("/<service_id>")
def call(service_id: str) -> Response:
    """Bytes to cards: identify, check, gather, read, recall, assess, render, remember."""
    parts, service = _called(service_id)
    g.caller = caller = identify(f"/cds-services/{service.id}")
    issuer = caller.issuer
    g.asked = hook_request = check(body := _body(parts), service)
    now = parts.clock()
    gathered = _gather(hook_request, issuer, now, parts, len(body))
    record, coverage = read(gathered, now, parts.knowledge_for(issuer), parts.settings.iu_per_copy, issuer.not_supplied)
    known = recall(service, hook_request, issuer, now)
    g.assessment = assessment = assess(service, record, parts.profile_for(issuer), known.holds)
    parts.metrics.count(assessment, coverage, issuer.iss)
    told, shape, why = parts.settings.explain, parts.shape_for(issuer), parts.why_for(issuer)
    voice = voice_for(issuer)
    answer = render(assessment, service, hook_request, record.as_of, told, shape=shape, why=why, voice=voice)
    remember(known, assessment, answer["cards"], record)
    return marked(_json(answer), voice)


@blueprint.post("/<service_id>/feedback")
def take_feedback(service_id: str) -> Response:
    """What became of cards: checked, written, and only then acknowledged."""
    parts, service = _called(service_id)
    g.caller = caller = identify(f"/cds-services/{service.id}/feedback")
    entries = feedback.read_feedback(_body(parts))
    g.entries = len(entries)
    memory.settle()
    parts.ledger.feedback.record(entries, caller.issuer.iss, service.id, parts.clock(), g.budget.left)
    return _json({})


@blueprint.before_request
def _start() -> None:
    if request.method == "POST":  # discovery is answered always
        take_place()


@blueprint.after_request
def _measure(response: Response) -> Response:
    service = (request.view_args or {}).get("service_id")
    parts = wiring()
    if service in parts.services and request.method == "POST":
        parts.metrics.answers.labels(service, response.status_code).inc()
        parts.metrics.seconds.labels(service).observe(perf_counter() - g.began)
    return response


blueprint.teardown_request(give_places_back)


def _called(service_id: str) -> tuple[Wiring, Service]:
    parts = wiring()
    if service_id not in parts.services:
        raise UnknownService("There is no service of this id. GET /cds-services lists the services.")
    return parts, parts.services[service_id]


def _body(parts: Wiring) -> bytes:
    began = monotonic()
    body = read_body(request, parts.settings.max_body_bytes)
    g.budget.excuse(monotonic() - began)
    return body


def _gather(hook_request: HookRequest, issuer: Issuer, now: datetime, parts: Wiring, size: int) -> HookRequest:
    knowledge = parts.knowledge_for(issuer)
    labs = LabReader(now, knowledge, Units(knowledge, parts.settings.iu_per_copy))
    deadline = g.budget.to_fetch(size)
    return gather(hook_request, parts.templates_for(issuer), parts.fhir, issuer.servers, deadline=deadline, labs=labs)


def _json(body: Any) -> Response:
    return Response(msgspec.json.encode(body), content_type="application/json")
