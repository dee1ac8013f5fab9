"""Trusted clients and settings in, the production service out: real gunicorn workers on loopback, watched from outside."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from tests.fuzz.line import Line
from tests.fuzz.trust import PUBLIC, Client, write

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 2
_READY = b"GET /readyz HTTP/1.1\r\nHost: cds.example.org\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A running service."""

    port: int
    folder: Path

    def workers(self) -> list[int]:
        """Every worker that ever began."""
        return [pid for pid, event, _ in self._journal() if event == "born"]

    def outside(self) -> set[tuple[str, str]]:
        """What the workers did outside themselves: which event, and where."""
        return {(event, where) for _, event, where in self._journal() if event != "born"}

    def megabytes(self) -> list[float]:
        """Memory of each worker (PSS), where the system tells."""
        return [_megabytes(pid) for pid in self.workers()]

    def left_behind(self) -> bytes:
        """All that it wrote: output, log, database and whatever else lies in its folder."""
        return b"".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())

    def said(self) -> bytes:
        """What it wrote to its output and log."""
        return b"".join((self.folder / name).read_bytes() for name in ("stdout", "stderr"))

    def _journal(self) -> list[tuple[int, str, str]]:
        path = self.folder.parent / "journal"
        return [tuple(json.loads(line)) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


@contextmanager
def live(folder: Path, clients: Iterable[Client], authorities: str | None = None, **settings: Any) -> Iterator[Live]:
    """Runs the service until the block ends; all it may write to is a folder of its own."""
    found = Live(port=_free_port(), folder=folder / "service")
    found.folder.mkdir()
    stated = {"issuers": str(write(clients, folder)), "public_url": PUBLIC} | settings
    with (
        (found.folder / "stdout").open("wb") as out,
        (found.folder / "stderr").open("wb") as err,
        subprocess.Popen(_command(found, stated, authorities), cwd=ROOT, stdout=out, stderr=err) as server,
    ):
        try:
            _wait_for(found, server)
            yield found
        finally:
            server.terminate()
            server.wait(30)


def _command(found: Live, stated: dict[str, Any], authorities: str | None) -> list[str]:
    asked = {
        "settings": {"database_url": f"sqlite:///{found.folder / 'ledger.sqlite3'}"} | stated,
        "port": found.port,
        "workers": WORKERS,
        "journal": str(found.folder.parent / "journal"),
        "authorities": authorities,
    }
    return [sys.executable, "-m", "tests.fuzz.serve", json.dumps(asked)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(found: Live, server: subprocess.Popen[bytes]) -> None:
    """Until every worker has begun and one of them answers."""
    ends = monotonic() + 60
    while server.poll() is None and monotonic() < ends:
        if len(found.workers()) == WORKERS and _is_ready(found.port):
            return
        sleep(0.05)
    raise RuntimeError(f"the server did not become ready: {found.said().decode()}")


def _is_ready(port: int) -> bool:
    try:
        with Line(port) as line:
            return line.ask(_READY, "GET").status == 200
    except OSError:
        return False


def _megabytes(pid: int) -> float:
    path = Path(f"/proc/{pid}/smaps_rollup")
    if not path.exists():
        return 0.0
    lines = path.read_text("utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024
