"""What the views are handed: everything that was built once when the service started."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import current_app

from cds_service.chart.fhir_client import FhirClient
from cds_service.ledger import Ledger
from cds_service.settings import Settings
from cds_service.web.metrics import Metrics
from hooks import Service
from hooks.knowledge import Knowledge, Profile

KEY = "immune-status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """The parts of a running service."""

    settings: Settings
    clock: Callable[[], datetime]
    knowledge: Knowledge
    profile: Profile
    services: Mapping[str, Service]
    templates: Mapping[str, str]
    discovery: Mapping[str, Any]
    fhir: FhirClient
    ledger: Ledger
    metrics: Metrics


def wiring() -> Wiring:
    """The parts of the service that answers the current request."""
    return cast(Wiring, current_app.extensions[KEY])
