"""A report in; text and tables that read well on a terminal out."""

from collections.abc import Iterable
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_service.doctor import words
from cds_service.doctor.findings import WEIGHTS, Remark, Report

_WIDTH = 132  # where nobody watches
Rows = Iterable[tuple[str | int, ...]]


def print_report(report: Report, out: TextIO) -> None:
    """The whole report."""
    watched = out.isatty()
    console = Console(
        file=out,
        highlight=False,
        width=None if watched else _WIDTH,
        force_terminal=None if watched else False,
        color_system="auto" if watched else None,
    )
    console.print(Text(words.title(report), "bold"))
    console.print(Text(words.made(report), "dim"))
    for line in words.summary(report):
        console.print(Text(line))
    for title, heads, rows in _parts(report):
        _print(console, title, heads, list(rows))
    if report.lines:
        console.print(Text("\nLines for a map of local codes", "bold"))
        for line in report.lines:
            console.print(Text(line), soft_wrap=True)
    console.print()
    for note in words.NOTES:
        console.print(Text(note, "dim"))


def _parts(report: Report) -> Iterable[tuple[str, tuple[str, ...], Rows]]:
    yield (
        "What was looked at",
        ("Request", "Hook", "Outcome"),
        ((one.name, one.hook, one.outcome) for one in report.examined),
    )
    for weight in WEIGHTS:
        yield words.WEIGHT[weight], _REMARK, _remarks(one for one in report.remarks if one.weight == weight)
    yield (
        "Prefetch templates",
        ("Key", "Came", "Noticed"),
        ((one.key, words.states(one), words.notes(one)) for one in report.keys),
    )
    for kind, name in words.KINDS.items():
        yield (
            name,
            ("Code", "Display", "Taken for", "Times"),
            (
                ("\n".join(map(words.code, one.codes)) or "no code", one.display, words.meaning(one), one.times)
                for one in report.codes
                if one.kind == kind
            ),
        )
    yield (
        "Units and written results",
        ("Of", "Unit", "Shape", "Read", "Times"),
        ((one.measure, one.unit, one.shape, one.why or "yes", one.times) for one in report.units),
    )
    yield "Clocks", _REMARK, _remarks(report.clocks)
    yield (
        "Search parameters of the FHIR server",
        ("Search", "Declared", "Found", ""),
        (
            (one.search, {True: "yes", False: "no", None: "–"}[one.declared], one.found, one.says)
            for one in report.parameters
        ),
    )
    yield "The token", ("Check", "Result", ""), ((one.name, one.result, one.says) for one in report.token)
    yield (
        "Which advice this client can get",
        ("Rule", "Assessed", "Not", "Not reached", ""),
        ((one.rule, one.assessed, one.not_assessed, one.not_reached, words.outcome(one)) for one in report.rules),
    )
    yield "Strict validity (harmless)", _REMARK, _remarks(report.invalid)


_REMARK = ("Where", "What", "Times")


def _remarks(found: Iterable[Remark]) -> Rows:
    return ((one.where, one.says, one.times) for one in found)


def _print(console: Console, title: str, heads: tuple[str, ...], rows: list[tuple[str | int, ...]]) -> None:
    if not rows:
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    for place, head in enumerate(heads):
        numbers = isinstance(rows[0][place], int)
        table.add_column(head, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console.print(Text(f"\n{title}", "bold"))
    console.print(table)
