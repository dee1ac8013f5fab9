"""A run and what became of its calls in; one JSON document goes out, without the tokens and the data that were sent."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from cds_service.simulate import words
from cds_service.simulate.outcome import Outcome
from cds_service.simulate.remarks import Remark
from cds_service.simulate.run import Run


def document(run: Run, outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Everything that the terminal tells."""
    found, figures = run.discovered, run.figures
    return {
        "service": run.asked.base,
        "sent": words.what_is_sent(run.asked),
        "warnings": words.warnings(run.asked),
        "services": [{"id": one.id, "hook": one.hook} for one in found.services] if found else [],
        "discovery": _remarks(found.remarks) if found else [],
        "probes": [{"about": one.about, "found": one.found, "remarks": _remarks(one.remarks)} for one in run.probes],
        "calls": [_call(one) for one in outcomes],
        "remarks": _remarks(run.besides),
        "figures": {
            "planned": run.planned,
            "calls": figures.calls,
            "answered": figures.answered,
            "refused": figures.refused,
            "failed": figures.failed,
            "slowestMs": max(figures.ms, default=None),
            "p50Ms": figures.within(0.5),
            "p95Ms": figures.within(0.95),
            "faults": run.faults,
        },
        "interrupted": run.interrupted,
        "right": run.right,
    }


def _call(outcome: Outcome) -> dict[str, Any]:
    evaluation, told = outcome.evaluation, outcome.told
    return {
        "number": outcome.number,
        "service": outcome.service,
        "hook": outcome.hook,
        "patient": outcome.who,
        "sent": list(outcome.sent),
        "tokenFault": outcome.wrong,
        "tokenRefused": outcome.token_refused,
        "status": outcome.status,
        "ms": round(outcome.ms, 1),
        "cards": None if outcome.cards is None else [asdict(one) for one in outcome.cards],
        "evaluation": {
            "complete": evaluation.complete,
            "held": list(evaluation.held),
            "notAssessed": list(evaluation.not_assessed),
        }
        if evaluation
        else None,
        "fhirAsked": None if outcome.asked is None else list(outcome.asked),
        "feedback": {
            "accepted": told.accepted,
            "overridden": told.overridden,
            "status": told.statuses[0],
            "again": told.statuses[1],
        }
        if told
        else None,
        "remarks": _remarks(outcome.remarks),
    }


def _remarks(remarks: Iterable[Remark]) -> list[dict[str, str]]:
    return [asdict(one) for one in remarks]
