"""The demo charts come in; a Flask blueprint goes out that serves them under /fhir as a read-only FHIR R4 endpoint."""

import json
from functools import partial
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for

from cds_service.demo.search import PARAMETERS, BadParameterError, Search, found, understand
from cds_service.demo.store import Charts, Resource

READ = "GET, HEAD, OPTIONS"
SEARCH_BY_FORM = "POST, OPTIONS"
# Launchers that stand in front of it write their own into this, for apps that look nowhere else
SECURITY = {"cors": True, "description": "Open to this machine; whatever token comes is not looked at"}


def fhir_endpoint(charts: Charts) -> Blueprint:
    """Make the blueprint: metadata, read, search by GET and by POST _search; everything else is refused."""
    blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")
    blueprint.add_url_rule("/metadata", "metadata", partial(metadata, charts), methods=["GET"])
    blueprint.add_url_rule("/<kind>", "search", partial(search, charts), methods=["GET"])
    blueprint.add_url_rule("/<kind>/_search", "search_by_form", partial(search, charts), methods=["POST"])
    blueprint.add_url_rule("/<kind>/<resource_id>", "read", partial(read, charts), methods=["GET"])
    for rule in ("/", "/<path:path>"):
        blueprint.add_url_rule(rule, "refuse", refuse, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    return blueprint


def read(charts: Charts, kind: str, resource_id: str) -> Response:
    resource = charts.find(kind, resource_id)
    return fhir(resource) if resource else outcome(404, "not-found", "There is no such resource")


def search(charts: Charts, kind: str) -> Response:
    if kind not in PARAMETERS:
        return outcome(404, "not-supported", "This type of resource is not served here")
    if request.content_length and request.mimetype != "application/x-www-form-urlencoded":
        return outcome(415, "structure", "The parameters of a search are sent as a form")
    asked = [*request.args.items(multi=True), *request.form.items(multi=True)]
    try:
        understood = understand(kind, asked)
    except BadParameterError as reason:
        return outcome(400, "invalid", str(reason))
    return fhir(searchset(found(charts.every(kind), understood), understood))


def refuse(path: str = "") -> Response:
    """Answer what is not served: 405 where another method is, else 404."""
    allowed = allowed_methods(path.strip("/").split("/"))
    if not allowed or request.method in allowed.split(", "):
        return outcome(404, "not-found", "There is nothing at this address")
    refused = outcome(405, "not-supported", "This endpoint is read-only")
    refused.headers["Allow"] = allowed
    return refused


def allowed_methods(parts: list[str]) -> str:
    match parts:
        case [kind, "_search"] if kind in PARAMETERS:
            return SEARCH_BY_FORM
        case ["metadata"]:
            return READ
        case [kind] | [kind, _] if kind in PARAMETERS:
            return READ
    return ""


def searchset(matched: list[Resource], understood: Search) -> Resource:
    """Give one page of what matched, with the links to itself and to the next."""
    after = understood.offset + understood.count
    links = [{"relation": "self", "url": page_address(understood, understood.offset)}]
    if understood.count and after < len(matched):
        links.append({"relation": "next", "url": page_address(understood, after)})
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(matched), "link": links}
    entries = [
        {"fullUrl": f"{address()}/{one['resourceType']}/{one['id']}", "resource": one, "search": {"mode": "match"}}
        for one in matched[understood.offset : after]
    ]
    return bundle | ({"entry": entries} if entries else {})


def page_address(understood: Search, offset: int) -> str:
    """Give the address of one page; only what was applied stands in it, so that a client sees what was not."""
    pairs = [*understood.applied, ("_sort", ",".join(understood.sort)), ("_count", str(understood.count))]
    pairs.append(("_offset", str(offset) if offset else ""))
    return f"{address()}/{understood.kind}?{urlencode([(name, value) for name, value in pairs if value])}"


def address() -> str:
    """Give the address of this endpoint as the client called it."""
    return url_for("fhir.metadata", _external=True).removesuffix("/metadata")


def metadata(charts: Charts) -> Response:
    """Say what is served: a CapabilityStatement."""
    described = [
        {
            "type": kind,
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "searchParam": [{"name": name, "type": one.type} for name, one in sorted(parameters.items())],
        }
        for kind, parameters in PARAMETERS.items()
    ]
    return fhir(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": charts.as_of.isoformat(),
            "kind": "instance",
            "implementation": {"description": "Invented demo patients, read-only", "url": address()},
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json"],
            "rest": [{"mode": "server", "security": SECURITY, "resource": described}],
        }
    )


def outcome(status: int, code: str, sentence: str) -> Response:
    """Answer with an OperationOutcome; the sentence repeats nothing the client sent."""
    issue = {"severity": "error", "code": code, "diagnostics": sentence}
    return fhir({"resourceType": "OperationOutcome", "issue": [issue]}, status)


def fhir(resource: Resource, status: int = 200) -> Response:
    return Response(
        json.dumps(resource, ensure_ascii=False), status, content_type="application/fhir+json; charset=utf-8"
    )
