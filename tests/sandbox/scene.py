"""A built Sandbox in; out it comes served on loopback, beside charts to open and `cds-service serve`, which trusts its key set."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

from tests.test_web import free_port, send

ROOT = Path(__file__).resolve().parents[2]
_READY_SECONDS = 90.0
ISS = "https://sandbox.cds-hooks.org"
ENTRY = """[[issuer]]
preset = "sandbox"
jwks = "sandbox-keys.json"
origins = ["{origin}"]
fhir_servers = ["{fhir}"]
allow_private_addresses = true
"""
STRANGERS = ENTRY.replace('preset = "sandbox"', 'iss = "https://another.example.org"')


class CannotRunError(Exception):
    """Something is not there, or does not start; in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where everything is. `strange` is a second service, which does not know the Sandbox."""

    sandbox: str
    fhir: str
    service: str
    strange: str
    database_url: str


def built(folder: Path) -> Path:
    """Where the files that a browser loads are: the folder itself, or build/ in it. Raises CannotRunError."""
    for one in (folder, folder / "build"):
        if (one / "app.bundle.js").is_file() and (one / ".well-known" / "jwks.json").is_file():
            return one
    raise CannotRunError(
        "--sandbox: a CDS Hooks Sandbox that was built is expected, with app.bundle.js and .well-known/jwks.json"
    )


@contextmanager
def laid(sandbox: Path, folder: Path) -> Iterator[Scene]:
    """All of it runs until the block ends; what the processes write goes into files of `folder`."""
    with ExitStack() as stack:
        origin = stack.enter_context(served(built(sandbox)))
        demo = stack.enter_context(running(folder, "demo", ["demo"], {}))
        fhir = f"{demo}/fhir"
        shutil.copy(built(sandbox) / ".well-known" / "jwks.json", folder / "sandbox-keys.json")
        services = {}
        for name, entry in (("known", ENTRY), ("strange", STRANGERS)):
            issuers = folder / f"{name}.toml"
            issuers.write_text(entry.format(origin=origin, fhir=fhir), "utf-8")
            own = {"CDS_ISSUERS": str(issuers), "CDS_DATABASE_URL": f"sqlite:///{folder / name}.sqlite3"}
            services[name] = stack.enter_context(running(folder, name, ["serve", "--workers", "1"], own))
        yield Scene(
            sandbox=origin,
            fhir=fhir,
            service=services["known"],
            strange=services["strange"],
            database_url=f"sqlite:///{folder / 'known'}.sqlite3",
        )


@contextmanager
def running(
    folder: Path, name: str, words: list[str], settings: Mapping[str, str], port: int | None = None
) -> Iterator[str]:
    """A command of ours that serves, once it is ready; its base address."""
    port = port or free_port()
    base = f"http://127.0.0.1:{port}"
    plain = {one: value for one, value in os.environ.items() if not one.startswith("CDS_")}
    own = plain | {"CDS_PUBLIC_URL": base, "CDS_DRAIN_SECONDS": "0"} | settings
    with (
        (folder / f"{name}.log").open("ab") as written,
        subprocess.Popen(
            [sys.executable, "-m", "cds_service", *words, "--port", str(port)],
            cwd=ROOT,
            env=own,
            stdout=written,
            stderr=written,
        ) as server,
    ):
        try:
            _wait(port, server, folder / f"{name}.log")
            yield base
        finally:
            server.terminate()
            server.wait(30)


def _wait(port: int, server: "subprocess.Popen[bytes]", written: Path) -> None:
    ends = monotonic() + _READY_SECONDS
    while server.poll() is None and monotonic() < ends:
        try:
            if send(port, "GET", "/readyz").status == 200:
                return
        except OSError:
            sleep(0.05)
    raise CannotRunError(f"a server of ours did not become ready: {written.read_text('utf-8', 'replace')[-1000:]}")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The files of a folder, on loopback; the origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join(5)
