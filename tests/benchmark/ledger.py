"""`python -m tests.benchmark.ledger`: what the ledger adds to the small body, on SQLite and PostgreSQL, empty and with many rows.

The floor is the same service that neither recalls nor records; both answer the same calls in interleaved rounds. The CPU is that
of the service's workers; what a PostgreSQL server spends is its own and not counted.
"""

import argparse
import http.client
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

from flask import Flask

from cds_service.app import create_app, system_clock
from cds_service.ledger import Database, Ledger
from cds_service.settings import Settings
from cds_service.web import cds_hooks
from cds_service.web.memory import Known
from cds_service.wire.request import HookRequest
from hooks import SERVICES
from hooks.assess import Service
from hooks.holding import NOTHING
from tests.benchmark.bodies import body
from tests.benchmark.processes import Running
from tests.ledger_rows import fill
from tests.postgresql_server import postgresql

CONNECTIONS = 4
PATIENTS = 500
PATH = f"/cds-services/{SERVICES[0].id}"
_calls = count()


@dataclass(frozen=True, slots=True)
class Round:
    """CPU milliseconds a call, and how long each took, in seconds."""

    cpu: float
    latencies: list[float]


def remembering(url: str) -> Flask:
    """The service in full, in open access."""
    return create_app(Settings(open_access=True, explain="full", database_url=url))


def forgetful(url: str) -> Flask:
    """The same, but for what it recalls and remembers."""

    def recall(service: Service, asked: HookRequest, *_: object) -> Known:
        return Known(service=service, asked=asked, holds=NOTHING, answer=None)

    cds_hooks.recall, cds_hooks.remember = recall, lambda *_: None
    return remembering(url)


def main() -> None:
    """Prints a line for each database and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="rows of issued advice, and of all else in proportion"
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=400, help="a round and a server")
    options = parser.parse_args()
    content = body(10, 2, 2, system_clock().date())
    print(
        f"small body, {len(content) // 1024} KB, each call of another instance, {PATIENTS} patients; {CONNECTIONS} connections"
    )
    added: dict[str, list[float]] = {}
    for name, make in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        with make() as (url, other):
            for size in ("empty", f"{options.rows:,} rows"):
                if size != "empty":
                    _fill(url, options.rows)
                added.setdefault(name, []).append(_compare(f"{name}, {size}", url, other, content, options))
        few, many = added[name]
        print(f"{name}: rows change what the ledger adds by {100 * (many / few - 1):+.0f} %")


def _compare(name: str, url: str, other: str, content: bytes, options: argparse.Namespace) -> float:
    """What the ledger adds to the CPU of a call, in milliseconds: the median over pairs of rounds."""
    with_it = Running("with", partial(remembering, url), PATH, content)
    without = Running("without", partial(forgetful, other), PATH, content)
    try:
        pairs = [
            (_round(with_it, content, options.requests), _round(without, content, options.requests))
            for _ in range(options.rounds)
        ]
    finally:
        with_it.stop()
        without.stop()
    added = [one.cpu - other.cpu for one, other in pairs]
    ratios = [one.cpu / other.cpu for one, other in pairs]
    p99 = [_p99([latency for pair in pairs for latency in pair[place].latencies]) for place in (0, 1)]
    print(
        f"{name}: CPU +{statistics.median(added):.2f} ms ({min(added):.2f} to {max(added):.2f}), ratio "
        f"{statistics.median(ratios):.2f}; p99 {p99[0]:.1f} ms with, {p99[1]:.1f} ms without, ratio {p99[0] / p99[1]:.2f}"
    )
    sys.stdout.flush()
    return statistics.median(added)


def _round(server: Running, content: bytes, requests: int) -> Round:
    before = server.cpu_seconds()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        lanes = list(pool.map(lambda _: _post(server.port, content, requests // CONNECTIONS), range(CONNECTIONS)))
    spent = server.cpu_seconds() - before
    return Round(1000 * spent / (requests // CONNECTIONS * CONNECTIONS), [one for lane in lanes for one in lane])


def _post(port: int, content: bytes, times: int) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    seconds = []
    for _ in range(times):
        number = next(_calls)
        asked = content.replace(b'"bench"', b'"call-%d"' % number).replace(
            b"bench-1", b"bench-%d" % (number % PATIENTS)
        )
        started = time.perf_counter()
        connection.request("POST", PATH, asked, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - started)
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"answered {answer.status}")
    connection.close()
    return seconds


def _p99(latencies: list[float]) -> float:
    return 1000 * statistics.quantiles(latencies, n=100)[98]


def _fill(url: str, rows: int) -> None:
    ledger = Ledger(url)
    _empty(ledger.database)
    fill(ledger.database, rows, until=datetime.now(UTC))
    ledger.database.close()


def _empty(database: Database) -> None:
    with database.writing(60) as connection:
        for table in ("issued_advice", "feedback", "quiet_periods", "seen_tokens", "tallies"):
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608  (our own names)


@contextmanager
def _sqlite() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'with.sqlite3'}", f"sqlite:///{Path(folder) / 'without.sqlite3'}"


@contextmanager
def _postgresql() -> Iterator[tuple[str, str]]:
    with postgresql() as server, tempfile.TemporaryDirectory() as folder:
        yield server.url, f"sqlite:///{Path(folder) / 'without.sqlite3'}"


if __name__ == "__main__":
    main()
