"""A server in processes of its own: how long it took to answer, what it costs in CPU, how much memory a worker holds."""

import http.client
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from flask import Flask

from cds_service.server import Server

TICKS = os.sysconf("SC_CLK_TCK")
WORKERS = 2


class Running:
    """A gunicorn server with two workers on a free port of this machine."""

    def __init__(self, name: str, make_app: Callable[[], Flask], path: str, probe: bytes) -> None:
        self.name, self.path, self.port = name, path, _free_port()
        started = time.monotonic()
        self.pid = self._start(make_app, f"127.0.0.1:{self.port}")
        self.seconds_to_first_answer = self._first_answer(probe, started)

    def _start(self, make_app: Callable[[], Flask], bind: str) -> int:
        process = multiprocessing.get_context("spawn").Process(target=_run, args=(make_app, bind))
        process.start()
        self._join = partial(process.join, 15)
        assert process.pid is not None
        return process.pid

    def _first_answer(self, probe: bytes, started: float) -> float:
        while time.monotonic() - started < 30:
            try:
                if post(self.port, self.path, probe, 1)[0] == 200:
                    return time.monotonic() - started
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(f"{self.name} did not answer")

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [
            int(child) for child in children if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
        ]

    def cpu_seconds(self) -> float:
        """User and system time of all workers so far."""
        return sum(_ticks(pid) for pid in self.workers()) / TICKS

    def pss_megabytes(self) -> float:
        """Proportional set size of the largest worker."""
        return max(_pss(pid) for pid in self.workers())

    def stop(self) -> None:
        """Ends the server, by its own process id."""
        os.kill(self.pid, signal.SIGTERM)
        self._join()


class Checkout(Running):
    """The service of another checkout of this project, on the packages of this one: what a change costs, side by side."""

    def __init__(self, name: str, folder: Path, path: str, probe: bytes) -> None:
        self.folder = folder
        super().__init__(name, Flask, path, probe)

    def _start(self, _: Callable[[], Flask], bind: str) -> int:
        database = self.folder / "bench.sqlite3"
        code = _CHECKOUT.format(database=str(database), bind=bind, workers=WORKERS)
        environment = os.environ | {"PYTHONPATH": str(self.folder)}
        process = subprocess.Popen([sys.executable, "-c", code], cwd=self.folder, env=environment)
        self._join = partial(process.wait, 15)
        return process.pid


_CHECKOUT = """
from functools import partial
from cds_service.server import Server
from tests.benchmark.apps import service_app
Server(partial(service_app, {database!r}), {bind!r}, workers={workers}).run()
"""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _run(make_app: Callable[[], Flask], bind: str) -> None:
    Server(make_app, bind, workers=WORKERS).run()


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024


def post(port: int, path: str, body: bytes, times: int) -> tuple[int, list[float]]:
    """Posts a body over one connection; the last status, and the seconds each answer took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    status, seconds = 0, []
    try:
        for _ in range(times):
            started = time.perf_counter()
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            seconds.append(time.perf_counter() - started)
            status = answer.status
    finally:
        connection.close()
    return status, seconds
