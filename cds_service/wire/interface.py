"""The services and where clients call in; the OpenAPI document of all that is served out, its schemas those we judge by."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from cds_service.errors import (
    OverQuota,
    PasswordNeeded,
    Refusal,
    TooManyTries,
    Unauthenticated,
    Unavailable,
    WrongMethod,
)
from cds_service.wire.outcome import MEDIA_TYPE
from cds_service.wire.validation import schema
from hooks.assess import Service

_FILES = ("discovery", "request", "order-request", "response", "feedback", "operation-outcome", "report")
_SHARED = (
    "Cache-Control",
    "X-Content-Type-Options",
    "X-Knowledge-Version",
    "X-Correlation-Id",
    "Vary",
    "Access-Control-Allow-Origin",
)
# The header that a refusal has besides, and its name in the document.
_OWN: Mapping[type[Refusal], tuple[str, str]] = {
    Unauthenticated: ("WWW-Authenticate", "WWW-Authenticate"),
    PasswordNeeded: ("WWW-Authenticate", "WWW-Authenticate-Basic"),
    WrongMethod: ("Allow", "Allow"),
    OverQuota: ("Retry-After", "Retry-After"),
    TooManyTries: ("Retry-After", "Retry-After"),
    Unavailable: ("Retry-After", "Retry-After"),
}
# What any address may answer, whatever is asked: the server before it, another method, a bug.
_ANYWHERE = {"400": "Malformed", "405": "WrongMethod", "500": "Fault"} | dict.fromkeys(
    ("414", "417", "431", "501"), "NotHttp"
)


def interface(
    services: tuple[Service, ...],
    discovery: Mapping[str, Any],
    *,
    version: str,
    public_url: str | None,
    open_access: bool,
    report: bool,
    workbench: bool,
    why: bool,
) -> dict[str, Any]:
    """The document for this site: its address, its services, whether it looks at tokens, which pages for its team are there."""
    document = schema("openapi")
    there = {"/report": report, "/workbench": workbench, "/why/launch": why, "/why/callback": why}
    for address in (one for one, is_there in there.items() if not is_there):
        del document["paths"][address]
    document["info"]["version"] = version
    if public_url:
        document["servers"] = [{"url": public_url}]
    parts = document["components"]
    parts["parameters"]["ServiceId"]["schema"]["enum"] = [one.id for one in services]
    parts["schemas"] |= _schemas()
    parts["responses"] |= {kind.__name__: _refusal(kind) for kind in family()}
    document["paths"]["/cds-services"]["get"]["responses"]["200"]["content"]["application/json"]["example"] = discovery
    for address, path in document["paths"].items():
        _complete(address, path, open_access)
    for answer in parts["responses"].values():
        _mark(answer)
    return document


def family(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Every kind of refusal."""
    for one in kind.__subclasses__():
        yield one
        yield from family(one)


def _complete(address: str, path: dict[str, Any], open_access: bool) -> None:
    """Adds what holds at every address: HEAD beside GET, OPTIONS, the refusals that any request may meet, the shared headers."""
    if "get" in path:
        asked = path["get"]
        path["head"] = asked | {"operationId": f"{asked['operationId']}Head", "responses": dict(asked["responses"])}
    path["options"] = _options(address, path.get("get") or path["post"])
    for operation in (path[method] for method in ("get", "head", "post", "options") if method in path):
        if open_access and operation["security"]:
            operation["security"] = [*operation["security"], {}]
        for status, name in _ANYWHERE.items():
            operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{name}"})
        for answer in operation["responses"].values():
            _mark(answer)


def _options(address: str, beside: Mapping[str, Any]) -> dict[str, Any]:
    """What a browser asks before it calls: answered for any id, for a preflight that fails tells a page nothing."""
    names = re.findall(r"{(\w+)}", address)
    answers = {"204": "Options"} | ({"404": "UnknownService"} if names else {})  # a line break, say, is of no address
    return {
        "operationId": f"{beside['operationId']}Options",
        "tags": beside["tags"],
        "summary": "Methods of this address; preflights of browsers",
        "security": [],
        "parameters": [{"name": one, "in": "path", "required": True, "schema": {"type": "string"}} for one in names],
        "responses": {status: {"$ref": f"#/components/responses/{name}"} for status, name in answers.items()},
    }


def _mark(answer: dict[str, Any]) -> None:
    if "$ref" not in answer:
        answer["headers"] = answer.get("headers", {}) | {name: _header(name) for name in _SHARED}


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def _refusal(kind: type[Refusal]) -> dict[str, Any]:
    coded = {"properties": {"coding": {"items": {"properties": {"code": {"const": kind.code}}}}}}
    issue = {"properties": {"code": {"const": kind.issue}, "details": coded}}
    form = {"$ref": "#/components/schemas/OperationOutcome", "properties": {"issue": {"items": issue}}}
    own = {_OWN[kind][0]: _header(_OWN[kind][1])} if kind in _OWN else {}
    return {
        "description": " ".join((kind.__doc__ or "").split()),
        "headers": own,
        "content": {MEDIA_TYPE: {"schema": form}},
    }


def _schemas() -> dict[str, Any]:
    """Our schema files and their definitions under one roof: the same schemas, their references pointing into the document."""
    found: dict[str, Any] = {}
    for name in _FILES:
        content = schema(name)
        parts = {name: content} | content.pop("$defs", {})
        found |= {_title(key): _linked(part) for key, part in parts.items()}
    return found


def _linked(part: Any) -> Any:
    if isinstance(part, list):
        return [_linked(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        name: _address(value) if name == "$ref" else _linked(value)
        for name, value in part.items()
        if name not in ("$schema", "$id")
    }


def _address(reference: str) -> str:
    return f"#/components/schemas/{_title(PurePosixPath(reference).stem)}"


def _title(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))
