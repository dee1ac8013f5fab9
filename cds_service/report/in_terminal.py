"""A report, or what clinicians wrote, in; text and tables that read well on a terminal out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_service.report import words
from cds_service.report.comments import Comment
from cds_service.report.counts import REASONS
from cds_service.report.make import Report, RuleReport
from hooks.wording import day

_WIDTH = 120  # where nobody watches


def print_report(report: Report, out: TextIO) -> None:
    """The whole report."""
    console = _console(out)
    console.print(Text(f"What became of the advice, {words.about(report.asked)}", "bold"))
    for line in _summary(report):
        console.print(Text(line))
    said = [one for one in report.rules if one.counts.shown or one.counts.shadowed]
    for title, table in (
        ("By rule", _by_rule(said)),
        ("Why it was overridden", _by_reason([one for one in said if one.counts.overridden])),
        ("Over time", _over_time(report) if report.asked.by else None),
        ("Not said, and why", _not_said(report.rules)),
    ):
        if table and table.row_count:
            console.print(Text(f"\n{title}", "bold"))
            console.print(table)
    console.print()
    for note in words.NOTES:
        console.print(Text(note, "dim"))


def print_comments(found: Sequence[Comment], out: TextIO) -> None:
    """What clinicians wrote, each with its day, its rules and what became of the card."""
    console = _console(out)
    console.print(Text(words.COMMENTS_MAY_NAME, "bold"))
    for one in found:
        rules = ", ".join(map(words.title, one.rules)) or "of no card that was shown here"
        reason = f": {words.REASON.get(one.reason, one.reason)}" if one.reason else ""
        console.print(Text(f"\n{day(one.day)}  {rules}  {one.outcome}{reason}", "dim"))
        for line in one.words.splitlines() or [""]:
            console.print(Text(f"  {words.clean(line)}"))
    if not found:
        console.print(Text("\nNobody wrote anything in these days."))


def _console(out: TextIO) -> Console:
    if out.isatty():
        return Console(file=out, highlight=False)
    return Console(file=out, highlight=False, width=_WIDTH, force_terminal=False, color_system=None)


def _summary(report: Report) -> Iterator[str]:
    one = report.counts
    answered, seen = words.of(one.accepted_of_answered), words.of(one.accepted_of_shown)
    yield f"Answers {report.answers:,} · shown {one.shown:,} · with feedback {one.answered:,}"
    yield f"Accepted: {answered} of what there is feedback on, {seen} of what was shown"
    yield f"Would have been shown {one.shadowed:,} · feedback on cards nobody here showed {report.unmatched:,}"


def _by_rule(rules: Iterable[RuleReport]) -> Table:
    heads = ("Shown", "Accepted", "Overridden", "No feedback", "Ordered afterwards", "Accepted of feedback",
             "Accepted of shown", "Repeats", "Repeats per patient")  # fmt: skip
    table = _table("Rule", heads)
    for rule in rules:
        one, each = rule.counts, rule.repeats_per_patient
        _row(table, words.title(rule.rule), one.shown, one.accepted, one.overridden, one.unanswered, one.ordered_unanswered,
             words.percent(one.accepted_of_answered), words.percent(one.accepted_of_shown), one.repeated,
             "–" if each is None else f"{each:.2f}")  # fmt: skip
    return table


def _by_reason(rules: Iterable[RuleReport]) -> Table:
    table = _table("Rule", [words.REASON[reason] for reason in REASONS])
    for rule in rules:
        _row(table, words.title(rule.rule), *(rule.counts.overridden_by[reason] for reason in REASONS))
    return table


def _over_time(report: Report) -> Table:
    table = _table("", ("Answers", "Shown", "Accepted", "Overridden", "No feedback", "Held", "Not assessed"))
    for part, answers in zip(report.parts, report.answers_by, strict=True):
        one = part.counts
        _row(table, words.span(part.span, report.asked.by), answers, one.shown, one.accepted, one.overridden, one.unanswered,
             sum(one.held.values()), one.not_assessed)  # fmt: skip
    return table


def _not_said(rules: Iterable[RuleReport]) -> Table:
    table = _table("Rule", ("Silent", "Would have been shown", "Held", "Not assessed"))
    table.add_column("Why", overflow="fold")
    for rule in rules:
        one = rule.counts
        if one.silent or one.shadowed or one.held or one.not_assessed:
            held = sum(one.held.values())
            _row(
                table,
                words.title(rule.rule),
                one.silent,
                one.shadowed,
                held,
                one.not_assessed,
                "; ".join(words.not_said(one)),
            )
    return table


def _table(first: str, heads: Iterable[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for head in heads:
        longest = max(map(len, head.split()))  # a word is not broken
        table.add_column(head, justify="right", min_width=longest, max_width=longest + 4)
    return table


def _row(table: Table, *cells: str | int) -> None:
    table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else cell) for cell in cells))
