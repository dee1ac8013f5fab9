"""A folder in; out come two servers: the demo as `cds-service demo` starts it, and a site's report behind its password."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from time import monotonic, sleep

from tests.fixture_files import ANCHOR
from tests.test_web import free_port, send

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a password of the team, Ω"  # noqa: S105  (of these tests)
_READY = "Serving until Ctrl-C."
_PATIENCE = 240  # seconds, on a machine with much else to do


class Servers:
    """Each is started when it is first asked for, and runs until the stack is left."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack

    @cached_property
    def demo(self) -> str:
        """Once its EHR has signed the orders: from then on its ledger changes no more."""
        port, written = free_port(), self._folder / "demo"
        asked = ["-m", "cds_service", "demo", "--as-of", str(ANCHOR), "--port", str(port)]
        server = self._stack.enter_context(_running(asked, written))
        _wait(server, lambda: _READY in written.read_text("utf-8", "replace"))
        return f"http://127.0.0.1:{port}"

    @cached_property
    def site(self) -> str:
        """With a month of advice on file."""
        port = free_port()
        asked = ["-m", "tests.browser.closed_site", str(self._folder), str(port)]
        server = self._stack.enter_context(_running(asked, self._folder / "site"))
        _wait(server, lambda: _ready(port))
        return f"http://127.0.0.1:{port}"


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Both with a clock that stands still."""
    with ExitStack() as stack:
        yield Servers(folder, stack)


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
    """Until it is so."""
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
