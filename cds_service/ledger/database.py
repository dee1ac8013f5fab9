"""An SQLAlchemy URL in; out comes the database that the ledger keeps, its tables made or migrated."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine, Executable, Row, create_engine, literal, make_url, select
from sqlalchemy.dialects import postgresql as of_postgresql
from sqlalchemy.dialects import sqlite as of_sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NotInTime
from sqlalchemy.orm import DeclarativeBase

from cds_service.ledger import schema, sqlite
from cds_service.ledger.once import Once

LONGEST_WAIT = 2.0  # seconds for a lock, where the caller sets no limit of its own
_TO_START = 4.0  # seconds to see whether the tables are there
_TO_MIGRATE = 300.0  # seconds to make them, or to bring them up to date


class LedgerDown(Exception):
    """The database cannot be reached or written."""


class LedgerAway(LedgerDown):
    """Its server cannot be reached, or is starting or stopping; nothing needs to be changed for it to come back."""


class LedgerRefused(LedgerDown):
    """The database is there and does not take these values; it would not at another time either."""


class Tables(DeclarativeBase):
    """The tables of the ledger."""


class Database:
    """One database for everything that is remembered."""

    def __init__(self, url: str, made: bool = False) -> None:
        """Raises LedgerDown; a server that does not answer is no reason to, since it may come back. Nor is an SQLite file that
        is not there, where somebody has `made` it before."""
        try:
            where = make_url(url)
            self._is_sqlite = where.get_backend_name() == "sqlite"
            file = where.database if self._is_sqlite and where.database not in (None, "", ":memory:") else None
            self._limits = None
            if where.get_driver_name() == "psycopg":
                from cds_service.ledger import postgresql  # noqa: PLC0415  (its driver is an extra)

                self._engine: Engine = create_engine(url, **postgresql.POOL)
                self._limits = postgresql.Limits(self._engine)
            else:
                self._engine = create_engine(url, **(sqlite.pool(file) if self._is_sqlite else {}))
            # SQLite begins nothing for one that only reads
            self._glancing = (
                self._engine.execution_options(isolation_level="AUTOCOMMIT") if self._limits else self._engine
            )
            self._tables = Once(self._make_tables)
            if self._is_sqlite:
                sqlite.look_after(self._engine, file, lambda: made or self._tables.done)
            self._file, self._turn = file, Lock()
            if self._limits is None and not made:
                self._tables.wait(_TO_MIGRATE)
            else:  # a worker that starts while the database is away serves as soon as it is back
                with suppress(SQLAlchemyError, TimeoutError):
                    self._tables.wait(_TO_START)
        except (SQLAlchemyError, ImportError, OSError) as fault:  # ImportError: that database's driver is not installed
            raise LedgerDown(type(fault).__name__) from None

    @property
    def in_memory(self) -> bool:
        """Whether all threads share one connection."""
        return self._is_sqlite and self._file is None

    @property
    def one_at_a_time(self) -> bool:
        """Whether everybody waits while one writes."""
        return self._is_sqlite

    def prepare(self) -> schema.Move:
        """Waits until the tables are those of this version; what was done for it. Raises LedgerAway, LedgerDown."""
        try:
            return self._tables.wait(_TO_MIGRATE)
        except (SQLAlchemyError, TimeoutError) as fault:
            away = self._limits is not None and self._limits.is_away(fault)
            raise (LedgerAway if away else LedgerDown)(type(fault).__name__) from None

    def _make_tables(self) -> schema.Move:
        with self._limited(_TO_START), self._engine.connect() as connection:
            found = schema.stamp(connection)
        if found and schema.is_settled(found):
            return schema.Move(found, found)
        with self._in_turn(_TO_MIGRATE), self._limited(_TO_MIGRATE), self._engine.begin() as connection:
            return schema.bring_up(connection, Tables.metadata, _TO_MIGRATE)

    def _limited(self, seconds: float, *, glancing: bool = False) -> AbstractContextManager[None]:
        """A server is waited for no longer; SQLite makes nobody wait but for a lock, to which it is given its own limit."""
        return self._limits.within(seconds, glancing=glancing) if self._limits else nullcontext()

    def _left(self, seconds: float) -> float:
        """Of so many, once the tables are there: as long as they are not, whoever comes has them looked for and waits."""
        ends = monotonic() + seconds
        if not self._tables.done:
            try:
                self._tables.wait(seconds)
            except TimeoutError:
                raise NotInTime("the tables are not there yet") from None
        return ends - monotonic()

    @contextmanager
    def writing(self, seconds: float = LONGEST_WAIT) -> Iterator[Connection]:
        """A transaction, durable when the block has ended; it waits for a lock so long. Raises LedgerDown, LedgerRefused."""
        try:
            with self._in_turn(self._left(seconds)) as left, self._limited(left), self._engine.begin() as connection:
                if self._is_sqlite:
                    sqlite.wait_at_most(connection, left)
                yield connection
        except (DataError, IntegrityError) as fault:
            raise LedgerRefused(type(fault).__name__) from fault
        except SQLAlchemyError as fault:
            raise LedgerDown(type(fault).__name__) from fault

    @contextmanager
    def _in_turn(self, seconds: float) -> Iterator[float]:
        """What is left of the time when it is this thread's turn. Raises LedgerDown.

        SQLite lets one write; the others ask again at ever longer intervals, and under load some never find it free. So the
        threads of a process wait for one another here, and then the processes, each in its turn.
        """
        if not self._is_sqlite:
            yield seconds
            return
        ends = monotonic() + seconds
        if not self._turn.acquire(timeout=max(0.0, seconds)):
            raise LedgerDown("Busy")
        try:
            with sqlite.turn_of_process(self._file, ends):
                yield max(0.0, ends - monotonic())
        finally:
            self._turn.release()

    def insert(self, table: type[Tables]) -> of_sqlite.Insert | of_postgresql.Insert:
        """An insert that can say what is to become of a row that is there already; both databases have it in one form."""
        return of_sqlite.insert(table) if self._is_sqlite else of_postgresql.insert(table)

    @contextmanager
    def reading(self, seconds: float = LONGEST_WAIT) -> Iterator[Connection]:
        """A connection to read with; a server is waited for so long. Raises LedgerDown."""
        try:
            with self._limited(self._left(seconds)), self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as fault:
            raise LedgerDown(type(fault).__name__) from None

    def glance(self, statement: Executable, given: Mapping[str, Any], seconds: float) -> Sequence[Row[Any]]:
        """The rows of one statement, for which no transaction is begun or ended. Raises LedgerDown."""
        try:
            with self._limited(self._left(seconds), glancing=True):
                try:
                    return self._read(statement, given)
                except DBAPIError as fault:
                    if not fault.connection_invalidated:
                        raise
                return self._read(statement, given)  # all connections are new now
        except SQLAlchemyError as fault:
            raise LedgerDown(type(fault).__name__) from None

    def _read(self, statement: Executable, given: Mapping[str, Any]) -> Sequence[Row[Any]]:
        with self._glancing.connect() as connection:
            return connection.execute(statement, given).all()

    def reachable(self) -> bool:
        """Whether the database answers for its tables; SQLite says yes to a bare SELECT 1 without looking at its file."""
        try:
            with self.reading() as connection:
                for table in Tables.metadata.sorted_tables:
                    connection.execute(select(literal(1)).select_from(table).limit(1))
        except LedgerDown:
            return False
        return True

    def close(self) -> None:
        """Gives the connections back, before a fork and at the end."""
        if self._limits:
            self._limits.close()
        self._engine.dispose()
