"""A server in processes of its own: how long it took to answer, what it costs in CPU, how much memory a worker holds."""

import http.client
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from cds_service.server import Server

TICKS = os.sysconf("SC_CLK_TCK")
WORKERS = 2


class Running:
    """A gunicorn server with two workers on a free port of this machine."""

    def __init__(self, name: str, make_app: Callable[[], Flask], path: str, probe: bytes) -> None:
        self.name, self.path = name, path
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        bind = f"127.0.0.1:{self.port}"
        started = time.monotonic()
        self._process = multiprocessing.get_context("spawn").Process(target=_run, args=(make_app, bind))
        self._process.start()
        self.seconds_to_first_answer = self._first_answer(probe, started)

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
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
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
        if self._process.pid:
            os.kill(self._process.pid, signal.SIGTERM)
        self._process.join(15)


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
