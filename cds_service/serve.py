"""Settings in, the production service out: everything that must be there is looked at before a worker is started."""

import os
import stat
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TextIO

from flask import Flask
from sqlalchemy import make_url

from cds_service import __version__
from cds_service.access.issuers import Issuer
from cds_service.access.trust_file import presets
from cds_service.app import create_app, trusted_issuers
from cds_service.housekeeping import prepare
from cds_service.journal.log import configure, log, take_over
from cds_service.journal.sink import Sink
from cds_service.ledger import LedgerAway, LedgerDown
from cds_service.server import Server
from cds_service.settings import SettingFault, Settings
from cds_service.web.wiring import KEY, Wiring
from hooks.knowledge import load, local_knowledge

_LEAST_PREFIX = {4: 8, 6: 16}  # a network of fewer bits holds strangers


def serve(settings: Settings, host: str, port: int, workers: int, out: TextIO) -> int:
    """Serves until it is told to stop; the exit status. Raises SettingFault, naming the setting."""
    os.umask(0o077)  # the database holds who was seen when, and clinicians' own words
    for line in check(settings, host):
        out.write(f"cds-service serve: {line}\n")
    out.flush()
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    configure(settings.log_level, Sink(sys.stderr.fileno()))
    take_over(settings.log_level)
    log.info("starting", version=__version__)
    Server(lambda: _app(settings), bind, workers=workers, drain_seconds=settings.drain_seconds).run()
    return 0


def _app(settings: Settings) -> Flask:
    """The application of a worker, whose lost log lines are counted with its other metrics."""
    app = create_app(settings, database_made=True)  # by `check`, before there were workers
    parts: Wiring = app.extensions[KEY]
    configure(settings.log_level, Sink(sys.stderr.fileno(), parts.metrics.lost_lines.labels("log").inc))
    log.info("serving", version=__version__, knowledge=parts.knowledge.version, profile=parts.profile.name)
    return app


def check(settings: Settings, host: str = "127.0.0.1") -> tuple[str, ...]:
    """What an operator should know before the service starts. Raises SettingFault or KnowledgeFault where it must not start."""
    if not settings.issuers:
        raise SettingFault("CDS_ISSUERS: the file of trusted issuers is required; `cds-service demo` runs without.")
    if not settings.public_url:
        raise SettingFault("CDS_PUBLIC_URL: the base address that clients call is required.")
    if any(one.prefixlen < _LEAST_PREFIX[one.version] for one in settings.metrics_allow):
        raise SettingFault("CDS_METRICS_ALLOW: networks of your own are expected, not most of the world's addresses.")
    file = _database_file(settings.database_url)
    of_database = (*_make_ready(settings.database_url), *_about(file))
    issuers = trusted_issuers(settings)
    for codes in filter(None, (one.codes for one in issuers)):
        local_knowledge(codes, load())
    of_issuers = (line for one in issuers for line in _remarks(one))
    return (*_about_the_machine(host), *of_database, *of_issuers)


def _make_ready(url: str) -> Iterator[str]:
    """Makes the tables, or brings them up to date. A server that is away may come back: the workers then see to it.

    Raises SettingFault where nothing will change by itself.
    """
    try:
        prepare(url)
    except LedgerAway:
        yield (
            "CDS_DATABASE_URL: the database server does not answer. The service starts all the same, and /readyz says 503"
            " until it does."
        )
    except LedgerDown as fault:
        raise SettingFault(f"CDS_DATABASE_URL: the database cannot be opened, migrated or read ({fault}).") from None


def _database_file(url: str) -> Path | None:
    """The SQLite file, None with a server. Raises SettingFault for a database in memory; what is no URL is found out later."""
    if not url.startswith("sqlite"):
        return None
    name = make_url(url).database
    if name in (None, "", ":memory:"):
        raise SettingFault(
            "CDS_DATABASE_URL: a file or a database server is expected. In memory each worker has its own, and all is lost."
        )
    return Path(str(name))


def _about(file: Path | None) -> Iterator[str]:
    if file is None:
        return
    if not file.is_absolute():
        yield f"CDS_DATABASE_URL is relative: the ledger lies where the service happens to start, now in {Path.cwd()}."
    if file.exists() and file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        yield "CDS_DATABASE_URL: every user of this machine can read or change the file; take that right away."


def _about_the_machine(host: str) -> Iterator[str]:
    if not _is_loopback(host):
        yield "--host: it speaks plain HTTP beyond this machine. Let nobody but the proxy that speaks TLS reach it."
    if os.geteuid() == 0:
        yield "it runs as root and needs none of its rights."


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _remarks(issuer: Issuer) -> Iterator[str]:
    if issuer.iss == presets()["sandbox"]["iss"]:
        yield f"{issuer.iss} is trusted, and its private key is public: anybody can call. Never where real patients are."
    if "conditions" in issuer.not_supplied:
        yield f"{issuer.iss} never sends conditions: nothing can be assessed for it, and no card will say so."
