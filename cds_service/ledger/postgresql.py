"""An engine for PostgreSQL in; out comes a limit on every wait for it: for a place, a connection, an answer."""

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from threading import BoundedSemaphore
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as NoPlace
from sqlalchemy.pool import QueuePool

PLACES = 8  # connections of one process; a write takes milliseconds, and the server has a hundred for all processes
_CONNECT_SECONDS = 2  # the least the driver knows; a caller with less time stops waiting earlier
_INTERVAL = 0.1  # seconds between looks at the clock
_SECONDS = 2.0  # where nobody set a limit

# The server ends what its client no longer waits for, so that a process that is stopped blocks no token for others; and
# what it acknowledges is on disk, whatever its own default.
_SESSION = """
SET statement_timeout = '8s';
SET idle_in_transaction_session_timeout = '8s';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
# When no connection comes about, the driver has no SQLSTATE, only a text. What the server said stands in it behind its word for
# "fatal", in the server's language, a colon and two spaces.
_UNWILLING = re.compile(r"failed: [^\s:]+:  |password|certificate|SSL was required|sslmode")
_NOT_YET = re.compile(r":  the database system is |too many (?:clients|connections)|connection slots")
_COMES_BACK = ("08", "53", "57P")  # connection lost, no room, stopped by its operator
_T = TypeVar("_T")
_ends: ContextVar[float] = ContextVar("ends")  # of this thread's work with the database, by time.monotonic
_glancing: ContextVar[bool] = ContextVar("glancing", default=False)  # a connection is then not tried before it is used

POOL: dict[str, Any] = {"poolclass": QueuePool, "pool_size": PLACES, "max_overflow": 0, "pool_use_lifo": True}


class Limits:
    """Who works with the database does so within a time, and no more at once than there are connections."""

    def __init__(self, engine: Engine) -> None:
        self._places = BoundedSemaphore(PLACES)
        self._opening = ThreadPoolExecutor(PLACES, "postgresql")
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "checkout", _look)

    @contextmanager
    def within(self, seconds: float, *, glancing: bool = False) -> Iterator[None]:
        """What is done inside must end so soon. Raises SQLAlchemy's TimeoutError where no place is free.

        Whoever is `glancing` saves a turn to the server and back, and tries again where the connection is no more.
        """
        ends = monotonic() + seconds
        if not self._places.acquire(timeout=max(0.0, seconds)):
            raise NoPlace("every connection is in use")
        before, looked = _ends.set(ends), _glancing.set(glancing)
        try:
            yield
        finally:
            _glancing.reset(looked)
            _ends.reset(before)
            self._places.release()

    @staticmethod
    def is_away(fault: BaseException) -> bool:
        """Whether the server is not there, rather than there and unwilling."""
        return _is_away(getattr(fault, "orig", None) or fault)

    def close(self) -> None:
        """Opens no more; whoever still tries is waited for, since a fork would leave the child with what he holds."""
        self._opening.shutdown(cancel_futures=True)

    def _connect(self, _: object, __: object, arguments: Any, options: dict[str, Any]) -> psycopg.Connection[Any]:
        """In a thread of its own: neither the name of a server nor its first answer is waited for longer than there is time."""
        ends = _ends.get(monotonic() + _SECONDS)
        opening = self._opening.submit(_open, ends, arguments, options)
        try:
            return opening.result(max(0.0, ends - monotonic()))
        except TimeoutError:
            if not opening.cancel():
                opening.add_done_callback(_close)
            raise psycopg.OperationalError("no connection in time") from None


class _Connection(psycopg.Connection[Any]):
    """A connection that waits for its server only as long as the work at hand may last."""

    def wait(self, gen: PQGen[_T], interval: float = _INTERVAL, timeout: float | None = None) -> _T:
        ends = _ends.get(monotonic() + (_SECONDS if timeout is None else timeout))
        try:
            return super().wait(gen, interval, max(0.0, ends - monotonic()))
        except psycopg.OperationalError:
            if monotonic() >= ends:
                self.close()  # an answer may still come, and nobody would know to what
            raise


def _is_away(fault: BaseException) -> bool:
    if not isinstance(fault, psycopg.OperationalError):
        return False
    if fault.sqlstate:
        return fault.sqlstate.startswith(_COMES_BACK)
    said = str(fault)
    return not _UNWILLING.search(said) or bool(_NOT_YET.search(said))


def _look(connection: psycopg.Connection[Any], *_: object) -> None:
    """After a restart of the server nobody is refused because of a connection that is no more."""
    if _glancing.get():
        return
    try:
        connection.autocommit = True
        connection.execute("SELECT 1")
        connection.autocommit = False
    except psycopg.Error:
        raise DisconnectionError("the connection is no more") from None


def _open(ends: float, arguments: Any, options: dict[str, Any]) -> psycopg.Connection[Any]:
    before = _ends.set(ends)
    try:
        opened = _Connection.connect(*arguments, **({"connect_timeout": _CONNECT_SECONDS} | options), autocommit=True)
        opened.execute(_SESSION)
        opened.autocommit = False
        return opened
    finally:
        _ends.reset(before)


def _close(late: "Future[psycopg.Connection[Any]]") -> None:
    if not late.cancelled() and late.exception() is None:
        late.result().close()
