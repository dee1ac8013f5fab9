"""A file in; out come what SQLite needs to keep a ledger in it: connections, durability, and turns to write."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool, StaticPool

_BETWEEN_LOOKS = 0.001  # seconds
_LONGEST_WAIT = 2.0  # seconds for a lock, where nobody sets a limit
_STEP_MS = 50
_MOST_CONNECTIONS = 64  # more threads than answer at once; a thread never waits for another's connection


def pool(file: str | None) -> dict[str, Any]:
    """How SQLAlchemy is to keep the connections."""
    if not file:
        return {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}  # in memory: one for all threads
    return {"poolclass": QueuePool, "pool_size": _MOST_CONNECTIONS, "max_overflow": 0, "pool_use_lifo": True}


def look_after(engine: Engine, file: str | None, is_made: Callable[[], bool]) -> None:
    """Every connection is durable, and to the file that lies there. Once it `is_made` no other is made."""
    event.listen(engine, "connect", _durable)
    if file:
        event.listen(engine, "do_connect", lambda *given, **_: _known(file, is_made(), given[-1]))
        event.listen(engine, "connect", lambda _, record: record.info.update(file=_identity(file)))
        event.listen(engine, "checkout", lambda _, record, __: _same_file(record.info, file))


def _known(file: str, made: bool, options: dict[str, Any]) -> sqlite3.Connection | None:
    """A file that is away may come back, and SQLite clears away the log that lies beside a new one."""
    if not made:
        return None  # opened as usual
    opened: sqlite3.Connection = sqlite3.connect(f"file:{quote(file)}?mode=rw", uri=True, **options)
    return opened


@contextmanager
def turn_of_process(file: str | None, ends: float) -> Iterator[None]:
    """Held only while SQLite writes, and let go of by the system should the process end. No more than manners: where it
    cannot be had in time, SQLite's own lock is enough."""
    opened = None
    with suppress(OSError):
        opened = os.open(f"{file}-turn", os.O_RDWR | os.O_CREAT, 0o600) if file else None
    try:
        while opened is not None and not _taken(opened) and monotonic() < ends:
            sleep(_BETWEEN_LOOKS)  # never waited for blindly: the other process may have been stopped
        yield
    finally:
        if opened is not None:
            os.close(opened)


def _taken(opened: int) -> bool:
    """Whether the turn is ours now, or there are no turns on this file system."""
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _durable(connection: Any, _: object) -> None:
    """Write-ahead log, synced in full: what was acknowledged survives a power cut. What is deleted is overwritten."""
    cursor = connection.cursor()
    _write_ahead(cursor)
    for pragma in ("synchronous=FULL", "secure_delete=ON", f"busy_timeout={int(1000 * _LONGEST_WAIT)}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Of two that open a new file at once SQLite refuses one, and does not make it wait."""
    ends = monotonic() + _LONGEST_WAIT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if monotonic() >= ends:
                raise
            sleep(_BETWEEN_LOOKS)


def wait_at_most(connection: Connection, seconds: float) -> None:
    """For a lock. In steps, so that a connection need not be told at every transaction."""
    milliseconds = max(1, int(1000 * seconds))
    if milliseconds > _STEP_MS:
        milliseconds -= milliseconds % _STEP_MS
    if connection.info.get("waits") != milliseconds:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={milliseconds}")
        connection.info["waits"] = milliseconds


def _identity(file: str) -> tuple[int, int]:
    found = Path(file).stat()
    return found.st_dev, found.st_ino


def _same_file(known: dict[Any, Any], file: str) -> None:
    """A kept connection would write on into a file that was removed or replaced: it is opened anew then."""
    try:
        same = known.get("file") == _identity(file)
    except OSError:
        same = False
    if not same:
        raise DisconnectionError("the file is another")
