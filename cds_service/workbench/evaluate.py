"""The bytes of a request in, all that an answer is made of out: by the steps of the view, nobody asked, nothing kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cds_service.chart.account import Account, accounts
from cds_service.chart.fhir_client import FhirClient
from cds_service.chart.gather import gather
from cds_service.chart.intake import subject_of
from cds_service.chart.lab_values import LabReader
from cds_service.chart.prefetch import unpack, unpack_orders
from cds_service.chart.quantities import Units
from cds_service.chart.read import read
from cds_service.errors import Malformed
from cds_service.wire.cards import render
from cds_service.wire.envelope import read_envelope
from cds_service.wire.request import HookRequest
from hooks.assess import Assessment, Service, assess
from hooks.knowledge import Knowledge, Profile
from hooks.record import PatientRecord
from hooks.wording import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """By what a client's charts are read and judged. Without `iss` it is no client in particular: as the site is set."""

    knowledge: Knowledge
    templates: Mapping[str, str]
    profile: str
    not_supplied: frozenset[str] = frozenset()
    iss: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every evaluation needs of the running service."""

    services: Mapping[str, Service]
    profiles: Mapping[str, Profile]
    fhir: FhirClient
    iu_per_copy: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """One request and what came of it. `seen`: what became of each entry that came with it."""

    body: bytes
    client: Client
    service: Service
    record: PatientRecord
    assessment: Assessment
    answer: Mapping[str, Any]
    seen: tuple[Account, ...]
    fetches: bool  # it names a FHIR server, which the service might have asked


def evaluate(body: bytes, hook: object, now: datetime, client: Client, bench: Bench) -> Evaluated:
    """The answer at that moment, as this client sends it. Raises Refusal where the service would refuse the request."""
    service = next((one for one in bench.services.values() if one.hook == hook), None)
    if service is None:
        raise Malformed(
            f"The hook of the request is none of ours: {listed([one.hook for one in bench.services.values()])}."
        )
    asked, knowledge = read_envelope(body, service), client.knowledge
    labs = LabReader(now, knowledge, Units(knowledge, bench.iu_per_copy))
    gathered = gather(asked, client.templates, bench.fhir, None, deadline=0, labs=labs)
    record = read(gathered, now, knowledge, bench.iu_per_copy, client.not_supplied).record
    assessment = assess(service, record, bench.profiles[client.profile])
    return Evaluated(
        body=body,
        client=client,
        service=service,
        record=record,
        assessment=assessment,
        answer=render(assessment, service, gathered, record.as_of, "full"),
        seen=_seen(gathered, labs),
        fetches=asked.fhir_server is not None,
    )


def _seen(asked: HookRequest, labs: LabReader) -> tuple[Account, ...]:
    orders = unpack_orders(asked.draft_orders) if asked.draft_orders is not None else []
    received = [*unpack(asked.prefetch).received, *orders]
    return tuple(accounts(received, subject_of(asked, received), labs))
