"""The arguments of `cds-service report` in; out goes what became of the advice, as text, CSV or JSON. The database is only read."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from cds_service.report.asked import BY, Asked, NotClear, read
from cds_service.settings import Settings, read_settings

if TYPE_CHECKING:  # what only this command needs is imported where it runs
    from cds_service.report.make import Report
    from cds_service.report.opened import Opened

_SECONDS = 300.0  # nobody else waits for it
_NOT_READ = (
    "CDS_DATABASE_URL: the database cannot be read ({}). It is not there or does not answer, its tables are not those of this "
    "version (cds-service migrate), or this account may not read them."
)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command and its options."""
    parser = commands.add_parser("report", help="print what became of the advice: accepted, overridden and why, held")
    parser.add_argument("--from", metavar="DATE", help="the first day, UTC (default: 89 days before the last)")
    parser.add_argument("--to", metavar="DATE", help="the last day (default: today)")
    parser.add_argument("--by", choices=BY, help="divide the days")
    for name in ("issuer", "service", "rule"):
        parser.add_argument(f"--{name}", metavar=name.upper(), help=f"of this {name} alone")
    parser.add_argument("--format", choices=("terminal", "csv", "json"), default="terminal")
    parser.add_argument("--comments", action="store_true", help="print what clinicians wrote; it may name a patient")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from cds_service.app import system_clock  # noqa: PLC0415
    from cds_service.ledger import LedgerDown  # noqa: PLC0415
    from cds_service.report.make import make  # noqa: PLC0415
    from cds_service.report.opened import Opened  # noqa: PLC0415

    settings, now = read_settings(), system_clock()
    given = {name: getattr(options, name) or "" for name in ("from", "to", "by", "issuer", "service", "rule")}
    try:
        asked = read(given, now.date())
        source = Opened(settings.database_url)
        if options.comments:
            _print_comments(source, asked, settings, options.format, sys.stdout)
        else:
            _print(make(source, asked, now, _SECONDS), options.format, sys.stdout)
        sys.stdout.flush()
    except NotClear as fault:
        print(f"cds-service report: --{fault}", file=sys.stderr)
        return 2
    except LedgerDown as fault:
        print(f"cds-service report: {_NOT_READ.format(fault)}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain when it ends
        return 1
    return 0


def _print(report: "Report", form: str, out: TextIO) -> None:
    from cds_service.report import document, in_terminal, table  # noqa: PLC0415

    if form == "terminal":
        in_terminal.print_report(report, out)
    elif form == "csv":
        out.write(table.table(report))
    else:
        _dump(document.document(report), out)


def _print_comments(source: "Opened", asked: Asked, settings: Settings, form: str, out: TextIO) -> None:
    from cds_service.report import document, in_terminal, table  # noqa: PLC0415
    from cds_service.report.comments import comments  # noqa: PLC0415
    from cds_service.report.words import COMMENTS_MAY_NAME  # noqa: PLC0415

    found = comments(source, asked, _unsealing(source, settings), _SECONDS)
    if form == "terminal":
        in_terminal.print_comments(found, out)
    elif form == "csv":
        print(f"cds-service report: {COMMENTS_MAY_NAME}", file=sys.stderr)
        out.write(table.comments_table(found))
    else:
        _dump(document.comments_document(found, asked), out)


def _unsealing(source: "Opened", settings: Settings) -> Callable[[str], str | None]:
    """What opens a comment; where there is no key it opens none."""
    from cds_service.ledger import LedgerDown, Pseudonyms  # noqa: PLC0415

    pseudonyms = Pseudonyms(lambda: source.key(settings.patient_key_file))

    def unseal(text: str) -> str | None:
        try:
            return pseudonyms.unseal(text)
        except LedgerDown:
            return None

    return unseal


def _dump(content: Mapping[str, Any], out: TextIO) -> None:
    json.dump(content, out, ensure_ascii=False, indent=2)
    out.write("\n")
