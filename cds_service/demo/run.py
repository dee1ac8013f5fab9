"""A port in; out comes the running demo: the service and its FHIR endpoint, an EHR that signs orders, cards on the terminal."""

import multiprocessing
import os
import signal
import socket
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import TextIO

import requests
from flask import Flask

from cds_service.app import DEMO_CLIENT, create_app, system_clock
from cds_service.demo.fhir import fhir_endpoint
from cds_service.demo.play import play
from cds_service.demo.show import console_for
from cds_service.demo.smart import App, Ehr, smart_ehr
from cds_service.demo.store import open_charts
from cds_service.server import Server
from cds_service.settings import Settings
from cds_service.web.launches import CALLBACK, LAUNCH

_START_SECONDS = 20
_THREADS = 32  # the services read from the FHIR endpoint of the same server: a few calls must not take all threads
_DAY_ENDS = time_of_day(23, 59, 59, tzinfo=UTC)


class PortTaken(Exception):
    """Something else listens on the port."""


def demo_app(settings: Settings, as_of: date | None) -> Flask:
    """The service in open access, with the demo charts under /fhir. A fixed day lasts until its last second.

    Where it knows its own address, its EHR also launches the why page.
    """
    fixed = datetime.combine(as_of, _DAY_ENDS) if as_of else None
    app = create_app(settings, clock=(lambda: fixed) if fixed else system_clock)
    charts = open_charts(as_of or system_clock().date())
    app.register_blueprint(fhir_endpoint(charts))
    if base := settings.public_url:
        known = App(DEMO_CLIENT, base + LAUNCH, base + CALLBACK)
        app.register_blueprint(smart_ehr(Ehr(charts, base, known)))
    return app


def run_demo(settings: Settings, port: int, once: bool, as_of: date | None, out: TextIO) -> int:
    """Starts the demo, plays the orders, and serves on until it is interrupted (or not, with `once`); the exit status."""
    _free(port)
    with tempfile.TemporaryDirectory(prefix="immune-status-") as folder:
        bind = f"127.0.0.1:{port}"
        database = f"sqlite:///{Path(folder) / 'ledger.sqlite3'}"
        settings = replace(settings, open_access=True, database_url=database, public_url=f"http://{bind}")
        server = multiprocessing.get_context("fork").Process(
            target=_serve, args=(settings, as_of, bind), name="cds-service", daemon=False
        )
        server.start()
        try:
            return _play_and_wait(server, f"http://{bind}", once, as_of or system_clock().date(), out)
        finally:
            _stop(server)


def _serve(settings: Settings, as_of: date | None, bind: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the demo itself stops the server
    Server(lambda: demo_app(settings, as_of), bind, workers=1, threads=_THREADS).run()


def _play_and_wait(
    server: multiprocessing.process.BaseProcess, base_url: str, once: bool, as_of: date, out: TextIO
) -> int:
    signal.signal(signal.SIGTERM, _interrupt)  # as the first process of a container, too
    try:
        _wait_until_ready(server, base_url)
        failed = play(base_url, as_of, console_for(out))
        if not once:
            out.write("\nServing until Ctrl-C.\n")
            out.flush()
            server.join()
    except KeyboardInterrupt:
        return 0
    return 1 if failed else 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _wait_until_ready(server: multiprocessing.process.BaseProcess, base_url: str) -> None:
    ends = time.monotonic() + _START_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < ends and server.is_alive():
            with suppress(requests.RequestException):
                if session.get(f"{base_url}/readyz", timeout=1, allow_redirects=False).status_code == requests.codes.ok:
                    return
            time.sleep(timedelta(milliseconds=30).total_seconds())
    raise RuntimeError("The server did not become ready; what it wrote above says why.")


def _free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as taken:
            raise PortTaken(f"Port {port} is taken: choose another with --port.") from taken


def _stop(server: multiprocessing.process.BaseProcess) -> None:
    if server.is_alive() and server.pid:
        os.kill(server.pid, signal.SIGTERM)
        server.join(30)  # longer than the server itself gives its requests
    if server.is_alive():
        server.kill()
        server.join()
