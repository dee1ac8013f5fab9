"""Every request in; out come the number it can be found by, a line in the log where it was refused, and one audit record an answer.

The audit record says who asked which service, and what became of it: of the patient and the user only a keyed hash.
"""

from time import perf_counter
from typing import Any
from uuid import uuid4

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from cds_service.access import UNKNOWN
from cds_service.journal.log import log
from cds_service.journal.trace_context import trace_context
from cds_service.web.wiring import wiring
from hooks.assess import Assessment

CORRELATION = "X-Correlation-Id"
_AUDITED = "cds-hooks"  # the blueprint; discovery aside, which is public and the same for all


def register(app: Flask) -> None:
    """Numbers every request, marks every response, records every answer."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(lambda _: clear_contextvars())


def issuer_of_call() -> str:
    """Who called, of the trust file; who is not in it has no name here."""
    return g.caller.issuer.iss if "caller" in g else UNKNOWN


def _begin() -> None:
    g.correlation, g.began, g.steps = str(uuid4()), perf_counter(), {}
    clear_contextvars()
    found = trace_context(request.headers.get("traceparent"))
    g.trace = {"trace": found.trace, "span": found.span} if found else {}
    bind_contextvars(correlation=g.correlation, **g.trace)


def _end(response: Response) -> Response:
    response.headers[CORRELATION] = g.correlation
    code = g.get("refusal")
    if code:
        wiring().metrics.refusals.labels(issuer_of_call(), code).inc()
        log.info("refused", issuer=issuer_of_call(), service=_service(), status=response.status_code, code=code)
    if request.blueprint == _AUDITED and request.method == "POST":
        wiring().audit.record(_record(response.status_code, code))
    return response


def _service() -> str:
    named = str((request.view_args or {}).get("service_id"))
    return named if named in wiring().services else UNKNOWN


def _record(status: int, code: str | None) -> dict[str, Any]:
    """What an auditor asks: who, which service, about whom (hashed), when, with what result, on which knowledge."""
    assessment: Assessment | None = g.get("assessment")
    return {
        "event": "feedback" if (request.endpoint or "").endswith("take_feedback") else "answer",
        "correlation": g.correlation,
        **g.trace,
        "issuer": issuer_of_call(),
        "service": _service(),
        **_about(),
        "status": status,
        "code": code,
        "entries": g.get("entries"),
        "duration_ms": round(1000 * (perf_counter() - g.began), 3),
        "steps_ms": {step: round(1000 * seconds, 3) for step, seconds in g.steps.items()},
        **(_found(assessment) if assessment else {}),
    }


def _about() -> dict[str, str | None]:
    asked, hashed = g.get("asked"), wiring().ledger.pseudonyms.of
    if asked is None:
        return {}
    issuer = issuer_of_call()
    user = hashed(issuer, asked.user_id) if asked.user_id else None
    return {"hook": asked.hook, "patient": hashed(issuer, asked.patient_id), "user": user}


def _found(assessment: Assessment) -> dict[str, Any]:
    profile = assessment.profile
    return {
        "knowledge": profile.knowledge.version,
        "profile": profile.name,
        "complete": assessment.complete,
        "cards": len(assessment.cards),
        "rules": {one.rule.id: one.outcome for one in assessment.findings},
        "missing": sorted({datum for one in assessment.findings for datum in one.missing}),
    }
