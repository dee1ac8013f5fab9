"""Clients that take their time, on a real server; proof that none holds a thread for longer than the server is patient."""

import errno
import http.client
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from time import monotonic, sleep

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from cds_service.server.slow_clients import ClientSocket
from tests.test_web import BODY, JSON, PATH, chunked, head, send, serving, status_of

PATIENCE = 0.6
FRAMED = {
    "length": (head(f"Content-Length: {len(BODY)}"), BODY),
    "chunks": (head("Transfer-Encoding: chunked"), chunked(BODY, 100)),
    "a chunk size that never ends": (head("Transfer-Encoding: chunked"), b"0" * 5000),
    "trailers that never end": (head("Transfer-Encoding: chunked"), chunked(BODY)[:-2] + b"X: y\r\n" * 900),
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("server"), PATIENCE) as found:
        yield found


def silence(_: socket.socket, __: bytes) -> None:
    """Not a byte more."""


def drip(connection: socket.socket, rest: bytes) -> None:
    """Byte by byte, each well in time for a server that asks only how long ago the last one came."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(len(rest)):
        try:
            connection.sendall(rest[at : at + 1])
        except OSError:
            return
        if _answered(connection):
            return
        sleep(0.02)


def _answered(connection: socket.socket) -> bool:
    try:
        connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        return True
    except BlockingIOError:
        return False


def said_after(
    port: int, first: bytes, rest: bytes, act: Callable[[socket.socket, bytes], None]
) -> tuple[bytes, float]:
    """All that the server says until it closes, and after how many seconds that was."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        started = monotonic()
        connection.sendall(first)
        act(connection, rest)
        said = b""
        while piece := connection.recv(65536):
            said += piece
        return said, monotonic() - started


@pytest.mark.parametrize("act", [silence, drip])
@pytest.mark.parametrize("framed", FRAMED.values(), ids=FRAMED)
def test_a_body_that_does_not_come_in_time_is_refused(
    port: int, framed: tuple[bytes, bytes], act: Callable[[socket.socket, bytes], None]
) -> None:
    start, body = framed
    said, seconds = said_after(port, start + body[:50], body[50:], act)
    assert status_of(said) == 408
    assert said.count(b"HTTP/1.1") == 1
    outcome = OperationOutcome.model_validate_json(said.partition(b"\r\n\r\n")[2])
    assert outcome.issue[0].code == "timeout"
    assert PATIENCE * 0.9 < seconds < PATIENCE + 1


@pytest.mark.parametrize("act", [silence, drip])
def test_a_head_that_does_not_come_in_time_is_not_waited_for(
    port: int, act: Callable[[socket.socket, bytes], None]
) -> None:
    start = head(f"Content-Length: {len(BODY)}")
    said, seconds = said_after(port, start[:20], start[20:-2] * 3, act)
    assert said == b""
    assert seconds < PATIENCE + 1


def test_more_slow_clients_than_threads_keep_nobody_out_for_long(port: int) -> None:
    start, body = FRAMED["length"]
    with ThreadPoolExecutor(70) as pool:
        slow = [pool.submit(said_after, port, start + body[:50], body[50:], silence) for _ in range(70)]
        sleep(0.1)
        started = monotonic()
        while send(port, "POST", PATH, BODY, JSON).status != 200:
            sleep(0.05)
        assert monotonic() - started < 8 * PATIENCE
        assert {status_of(one.result()[0]) for one in slow} <= {408, 503}


def test_clients_that_never_close_keep_nobody_out(port: int) -> None:
    with ExitStack() as held:
        for _ in range(12):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            connection.sendall(head("Connection: close"))
            assert status_of(connection.recv(65536)) == 400
        started = monotonic()
        assert send(port, "POST", PATH, BODY, JSON).status == 200
        assert monotonic() - started < 1


def test_a_connection_goes_on_after_a_body_that_came_in_pieces(port: int) -> None:
    """Each of three requests takes a part of the patience; together they take more than all of it."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for _ in range(3):
            connection.putrequest("POST", PATH)
            for name, value in {**JSON, "Content-Length": str(len(BODY))}.items():
                connection.putheader(name, value)
            connection.endheaders()
            for part in (BODY[:1000], BODY[1000:2000], BODY[2000:]):
                sleep(PATIENCE / 6)
                connection.send(part)
            answer = connection.getresponse()
            assert json.loads(answer.read())["cards"]
            assert answer.status == 200


def test_a_connection_that_rests_between_two_requests_loses_no_patience(port: int) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for _ in range(2):
            connection.request("POST", PATH, BODY, JSON)
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
            sleep(1.5 * PATIENCE)


# --- the socket itself -----------------------------------------------------------------------------------------------


@pytest.fixture
def pair() -> Iterator[tuple[ClientSocket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ClientSocket(ours, 0.1), theirs


def test_only_waiting_counts(pair: tuple[ClientSocket, socket.socket]) -> None:
    ours, theirs = pair
    ours.begin()
    sleep(0.15)
    theirs.sendall(b"here")
    assert ours.recv(10) == b"here"


def test_waits_add_up_and_the_socket_is_left_as_it_was(pair: tuple[ClientSocket, socket.socket]) -> None:
    ours, theirs = pair
    ours.begin()
    with pytest.raises(TimeoutError) as late:
        ours.recv(10)
    assert late.value.errno == errno.ECONNRESET
    theirs.sendall(b"too late")
    with pytest.raises(TimeoutError):
        ours.recv(10)
    assert ours.gettimeout() is None
    ours.end()
    assert ours.recv(10) == b"too late"


def test_a_shorter_limit_of_the_server_itself_holds(pair: tuple[ClientSocket, socket.socket]) -> None:
    ours, _ = pair
    ours.begin()
    ours.settimeout(0.01)
    started = monotonic()
    with pytest.raises(TimeoutError):
        ours.recv(10)
    assert monotonic() - started < 0.09
    assert ours.gettimeout() == 0.01


def test_a_socket_that_does_not_wait_stays_so(pair: tuple[ClientSocket, socket.socket]) -> None:
    ours, theirs = pair
    ours.setblocking(False)
    ours.begin()
    with pytest.raises(BlockingIOError):
        ours.recv(10)
    ours.sendall(b"at once")
    assert theirs.recv(10) == b"at once"


def test_an_answer_that_nobody_takes_is_given_up(pair: tuple[ClientSocket, socket.socket]) -> None:
    ours, _ = pair
    with pytest.raises(TimeoutError):
        ours.sendall(b" " * (1 << 24))
