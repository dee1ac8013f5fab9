"""The short forms of `make load` on either database: workers, servers and the database are hurt, and nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load import databases, full_disk
from tests.load.databases import SqliteFile
from tests.load.enduring import enduring
from tests.load.killing import killing
from tests.load.one_token import one_token
from tests.load.open_access import visiting
from tests.load.outages import outages
from tests.load.terminating import terminating
from tests.postgresql_server import PostgresqlServer

pytestmark = pytest.mark.slow


@pytest.fixture(params=databases.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    if why := databases.lacking(request.param):
        pytest.skip(why)
    return str(request.param)


@pytest.fixture
def database(kind: str, tmp_path: Path) -> Iterator[SqliteFile | PostgresqlServer]:
    with databases.database(kind, tmp_path / "database") as found:
        yield found


def test_workers_are_killed_and_no_feedback_is_lost_or_written_twice(
    tmp_path: Path, database: SqliteFile | PostgresqlServer
) -> None:
    found = killing(tmp_path, database, feedback=60, kills=4, rest=0.7)
    print(found)
    assert not found.wrong
    assert found.killed >= 4
    assert found.back


def test_servers_are_restarted_in_order_and_no_feedback_is_lost_or_written_twice(
    tmp_path: Path, database: SqliteFile | PostgresqlServer
) -> None:
    found = terminating(tmp_path, database, feedback=20, restarts=2)
    print(found)
    assert not found.wrong


@pytest.mark.parametrize(("kind", "part"), [(kind, part) for kind, parts in full_disk.PARTS.items() for part in parts])
def test_a_disk_is_full_and_nothing_is_lost_or_written_in_part(tmp_path: Path, kind: str, part: str) -> None:
    if why := full_disk.lacking(kind):
        pytest.skip(why)
    disk, found = full_disk.full_disk(tmp_path / "service", kind, part, times=1, lasts=1.0)
    print(f"on {disk}: {found}")
    assert not found.wrong


def test_the_database_goes_away_and_comes_back_and_nothing_is_lost(
    tmp_path: Path, database: SqliteFile | PostgresqlServer
) -> None:
    found = enduring(tmp_path / "service", database, outages(database), lasts=1.0)
    print(found)
    assert not found.wrong


def test_in_open_access_advice_goes_on_while_the_database_is_away_and_feedback_is_told_to_come_later(
    tmp_path: Path, database: SqliteFile | PostgresqlServer
) -> None:
    found = visiting(tmp_path / "service", database.url, outages(database))
    print(found)
    assert not found.wrong


def test_of_64_uses_of_a_token_at_once_at_two_servers_one_is_accepted_and_63_are_refused(
    tmp_path: Path, database: SqliteFile | PostgresqlServer
) -> None:
    found = one_token(tmp_path, database, rounds=2, kills=2)
    print(found)
    assert not found.wrong
