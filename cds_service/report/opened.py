"""The URL of a ledger in; out comes a way to read it and nothing else: nothing is made where it is missing, nothing changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from cds_service.ledger import LedgerDown
from cds_service.ledger.pseudonyms import SiteKey

_TO_CONNECT = 5  # seconds
_MAPPED = 1 << 32  # bytes of a file that are read where they lie


class Opened:
    """A ledger, to be read."""

    def __init__(self, url: str) -> None:
        """Raises LedgerDown."""
        try:
            where = make_url(url)
            self._engine = _sqlite(where) if where.get_backend_name() == "sqlite" else _server(where)
        except (SQLAlchemyError, ImportError, OSError) as fault:  # ImportError: that database's driver is not installed
            raise LedgerDown(type(fault).__name__) from None

    @contextmanager
    def reading(self, seconds: float) -> Iterator[Connection]:
        """A connection to read with. Raises LedgerDown."""
        try:
            with self._engine.connect() as connection:
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SET statement_timeout = {int(1000 * seconds)}")
                    connection.commit()
                yield connection
        except SQLAlchemyError as fault:
            raise LedgerDown(type(fault).__name__) from None

    def key(self, file: str | None) -> bytes:
        """The key of the site: in a file, or, where none is named, the one that the ledger made. Raises LedgerDown, OSError."""
        if file:
            return Path(file).read_bytes()
        with self.reading(_TO_CONNECT) as connection:
            found = connection.execute(select(SiteKey.value)).scalar()
        if found is None:
            raise LedgerDown("NoKey")
        return bytes(found)


def _sqlite(where: URL) -> Engine:
    file = Path(where.database or ":memory:").resolve()
    if not file.is_file():
        raise FileNotFoundError(file)

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
        connection.execute(f"PRAGMA mmap_size={_MAPPED}")  # a fifth less work
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _server(where: URL) -> Engine:
    engine = create_engine(where, poolclass=NullPool, connect_args={"connect_timeout": _TO_CONNECT})
    event.listen(engine, "connect", _only_to_read)
    return engine


def _only_to_read(connection: Any, _: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    connection.commit()
