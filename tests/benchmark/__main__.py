"""`make bench`: the service and a floor, the same bodies, interleaved rounds; CPU a request as a ratio, latency, memory, start.

The floor is the same Flask and server with a view that parses the body with orjson and returns a constant card.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cds_service.app import system_clock
from cds_service.chart.read import read_chart
from cds_service.wire.cards import render
from cds_service.wire.envelope import read_envelope
from hooks import SERVICES
from hooks.assess import assess
from hooks.knowledge import load, load_profiles
from tests.benchmark.apps import floor_app, service_app
from tests.benchmark.bodies import body
from tests.benchmark.processes import Running, post

SERVICE = SERVICES[0]
CONNECTIONS = 4


def measure(server: Running, content: bytes, requests: int) -> tuple[float, list[float]]:
    """CPU milliseconds of the workers a request, and the latencies, under a few connections at once."""
    before = server.cpu_seconds()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        each = requests // CONNECTIONS
        runs = list(pool.map(lambda _: post(server.port, server.path, content, each), range(CONNECTIONS)))
    if any(status != 200 for status, _ in runs):
        raise RuntimeError(f"{server.name} answered {runs[0][0]}")
    spent = server.cpu_seconds() - before
    return 1000 * spent / (each * CONNECTIONS), [one for _, seconds in runs for one in seconds]


def compare(service: Running, floor: Running, name: str, content: bytes, options: argparse.Namespace) -> None:
    """Interleaved rounds of both, and the ratio with its spread."""
    ratios, costs, latencies = [], [], []
    for _ in range(options.rounds):
        cost, seconds = measure(service, content, options.requests)
        floor_cost, _ = measure(floor, content, options.requests)
        ratios.append(cost / floor_cost)
        costs.append((cost, floor_cost))
        latencies += seconds
    cuts = statistics.quantiles(latencies, n=100)
    ours, theirs = (statistics.median(column) for column in zip(*costs, strict=True))
    print(
        f"{name:6} {len(content) // 1024:4} KB  CPU {ours:6.2f} ms, floor {theirs:5.2f} ms, ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})  p50 {1000 * cuts[49]:.1f} ms, p99 {1000 * cuts[98]:.1f} ms"
    )


def steps(name: str, content: bytes) -> None:
    """Where the time goes, in this process."""
    knowledge = load()
    profile = load_profiles(knowledge)["dhhs"]
    now = datetime.now(UTC)
    asked = read_envelope(content, SERVICE)
    record = read_chart(asked, now, knowledge)
    assessment = assess(SERVICE, record, profile)
    parts: dict[str, Callable[[], object]] = {
        "envelope": lambda: read_envelope(content, SERVICE),
        "read": lambda: read_chart(asked, now, knowledge),
        "assess": lambda: assess(SERVICE, record, profile),
        "render": lambda: render(assessment, SERVICE, asked, record.as_of, "full"),
    }
    print(f"{name:6} " + ", ".join(f"{step} {_milliseconds(work):.3f} ms" for step, work in parts.items()))


def _milliseconds(work: Callable[[], object], times: int = 200) -> float:
    started = time.perf_counter()
    for _ in range(times):
        work()
    return 1000 * (time.perf_counter() - started) / times


def main() -> None:
    """Prints every figure with the conditions it was measured under."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=400, help="a round, a server and a body")
    options = parser.parse_args()
    today = system_clock().date()
    small, large = body(10, 2, 2, today), body(200, 20, 15, today)
    load = f"{CONNECTIONS} connections, {options.rounds} rounds of {options.requests}"
    print(f"2 gunicorn workers (gthread, 8 threads) each, {load}")
    with tempfile.TemporaryDirectory() as folder:
        path = f"/cds-services/{SERVICE.id}"
        service = Running("service", partial(service_app, str(Path(folder) / "bench.sqlite3")), path, small)
        floor = Running("floor", floor_app, "/floor", small)
        try:
            ours, theirs = service.seconds_to_first_answer, floor.seconds_to_first_answer
            print(f"process start to first answer: service {ours:.2f} s, floor {theirs:.2f} s")
            for name, content in (("small", small), ("large", large)):
                compare(service, floor, name, content, options)
            print(
                f"memory of a worker (PSS): service {service.pss_megabytes():.0f} MB, floor {floor.pss_megabytes():.0f} MB"
            )
        finally:
            service.stop()
            floor.stop()
    for name, content in (("small", small), ("large", large)):
        steps(name, content)


if __name__ == "__main__":
    main()
