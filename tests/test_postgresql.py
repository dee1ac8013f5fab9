"""The ledger in a real PostgreSQL server: each token once for all processes, feedback durable, an outage told in time."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from threading import Event
from time import monotonic, sleep, time
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select

from cds_service.app import create_app
from cds_service.ledger import Advice, Answer, Ledger, LedgerDown, LedgerRefused
from cds_service.ledger.cards import Entry
from cds_service.ledger.issued_advice import IssuedAdvice
from cds_service.ledger.postgresql import PLACES
from cds_service.settings import Settings
from cds_service.web.wiring import KEY
from cds_service.wire.feedback import FeedbackEntry
from tests.clients import SIGN, CdsClient, key_set
from tests.postgresql_server import PostgresqlServer, postgresql_or_skip
from tests.test_serve import call, serving

pytestmark = pytest.mark.slow
CLIENT = CdsClient()
FEEDBACK = f"{SIGN}/feedback"
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SAID = json.dumps(
    {"feedback": [{"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:00:00Z"}]}
).encode()
DEADLINE_MS = 800
IN_TIME = DEADLINE_MS / 1000 + 0.4  # two busy cores


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    yield from postgresql_or_skip()


@pytest.fixture
def ledger(server: PostgresqlServer) -> Iterator[Ledger]:
    made = Ledger(server.url)
    yield made
    made.database.close()


def use_at_once(url: str, jti: str, times: int) -> int:
    """How many of so many simultaneous uses were the first."""
    mine = Ledger(url)
    with ThreadPoolExecutor(times) as pool:
        return sum(
            pool.map(lambda _: mine.seen_tokens.use("https://ehr.example.org", jti, 2000, 1000, 5), range(times))
        )


def lasted(work: Callable[[], Any]) -> float:
    began = monotonic()
    with pytest.raises(LedgerDown):
        work()
    return monotonic() - began


def entry(**more: Any) -> FeedbackEntry:
    return FeedbackEntry(**{"card": "card", "outcome": "overridden", "at": AT} | more)


def test_several_processes_that_start_at_once_make_the_tables_once(server: PostgresqlServer) -> None:
    with get_context("spawn").Pool(4) as pool:
        assert sum(pool.starmap(use_at_once, [(server.url, f"start-{one}", 1) for one in range(4)])) == 4
    tables = {name for (name,) in server.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    assert {"feedback", "seen_tokens"} <= tables


def test_of_64_simultaneous_uses_of_a_token_in_two_processes_one_is_the_first(server: PostgresqlServer) -> None:
    with get_context("spawn").Pool(2) as pool:
        for token in range(5):
            assert sum(pool.starmap(use_at_once, [(server.url, f"token-{token}", 32)] * 2, chunksize=1)) == 1


def test_feedback_is_written_whole_and_found_again(ledger: Ledger, server: PostgresqlServer) -> None:
    said = entry(card="whole", comment="Zoë: ½ tablet, 30 µL 🙂", accepted=("a", "b"), reason_code="not-now")
    ledger.feedback.record([said, entry(card="whole", outcome="accepted")], "https://ehr.example.org", "s", AT)
    assert ledger.feedback.of_card("whole", "https://ehr.example.org") == [
        ("overridden", "not-now"),
        ("accepted", None),
    ]
    found = server.rows("SELECT comment, accepted, at AT TIME ZONE 'UTC' FROM feedback WHERE reason_code = 'not-now'")
    assert found[0][1:] == ("a\nb", AT.replace(tzinfo=None))
    assert ledger.pseudonyms.unseal(found[0][0]) == said.comment


def test_what_is_acknowledged_is_on_disk_whatever_the_servers_default(server: PostgresqlServer, ledger: Ledger) -> None:
    with ledger.database.reading() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    lax = Ledger(f"{server.url}?options=-c%20synchronous_commit%3Doff")
    with lax.database.reading() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    lax.database.close()


def test_old_tokens_are_forgotten_in_portions_that_keep_no_call_waiting(
    ledger: Ledger, server: PostgresqlServer
) -> None:
    with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
        connection.execute("DELETE FROM seen_tokens")
        connection.execute("INSERT INTO seen_tokens SELECT 'old', n::text, 1 FROM generate_series(1, 1200) AS n")
    left = []
    for number in range(3):
        assert ledger.seen_tokens.use("new", str(number), 10_000, 9_000, 1)
        left += server.rows("SELECT count(*) FROM seen_tokens WHERE issuer = 'old'")[0]
    assert left == [700, 200, 0]
    assert server.rows("SELECT count(*) FROM seen_tokens WHERE issuer = 'new'") == [(3,)]


def test_more_threads_than_connections_wait_their_turn_and_open_no_more(
    ledger: Ledger, server: PostgresqlServer
) -> None:
    with ThreadPoolExecutor(4 * PLACES) as pool:
        first = pool.map(lambda one: ledger.seen_tokens.use("many", str(one), 2000, 1000, 5), range(200))
        assert all(first)
    mine = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'tester' AND pid <> pg_backend_pid()"
    assert server.rows(mine)[0][0] <= PLACES + 1


@pytest.mark.parametrize("first", ["the card", "its feedback"])
def test_a_card_and_its_feedback_that_are_written_at_once_meet_whichever_ends_first(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """The one has looked for the other, which was not there, and has not ended when the other looks."""
    card, patient = str(uuid4()), uuid4().hex
    answer = Answer(issuer="https://ehr.example.org", service="s", patient=patient, clinician="", moment=AT)
    written = [Entry(answer, (Advice(card=card, rule="mac-start", indicator="info"),), frozenset())]
    looked, go_on = Event(), Event()

    def pausing(look: Callable[..., None]) -> Callable[..., None]:
        return lambda *given: (look(*given), looked.set(), go_on.wait(10))[0]

    work = [
        lambda: ledger.cards._write(written),
        lambda: ledger.feedback.record([entry(card=card)], answer.issuer, "s", AT, 5),
    ]
    if first == "the card":
        monkeypatch.setattr(ledger.cards, "_match", pausing(ledger.cards._match))
    else:
        monkeypatch.setattr(ledger.feedback, "_begin_quiet", pausing(ledger.feedback._begin_quiet))
        work.reverse()
    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(work[0])]
        assert looked.wait(10)
        begun.append(pool.submit(work[1]))
        sleep(0.3)  # the second could have ended long since
        go_on.set()
        for one in begun:
            one.result()
    assert ledger.quiet.recall(answer.issuer, patient, None, AT.date(), 5).keys() == {"mac-start"}


@contextmanager
def locked(server: PostgresqlServer) -> Iterator[None]:
    """Somebody else holds the tables."""
    with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
        connection.execute("LOCK TABLE seen_tokens, feedback IN ACCESS EXCLUSIVE MODE")
        yield


def test_a_lock_is_waited_for_only_as_long_as_the_caller_says(server: PostgresqlServer, ledger: Ledger) -> None:
    with locked(server):
        assert 0.2 < lasted(lambda: ledger.seen_tokens.use("lock", "1", 2000, 1000, 0.3)) < 0.7
        assert lasted(lambda: ledger.feedback.record([entry(card="lock")], "lock", "s", AT, 0.3)) < 0.7
    assert ledger.seen_tokens.use("lock", "2", 2000, 1000, 1)
    assert ledger.feedback.of_card("lock", "lock") == []


def test_a_server_that_hangs_is_waited_for_only_as_long_as_the_caller_says(
    server: PostgresqlServer, ledger: Ledger
) -> None:
    assert ledger.seen_tokens.use("hang", "0", 2000, 1000, 1)
    with server.frozen():
        for number in range(1, 4):  # with a connection that is open, then with none
            assert lasted(lambda number=number: ledger.seen_tokens.use("hang", f"{number}", 2000, 1000, 0.3)) < 0.7
        with ThreadPoolExecutor(24) as pool:  # far more than there are connections
            waits = list(
                pool.map(lambda _: lasted(lambda: ledger.seen_tokens.use("hang", "x", 2000, 1000, 0.3)), range(24))
            )
        assert max(waits) < 1
        assert not ledger.database.reachable()
    ends = monotonic() + 5
    while not ledger.database.reachable():
        assert monotonic() < ends
    assert ledger.seen_tokens.use("hang", "after", 2000, 1000, 1)


def test_a_connection_that_the_server_has_ended_refuses_nobody(server: PostgresqlServer, ledger: Ledger) -> None:
    assert ledger.seen_tokens.use("ended", "0", 2000, 1000, 1)
    server.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert ledger.seen_tokens.use("ended", "1", 2000, 1000, 1)


def test_a_worker_that_starts_while_the_database_is_away_serves_when_it_is_back(server: PostgresqlServer) -> None:
    server.stop()
    began = monotonic()
    app = create_app(Settings(database_url=server.url))
    ready, early = app.test_client().get, app.extensions[KEY].ledger
    assert ready("/readyz").status_code == 503
    assert app.extensions[KEY].ledger.pseudonyms.of("a", "b") == "0" * 32
    assert monotonic() - began < 5
    server.start()
    assert ready("/readyz").status_code == 200
    assert early.seen_tokens.use("early", "1", 2000, 1000, 1)
    assert int(app.extensions[KEY].ledger.pseudonyms.of("a", "b"), 16)
    early.database.close()


def test_a_card_that_it_does_not_take_holds_up_no_other(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda one: told.append(one.exc_type))
    cards = [str(uuid4()), f"{uuid4()} and more than a card's id may have", "a NUL \0", str(uuid4())]
    answer = Answer(issuer="https://ehr.example.org", service="s", patient="p", clinician="", moment=AT)
    for card in cards:
        assert ledger.cards.record(answer, [Advice(card=card, rule="r", indicator="info")], frozenset())
    assert ledger.cards.flush(60)
    assert told == [LedgerRefused, LedgerRefused]
    with ledger.database.reading() as connection:
        found = connection.execute(select(IssuedAdvice.card).where(IssuedAdvice.card.in_([cards[0], cards[-1]])))
        assert {*found.scalars()} == {cards[0], cards[-1]}


@pytest.fixture
def running(server: PostgresqlServer, tmp_path: Path) -> Iterator[int]:
    """`serve` with two processes, one client and this database; the port."""
    (tmp_path / "keys.json").write_bytes(key_set(CLIENT.jwk()))
    lines = f'[[issuer]]\niss = "{CLIENT.iss}"\njwks = "keys.json"\ndeadline_ms = {DEADLINE_MS}\n'
    (tmp_path / "issuers.toml").write_text(lines, "utf-8")
    with serving(tmp_path, tmp_path / "issuers.toml", CDS_DATABASE_URL=server.url) as (port, _):
        yield port
    assert "Traceback" not in (tmp_path / "written").read_text("utf-8")


def test_the_service_takes_one_token_once_for_64_calls_at_once(running: int) -> None:
    token = CLIENT.token()
    with ThreadPoolExecutor(16) as pool:
        found = sorted(pool.map(lambda _: call(running, token).status, range(64)))
    assert found.count(200) == 1
    assert set(found) <= {200, 401, 429, 503}


def statuses(port: int) -> list[int]:
    """An advice call and feedback, each in time."""
    found = []
    for path, body in ((SIGN, None), (FEEDBACK, SAID)):
        began = time()
        found.append(call(port, CLIENT.token(path), path, *([body] if body else [])).status)
        assert time() - began < IN_TIME
    return found


def settles(port: int, expected: list[int], seconds: float = 5) -> None:
    ends = monotonic() + seconds
    while (found := statuses(port)) != expected:
        assert monotonic() < ends, found
        sleep(0.1)


@pytest.mark.parametrize("how", ["gone", "hanging"])
def test_without_its_database_the_service_says_503_in_time_and_then_goes_on(
    running: int, server: PostgresqlServer, how: str
) -> None:
    settles(running, [200, 200])
    if how == "gone":
        server.stop()
        try:
            assert statuses(running) == [503, 503]
            assert statuses(running) == [503, 503]
        finally:
            server.start()
    else:
        with server.frozen():
            assert statuses(running) == [503, 503]
            assert statuses(running) == [503, 503]
    settles(running, [200, 200])
