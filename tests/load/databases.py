"""The name of a kind of database and a folder in, a database that replicas can share out, and what is found in it afterwards."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.load.small_disk import Disk
from tests.postgresql_server import PostgresqlServer, postgresql

KINDS = ("sqlite", "postgresql")
_ROWS = """
import json, sqlite3, sys
print(json.dumps(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall()))
"""


class Database(Protocol):
    """What the replicas share."""

    @property
    def url(self) -> str:
        """As SQLAlchemy has it."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What another program finds."""


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """On this machine. `inside`: the words of a command that runs another one where the file is."""

    file: Path
    inside: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """As SQLAlchemy has it."""
        return f"sqlite:///{self.file}"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What another program finds."""
        command = [*self.inside, sys.executable, "-c", _ROWS, str(self.file), query]
        found = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=60).stdout
        return [tuple(row) for row in json.loads(found)]


def lacking(kind: str) -> str | None:
    """Why there can be no such database on this machine; None where there can."""
    if kind == "sqlite":
        return None
    try:
        with postgresql():
            return None
    except (OSError, KeyError, AssertionError, subprocess.SubprocessError) as fault:
        return f"no PostgreSQL server can be started here: {type(fault).__name__}"


@contextmanager
def database(kind: str, folder: Path) -> Iterator[SqliteFile | PostgresqlServer]:
    """A new one."""
    if kind == "sqlite":
        folder.mkdir()
        yield SqliteFile(folder / "ledger.sqlite3")
        return
    with postgresql() as server:
        yield server


@contextmanager
def database_on(disk: Disk, kind: str, log_alone: bool = False) -> Iterator[SqliteFile | PostgresqlServer]:
    """A new one on a disk that can be filled; of PostgreSQL all files, or its write-ahead log alone."""
    if kind == "sqlite":
        yield SqliteFile(disk.folder / "ledger.sqlite3", disk.inside)
        return
    where = {"log" if log_alone else "files": disk.folder / "files"}
    with postgresql(disk.inside, **where) as server:
        yield server
