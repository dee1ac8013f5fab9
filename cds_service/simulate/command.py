"""The arguments of `cds-service simulate` in; out goes what a CDS Hooks service made of an EHR's calls, as text or as JSON."""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

if TYPE_CHECKING:  # what only this command needs is imported where it runs
    from cds_service.simulate.asked import Given

ALGORITHMS = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
WRONG = ("expired", "future", "wrong-audience", "used-twice", "no-jti", "wrong-key", "none-algorithm")
MOST_TIMES = 10_000
MOST_AT_ONCE = 16
_LONGEST_SECONDS = 60


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command and its options."""
    parser = commands.add_parser("simulate", help="play an EHR against a CDS Hooks service, and judge its answers")
    parser.add_argument("url", nargs="?", metavar="URL", help="its base address, or that of its /cds-services")
    _add_calls(parser)
    _add_tokens(parser)
    _add_faults(parser)
    parser.add_argument("--format", choices=("terminal", "json"), default="terminal")
    parser.set_defaults(run=_run)


def _add_calls(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "calls", "each chosen hook for each chosen patient; the demo patients are invented"
    )
    group.add_argument("--hook", action="append", default=[], metavar="HOOK", help="this hook alone (may be repeated)")
    group.add_argument(
        "--patient", action="append", default=[], metavar="ID", help="this demo patient alone (may be repeated)"
    )
    group.add_argument(
        "--request", action="append", default=[], type=Path, metavar="FILE", help="a captured request in their place"
    )
    group.add_argument("--as-is", action="store_true", help="do not move its dates to today")
    group.add_argument("--may-leave", action="store_true", help="captured requests may be sent to another machine")
    group.add_argument("--times", type=_number(MOST_TIMES), default=1, metavar="N", help="make every call so often")
    group.add_argument(
        "--at-once", type=_number(MOST_AT_ONCE), default=1, metavar="N", help="calls under way at a time"
    )
    group.add_argument("--timeout", type=_number(_LONGEST_SECONDS), default=10, metavar="SECONDS", help="(default: 10)")
    group.add_argument("--ca", type=Path, metavar="FILE", help="certificate authorities to trust in place of the usual")
    group.add_argument("--origin", metavar="ORIGIN", help="a browser page that is to be let in (CORS)")


def _add_tokens(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("tokens", "without a key the calls go without a token")
    group.add_argument("--make-key", type=Path, metavar="FILE", help="write a new key, print the key set to hand over")
    group.add_argument("--key", type=Path, metavar="FILE", help="the private key: PEM, or a JSON Web Key")
    group.add_argument("--algorithm", choices=ALGORITHMS, help="(default: the key's; ES384 for a new one)")
    group.add_argument("--iss", metavar="ISS", help="who calls, as the service trusts it")
    group.add_argument("--kid", metavar="ID", help="(default: the key's, else its thumbprint)")
    group.add_argument("--jku", metavar="URL", help="where the key set is published")
    group.add_argument("--audience", metavar="TEXT", help="aud of every token (default: the address that is called)")
    group.add_argument("--public-url", metavar="URL", help="the base the service knows itself by, if not URL")
    group.add_argument("--tenant", metavar="TEXT")
    group.add_argument(
        "--token-fault",
        action="append",
        default=[],
        choices=(*WRONG, "all"),
        help="besides each right call one with a token that is wrong so: it must be refused (may be repeated)",
    )


def _add_faults(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("data and feedback")
    group.add_argument(
        "--prefetch",
        choices=("full", "none", "partial", "broken"),
        default="full",
        help="what is sent: all (default), nothing, all but one key in turn, or all with one key in turn broken",
    )
    group.add_argument(
        "--fhir",
        choices=("none", "fast", "slow", "hang", "error", "gone"),
        default="none",
        help="lend a FHIR server of this machine that is so, with a made-up token",
    )
    group.add_argument("--fhir-port", type=_number(65535), default=0, metavar="N", help="(default: any that is free)")
    group.add_argument("--fhir-url", metavar="URL", help="the address it is lent under, if not its own")
    group.add_argument(
        "--feedback",
        choices=("none", "accept", "override", "both"),
        default="none",
        help="say twice what became of the cards",
    )


def _number(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not 0 < int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from 1 to {most} is expected")
        return int(text)

    return read


def _run(options: argparse.Namespace) -> int:
    from cds_service.simulate.asked import NotAsked  # noqa: PLC0415
    from cds_service.simulate.fhir_server import PortTaken  # noqa: PLC0415
    from cds_service.simulate.keys import KeyFault, make_key  # noqa: PLC0415

    try:
        if options.make_key:
            if options.url or options.key:
                raise NotAsked("--make-key makes a key and calls nobody: no URL and no --key go with it")
            json.dump(make_key(options.make_key, options.algorithm or "ES384", options.kid), sys.stdout, indent=2)
            print()
            return 0
        if not options.url:
            raise NotAsked("the address of a service is expected")
        return _simulate(_given(options), options.format, datetime.now(UTC).date())
    except (NotAsked, KeyFault, PortTaken) as fault:
        print(f"cds-service simulate: {fault}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # before the first call
        return 1


def _given(options: argparse.Namespace) -> "Given":
    from cds_service.simulate.asked import Given  # noqa: PLC0415
    from cds_service.simulate.tokens import Wrong  # noqa: PLC0415

    return Given(
        url=options.url,
        hooks=tuple(options.hook),
        patients=tuple(options.patient),
        requests=tuple(options.request),
        as_is=options.as_is,
        may_leave=options.may_leave,
        times=options.times,
        at_once=options.at_once,
        seconds=float(options.timeout),
        authorities=options.ca,
        origin=options.origin,
        key=options.key,
        iss=options.iss,
        kid=options.kid,
        algorithm=options.algorithm,
        jku=options.jku,
        audience=options.audience,
        public_url=options.public_url,
        tenant=options.tenant,
        wrong=get_args(Wrong) if "all" in options.token_fault else tuple(dict.fromkeys(options.token_fault)),
        prefetch=options.prefetch,
        fhir=options.fhir,
        fhir_port=options.fhir_port,
        fhir_url=options.fhir_url,
        feedback=options.feedback,
    )


def _simulate(given: "Given", form: str, today: date) -> int:
    """Ctrl-C ends the calls, and what was found until then is told."""
    from cds_service.simulate.asked import read  # noqa: PLC0415
    from cds_service.simulate.document import document  # noqa: PLC0415
    from cds_service.simulate.in_terminal import Terminal  # noqa: PLC0415
    from cds_service.simulate.run import begun  # noqa: PLC0415

    terminal, outcomes = Terminal(sys.stdout) if form == "terminal" else None, []
    with begun(read(given, today), today) as (run, calls):
        try:
            if terminal:
                terminal.begin(run)
            for outcome in calls:
                if terminal:
                    terminal.tell(outcome)
                else:
                    outcomes.append(outcome)
        except KeyboardInterrupt:
            run.interrupted = True
    if terminal:
        terminal.end(run)
    else:
        json.dump(document(run, outcomes), sys.stdout, ensure_ascii=False, indent=2)
        print()
    return 0 if run.right else 1
