"""The arguments of `cds-service check` in; out goes what this service can make of a client's requests, or of its FHIR server."""

import argparse
import json
import os
import sys
from contextlib import nullcontext
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from cds_service.settings import Settings, read_settings

if TYPE_CHECKING:  # what only this command needs is imported where it runs
    from cds_service.doctor.captured import Captured
    from cds_service.doctor.examine import Site
    from cds_service.doctor.findings import Report, TokenCheck

_MOST_BYTES = 64 << 20


class CannotCheckError(Exception):
    """What was asked for cannot be looked at; in a sentence."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command and its options."""
    parser = commands.add_parser(
        "check", help="say what this service can make of a client's captured requests, or of its FHIR server"
    )
    parser.add_argument(
        "what", nargs="*", metavar="FILE|URL", help="captured CDS Hooks requests, or the base URL of a FHIR server"
    )
    parser.add_argument(
        "--patient",
        action="append",
        default=[],
        metavar="ID",
        help="with a URL: whose chart to ask for; may be repeated",
    )
    bearer = parser.add_mutually_exclusive_group()  # never an argument: those can be seen by everybody on the machine
    bearer.add_argument(
        "--bearer-env", metavar="NAME", help="with a URL: the environment variable that holds its token"
    )
    bearer.add_argument("--bearer-file", type=Path, metavar="FILE", help="with a URL: the file that holds its token")
    parser.add_argument(
        "--allow-private", action="store_true", help="with a URL: it may be of this machine or of a private network"
    )
    parser.add_argument("--issuer", metavar="ISS", help="by the entry of this client in the trust file (CDS_ISSUERS)")
    parser.add_argument(
        "--token",
        type=Path,
        metavar="FILE",
        help="a captured token: every check is made, against the trust file if set",
    )
    parser.add_argument("--as-of", type=date.fromisoformat, metavar="DATE", help="the day to judge at (default: today)")
    parser.add_argument("--format", choices=("terminal", "json", "html"), default="terminal")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the report there")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from cds_service.app import system_clock  # noqa: PLC0415

    try:
        if not options.what and not options.token:
            raise CannotCheckError("files with captured requests, or a URL and --patient, or --token are expected")
        if options.format == "html" and not options.out:
            raise CannotCheckError("--format html: a file is expected under --out")
        report = _report(options, read_settings(), system_clock())
        _put(report, options)
    except CannotCheckError as fault:
        print(f"cds-service check: {fault}", file=sys.stderr)
        return 2
    return 0


def _report(options: argparse.Namespace, settings: Settings, now: datetime) -> "Report":
    from cds_service.doctor.examine import Beside, examine  # noqa: PLC0415

    site = _site(options, settings, now)
    urls = [one for one in options.what if "://" in one]
    token = _token(options.token, settings, now) if options.token else ()
    if not urls:
        if options.patient:
            raise CannotCheckError("--patient: the base URL of a FHIR server is expected with it")
        return examine([_captured(one, options.as_of, now) for one in options.what], site, Beside(token=token))
    if len(options.what) > 1 or not options.patient:
        raise CannotCheckError("one URL and at least one --patient are expected, and no files beside them")
    return _of_server(urls[0], options, site, token)


def _of_server(url: str, options: argparse.Namespace, site: "Site", token: "tuple[TokenCheck, ...]") -> "Report":
    from dataclasses import replace  # noqa: PLC0415

    from cds_service.doctor.examine import examine  # noqa: PLC0415
    from cds_service.doctor.server import NoServerError, charts, server_at  # noqa: PLC0415

    try:
        found = charts(server_at(url, _bearer(options), options.allow_private), options.patient, site)
    except NoServerError as fault:
        raise CannotCheckError(str(fault)) from None
    return examine(found.calls, site, replace(found.beside, token=token))


def _token(file: Path, settings: Settings, now: datetime) -> "tuple[TokenCheck, ...]":
    from cds_service.doctor.tokens import Trust, check_token  # noqa: PLC0415
    from cds_service.outbound.connection import trusting  # noqa: PLC0415
    from cds_service.site import issuers_of  # noqa: PLC0415
    from hooks import SERVICES  # noqa: PLC0415

    base = settings.public_url
    paths = [f"{base}/cds-services/{one.id}{end}" for one in SERVICES for end in ("", "/feedback")] if base else []
    issuers = {one.iss: one for one in issuers_of(settings)} if settings.issuers else None
    trust = Trust(issuers=issuers, endpoints=tuple(paths), now=int(now.timestamp()), context=trusting)
    return check_token(_read(file, "--token").decode("utf-8", "replace"), trust)


def _bearer(options: argparse.Namespace) -> str | None:
    """The token for the FHIR server; never shown."""
    if options.bearer_env is not None:
        found = os.environ.get(options.bearer_env, "").strip()
    elif options.bearer_file is not None:
        found = _read(options.bearer_file, "--bearer-file").decode("utf-8", "replace").strip()
    else:
        return None
    if not found.isascii() or not found.isprintable() or not found or " " in found:
        raise CannotCheckError("the token of the FHIR server is empty, or is no token")
    return found


def _site(options: argparse.Namespace, settings: Settings, now: datetime) -> "Site":
    from cds_service.doctor.examine import Site  # noqa: PLC0415
    from cds_service.site import client_of  # noqa: PLC0415

    client = client_of(options.issuer, settings)
    return Site(
        knowledge=client.knowledge,
        profile=client.profile,
        now=now,
        iu_per_copy=settings.iu_per_copy,
        not_supplied=client.not_supplied,
        issuer=client.iss,
    )


def _captured(path: str, as_of: date | None, now: datetime) -> "Captured":
    from dataclasses import replace  # noqa: PLC0415

    from cds_service.doctor.captured import captured  # noqa: PLC0415
    from cds_service.explain import moment  # noqa: PLC0415

    content = _read(Path(path), path)
    found = captured(Path(path).name, content)
    return found if found.received and not as_of else replace(found, now=moment(found.body, as_of, now))


def _read(path: Path, named: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError:
        raise CannotCheckError(f"{named}: it cannot be read") from None
    if len(content) > _MOST_BYTES:
        raise CannotCheckError(f"{named}: it is too large")
    return content


def _put(report: "Report", options: argparse.Namespace) -> None:
    try:
        with options.out.open("w", encoding="utf-8") if options.out else nullcontext(sys.stdout) as out:
            _write(report, options.format, out)
    except OSError:
        raise CannotCheckError("--out: the file cannot be written") from None


def _write(report: "Report", form: str, out: TextIO) -> None:
    if form == "json":
        from cds_service.doctor.document import document  # noqa: PLC0415

        json.dump(document(report), out, ensure_ascii=False, indent=2)
        out.write("\n")
    elif form == "html":
        from cds_service.doctor.page import page  # noqa: PLC0415

        out.write(f"{page(report)}\n")
    else:
        from cds_service.doctor.in_terminal import print_report  # noqa: PLC0415

        print_report(report, out)
