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
from cds_service.reasons.evaluated import Evaluated, seen
from cds_service.wire.cards import render
from cds_service.wire.envelope import read_envelope
from hooks.assess import Service, assess
from hooks.knowledge import Knowledge, Profile
from hooks.wording import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every evaluation needs of the running service."""

    services: Mapping[str, Service]
    knowledge: Knowledge
    profiles: Mapping[str, Profile]
    templates: Mapping[str, str]
    fhir: FhirClient
    iu_per_copy: Decimal | None = None


def evaluate(body: bytes, hook: object, now: datetime, profile: str, bench: Bench) -> Evaluated:
    """The answer at that moment under that profile. Raises Refusal where the service would refuse the request."""
    service = next((one for one in bench.services.values() if one.hook == hook), None)
    if service is None:
        raise Malformed(
            f"The hook of the request is none of ours: {listed([one.hook for one in bench.services.values()])}."
        )
    asked = read_envelope(body, service)
    labs = LabReader(now, bench.knowledge, Units(bench.knowledge, bench.iu_per_copy))
    gathered = gather(asked, bench.templates, bench.fhir, None, deadline=0, labs=labs)
    record = read(gathered, now, bench.knowledge, bench.iu_per_copy).record
    assessment = assess(service, record, bench.profiles[profile])
    return Evaluated(
        body=body,
        service=service,
        record=record,
        assessment=assessment,
        answer=render(assessment, service, gathered, record.as_of, "full"),
        seen=seen(gathered, labs),
    )
