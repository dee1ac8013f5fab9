"""The command line: one function a command, each only a step to the room that does the work."""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from datetime import date

from cds_service import __version__, checking, reporting
from cds_service.journal.shared_metrics import shared_metrics
from cds_service.settings import SettingFault, read_settings
from cds_service.simulate import command as simulating
from hooks.knowledge import KnowledgeFault, load, load_profiles

_MOST_WORKERS = 64


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status: 0 done, 1 something failed, 2 it was called or set up wrongly."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without µ is no reason to stop
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (SettingFault, KnowledgeFault) as fault:
        print(f"cds-service: {fault}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cds-service", description="The HIV immune-status CDS Hooks service.")
    parser.add_argument("--version", action="version", version=f"cds-service {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="start the service with demo patients and play an EHR that signs orders")
    demo.add_argument("--port", type=_port, default=8080, metavar="N")
    demo.add_argument("--once", action="store_true", help="play the orders and exit")
    demo.add_argument("--as-of", type=date.fromisoformat, metavar="DATE", help="the day it is (default: today)")
    demo.set_defaults(run=_demo)

    fixture = commands.add_parser("fixture", help="print a fixture request with its dates moved to today")
    fixture.add_argument("name", metavar="NAME")
    fixture.set_defaults(run=_fixture)

    explain = commands.add_parser("explain", help="print the whole trace of a captured request")
    explain.add_argument(
        "file", type=argparse.FileType("rb"), metavar="FILE", help="a CDS Hooks request; - for standard input"
    )
    explain.add_argument("--as-of", type=date.fromisoformat, metavar="DATE", help="the day to judge it at")
    explain.add_argument("--issuer", metavar="ISS", help="as this client of the trust file (CDS_ISSUERS) sends it")
    explain.set_defaults(run=_explain)

    _add_knowledge(commands)

    migrate = commands.add_parser("migrate", help="make the tables of the database, or bring them up to date")
    migrate.set_defaults(run=_migrate)

    purge = commands.add_parser("purge", help="delete what is kept no longer, or all about one patient")
    purge.add_argument("--issuer", metavar="ISS", help="the client whose patient it is, as the trust file names it")
    purge.add_argument("--patient", metavar="ID", help="the id that this client sends")
    purge.set_defaults(run=_purge)

    switch = commands.add_parser("switch", help="show, or change, which rules are live, in the shadow or off")
    switch.add_argument("rule", nargs="?", metavar="RULE", help="the id of a rule, or all")
    switch.add_argument("state", nargs="?", choices=("live", "shadow", "off"))
    switch.add_argument("--because", default="", metavar="TEXT", help="why; kept with who did it and when")
    switch.set_defaults(run=_switch)

    reporting.add(commands)
    checking.add(commands)

    simulating.add(commands)

    serve = commands.add_parser("serve", help="start the production service")
    serve.add_argument("--host", default="127.0.0.1", metavar="H")
    serve.add_argument("--port", type=_port, default=8080, metavar="N")
    serve.add_argument("--workers", type=_workers, default=2, metavar="N")
    serve.set_defaults(run=_serve)
    return parser


def _add_knowledge(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The commands about the knowledge itself: what it rests on, and how guidelines differ."""
    about = commands.add_parser("knowledge", help="what the knowledge rests on").add_subparsers(
        required=True, metavar="COMMAND"
    )
    report = about.add_parser("report", help="print sources, choices that await review, and what is overdue")
    report.add_argument("--as-of", type=date.fromisoformat, metavar="DATE", help="the day it is (default: today)")
    report.add_argument("--overdue-after", type=_days, default=365, metavar="DAYS", help="(default: 365)")
    report.add_argument("--strict", action="store_true", help="exit 1 where something is overdue")
    report.set_defaults(run=_report)

    profile = commands.add_parser("profile", help="compare guideline profiles").add_subparsers(
        required=True, metavar="COMMAND"
    )
    diff = profile.add_parser("diff", help="print what differs between two profiles")
    diff.add_argument("first", metavar="A")
    diff.add_argument("second", metavar="B")
    diff.set_defaults(run=_diff)


def _days(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("a whole number of days is expected")
    return int(text)


def _workers(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"a number of worker processes from 1 to {_MOST_WORKERS} is expected")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        raise argparse.ArgumentTypeError("a port from 1 to 65535 is expected")
    return int(text)


def _demo(options: argparse.Namespace) -> int:
    from cds_service.demo.run import PortTaken, run_demo  # noqa: PLC0415  (the server is not needed by the others)

    settings = read_settings({"CDS_EXPLAIN": "full", **os.environ})
    try:
        return run_demo(settings, options.port, options.once, options.as_of, sys.stdout)
    except PortTaken as fault:
        print(f"cds-service demo: {fault}", file=sys.stderr)
        return 2


def _fixture(options: argparse.Namespace) -> int:
    from cds_service.app import system_clock  # noqa: PLC0415
    from cds_service.fixtures import NoFixture, fixture  # noqa: PLC0415

    try:
        json.dump(fixture(options.name, system_clock().date()), sys.stdout, ensure_ascii=False)
    except NoFixture as fault:
        print(f"cds-service fixture: {fault}", file=sys.stderr)
        return 2
    print()
    return 0


def _explain(options: argparse.Namespace) -> int:
    from cds_service.app import system_clock  # noqa: PLC0415
    from cds_service.errors import Refusal  # noqa: PLC0415
    from cds_service.explain import explain, moment  # noqa: PLC0415

    with options.file as captured:
        body = captured.read()
    try:
        now = moment(body, options.as_of, system_clock())
        print(explain(body, read_settings(), now, options.issuer), end="")
    except Refusal as refusal:
        print(f"cds-service explain: {refusal.status} {refusal.code}: {refusal.sentence}", file=sys.stderr)
        return 1
    return 0


def _report(options: argparse.Namespace) -> int:
    from cds_service.app import system_clock  # noqa: PLC0415
    from cds_service.knowledge import report_in_words  # noqa: PLC0415
    from hooks.knowledge.report import report  # noqa: PLC0415

    knowledge = load()
    as_of = options.as_of or system_clock().date()
    found = report(knowledge, load_profiles(knowledge), as_of, options.overdue_after)
    print(report_in_words(found), end="")
    return 1 if options.strict and found.overdue else 0


def _diff(options: argparse.Namespace) -> int:
    from cds_service.knowledge import difference_in_words  # noqa: PLC0415

    profiles = load_profiles(load())
    for name in (options.first, options.second):
        if name not in profiles:
            print(f"cds-service profile diff: no profile {name!r}; known are {', '.join(profiles)}", file=sys.stderr)
            return 2
    print(difference_in_words(profiles[options.first], profiles[options.second]), end="")
    return 0


def _migrate(_: argparse.Namespace) -> int:
    from cds_service.housekeeping import migrate  # noqa: PLC0415

    return migrate(read_settings(), sys.stdout)


def _purge(options: argparse.Namespace) -> int:
    from cds_service.app import system_clock  # noqa: PLC0415
    from cds_service.housekeeping import forget_patient, purge_all  # noqa: PLC0415

    if options.issuer is None and options.patient is None:
        return purge_all(read_settings(), system_clock(), sys.stdout)
    if options.issuer and options.patient:
        return forget_patient(read_settings(), options.issuer, options.patient, sys.stdout)
    print("cds-service purge: --issuer and --patient are expected together, or neither", file=sys.stderr)
    return 2


def _switch(options: argparse.Namespace) -> int:
    from cds_service.app import system_clock  # noqa: PLC0415
    from cds_service.switching import CannotSwitch, show, turn  # noqa: PLC0415

    settings = read_settings()
    if options.rule is None:
        return show(settings, sys.stdout)
    try:
        if options.state is None:
            raise CannotSwitch("live, shadow or off is expected after the rule")
        return turn(settings, options.rule, options.state, sys.stdout, because=options.because, now=system_clock())
    except CannotSwitch as fault:
        print(f"cds-service switch: {fault}", file=sys.stderr)
        return 2


def _serve(options: argparse.Namespace) -> int:
    settings = read_settings({"CDS_AUDIT": "stdout", **os.environ})
    with shared_metrics():  # before anything that counts is imported
        from cds_service.serve import serve  # noqa: PLC0415  (the server is not needed by the others)

        return serve(settings, options.host, options.port, options.workers, sys.stderr)
