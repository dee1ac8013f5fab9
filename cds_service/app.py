"""Settings and a clock in, the Flask application out: wiring only. Everything that can be wrong is found out here."""

import gc
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask
from jinja2 import StrictUndefined

from cds_service.chart.fhir_client import FhirClient
from cds_service.chart.templates import prefetch_templates
from cds_service.ledger import Ledger
from cds_service.settings import Settings
from cds_service.site import site_profile
from cds_service.web import browsers, cds_hooks, health, pages, refusals
from cds_service.web.metrics import Metrics
from cds_service.web.wiring import KEY, Wiring
from cds_service.wire.discovery import discovery
from cds_service.wire.orders import check_shapes
from cds_service.wire.validation import validator
from hooks import SERVICES
from hooks.knowledge import KnowledgeFault, Profile, load, load_profiles


def system_clock() -> datetime:
    """The only place that reads the time for decisions."""
    return datetime.now(UTC)


def create_app(settings: Settings, clock: Callable[[], datetime] = system_clock) -> Flask:
    """The application. Raises KnowledgeFault, LedgerDown or pydantic's ValidationError, and then nothing starts."""
    knowledge = load()
    profiles = load_profiles(knowledge)
    for one in profiles.values():
        _check_rules(one)
    profile = site_profile(profiles, settings)
    check_shapes(knowledge)
    for name in ("request", "order-request", "feedback"):
        validator(name)
    metrics, templates = Metrics(), prefetch_templates(knowledge)
    app = Flask("cds_service", static_folder=None)
    app.url_map.strict_slashes = False
    app.jinja_env.undefined = StrictUndefined  # what a page asks for and is not there is a fault, not a gap on the page
    app.extensions[KEY] = Wiring(
        settings=settings,
        clock=clock,
        knowledge=knowledge,
        profile=profile,
        services={service.id: service for service in SERVICES},
        templates=templates,
        discovery=discovery(SERVICES, templates),
        fhir=FhirClient(metrics.count_fetch),
        ledger=Ledger(settings.database_url),
        metrics=metrics,
    )
    for room in (cds_hooks, health, pages):
        app.register_blueprint(room.blueprint)
    browsers.register(app)
    refusals.register(app)
    gc.freeze()  # what was built here lives as long as the process: the collector need not walk it
    return app


def _check_rules(profile: Profile) -> None:
    """Every citation of every live rule must stand in the profile, but for those the guideline may be without."""
    rules = {rule.id: rule for service in SERVICES for rule in service.rules}
    unknown = sorted(profile.left_out - rules.keys())
    if unknown:
        raise KnowledgeFault(f"profiles/{profile.name}.toml: left_out: expected ids of rules, not {', '.join(unknown)}")
    for rule in (one for name, one in rules.items() if name not in profile.left_out):
        unknown = [key for key in rule.cites if not profile.knows(key)]
        if unknown:
            raise KnowledgeFault(f"profiles/{profile.name}.toml: {rule.id}: expected an entry for {', '.join(unknown)}")
