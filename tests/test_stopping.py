"""A real server that is told to stop, or loses a worker: who is served, who is answered yet, and when it is gone."""

import http.client
import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import PollableMethodQueue

from cds_service.server import Server, slow_clients, stopping, stuck
from cds_service.server.stopping import GRACE_SECONDS
from cds_service.settings import DEADLINE_MS
from tests.fuzz.trust import Client
from tests.load.calling import PATH, Caller, call, feedback
from tests.load.replicas import Replica, replicas
from tests.test_web import send, status_of

pytestmark = pytest.mark.slow
CLIENT = Client("https://ehr.example.org")
DRAIN = 2


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    with replicas(tmp_path / "service", 1, [CLIENT], workers=2, drain_seconds=DRAIN) as (found,):
        yield found


def until(true: Callable[[], bool], seconds: float) -> None:
    ends = monotonic() + seconds
    while not true():
        assert monotonic() < ends, "not in time"
        sleep(0.02)


def signal_to(replica: Replica, number: int) -> None:
    os.kill(replica.pid, number)


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def test_it_is_not_ready_first_and_serves_on_and_then_is_gone(replica: Replica) -> None:
    caller = Caller(CLIENT, replica.port)
    assert caller.ask(call()).status == 200
    began = monotonic()
    signal_to(replica, signal.SIGTERM)
    until(lambda: send(replica.port, "GET", "/readyz").status == 503, 1)
    assert int(send(replica.port, "GET", "/readyz").headers["retry-after"]) > 0
    assert send(replica.port, "GET", "/healthz").status == 200
    assert send(replica.port, "GET", "/cds-services").headers["connection"] == "close"
    assert [caller.ask(call()).status for _ in range(3)] == [200] * 3
    signal_to(replica, signal.SIGTERM)  # again: it changes nothing
    until(lambda: refuses(replica.port), DRAIN + 3)
    assert monotonic() - began > DRAIN - 0.5
    assert replica.stop() == 0
    assert monotonic() - began < DRAIN + 6


def test_workers_that_get_the_signal_beside_the_arbiter_stop_as_well(replica: Replica) -> None:
    for pid in (replica.pid, *replica.children()):  # as systemd does
        os.kill(pid, signal.SIGTERM)
    until(lambda: send(replica.port, "GET", "/readyz").status == 503, 1)
    assert Caller(CLIENT, replica.port).ask(call()).status == 200
    assert replica.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_an_interrupt_does_not_wait(replica: Replica, number: int) -> None:
    began = monotonic()
    signal_to(replica, number)
    assert replica.stop() == 0
    assert monotonic() - began < DRAIN + 5  # the arbiter would end one that hangs after the grace, far later


def test_interrupts_that_come_within_one_another_stop_it_as_well(replica: Replica) -> None:
    began = monotonic()
    for pid in replica.children():  # Ctrl-C reaches the whole group, and the arbiter hands it on
        for number in (signal.SIGINT, signal.SIGQUIT) * 3:
            os.kill(pid, number)
    signal_to(replica, signal.SIGINT)
    assert replica.stop() == 0
    assert monotonic() - began < GRACE_SECONDS / 2


def test_an_interrupt_waits_for_no_lock_that_the_main_thread_may_hold() -> None:
    """As it does for a moment whenever it hands a request to the threads."""
    worker = object.__new__(stopping.Worker)
    worker.cfg, worker.tpool, worker.method_queue = Config(), ThreadPoolExecutor(1), PollableMethodQueue()
    worker.method_queue.init()
    handled = Thread(target=worker.handle_quit, args=(signal.SIGINT, None), daemon=True)
    with worker.tpool._shutdown_lock:
        handled.start()
        handled.join(20)
        assert not handled.is_alive()
    assert not worker.alive
    with pytest.raises(SystemExit):
        worker.method_queue.run_callbacks(None)
    with pytest.raises(RuntimeError, match="after shutdown"):
        worker.tpool.submit(print)
    worker.method_queue.close()


def test_what_is_under_way_is_answered_to_its_end(replica: Replica) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", replica.port, timeout=20)) as connection:
        connection.putrequest("POST", PATH)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(call().body))}.items():
            connection.putheader(name, value)
        connection.putheader("Authorization", f"Bearer {CLIENT.token(PATH)}")
        connection.endheaders()
        connection.send(call().body[:100])
        signal_to(replica, signal.SIGTERM)
        until(lambda: refuses(replica.port), DRAIN + 3)
        connection.send(call().body[100:])
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (200, True)
    assert replica.stop() == 0


def test_who_waits_at_the_door_when_it_closes_is_answered(tmp_path: Path) -> None:
    with replicas(tmp_path / "service", 1, [CLIENT], workers=1, drain_seconds=0) as (replica,), ExitStack() as stack:
        (worker,) = replica.children()
        os.kill(worker, signal.SIGSTOP)
        lines = [
            stack.enter_context(socket.create_connection(("127.0.0.1", replica.port), timeout=20)) for _ in range(40)
        ]
        for one in lines:
            one.sendall(b"GET /cds-services HTTP/1.1\r\nHost: x\r\n\r\n")
        signal_to(replica, signal.SIGTERM)
        sleep(0.3)
        os.kill(worker, signal.SIGCONT)
        said = [one.recv(65536) for one in lines]
        assert {status_of(one) for one in said} == {200}
        assert sum(b"Connection: close" in one for one in said) > 30  # a few were begun before the signal was seen
        assert replica.stop() == 0


def test_a_killed_worker_is_replaced_and_what_was_acknowledged_is_there(replica: Replica) -> None:
    caller = Caller(CLIENT, replica.port)
    told = [feedback() for _ in range(5)]
    assert {caller.ask(one).status for one in told} == {200}
    caller.close()
    for pid in replica.children():
        os.kill(pid, signal.SIGKILL)
    assert replica.wait_until_ready(10) < 10
    caller = Caller(CLIENT, replica.port)
    told.append(feedback())
    assert caller.ask(told[-1]).status == 200
    caller.close()
    with closing(sqlite3.connect(replica.folder / "ledger.sqlite3")) as ledger:
        assert {one.card for one in told} == {card for (card,) in ledger.execute("SELECT card FROM feedback")}


def test_a_worker_that_ends_leaves_the_others_what_they_share(replica: Replica) -> None:
    """The folder of the metrics: without it no further worker starts, and the arbiter gives up."""
    first, second = replica.children()
    os.kill(first, signal.SIGTERM)
    until(lambda: first not in replica.children() and len(replica.children()) == 2, DRAIN + 10)
    for _ in range(20):
        assert send(replica.port, "GET", "/metrics").status == 200
        sleep(0.1)
    assert second in replica.children()
    assert len(replica.children()) == 2
    assert replica.stop() == 0


def test_without_its_arbiter_a_worker_leaves_the_address_to_the_next(replica: Replica) -> None:
    workers = replica.children()
    signal_to(replica, signal.SIGKILL)
    assert replica.stop() == -signal.SIGKILL
    until(lambda: refuses(replica.port), 5)
    assert replica.start() < 20
    assert not set(workers) & set(replica.children())


# --- how long ----------------------------------------------------------------------------------------------------------


def test_there_is_time_for_the_longest_request() -> None:
    longest = slow_clients.PATIENCE + DEADLINE_MS[1] / 1000
    first_byte = 5  # gunicorn waits for so long before it looks at a connection again
    assert longest + 1 < stuck.LONGEST < longest + first_byte
    assert longest + first_byte < GRACE_SECONDS
    for drain in (0, 7):
        server = Server(lambda: pytest.fail("made"), "127.0.0.1:1", workers=1, drain_seconds=drain)
        assert server.cfg.graceful_timeout == drain + GRACE_SECONDS
