"""A report, or what clinicians wrote, in; a table as CSV out, one row a rule and span, in which no cell is a formula."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO

from cds_service.report.comments import Comment
from cds_service.report.counts import REASONS, Counts, Rate
from cds_service.report.make import Part, Report, RuleReport
from hooks.holding import NO_ROOM, QUIET, SHADOW, UNRELATED

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # as spreadsheets take them, wide ones too
_HELD = (QUIET, NO_ROOM, UNRELATED, SHADOW)
_ALL_DAYS = (
    "patients",
    "repeats_per_patient",
)  # empty where the days are divided: who is seen in two weeks would count twice
Cell = str | int | float | None


def table(report: Report) -> str:
    """Every rule that anything became of; where the days are divided, each with as many rows as there are spans."""
    rows = [_row(report, rule, part, number) for rule in report.rules for part, number in _parts(report, rule)]
    return _csv(_row(report, _NOBODY, Part(report.asked.days, Counts()), 0), rows)


def comments_table(found: Iterable[Comment]) -> str:
    """What clinicians wrote, a row each."""
    rows = [{"day": str(one.day), "rules": " ".join(one.rules), "outcome": one.outcome, "reason": one.reason,
             "words": one.words} for one in found]  # fmt: skip
    return _csv(dict.fromkeys(("day", "rules", "outcome", "reason", "words")), rows)


_NOBODY = RuleReport(rule="", counts=Counts(), patients=0, parts=())


def _parts(report: Report, rule: RuleReport) -> Iterator[tuple[Part, int]]:
    if report.asked.by:
        yield from zip(rule.parts, report.answers_by, strict=True)
    else:
        yield Part(report.asked.days, rule.counts), report.answers


def _row(report: Report, rule: RuleReport, part: Part, answers: int) -> dict[str, Cell]:
    days = {"from": str(part.span.first), "to": str(part.span.last)}
    about: dict[str, Cell] = {"issuer": report.asked.issuer, "service": report.asked.service}
    whole = None if report.asked.by else (rule.patients, _rounded(rule.repeats_per_patient))
    of_all_days = dict(zip(_ALL_DAYS, whole or (None, None), strict=True))
    return days | {"rule": rule.rule} | about | {"answers": answers} | _counts(part.counts) | of_all_days


def _counts(one: Counts) -> dict[str, Cell]:
    reasons: dict[str, Cell] = {f"overridden_{_column(name)}": one.overridden_by.get(name, 0) for name in REASONS}
    held: dict[str, Cell] = {f"held_{_column(name)}": one.held.get(name, 0) for name in _HELD}
    return {
        "shown": one.shown,
        "would_have_been_shown": one.shadowed,
        "accepted": one.accepted,
        "overridden": one.overridden,
        **reasons,
        "no_feedback": one.unanswered,
        "ordered_afterwards": one.ordered_unanswered,
        "with_feedback": one.answered,
        "accepted_of_feedback": _share(one.accepted_of_answered),
        "accepted_of_shown": _share(one.accepted_of_shown),
        "repeats": one.repeated,
        "held": sum(one.held.values()),
        **held,
        "not_assessed": one.not_assessed,
        "not_assessed_for_want_of": "; ".join(f"{datum} {times}" for datum, times in one.lacked.items()),
        "switched_off": one.switched_off,
        "silent": one.silent,
    }


def _column(code: str) -> str:
    return code.replace("-", "_")


def _share(rate: Rate) -> float | None:
    return _rounded(rate.share)


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _csv(head: Iterable[str], rows: Iterable[Mapping[str, Cell]]) -> str:
    """As RFC 4180 has it."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([_harmless(cell) for cell in row.values()] for row in rows)
    return out.getvalue()


def _harmless(cell: Cell) -> Cell:
    """A text that a spreadsheet would reckon with begins with an apostrophe, by which it is text."""
    if not isinstance(cell, str):
        return cell
    return f"'{cell}" if cell.startswith(_FORMULA) else cell.replace("\0", "\\u0000")
