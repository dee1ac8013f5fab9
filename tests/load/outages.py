"""A database in, ways to hurt it for a while out: each a context in which it does not serve, or serves no writer."""

import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.load.databases import SqliteFile
from tests.load.small_disk import Disk
from tests.postgresql_server import PostgresqlServer

RECOVERY = 5.0  # seconds
DEADLINE = 2.0  # seconds: what a service has that sets none
LATE = 1.0  # seconds that a busy machine may add


@dataclass(frozen=True, slots=True)
class Outage:
    """`away`: given the processes of the servers; when its block has ended the database itself answers again.

    `readable`: what was written before may be read meanwhile.
    """

    how: str
    away: Callable[[Sequence[int]], AbstractContextManager[None]]
    readable: bool = False


def outages(database: SqliteFile | PostgresqlServer) -> list[Outage]:
    """Those that it can have."""
    if isinstance(database, PostgresqlServer):
        kinds = {"stopped fast": signal.SIGINT, "stopped at once": signal.SIGQUIT, "killed": signal.SIGKILL}
        return [Outage(how, partial(_stopped, database, sent)) for how, sent in kinds.items()]
    file = database.file
    return [
        Outage("locked", partial(_locked, file), readable=True),
        Outage("its folder moved away", partial(_moved, [file.parent])),
        Outage("its files moved away", partial(_moved, [Path(f"{file}{more}") for more in ("", "-wal", "-shm")])),
        Outage("its file alone moved away", partial(_moved, [file])),
    ]


def full(disk: Disk, database: SqliteFile | PostgresqlServer) -> Outage:
    """The disk that it lies on."""
    return Outage("the disk full", partial(_full, disk, database), readable=True)


@contextmanager
def _locked(file: Path, _: Sequence[int]) -> Iterator[None]:
    """Another process writes, and takes its time."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=20)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def _moved(files: Sequence[Path], _: Sequence[int]) -> Iterator[None]:
    """The database first, and back last, so that it is never there without its log."""
    away = [one.rename(one.with_name(f"away-{one.name}")) for one in files if one.exists()]
    yield
    for one in reversed(away):
        one.rename(one.with_name(one.name.removeprefix("away-")))


@contextmanager
def _stopped(server: PostgresqlServer, how: signal.Signals, _: Sequence[int]) -> Iterator[None]:
    server.stop(how)
    yield
    server.start()


@contextmanager
def _full(disk: Disk, database: SqliteFile | PostgresqlServer, servers: Sequence[int]) -> Iterator[None]:
    """PostgreSQL ends itself where it cannot write its log, and is started again as whoever watches over it would."""
    disk.fill(servers)
    yield
    disk.make_room(servers)
    if isinstance(database, PostgresqlServer):
        database.start()
