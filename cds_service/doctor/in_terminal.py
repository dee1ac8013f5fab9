"""A report in; text and tables that read well on a terminal out."""

from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_service.doctor import words
from cds_service.doctor.findings import Report
from cds_service.doctor.tables import Mark, Section, sections

_WIDTH = 132  # where nobody watches
_STYLE: dict[Mark, str] = {"": "", "loses": "yellow", "refused": "red"}
_SIGN: dict[Mark, str] = {"": "", "loses": "!", "refused": "✕"}  # no row is told by its colour alone


def print_report(report: Report, out: TextIO) -> None:
    """The whole report."""
    console = _console(out)
    console.print(Text(words.title(report), "bold"))
    console.print(Text(words.made(report), "dim"))
    for line in words.summary(report):
        console.print(Text(line))
    console.print(Text("✕ nothing can be had, or it is refused · ! advice is lost", "dim"))
    for one in sections(report):
        _print(console, one)
    if report.lines:
        console.print(Text("\nLines for a map of local codes", "bold"))
        for line in report.lines:
            console.print(Text(line), soft_wrap=True)
    console.print()
    for note in words.NOTES:
        console.print(Text(note, "dim"))


def _console(out: TextIO) -> Console:
    if out.isatty():
        return Console(file=out, highlight=False)
    return Console(file=out, highlight=False, width=_WIDTH, force_terminal=False, color_system=None)


def _print(console: Console, section: Section) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False)
    table.add_column("")
    for place, head in enumerate(section.heads):
        numbers = isinstance(section.rows[0].cells[place], int)
        table.add_column(head, justify="right" if numbers else "left", overflow="fold")
    for row in section.rows:
        cells = (Text(str(cell)) for cell in row.cells)
        table.add_row(Text(_SIGN[row.mark], _STYLE[row.mark]), *cells)
    console.print(Text(f"\n{section.title}", "bold"))
    if section.about:
        console.print(Text(section.about, "dim"))
    console.print(table)
