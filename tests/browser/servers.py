"""A folder in; out come two running servers: the demo as `cds-service demo` starts it, and a site's report behind its password."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from time import monotonic, sleep

from tests.fixture_files import ANCHOR
from tests.test_web import free_port, send

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a password of the team, Ω"  # noqa: S105  (of these tests)
_READY = "Serving until Ctrl-C."
_PATIENCE = 90  # seconds, on a machine with much else to do


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where each of them is."""

    demo: str
    site: str


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Runs both, with a clock that stands still, until the block ends."""
    demo, site = free_port(), free_port()
    asked = ["-m", "cds_service", "demo", "--as-of", str(ANCHOR), "--port", str(demo)]
    with (
        _running(asked, folder / "demo") as playing,
        _running(["-m", "tests.browser.closed_site", str(folder), str(site)], folder / "site") as closed,
    ):
        _wait(playing, lambda: _READY in (folder / "demo").read_text("utf-8", "replace"))
        _wait(closed, lambda: _ready(site))
        yield Servers(demo=f"http://127.0.0.1:{demo}", site=f"http://127.0.0.1:{site}")


@contextmanager
def _running(asked: Sequence[str], written: Path) -> Iterator[subprocess.Popen[bytes]]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    with (
        written.open("wb") as out,
        subprocess.Popen([sys.executable, *asked], cwd=ROOT, env=own, stdout=out, stderr=out) as server,
    ):
        try:
            yield server
        finally:
            server.terminate()


def _wait(server: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
    """Until it is so. The demo is once its EHR has signed the orders: its ledger changes no more."""
    ends = monotonic() + _PATIENCE
    while not ready():
        assert server.poll() is None, "a server stopped by itself"
        assert monotonic() < ends, "a server does not become ready"
        sleep(0.05)


def _ready(port: int) -> bool:
    try:
        return send(port, "GET", "/readyz").status == HTTPStatus.OK
    except OSError:
        return False
