"""Trusted clients in, `cds-service serve` as an operator starts it out: several on one database, each to be stopped or hurt."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep

from tests.fuzz.trust import PUBLIC, Client, write
from tests.test_web import free_port, send

ROOT = Path(__file__).resolve().parents[2]


class Replica:
    """One server with its workers. Its port stays the same over restarts."""

    def __init__(
        self,
        folder: Path,
        issuers: Path,
        workers: int,
        drain_seconds: int,
        *,
        database_url: str | None = None,
        inside: Sequence[str] = (),
    ) -> None:
        """`inside`: the words of a command that runs another one where its own files are to be found."""
        self.port, self.workers = free_port(), workers
        self.folder, self._inside = folder, inside
        own = {
            "CDS_ISSUERS": str(issuers),
            "CDS_PUBLIC_URL": PUBLIC,
            "CDS_DATABASE_URL": database_url or f"sqlite:///{folder / 'ledger.sqlite3'}",
            "CDS_DRAIN_SECONDS": str(drain_seconds),
        }
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")} | own
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the arbiter."""
        assert self._server
        return self._server.pid

    def start(self) -> float:
        """Waits until it answers; seconds from its start to its first 200."""
        began = monotonic()
        self.begin()
        self.wait_until_ready()
        return monotonic() - began

    def begin(self) -> None:
        """Does not wait."""
        command = [*self._inside, sys.executable, "-m", *self._words()]
        with (self.folder / "written").open("ab") as written:
            self._server = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=written, stderr=written)

    def _words(self) -> list[str]:
        """After `python -m`."""
        return ["cds_service", "serve", "--port", str(self.port), "--workers", str(self.workers)]

    def wait_until_ready(self, seconds: float = 120) -> float:
        """Until a worker answers; how many seconds that took."""
        began = monotonic()
        while monotonic() < began + seconds and self._server and self._server.poll() is None:
            try:
                if send(self.port, "GET", "/readyz").status == 200:
                    return monotonic() - began
            except OSError:
                sleep(0.01)
        written = (self.folder / "written").read_text("utf-8", "replace")
        raise RuntimeError(f"not ready in time, or it has ended: {written[-2000:]}")

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self._server
        self._server.send_signal(signal.SIGTERM)
        return self._server.wait(60)

    def children(self) -> list[int]:
        """The process ids of its workers, as far as they have begun."""
        return children_of(self.pid)

    def end(self) -> None:
        """At the end of a test, whatever has happened."""
        if self._server and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(30)


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def replicas(
    folder: Path,
    number: int,
    clients: Iterable[Client],
    workers: int = 2,
    drain_seconds: int = 3,
    *,
    database_url: str | None = None,
    inside: Sequence[str] = (),
) -> Iterator[list[Replica]]:
    """They run until the block ends."""
    folder.mkdir()
    issuers = write(clients, folder)
    with ExitStack() as stack:
        more = {"database_url": database_url, "inside": inside}
        found = [Replica(folder, issuers, workers, drain_seconds, **more) for _ in range(number)]
        for one in found:
            stack.callback(one.end)
            one.begin()
        for one in found:
            one.wait_until_ready()
        yield found
