"""`make bench`: the service and a floor, the same bodies, interleaved rounds; CPU a request as a ratio, latency, memory, start.

The floor is the same Flask and server with a view that parses the body with orjson and returns a constant card.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from cds_service.app import system_clock
from cds_service.chart.read import read_chart
from cds_service.wire.cards import render
from cds_service.wire.envelope import members_of, read_envelope
from hooks import SERVICES
from hooks.assess import assess
from hooks.knowledge import load, load_profiles
from tests.benchmark.access import print_access
from tests.benchmark.apps import floor_app, service_app
from tests.benchmark.bodies import body
from tests.benchmark.processes import Checkout, Running, post

SERVICE = SERVICES[0]
CONNECTIONS = 4
SMALL, LARGE = 10, 200  # Observations
Target = tuple[int, str, Callable[[], float] | None]  # port, path, CPU seconds of its workers so far


@dataclass(frozen=True, slots=True)
class Load:
    """What one round cost: CPU milliseconds a request (None where the processes are not ours), requests a second, latencies."""

    cpu: float | None
    rate: float
    latencies: list[float]


def measure(port: int, path: str, content: bytes, requests: int, cpu: Callable[[], float] | None) -> Load:
    """One round under a few connections at once."""
    before, started = cpu() if cpu else 0.0, time.perf_counter()
    each = requests // CONNECTIONS
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        runs = list(pool.map(lambda _: post(port, path, content, each), range(CONNECTIONS)))
    seconds = time.perf_counter() - started
    if any(status != 200 for status, _ in runs):
        raise RuntimeError(f"{path} answered {runs[0][0]}")
    spent = 1000 * (cpu() - before) / (each * CONNECTIONS) if cpu else None
    return Load(spent, each * CONNECTIONS / seconds, [one for _, times in runs for one in times])


def compare(targets: dict[str, Target], name: str, content: bytes, options: argparse.Namespace) -> float:
    """Interleaved rounds of all, the service's CPU as a ratio to the floor's with its spread; the service's median CPU."""
    rounds: dict[str, list[Load]] = {target: [] for target in targets}
    for _ in range(options.rounds):
        for target, (port, path, cpu) in targets.items():
            rounds[target].append(measure(port, path, content, options.requests, cpu))
    print(f"{name}, {len(content) // 1024} KB")
    for target, loads in rounds.items():
        print(f"  {target:8} {_figures(loads)}")
    ratios = [
        ours.cpu / floor.cpu
        for ours, floor in zip(rounds["service"], rounds["floor"], strict=True)
        if ours.cpu and floor.cpu
    ]
    print(f"  CPU, service to floor: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    if "before" in rounds:
        pairs = zip(rounds["service"], rounds["before"], strict=True)
        changed = [ours.cpu / theirs.cpu for ours, theirs in pairs if ours.cpu and theirs.cpu]
        print(f"  CPU, service to before: {statistics.median(changed):.2f} ({min(changed):.2f} to {max(changed):.2f})")
    return statistics.median(load.cpu for load in rounds["service"] if load.cpu)


def _figures(loads: list[Load]) -> str:
    cuts = statistics.quantiles([one for load in loads for one in load.latencies], n=100)
    cpu = [load.cpu for load in loads if load.cpu]
    spent = f"CPU {statistics.median(cpu):6.2f} ms, " if cpu else ""
    rate = statistics.median(load.rate for load in loads)
    return f"{spent}{rate:5.0f} requests/s, p50 {1000 * cuts[49]:.1f} ms, p99 {1000 * cuts[98]:.1f} ms"


def steps(name: str, content: bytes) -> None:
    """Where the time goes, in this process."""
    knowledge = load()
    profile = load_profiles(knowledge)["dhhs"]
    now = datetime.now(UTC)
    asked = read_envelope(content, SERVICE)
    record = read_chart(asked, now, knowledge)
    assessment = assess(SERVICE, record, profile)
    parts: dict[str, Callable[[], object]] = {
        "gate": lambda: members_of(content),
        "envelope": lambda: read_envelope(content, SERVICE),
        "read": lambda: read_chart(asked, now, knowledge),
        "assess": lambda: assess(SERVICE, record, profile),
        "render": lambda: render(assessment, SERVICE, asked, record.as_of, "full"),
    }
    print(
        f"{name}: "
        + ", ".join(f"{step} {_milliseconds(work):.3f} ms" for step, work in parts.items())
        + " (envelope includes the gate)"
    )


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
    parser.add_argument(
        "--before", metavar="FOLDER", type=Path, help="another checkout of this project, measured beside this one"
    )
    parser.add_argument(
        "--peer", metavar="URL", help="another CDS service's order-sign address on this machine, for comparison"
    )
    options = parser.parse_args()
    today = system_clock().date()
    small, large = body(SMALL, 2, 2, today), body(LARGE, 20, 15, today)
    print(
        f"two gunicorn workers (gthread, 8 threads) each; {CONNECTIONS} connections, {options.rounds} rounds of {options.requests}"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = f"/cds-services/{SERVICE.id}"
        service = Running("service", partial(service_app, str(Path(folder) / "bench.sqlite3")), path, small)
        floor = Running("floor", floor_app, "/floor", small)
        before = [Checkout("before", options.before.resolve(), path, small)] if options.before else []
        running = [service, floor, *before]
        try:
            _measure_all(running, small, large, options)
        finally:
            for one in running:
                one.stop()
    for name, content in (("small", small), ("large", large)):
        steps(name, content)
    print_access()


def _measure_all(running: list[Running], small: bytes, large: bytes, options: argparse.Namespace) -> None:
    service, floor, *_ = running
    targets: dict[str, Target] = {one.name: (one.port, one.path, one.cpu_seconds) for one in running}
    if options.peer:
        where = urlsplit(options.peer)
        targets["peer"] = (where.port or 80, where.path, None)
    ours, theirs = service.seconds_to_first_answer, floor.seconds_to_first_answer
    print(f"process start to first answer: service {ours:.2f} s, floor {theirs:.2f} s")
    few, many = (compare(targets, name, content, options) for name, content in (("small", small), ("large", large)))
    print(
        f"each further Observation, with its share of the other resources: {(many - few) / (LARGE - SMALL):.4f} ms of CPU"
    )
    print(
        f"memory of a worker (PSS) after the load: service {service.pss_megabytes():.0f} MB, floor {floor.pss_megabytes():.0f} MB"
    )


if __name__ == "__main__":
    main()
