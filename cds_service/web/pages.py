"""A look at the service in; out comes what it is: a page for people at `/`, and the OpenAPI document for tools."""

from datetime import date

from flask import Blueprint, Response, current_app, render_template, request

from cds_service import __version__
from cds_service.access import may_read
from cds_service.access.trust_file import presets
from cds_service.home import shown, words
from cds_service.home.connect import connection
from cds_service.home.limits import LIMITS
from cds_service.languages import Voice
from cds_service.web.spoken import marked, on_a_page, voice_for
from cds_service.web.wiring import Wiring, wiring
from cds_service.wire.discovery import REQUIREMENTS
from cds_service.wire.override_reasons import OVERRIDE_REASONS
from hooks.assess import MOST_CARDS
from hooks.knowledge.report import report

blueprint = Blueprint("pages", __name__, static_folder="static", template_folder="templates")
_SAID = {
    "version": __version__,
    "requirements": REQUIREMENTS,
    "reasons": OVERRIDE_REASONS,
    "most_cards": MOST_CARDS,
    "limits": LIMITS,
    "presets": presets(),
    "words": words,
}  # the same at every site
_MOST_MADE = 8


@blueprint.get("/")
def home() -> Response:
    """Generated from the services and the knowledge, so that it cannot drift from what is live."""
    parts, voice = wiring(), voice_for(None)
    site, day, base = _site(parts), parts.clock().date(), _base(parts)
    shown_by = (site.shadow, site.off, day, base, voice.language)
    page = parts.pages_made.get(shown_by)
    if page is None:  # once for each way things stand: it takes ten times as long as a call, and anybody may ask for it
        page = _page(parts, site, day, base, voice)
        if len(parts.pages_made) >= _MOST_MADE:
            parts.pages_made.clear()
        parts.pages_made[shown_by] = page
    return marked(Response(page, content_type="text/html; charset=utf-8"), voice)


@blueprint.get("/openapi.json")
def interface() -> Response:
    """Public: every address, what it takes and what it answers; nothing of anybody."""
    return Response(wiring().interface, content_type="application/json")


def _page(parts: Wiring, site: shown.Site, day: date, base: str, voice: Voice) -> str:
    return render_template(
        "home.html",
        **_SAID,
        **on_a_page(voice),
        knowledge=parts.knowledge,
        profile=parts.profile,
        profiles=parts.profiles.values(),
        services=site.services,
        templates=parts.templates,
        topics=shown.topics(site),
        of_every_rule=shown.of_every_rule(site.services, parts.profiles),
        orders=shown.orders(parts.profiles),
        checked=report(parts.knowledge, parts.profiles, day),
        all_in_shadow="all" in site.shadow,
        open_access=parts.settings.open_access,
        connection=connection(base, demo=parts.settings.open_access),
        pages=frozenset(current_app.blueprints),  # those for the team that this deployment has
    )


def _site(parts: Wiring) -> shown.Site:
    switched = parts.ledger.switches.now()
    return shown.Site(
        services=tuple(parts.services.values()),
        profile=parts.profile,
        profiles=parts.profiles,
        shadow=parts.settings.shadow | switched.shadow,
        off=switched.off,
    )


def _base(parts: Wiring) -> str:
    """What clients call: the site's own setting, never what a request says; the demo is where this machine's browser found it."""
    if not parts.settings.open_access:
        return parts.settings.public_url or ""
    here = f"http://{request.host}"
    return here if may_read(here, (), open_access=True) else ""
