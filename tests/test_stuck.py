"""A real server with an application whose requests never end; proof that it is replaced when nobody is served any more."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic

import pytest

from cds_service.server import _PINNED, stuck
from cds_service.web.admission import AT_WORK
from tests.load.replicas import children_of
from tests.test_stopping import until
from tests.test_web import free_port, send

pytestmark = pytest.mark.slow
STUCK = """
import sys
from threading import Event
from flask import Flask
from cds_service import server
from cds_service.server import stuck
stuck.Worker.longest = 1.0
server._PINNED["timeout"] = 2
app = Flask("stuck")
app.add_url_rule("/readyz", "ready", lambda: "ready")
app.add_url_rule("/stuck", "stuck", lambda: Event().wait())
server.Server(lambda: app, sys.argv[1], workers=1, threads=4).run()
"""


def answers(port: int) -> bool:
    try:
        return send(port, "GET", "/readyz").status == 200
    except OSError:
        return False


@contextmanager
def stuck_app() -> Iterator[int]:
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", STUCK, f"127.0.0.1:{port}"]) as server:
        try:
            until(lambda: answers(port), 20)
            yield port
        finally:
            for pid in (server.pid, *children_of(server.pid)):
                os.kill(pid, signal.SIGKILL)


def test_a_worker_whose_threads_are_all_stuck_is_replaced() -> None:
    with stuck_app() as port, ExitStack() as stack:
        for _ in range(4):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            line.sendall(b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
        began = monotonic()
        until(lambda: answers(port), 15)
        assert monotonic() - began > 2


def test_a_worker_with_some_threads_stuck_is_left_alone() -> None:
    with stuck_app() as port, ExitStack() as stack:
        line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
        line.sendall(b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
        line.settimeout(6)
        with pytest.raises(TimeoutError):
            line.recv(1)
        assert send(port, "GET", "/readyz").status == 200


def test_stuck_threads_are_found_within_half_a_minute() -> None:
    assert stuck.LONGEST + _PINNED["timeout"] <= 30
    assert AT_WORK > 1
