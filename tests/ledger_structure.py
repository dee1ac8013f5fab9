"""A database's URL in; out come its tables as the database itself describes them, or those of versions before 0002 put into it."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

_DATA = Path(__file__).with_name("data")


def structure(url: str) -> dict[str, Any]:
    """Of each table its columns in order, keys and indexes; two databases with the same work the same."""
    engine = engine_of(url)
    found, without_rowid = inspect(engine), _without_rowid(engine)
    return {
        name: {
            "columns": [(one["name"], str(one["type"]), one["nullable"], one["default"]) for one in found.get_columns(name)],
            "key": found.get_pk_constraint(name)["constrained_columns"],
            "unique": sorted((one["name"], one["column_names"]) for one in found.get_unique_constraints(name)),
            "indexes": sorted((one["name"], one["column_names"], bool(one["unique"])) for one in found.get_indexes(name)),
            "without rowid": name in without_rowid,
        }
        for name in found.get_table_names()
    }  # fmt: skip


def make_first_tables(url: str) -> None:
    """The tables as they were at 0001, without a stamp."""
    with engine_of(url).begin() as connection:
        for statement in (_DATA / f"ledger-0001-{connection.dialect.name}.sql").read_text("utf-8").split(";"):
            if statement.strip():
                connection.execute(text(statement))


def engine_of(url: str) -> Engine:
    """An engine that keeps no connection."""
    return create_engine(url, poolclass=NullPool)


def begin(connection: Connection) -> Connection:
    """SQLite's driver begins no transaction for tables by itself."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    return connection


def _without_rowid(engine: Engine) -> set[str]:
    if engine.dialect.name != "sqlite":
        return set()
    with engine.connect() as connection:
        return {row.name for row in connection.exec_driver_sql("PRAGMA table_list") if row.wr}
