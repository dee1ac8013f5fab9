"""A ledger of any version is opened, in SQLite and in PostgreSQL: what was in it is there, and its tables are those of today."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from cds_service.ledger import Ledger
from cds_service.ledger.database import Database, LedgerDown, Tables
from cds_service.ledger.migrations import downgrade, scripts, upgrade
from cds_service.ledger.schema import HEAD, REVISIONS, Move
from cds_service.wire.feedback import FeedbackEntry
from tests.ledger_structure import begin, engine_of, make_first_tables, structure
from tests.postgresql_server import PostgresqlServer, postgresql_or_skip

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ISSUER = "https://ehr.example.org"
COMMENT = "Zoë: seen tomorrow, ½ tablet 🙂"
GIVEN = {"card": "c", "at": NOW, "issuer": ISSUER, "service": "immune-status-order-sign", "comment": COMMENT}
_TODAYS: dict[str, dict[str, Any]] = {}  # by the kind of database
FEEDBACK = text(
    "INSERT INTO feedback (received, issuer, service, card, outcome, at, accepted, reason_code, comment)"
    " VALUES (:at, :issuer, :service, :card, 'overridden', :at, '', 'not-now', :comment)"
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    yield from postgresql_or_skip()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.sqlite3"
    server: PostgresqlServer = request.getfixturevalue("server")
    return server.new_database()


@pytest.fixture
def old(url: str) -> str:
    """Of a database as it was before revisions were counted, in use for a time."""
    make_first_tables(url)
    with engine_of(url).begin() as connection:
        connection.execute(text("INSERT INTO site_keys VALUES ('pseudonyms', :value)"), {"value": b"k" * 32})
        connection.execute(text("INSERT INTO seen_tokens VALUES (:iss, 'used', 2000)"), {"iss": ISSUER})
        connection.execute(FEEDBACK, [GIVEN | {"at": NOW.replace(tzinfo=None)}, GIVEN | {"at": NOW, "comment": None}])
    return url


def opened(url: str) -> Move:
    """What opening the ledger made of the database."""
    database = Database(url)
    with closing(database):
        assert database.reachable()
        return database.prepare()


@pytest.fixture
def todays(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> dict[str, Any]:
    """The tables that an empty database is given."""
    kind = url.partition(":")[0]
    if kind not in _TODAYS:
        other = f"sqlite:///{tmp_path}/new.sqlite3"
        if kind != "sqlite":
            other = request.getfixturevalue("server").new_database()
        opened(other)
        _TODAYS[kind] = structure(other)
    return _TODAYS[kind]


def differences(connection: Connection) -> Any:
    options = {"compare_type": True, "compare_server_default": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), Tables.metadata)


def stamped(url: str) -> str | None:
    with engine_of(url).connect() as connection:
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def test_the_head_that_the_code_names_is_that_of_the_scripts() -> None:
    assert scripts().get_heads() == [HEAD]
    assert [one.revision for one in scripts().walk_revisions()] == list(reversed(REVISIONS))


def test_an_empty_database_is_given_todays_tables_and_their_stamp(url: str) -> None:
    assert opened(url) == Move(None, HEAD)
    assert stamped(url) == HEAD
    with engine_of(url).connect() as connection:
        assert differences(connection) == []
    assert opened(url) == Move(HEAD, HEAD)


def test_an_old_database_gets_the_tables_that_a_new_one_has(old: str, todays: Any) -> None:
    assert opened(old) == Move("0001", HEAD)
    assert stamped(old) == HEAD
    with engine_of(old).connect() as connection:
        assert differences(connection) == []
    assert structure(old) == todays


def test_the_scripts_alone_make_the_same_tables(url: str, todays: Any) -> None:
    with engine_of(url).begin() as connection:
        upgrade(begin(connection), HEAD)
    assert structure(url) == todays


def test_the_first_script_makes_the_tables_that_there_were(url: str) -> None:
    make_first_tables(url)
    before = structure(url)
    with engine_of(url).begin() as connection:
        for name in before:
            connection.execute(text(f"DROP TABLE {name}"))
    with engine_of(url).begin() as connection:
        upgrade(begin(connection), "0001")
    found = structure(url)
    del found["alembic_version"]
    assert found == before


def test_what_was_in_it_is_there_and_goes_on(old: str) -> None:
    ledger = Ledger(old)
    assert ledger.feedback.of_card("c", ISSUER) == [("overridden", "not-now")] * 2
    with ledger.database.reading() as connection:
        rows = connection.execute(text("SELECT comment, digest FROM feedback ORDER BY id")).all()
    assert [ledger.pseudonyms.unseal(row.comment) if row.comment else None for row in rows] == [COMMENT, None]
    assert [row.digest for row in rows] == [None, None]
    assert not ledger.seen_tokens.use(ISSUER, "used", 2000, 1000, 2)
    key = ledger.pseudonyms.of(ISSUER, "p")
    ledger.feedback.record([FeedbackEntry(card="c", outcome="accepted", at=NOW, comment="new")], ISSUER, "s", NOW)
    ledger.feedback.record([FeedbackEntry(card="c", outcome="accepted", at=NOW, comment="new")], ISSUER, "s", NOW)
    assert len(ledger.feedback.of_card("c", ISSUER)) == 3
    ledger.database.close()
    again = Ledger(old)
    assert again.pseudonyms.of(ISSUER, "p") == key
    again.database.close()


def test_a_version_between_that_made_some_of_it_by_itself_is_completed(old: str, todays: Any) -> None:
    with engine_of(old).begin() as connection:
        Tables.metadata.create_all(connection)  # but for what a table that is there lacks
    assert opened(old) == Move("0001", HEAD)
    assert structure(old) == todays


def test_down_and_up_again_keeps_what_both_know(old: str, todays: Any) -> None:
    before = structure(old)
    opened(old)
    with engine_of(old).begin() as connection:
        downgrade(begin(connection), "0001")
    assert stamped(old) == "0001"
    found = structure(old)
    del found["alembic_version"]
    assert found == before
    assert opened(old) == Move("0001", HEAD)
    assert structure(old) == todays
    ledger = Ledger(old)
    assert ledger.feedback.of_card("c", ISSUER) == [("overridden", "not-now")] * 2
    ledger.database.close()


def test_down_to_nothing_and_up_again_is_a_new_ledger(old: str, todays: Any) -> None:
    opened(old)
    with engine_of(old).begin() as connection:
        downgrade(begin(connection), "base")
    assert structure(old).keys() == {"alembic_version"}
    assert opened(old) == Move(None, HEAD)
    assert structure(old) == todays


def test_what_a_newer_version_has_made_is_let_be_and_served(old: str) -> None:
    opened(old)
    with engine_of(old).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
        connection.execute(text("ALTER TABLE feedback ADD COLUMN later VARCHAR(8)"))
        connection.execute(text("CREATE TABLE later (id INTEGER PRIMARY KEY)"))
    before = structure(old)
    assert opened(old) == Move("0003", "0003")
    ledger = Ledger(old)
    ledger.feedback.record([FeedbackEntry(card="c", outcome="accepted", at=NOW)], ISSUER, "s", NOW)
    assert len(ledger.feedback.of_card("c", ISSUER)) == 3
    ledger.database.close()
    assert structure(old) == before


# --- several at once, and broken off ---------------------------------------------------------------------------------

_MET: Any = None


def _meet(barrier: Any) -> None:
    global _MET  # noqa: PLW0603  (the only way to hand a barrier to a pool's processes)
    _MET = barrier


def open_together(url: str) -> Move:
    _MET.wait(120)
    return opened(url)


@pytest.fixture(scope="module")
def eight() -> Iterator[Any]:
    """Processes that have imported everything."""
    context = get_context("spawn")
    with context.Pool(8, _meet, (context.Barrier(8),)) as pool:
        yield pool


@pytest.mark.slow
@pytest.mark.parametrize("is_old", [False, True], ids=["empty", "old"])
def test_of_eight_processes_that_start_at_once_one_does_it(eight: Any, url: str, todays: Any, is_old: bool) -> None:
    if is_old:
        make_first_tables(url)
    moves = eight.map(open_together, [url] * 8, chunksize=1)
    moved = Move("0001" if is_old else None, HEAD)
    assert sorted(moves, key=str) == sorted([moved, *[Move(HEAD, HEAD)] * 7], key=str)
    assert structure(url) == todays


KILLED = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from cds_service.ledger import Database
left = int(sys.argv[2])
@event.listens_for(Engine, "after_cursor_execute")
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
Database(sys.argv[1])
"""


@pytest.mark.slow
def test_whoever_is_killed_while_migrating_leaves_it_as_it_was(old: str, todays: Any) -> None:
    before = structure(old)
    killed = 0
    for statements in (12, 18, 25, 38, 42):  # new tables, new columns, SQLite's copy, the stamp; PostgreSQL takes 27
        ended = subprocess.run([sys.executable, "-c", KILLED, old, str(statements)], check=False, timeout=60)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
        killed += 1
        assert structure(old) == before
    assert killed >= 3
    opened(old)
    assert structure(old) == todays
    with closing(Ledger(old).database) as database, database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM feedback")) == 2


def test_alembic_is_not_imported_where_there_is_nothing_to_migrate(tmp_path: Path) -> None:
    code = "import sys; from cds_service.ledger import Ledger; Ledger(sys.argv[1]); sys.exit('alembic' in sys.modules)"
    for _ in range(2):  # an empty database, and one of this version
        subprocess.run([sys.executable, "-c", code, f"sqlite:///{tmp_path}/l.sqlite3"], check=True, timeout=60)


def test_a_database_that_cannot_be_migrated_is_said_and_left_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    make_first_tables(url)
    with engine_of(url).begin() as connection:
        connection.execute(text("CREATE VIEW issued_advice AS SELECT 1 AS patient"))
    before = structure(url)
    with pytest.raises(LedgerDown):
        Database(url)
    assert structure(url) == before


@pytest.mark.slow
def test_an_account_that_may_make_no_tables_serves_after_another_made_them(server: PostgresqlServer) -> None:
    url = server.new_database()
    with engine_of(url).begin() as connection:
        connection.execute(text("CREATE ROLE clerk LOGIN"))
    clerk = url.replace("tester@", "clerk@")
    with closing(Database(clerk)) as refused, pytest.raises(LedgerDown):
        refused.prepare()
    opened(url)
    with engine_of(url).begin() as connection:
        for what in ("SELECT, INSERT, UPDATE, DELETE ON ALL TABLES", "USAGE ON ALL SEQUENCES"):
            connection.execute(text(f"GRANT {what} IN SCHEMA public TO clerk"))
    ledger = Ledger(clerk)
    assert ledger.database.prepare() == Move(HEAD, HEAD)
    ledger.feedback.record([FeedbackEntry(card="c", outcome="accepted", at=NOW)], ISSUER, "s", NOW)
    ledger.database.close()
