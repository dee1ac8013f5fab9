"""A connection in; out comes a database with the tables of this version: made, migrated, or left to a newer version."""

from dataclasses import dataclass

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    delete,
    insert,
    inspect,
    select,
)

REVISIONS = ("0001", "0002")  # of the scripts in migrations/, the oldest first
HEAD = REVISIONS[-1]
_LOCK = 0x48495643_44530001  # PostgreSQL's advisory lock of whoever makes or migrates the tables
_LOCK_SECONDS = 4  # all who use a table queue up behind one that waits to change it, behind a backup for instance

# As Alembic would make it. It is not imported for a database that is new or of this version: that would slow every start.
_STAMP = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


@dataclass(frozen=True, slots=True)
class Move:
    """At which revision a database was found (None: it was empty), and at which it was left."""

    before: str | None
    after: str


def stamp(connection: Connection) -> str | None:
    """The revision that the database says it has."""
    if not inspect(connection).has_table(_STAMP.name):
        return None
    found: str | None = connection.scalar(select(_STAMP.c.version_num))
    return found


def is_settled(found: str | None) -> bool:
    """Whether there is nothing to do. A revision nobody here knows is a newer version's, and has all that this one needs."""
    return found is not None and found not in REVISIONS[:-1]


def bring_up(connection: Connection, tables: MetaData, seconds: float) -> Move:
    """All in this connection's transaction: whoever is killed leaves nothing half done, and the next waits for the first."""
    _wait_for_turn(connection, seconds)
    found = stamp(connection)
    if found and is_settled(found):  # another was faster
        return Move(found, found)
    if found is None and not set(inspect(connection).get_table_names()) & tables.tables.keys():
        tables.create_all(connection)
        _put_stamp(connection)
        return Move(None, HEAD)
    from cds_service.ledger.migrations import upgrade  # noqa: PLC0415  (with Alembic, which is seldom needed)

    upgrade(connection, HEAD)
    return Move(found or REVISIONS[0], HEAD)


def _put_stamp(connection: Connection) -> None:
    _STAMP.create(connection, checkfirst=True)
    connection.execute(delete(_STAMP))
    connection.execute(insert(_STAMP), {"version_num": HEAD})


def _wait_for_turn(connection: Connection, seconds: float) -> None:
    """Of several that start at once one works, and the others find it done."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # its driver would begin with the first row, after the tables
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL statement_timeout={int(1000 * seconds)}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout='{_LOCK_SECONDS}s'")
