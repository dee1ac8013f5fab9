"""A report in, what JSON says of it out, in the shape of `wire/schemas/report.json`."""

from collections.abc import Iterable
from typing import Any

from cds_service.report.asked import Asked, Span
from cds_service.report.comments import Comment
from cds_service.report.counts import Counts, Rate
from cds_service.report.make import Part, Report, RuleReport
from cds_service.report.words import COMMENTS_MAY_NAME, NOTES


def document(report: Report) -> dict[str, Any]:
    """The whole report."""
    asked = report.asked
    return {
        "period": _days(asked.days) | {"by": asked.by},
        "filters": {"issuer": asked.issuer, "service": asked.service, "rule": asked.rule},
        "made": report.made.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "answers": report.answers,
        "unmatchedFeedback": report.unmatched,
        "total": _counts(report.counts),
        "series": [
            _part(one) | {"answers": number} for one, number in zip(_series(report), report.answers_by, strict=False)
        ],
        "rules": [_rule(one, report) for one in report.rules],
        "notes": [str(note) for note in NOTES],
    }


def comments_document(found: Iterable[Comment], asked: Asked) -> dict[str, Any]:
    """What clinicians wrote."""
    said = [
        {
            "day": str(one.day),
            "rules": one.rules,
            "outcome": one.outcome,
            "reason": one.reason or None,
            "words": one.words,
        }
        for one in found
    ]
    return {"warning": COMMENTS_MAY_NAME, "period": _days(asked.days), "comments": said}


def _rule(one: RuleReport, report: Report) -> dict[str, Any]:
    own = {"rule": one.rule, "patients": one.patients, "repeatsPerPatient": _rounded(one.repeats_per_patient)}
    return own | _counts(one.counts) | {"series": [_part(part) for part in one.parts if report.asked.by]}


def _series(report: Report) -> tuple[Part, ...]:
    return report.parts if report.asked.by else ()


def _part(one: Part) -> dict[str, Any]:
    return _days(one.span) | _counts(one.counts)


def _days(span: Span) -> dict[str, Any]:
    return {"from": span.first.isoformat(), "to": span.last.isoformat()}


def _counts(one: Counts) -> dict[str, Any]:
    return {
        "shown": one.shown,
        "wouldHaveBeenShown": one.shadowed,
        "accepted": one.accepted,
        "overridden": one.overridden,
        "overriddenByReason": dict(one.overridden_by),
        "noFeedback": one.unanswered,
        "orderedAfterwards": one.ordered_unanswered,
        "acceptedOfFeedback": _rate(one.accepted_of_answered),
        "acceptedOfShown": _rate(one.accepted_of_shown),
        "repeats": one.repeated,
        "held": dict(one.held),
        "notAssessed": one.not_assessed,
        "notAssessedForWantOf": dict(one.lacked),
        "switchedOff": one.switched_off,
        "silent": one.silent,
    }


def _rate(one: Rate) -> dict[str, Any]:
    return {"number": one.number, "of": one.of, "share": _rounded(one.share)}


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
