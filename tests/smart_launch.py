"""A folder in; the service and an EHR that launches its why page out, both on loopback, with all that either was asked."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from cds_service.demo.fhir import fhir_endpoint
from cds_service.demo.smart import App, Ehr, smart_ehr
from cds_service.demo.store import open_charts
from cds_service.web.launches import CALLBACK, LAUNCH
from cds_service.why.discovery import Discovery
from tests.fixture_files import ANCHOR
from tests.test_access import Site

CLIENT, PATIENT = "why-at-this-ehr", "starting-art"


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        """Nothing."""


@dataclass
class Door:
    """A server on loopback whose application comes later; what it was asked, with which token."""

    url: str = ""
    app: Callable[..., Any] | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, environ: Any, start: Any) -> Any:
        self.asked.append((environ["PATH_INFO"], environ.get("HTTP_AUTHORIZATION", "")))
        assert self.app
        return self.app(environ, start)


@dataclass
class Scene:
    """The service, the EHR, and what the EHR hands out."""

    site: Site
    ehr: Ehr
    service: Door
    server: Door
    folder: Path

    def begin_anew(self) -> None:
        """An EHR that has handed out nothing yet, and a service that knows nothing of it."""
        self.ehr = Ehr(open_charts(ANCHOR), self.server.url, self.ehr.app, closed=True)
        self.server.app = ehr_app(self.ehr)
        self.server.asked.clear()
        launches = self.site.parts.launches
        assert launches
        launches.discovery = Discovery(launches.context)

    def session(self) -> requests.Session:
        """A browser that has been nowhere yet."""
        found = requests.Session()
        found.trust_env = False
        return found

    def get(self, session: requests.Session, url: str) -> requests.Response:
        """One step."""
        return session.get(url, allow_redirects=False, timeout=20)

    def launch(self, session: requests.Session, patient: str = PATIENT, **changes: str) -> requests.Response:
        """The EHR opens the page; what the service then answers. A change to the launch's own address is possible."""
        opened = self.get(session, f"{self.ehr.base_url}/ehr/open?patient={patient}").headers["Location"]
        asked = {name: one[0] for name, one in parse_qs(urlsplit(opened).query).items()} | changes
        return self.get(session, f"{self.ehr.app.launched_at}?{urlencode(asked)}")

    def come_back(self, session: requests.Session, patient: str = PATIENT) -> str:
        """All but the last step: the address to which the EHR sends the browser with its code."""
        to = self.launch(session, patient).headers["Location"]
        return str(self.get(session, to).headers["Location"])

    def page(self, session: requests.Session | None = None, patient: str = PATIENT) -> requests.Response:
        """The whole way."""
        one = session or self.session()
        return self.get(one, self.come_back(one, patient))

    def reads(self) -> list[tuple[str, str]]:
        """What was read of charts, with which token."""
        return [one for one in self.server.asked if one[0].startswith("/fhir/") and ".well-known" not in one[0]]


@contextmanager
def serving(door: Door, tls: ssl.SSLContext | None = None) -> Iterator[Door]:
    server = make_server("127.0.0.1", 0, door, threaded=True, request_handler=_Quiet, ssl_context=tls)
    door.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    running = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    running.start()
    try:
        yield door
    finally:
        server.shutdown()
        server.server_close()
        running.join(5)


@contextmanager
def launching(
    folder: Path, lines: str = "", proof: str | None = None, tls: ssl.SSLContext | None = None, **settings: Any
) -> Iterator[Scene]:
    """`lines`: more of the client's entry in the trust file; `proof`: the secret that the EHR knows; `tls`: of the service."""
    with ExitStack() as stack:
        server, service = (stack.enter_context(serving(Door(), one)) for one in (None, tls))
        app = App(CLIENT, service.url + LAUNCH, service.url + CALLBACK, proof)
        ehr = Ehr(open_charts(ANCHOR), server.url, app, closed=True)
        server.app = ehr_app(ehr)
        site = Site(folder, entry(server.url, lines), **{"public_url": service.url} | settings)
        service.app = site.app
        yield Scene(site, ehr, service, server, folder)


def entry(ehr: str, lines: str = "") -> str:
    """The lines of the why page in a client's entry, on one machine."""
    own = f'fhir_servers = ["{ehr}/fhir"]\nallow_private_addresses = true\nsmart_client_id = "{CLIENT}"'
    return f"{own}\n{lines}\n"


def ehr_app(ehr: Ehr) -> Flask:
    """Stricter than the demo: a chart is read with a token or not at all."""
    app = Flask("ehr")
    app.register_blueprint(fhir_endpoint(ehr.charts))
    app.register_blueprint(smart_ehr(ehr))
    return app
