"""What the views are handed: everything that was built once when the service started."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Event
from typing import Any, cast

from flask import current_app

from cds_service.access import Callers, Issuer
from cds_service.canary import Canaries
from cds_service.chart.fhir_client import FhirClient
from cds_service.journal.audit import Audit
from cds_service.ledger import Ledger
from cds_service.settings import Settings
from cds_service.web.admission import Admission
from cds_service.web.door import Door
from cds_service.web.launches import Launches
from cds_service.web.metrics import Metrics
from cds_service.wire.shape import Shape
from cds_service.workbench.pasted import Played
from hooks import Service
from hooks.knowledge import Knowledge, Profile

KEY = "immune-status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """The parts of a running service."""

    settings: Settings
    clock: Callable[[], datetime]
    knowledge: Knowledge
    profile: Profile  # of the service; an issuer may have another
    profiles: Mapping[str, Profile]  # as they are at this site, by name
    callers: Callers
    shape: Shape  # of the cards in open access
    admission: Admission
    services: Mapping[str, Service]
    templates: Mapping[str, str]
    discovery: Mapping[str, Any]
    interface: bytes  # the OpenAPI document
    fhir: FhirClient
    ledger: Ledger
    offerable: frozenset[str]  # what a card may suggest: tests, and ingredients of regimens
    every_rule: frozenset[str]  # and the card that says what was not assessed
    metrics: Metrics
    canaries: Canaries
    audit: Audit
    door: Door  # to the report
    moments: Callable[[date], Sequence[Played]]  # of the demo patients on a day, for the workbench
    launches: Launches | None = None  # of the why page; None where no client has it
    local: Mapping[str, Knowledge] = field(default_factory=dict)  # of issuers with a map of local codes, by iss
    local_templates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # likewise
    pages_made: dict[Hashable, str] = field(default_factory=dict)  # the page for people, by what it depends on
    stopping: Event = field(default_factory=Event)  # set when the server has been told to stop

    def profile_for(self, issuer: Issuer) -> Profile:
        """The guideline profile that this client is answered by."""
        return self.profiles[issuer.profile] if issuer.profile else self.profile

    def knowledge_for(self, issuer: Issuer) -> Knowledge:
        """The codes that this client's charts are read by."""
        return self.local.get(issuer.iss, self.knowledge)

    def templates_for(self, issuer: Issuer) -> Mapping[str, str]:
        """What is asked of this client's FHIR server: by its own codes too."""
        return self.local_templates.get(issuer.iss, self.templates)

    def why_for(self, issuer: Issuer) -> str | None:
        """Where the EHR opens the why page for this client's users; None where they have none."""
        return self.launches.address_for(issuer) if self.launches else None

    def shape_for(self, issuer: Issuer) -> Shape:
        """How this client wants its cards."""
        return issuer.shape or self.shape

    def shadow(self, issuer: Issuer) -> frozenset[str]:
        """The rules that the configuration shows to nobody, or not to this client's users; `all` stands for the service."""
        return self.settings.shadow | {"all"} if issuer.shadow else self.settings.shadow


def wiring() -> Wiring:
    """The parts of the service that answers the current request."""
    return cast(Wiring, current_app.extensions[KEY])
