"""Settings and a clock in, the Flask application out: wiring only. Everything that can be wrong is found out here."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from flask import Flask
from jinja2 import StrictUndefined

from cds_service import __version__
from cds_service.access import OPEN, Callers, Issuer
from cds_service.access.issuers import Smart
from cds_service.access.trust_file import presets, read_issuers, shape_of
from cds_service.canary import Canaries
from cds_service.chart.fhir_client import FhirClient
from cds_service.chart.prefetch import KEYS
from cds_service.chart.templates import prefetch_templates
from cds_service.demo.moments import Moments
from cds_service.journal.audit import Audit
from cds_service.languages import LANGUAGES
from cds_service.languages import load as load_language
from cds_service.ledger import Ledger
from cds_service.outbound.connection import trusting
from cds_service.outbound.url_guard import Guard
from cds_service.settings import SettingFault, Settings
from cds_service.site import site_profiles
from cds_service.web import browsers, cds_hooks, health, journal, pages, refusals, report, why, workbench
from cds_service.web.admission import Admission
from cds_service.web.door import Door
from cds_service.web.launches import Launches
from cds_service.web.metrics import Metrics
from cds_service.web.wiring import KEY, Wiring
from cds_service.wire.discovery import discovery
from cds_service.wire.interface import interface
from cds_service.wire.orders import check_shapes
from cds_service.wire.shape import Shape
from cds_service.wire.validation import validator
from hooks import SERVICES
from hooks.holding import NOT_ASSESSED
from hooks.knowledge import Knowledge, KnowledgeFault, Profile, load, load_profiles, local_knowledge
from hooks.sameness import offerable

DEMO_CLIENT = "immune-status-demo"  # as which the demo's EHR knows the why page


def system_clock() -> datetime:
    """The only place that reads the time for decisions."""
    return datetime.now(UTC)


def create_app(
    settings: Settings, clock: Callable[[], datetime] = system_clock, *, database_made: bool = False
) -> Flask:
    """The application. `database_made`: who starts it has seen to the database, and where there is none it is away.

    Raises SettingFault, KnowledgeFault, LedgerDown, ValueError (of a catalogue) or pydantic's ValidationError: nothing starts.
    """
    knowledge = load()
    profiles = load_profiles(knowledge)
    for one in profiles.values():
        _check_rules(one)
    metrics = Metrics()
    canaries = Canaries(
        knowledge, profiles, metrics.canary
    )  # of the guidelines as they are, whatever this site has set
    profiles = site_profiles(profiles, settings)
    for language in LANGUAGES[1:]:
        load_language(language)
    for name in ("request", "order-request", "feedback"):
        validator(name)
    issuers = trusted_issuers(settings)
    shape = _shape(settings)
    check_shapes(knowledge, (shape, *(one.shape for one in issuers if one.shape)))
    local = {one.iss: local_knowledge(one.codes, knowledge) for one in issuers if one.codes}
    templates, ledger = prefetch_templates(knowledge), _ledger(settings, knowledge, database_made)
    launches = _launches(settings, issuers, ledger)
    app = Flask("cds_service", static_folder=None)
    app.url_map.strict_slashes = app.url_map.merge_slashes = False  # a redirect would lose or repeat a body
    app.jinja_env.undefined = StrictUndefined  # what a page asks for and is not there is a fault, not a gap on the page
    app.extensions[KEY] = Wiring(
        settings=settings,
        clock=clock,
        knowledge=knowledge,
        profile=profiles[settings.profile],
        profiles=profiles,
        callers=Callers(issuers, ledger.seen_tokens, metrics, trusting),
        admission=Admission(),
        shape=shape,
        offerable=offerable(knowledge),
        every_rule=_rule_ids() | {NOT_ASSESSED},
        services={service.id: service for service in SERVICES},
        templates=templates,
        discovery=discovery(SERVICES, templates),
        interface=_interface(settings, templates, why=launches is not None),
        fhir=FhirClient(metrics.count_fetch),
        ledger=ledger,
        metrics=metrics,
        canaries=canaries,
        audit=Audit(settings.audit, clock, metrics.lost_lines.labels("audit").inc),
        local=local,
        local_templates={iss: prefetch_templates(one) for iss, one in local.items()},
        door=(door := Door(settings)),
        moments=Moments(templates).on,
        launches=launches,
    )
    for room in (
        cds_hooks,
        health,
        pages,
        *([report] if door.exists else []),
        *([workbench] if _workbench(settings) else []),
        *([why] if launches else []),
    ):
        app.register_blueprint(room.blueprint)
    journal.register(app)  # first, so that whatever is answered has its number
    browsers.register(app)
    refusals.register(app)
    return app


def _shape(settings: Settings) -> Shape:
    """How cards are in open access, where no entry of a client says it."""
    if settings.client not in presets():
        raise SettingFault(f"CDS_CLIENT: one of {', '.join(presets())} is expected.")
    return shape_of({"preset": settings.client}, discreet=settings.discreet)


def _workbench(settings: Settings) -> bool:
    """Whether the page is there: in the demo; elsewhere where the site wants it, behind the password of the report."""
    return settings.open_access or (settings.report_password_file is not None and settings.workbench == "on")


def _launches(settings: Settings, issuers: tuple[Issuer, ...], ledger: Ledger) -> Launches | None:
    """The why page, where a client has it; in the demo for the EHR that it plays. A launch is sealed for all processes."""
    base = settings.public_url
    if base and settings.open_access:
        here = Guard(loopback_only=True)
        issuers = (
            replace(OPEN, smart=Smart(client_id=DEMO_CLIENT, servers=frozenset({f"{base}/fhir"}), authorization=here)),
        )
    if not base or not any(one.smart for one in issuers):
        return None
    return Launches(issuers, base, lambda: ledger.pseudonyms.key_for("why"), trusting())


def _ledger(settings: Settings, knowledge: Knowledge, made: bool) -> Ledger:
    unknown = sorted(settings.shadow - _rule_ids() - {"all"})
    if unknown:
        raise SettingFault(f"CDS_SHADOW: all, or ids of rules, are expected, not {', '.join(unknown)}.")
    unknown = sorted(knowledge.quiet.rules.keys() - _rule_ids())
    if unknown:
        raise KnowledgeFault(f"quiet_periods.toml: rules: expected ids of rules, not {', '.join(unknown)}")
    return Ledger(settings.database_url, settings.patient_key_file, knowledge.quiet, made=made)


def _rule_ids() -> frozenset[str]:
    return frozenset(rule.id for service in SERVICES for rule in service.rules)


def _interface(settings: Settings, templates: Mapping[str, str], *, why: bool) -> bytes:
    """The OpenAPI document of this site."""
    document = interface(
        SERVICES,
        discovery(SERVICES, templates),
        version=__version__,
        public_url=settings.public_url,
        open_access=settings.open_access,
        report=settings.open_access or settings.report_password_file is not None,
        workbench=_workbench(settings),
        why=why,
    )
    return json.dumps(document, ensure_ascii=False).encode()


def trusted_issuers(settings: Settings) -> tuple[Issuer, ...]:
    """Who may call. In open access nobody is asked who he is; without a trust file nobody may. Raises SettingFault."""
    if settings.open_access or settings.issuers is None:
        return ()
    if settings.public_url is None:
        raise SettingFault("CDS_PUBLIC_URL: the base address that clients call is required.")
    return read_issuers(settings.issuers, KEYS[1:], discreet=settings.discreet)


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
