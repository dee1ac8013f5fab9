"""The bytes of a request in, all that an answer is made of out: by the steps of the view, nobody asked, nothing kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cds_service.chart.fhir_client import FhirClient
from cds_service.chart.gather import gather
from cds_service.chart.lab_values import LabReader
from cds_service.chart.quantities import Units
from cds_service.chart.read import read
from cds_service.errors import Malformed
from cds_service.languages import ENGLISH, Voice
from cds_service.reasons.evaluated import Client, Evaluated, as_shown, seen
from cds_service.wire.cards import render
from cds_service.wire.envelope import read_envelope
from hooks.assess import Service, assess
from hooks.knowledge import Profile
from hooks.sentences import say, together, verbatim


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every evaluation needs of the running service."""

    services: Mapping[str, Service]
    profiles: Mapping[str, Profile]
    fhir: FhirClient
    iu_per_copy: Decimal | None = None
    voice: Voice = ENGLISH  # of the cards on the page: the wire's are in English


def evaluate(body: bytes, hook: object, now: datetime, client: Client, bench: Bench) -> Evaluated:
    """The answer at that moment, as this client sends it. Raises Refusal where the service would refuse the request."""
    service = next((one for one in bench.services.values() if one.hook == hook), None)
    if service is None:
        hooks = together([verbatim(one.hook) for one in bench.services.values()])
        raise Malformed(say("The hook of the request is none of ours: {hooks}.", hooks=hooks))
    asked, knowledge = read_envelope(body, service), client.knowledge
    labs = LabReader(now, knowledge, Units(knowledge, bench.iu_per_copy))
    gathered = gather(asked, client.templates, bench.fhir, None, deadline=0, labs=labs)
    record = read(gathered, now, knowledge, bench.iu_per_copy, client.not_supplied).record
    assessment = assess(service, record, bench.profiles[client.profile])
    answer = render(assessment, service, gathered, record.as_of, "full")
    told = answer
    if bench.voice.language != ENGLISH.language:
        told = render(assessment, service, gathered, record.as_of, "off", voice=bench.voice)
    return Evaluated(
        body=body,
        client=client,
        service=service,
        record=record,
        assessment=assessment,
        answer=answer,
        cards=as_shown(told["cards"], () if told is answer else answer["cards"]),
        seen=seen(gathered, labs),
        fetches=asked.fhir_server is not None,
    )
