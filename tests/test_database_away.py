"""`serve` started while its PostgreSQL server is away: it says so, and serves once it is back; what will not mend is refused."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread
from threading import enumerate as enumerate_threads
from time import monotonic, sleep

import psycopg
import pytest

from cds_service.ledger import Database, LedgerAway, LedgerDown
from cds_service.ledger.schema import HEAD
from tests.clients import BASE, CdsClient, key_set
from tests.ledger_structure import make_first_tables
from tests.postgresql_server import PostgresqlServer, postgresql_or_skip
from tests.test_postgresql import FEEDBACK, SAID
from tests.test_serve import call, refused, serving
from tests.test_web import free_port, send

pytestmark = pytest.mark.slow
CLIENT = CdsClient()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    yield from postgresql_or_skip()


@pytest.fixture
def issuers(tmp_path: Path) -> Path:
    (tmp_path / "keys.json").write_bytes(key_set(CLIENT.jwk()))
    file = tmp_path / "issuers.toml"
    file.write_text(f'[[issuer]]\niss = "{CLIENT.iss}"\njwks = "keys.json"\n', "utf-8")
    return file


def stamp_of(url: str) -> str:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchall()[0][0])


@pytest.mark.parametrize("is_old", [False, True], ids=["empty", "old"])
def test_it_starts_says_so_and_serves_within_five_seconds_of_the_databases_return(
    server: PostgresqlServer, issuers: Path, tmp_path: Path, is_old: bool
) -> None:
    url = server.new_database()
    if is_old:
        make_first_tables(url)
    server.stop()
    with serving(tmp_path, issuers, ready=503, CDS_DATABASE_URL=url) as (port, _):
        assert send(port, "GET", "/healthz").status == 200
        assert call(port, CLIENT.token()).status == 503
        server.start()
        ends = monotonic() + 5
        while send(port, "GET", "/readyz").status != 200:
            assert monotonic() < ends
            sleep(0.1)
        assert monotonic() < ends
        for _ in range(8):  # by each of the two workers
            assert call(port, CLIENT.token()).status == 200
            assert call(port, CLIENT.token(FEEDBACK), FEEDBACK, SAID).status == 200
        assert stamp_of(url) == HEAD
    written = (tmp_path / "written").read_text("utf-8")
    assert "CDS_DATABASE_URL: the database server does not answer" in written
    assert "Traceback" not in written


def test_a_call_alone_makes_the_tables_when_the_database_is_back(
    server: PostgresqlServer, issuers: Path, tmp_path: Path
) -> None:
    url = server.new_database()
    server.stop()
    with serving(tmp_path, issuers, ready=503, CDS_DATABASE_URL=url) as (port, _):
        server.start()
        ends = monotonic() + 5
        while call(port, CLIENT.token()).status != 200:
            assert monotonic() < ends
            sleep(0.1)


@contextmanager
def silent() -> Iterator[int]:
    """Accepts connections and never says a word; the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@contextmanager
def hanging_up() -> Iterator[int]:
    """Accepts connections and ends them, as a proxy does whose database is away; the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def end() -> None:
            while True:
                try:
                    listening.accept()[0].close()
                except OSError:
                    return

        Thread(target=end, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def threads() -> set[str]:
    return {one.name for one in enumerate_threads()}


def opened(url: str) -> Exception | None:
    with closing(Database(url)) as database:
        try:
            database.prepare()
        except LedgerDown as fault:
            return fault
    return None


def test_a_server_that_is_not_there_is_away_however_it_fails_to_answer() -> None:
    address = "postgresql+psycopg://tester:ZZCANARY@{}/none"
    with silent() as mute, hanging_up() as rude:
        before = threads()
        for where in (f"127.0.0.1:{free_port()}", f"127.0.0.1:{mute}", f"127.0.0.1:{rude}", "absent.invalid"):
            began = monotonic()
            fault = opened(address.format(where))
            assert isinstance(fault, LedgerAway), where
            assert monotonic() - began < 6
            assert "ZZCANARY" not in str(fault)
            assert threads() == before  # nobody is at work when workers are forked


def test_a_server_that_is_starting_is_away(server: PostgresqlServer) -> None:
    server.stop()
    started = Thread(target=server.start)
    found = []
    started.start()
    while started.is_alive():
        found.append(opened(server.url))
    started.join()
    assert opened(server.url) is None
    assert {type(one) for one in found} <= {LedgerAway, type(None)}, found


def connects(url: str) -> bool:
    try:
        psycopg.connect(url.replace("+psycopg", "")).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def unwilling(server: PostgresqlServer) -> dict[str, str]:
    """Addresses at which the server is there and will never serve us, by what is wrong."""
    with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS guarded")
        connection.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
        (server.folder / "files" / "pg_hba.conf").write_text(
            "host all guarded 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
        )
        connection.execute("SELECT pg_reload_conf()")
    while connects(server.url.replace("tester@", "guarded@")):  # the new rules hold a moment later
        sleep(0.05)
    return {
        "password": server.url.replace("tester@", "guarded:ZZCANARY@"),
        "no password": server.url.replace("tester@", "guarded@"),
        "role": server.url.replace("tester@", "absent:ZZCANARY@"),
        "database": server.url.replace("/postgres", "/recovery"),
        "tls": f"{server.url}?sslmode=require",
        "certificate": f"{server.url}?sslmode=verify-full&sslrootcert=/absent/ca.crt",
        "option": f"{server.url}?nonsense=1",
        "driver": server.url.replace("+psycopg", "+pg8000"),
    }


def test_a_server_that_will_not_have_us_is_no_server_that_is_away(unwilling: dict[str, str]) -> None:
    for wrong, url in unwilling.items():
        try:
            fault = opened(url)
        except LedgerDown as at_once:
            fault = at_once
        assert type(fault) is LedgerDown, wrong
        assert "ZZCANARY" not in str(fault)


@pytest.mark.parametrize("wrong", ["password", "database", "driver"])
def test_what_will_not_mend_by_itself_keeps_it_from_starting(
    unwilling: dict[str, str], issuers: Path, tmp_path: Path, wrong: str
) -> None:
    said = refused(tmp_path, CDS_DATABASE_URL=unwilling[wrong], CDS_ISSUERS=str(issuers), CDS_PUBLIC_URL=BASE)
    assert "CDS_DATABASE_URL" in said
    assert "ZZCANARY" not in said
