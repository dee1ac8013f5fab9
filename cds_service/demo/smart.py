"""The demo's EHR as SMART App Launch has it: launches, codes that count once, PKCE, tokens for one chart that come to an end.

It issues and checks, so that the why page is tried on what an EHR really does. Its user is signed in already, and asked nothing.
"""

import json
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from time import monotonic
from typing import Any
from urllib.parse import quote_plus, urlencode

from flask import Blueprint, Response, redirect, render_template_string, request
from werkzeug.wrappers import Response as AnyResponse

from cds_service.demo.fhir import outcome
from cds_service.demo.store import Charts

LAUNCH_SECONDS, CODE_SECONDS, TOKEN_SECONDS = 300.0, 60.0, 300.0
_OWN = "ehr-"  # how everything that is handed out begins
_MOST = 1000  # of each kind: the oldest go
_LIST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Demo EHR</title>
<link rel="stylesheet" href="/static/style.css"></head><body><main><h1>Demo EHR</h1>
<p>What the link on a card does: the EHR opens the why page for the chart that is open.</p>
<ul>{% for one in stories %}<li><a href="/ehr/open?patient={{ one.patient_id }}">{{ one.title }}</a></li>
{% endfor %}</ul></main></body></html>"""


@dataclass(frozen=True, slots=True)
class App:
    """An app as it is registered with the EHR: where it is launched, and where its answers go."""

    client_id: str
    launched_at: str
    redirect_uri: str
    secret: str | None = None  # None: a public client


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issued:
    """Something that was handed out: for whose chart, until when, and for a code what it was asked with."""

    patient: str
    until: float
    scope: str = ""
    challenge: str = ""


@dataclass(slots=True)
class Ehr:
    """What the EHR has handed out. `clock` counts seconds."""

    charts: Charts
    base_url: str
    app: App
    clock: Callable[[], float] = monotonic
    token_seconds: float = TOKEN_SECONDS
    closed: bool = False  # a chart is read with a token of its own, or not at all
    launches: dict[str, _Issued] = field(default_factory=dict)
    codes: dict[str, _Issued] = field(default_factory=dict)
    tokens: dict[str, _Issued] = field(default_factory=dict)

    @property
    def iss(self) -> str:
        """Its FHIR base address."""
        return f"{self.base_url}/fhir"

    def issue(self, kept: dict[str, _Issued], seconds: float, **what: str) -> str:
        """Something that nobody can guess."""
        while len(kept) >= _MOST:
            del kept[next(iter(kept))]
        name = _OWN + secrets.token_urlsafe(24)
        kept[name] = _Issued(until=self.clock() + seconds, **what)
        return name

    def valid(self, found: _Issued | None) -> bool:
        """Whether it was handed out, and its time is not over."""
        return found is not None and self.clock() < found.until


def smart_ehr(ehr: Ehr) -> Blueprint:
    """The EHR's pages and endpoints; what it has of tokens guards its charts too."""
    blueprint = Blueprint("ehr", __name__)
    routes: dict[str, Callable[[Ehr], AnyResponse]] = {
        "/ehr": _list,
        "/ehr/open": _open,
        "/ehr/authorize": _authorize,
        "/fhir/.well-known/smart-configuration": _configuration,
    }
    for rule, view in routes.items():
        blueprint.add_url_rule(rule, view.__name__, _bound(view, ehr), methods=["GET"])
    blueprint.add_url_rule("/ehr/token", "_token", _bound(_token, ehr), methods=["POST"])
    blueprint.before_app_request(_bound(_guard, ehr))
    return blueprint


def _bound(view: Callable[[Ehr], Any], ehr: Ehr) -> Callable[[], Any]:
    return lambda: view(ehr)


def _list(ehr: Ehr) -> AnyResponse:
    return Response(render_template_string(_LIST, stories=ehr.charts.stories))


def _open(ehr: Ehr) -> AnyResponse:
    """The link of a card is followed while a chart is open."""
    patient = request.args.get("patient", "")
    if patient not in ehr.charts.by_patient:
        return Response("There is no such chart.", 404, content_type="text/plain")
    launch = ehr.issue(ehr.launches, LAUNCH_SECONDS, patient=patient)
    return redirect(f"{ehr.app.launched_at}?{urlencode({'iss': ehr.iss, 'launch': launch})}")


def _configuration(ehr: Ehr) -> AnyResponse:
    return _json(
        {
            "issuer": ehr.iss,
            "authorization_endpoint": f"{ehr.base_url}/ehr/authorize",
            "token_endpoint": f"{ehr.base_url}/ehr/token",
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": [
                "launch-ehr",
                "client-public",
                "context-ehr-patient",
                "permission-patient",
                "permission-v1",
            ],
        }
    )


def _authorize(ehr: Ehr) -> AnyResponse:
    """Where the app is not the one that is registered nobody is sent anywhere."""
    asked = request.args
    if (asked.get("client_id"), asked.get("redirect_uri")) != (ehr.app.client_id, ehr.app.redirect_uri):
        return Response("No app is registered under this client id and redirect URI.", 400, content_type="text/plain")
    fault, launch = _fault(ehr), ehr.launches.pop(asked.get("launch", ""), None)
    if fault is None and (launch is None or not ehr.valid(launch)):
        fault = "invalid_request"
    state = {"state": asked.get("state", "")}
    if fault or launch is None:
        return redirect(f"{ehr.app.redirect_uri}?{urlencode({'error': fault} | state)}")
    code = ehr.issue(
        ehr.codes, CODE_SECONDS, patient=launch.patient, scope=asked["scope"], challenge=asked["code_challenge"]
    )
    return redirect(f"{ehr.app.redirect_uri}?{urlencode({'code': code} | state)}")


def _fault(ehr: Ehr) -> str | None:
    """What is wrong with what the app asks, as OAuth words it."""
    asked = request.args
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    if asked.get("aud") != ehr.iss or asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        return "invalid_request"
    return None if "launch" in asked.get("scope", "").split() else "invalid_scope"


def _token(ehr: Ehr) -> AnyResponse:
    form = request.form
    if not _is_the_app(ehr):
        return _json({"error": "invalid_client"}, 401)
    if form.get("grant_type") != "authorization_code":
        return _json({"error": "unsupported_grant_type"}, 400)
    code = ehr.codes.pop(form.get("code", ""), None)
    proof = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
    is_proven = code is not None and ehr.valid(code) and secrets.compare_digest(proof, code.challenge)
    if code is None or not is_proven or form.get("redirect_uri") != ehr.app.redirect_uri:
        return _json({"error": "invalid_grant"}, 400)
    token = ehr.issue(ehr.tokens, ehr.token_seconds, patient=code.patient)
    granted = {"access_token": token, "token_type": "Bearer", "expires_in": int(TOKEN_SECONDS), "scope": code.scope}
    return _json(granted | {"patient": code.patient, "need_patient_banner": True})


def _is_the_app(ehr: Ehr) -> bool:
    if ehr.app.secret is None:
        return request.form.get("client_id") == ehr.app.client_id
    expected = f"Basic {b64encode(f'{quote_plus(ehr.app.client_id)}:{quote_plus(ehr.app.secret)}'.encode()).decode()}"
    return secrets.compare_digest(request.headers.get("Authorization", ""), expected)


def _guard(ehr: Ehr) -> AnyResponse | None:
    """A token of the EHR's own opens the one chart that it is for, while it lasts. In the demo all else is open to this machine."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    is_chart = request.path.startswith("/fhir/") and ".well-known" not in request.path
    if not is_chart or not (ehr.closed or token.startswith(_OWN)):
        return None
    found = ehr.tokens.get(token)
    if found is None or not ehr.valid(found):
        return outcome(401, "login", "This token is not known, or its time is over")
    asked = {request.args.get("patient", "").removeprefix("Patient/"), *request.path.split("/")[3:]}
    return None if found.patient in asked else outcome(403, "forbidden", "This token is for another chart")


def _json(content: dict[str, Any], status: int = 200) -> AnyResponse:
    return Response(json.dumps(content), status, content_type="application/json")
