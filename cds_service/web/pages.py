"""A look at the service in; out comes what it is: a page for people at `/`, and the OpenAPI document for tools."""

from flask import Blueprint, Response, render_template

from cds_service import __version__
from cds_service.web.wiring import wiring
from cds_service.wire.override_reasons import OVERRIDE_REASONS
from hooks.assess import Rule

blueprint = Blueprint("pages", __name__, static_folder="static", template_folder="templates")


@blueprint.get("/")
def home() -> str:
    """Generated from the services and the knowledge, so that it cannot drift from what is live."""
    parts = wiring()
    switched = parts.ledger.switches.now()
    rules: dict[str, Rule] = {rule.id: rule for service in parts.services.values() for rule in service.rules}
    return render_template(
        "home.html",
        version=__version__,
        knowledge=parts.knowledge.version,
        profile=parts.profile,
        services=parts.services.values(),
        templates=parts.discovery["services"][0]["prefetch"],
        rules=[(rule, _sources(rule)) for rule in rules.values()],
        reasons=OVERRIDE_REASONS,
        quiet=parts.knowledge.quiet,
        off=switched.off,
        shadow=parts.settings.shadow | switched.shadow,
        open_access=parts.settings.open_access,
    )


@blueprint.get("/openapi.json")
def interface() -> Response:
    """Public: every address, what it takes and what it answers; nothing of anybody."""
    return Response(wiring().interface, content_type="application/json")


def _sources(rule: Rule) -> list[str]:
    """Each source a rule rests on under the site's profile, once, with its year; none where the profile leaves it out."""
    profile = wiring().profile
    known = () if rule.id in profile.left_out else filter(profile.knows, (*rule.cites, *rule.may_cite))
    cited = [profile.cite(key).source for key in known]
    return list(dict.fromkeys(f"{one.title}: {one.section} ({one.date.year})" for one in cited))
