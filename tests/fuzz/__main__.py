"""`make fuzz`: how many requests and from which seed in, what became of them out; ends with 1 if anything was not as promised.

A request can be seen again by its number: `--seed N --replay NUMBER`, on the same day or with its `--today`.
"""

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from time import monotonic

from tests.fuzz.holding import fault_of
from tests.fuzz.line import Line
from tests.fuzz.live import WORKERS
from tests.fuzz.run import Tally, ask, drive
from tests.fuzz.scene import LIMIT, Scene, scene

_BATCH = 500
_CONNECTIONS = 3  # of each client: fewer at once than the service has places for one client
_SHOWN = 3000
_IN_MEMORY = "/dev/shm"  # noqa: S108  (where there is one: how fast the disk is, is not the question here)
_BUG = re.compile(rb"Traceback|fault [0-9a-f]{8}-")


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    options = _options(arguments)
    memory = _IN_MEMORY if Path(_IN_MEMORY).is_dir() else None
    with (
        tempfile.TemporaryDirectory(dir=memory) as folder,
        scene(str(options.seed), options.today, Path(folder)) as found,
    ):
        if options.replay is not None:
            return replay(found, options.replay)
        print(f"seed {options.seed}, {options.today}: {options.requests} requests, {options.workers} clients")
        return report(found, run(found, options.requests, options.workers))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="client processes")
    parser.add_argument("--today", type=date.fromisoformat, default=datetime.now(UTC).date())
    parser.add_argument("--replay", type=int, metavar="NUMBER", help="send this one request and show it and its answer")
    return parser.parse_args(arguments)


def run(found: Scene, requests: int, workers: int) -> Tally:
    """All requests, with a line now and then."""
    whole, done, began = Tally(), 0, monotonic()
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        batches = [range(start, min(start + _BATCH, requests)) for start in range(0, requests, _BATCH)]
        waiting = [pool.submit(drive, found.plan, found.live.port, LIMIT, one, _CONNECTIONS) for one in batches]
        for one in as_completed(waiting):
            part = one.result()
            whole.add(part)
            done += 1
            for number, kind, what in part.violations:
                print(f"  number {number} ({kind}): {what}", flush=True)
            if done in _marks(len(batches)):
                _tell(found, done * _BATCH, monotonic() - began, whole)
    return whole


def _marks(batches: int) -> set[int]:
    return {max(1, batches * tenth // 10) for tenth in range(1, 11)}


def _tell(found: Scene, done: int, seconds: float, whole: Tally) -> None:
    memory = ", ".join(f"{one:.1f}" for one in found.live.megabytes())
    rate = done / seconds
    print(f"  {done:7}: {rate:4.0f} a second, workers {memory} MB, {len(whole.violations)} violations", flush=True)


def report(found: Scene, whole: Tally) -> int:
    """Prints what came of it; the exit status."""
    by_status: Counter[int] = Counter()
    for (_, status), times in whole.statuses.items():
        by_status[status] += times
    print("status: " + ", ".join(f"{status or 'none'} {times}" for status, times in sorted(by_status.items())))
    for kind in sorted({kind for kind, _ in whole.statuses}):
        listed = sorted((status, times) for (one, status), times in whole.statuses.items() if one == kind)
        print(f"  {kind:13} " + ", ".join(f"{status or 'none'} {times}" for status, times in listed))
    print(
        "slowest: " + ", ".join(f"{seconds:.2f} s (number {number}, {kind})" for seconds, number, kind in whole.slowest)
    )
    print(f"sent again because the connection had just been closed: {whole.again}")
    print(f"log lines: {len(found.live.said().splitlines())}")
    wrong = list(faults(found, whole))
    print("\n".join(wrong) if wrong else "nothing was otherwise than promised")
    return 1 if wrong else 0


def faults(found: Scene, whole: Tally) -> Iterator[str]:
    """All that is otherwise than promised, each in a line."""
    yield from (f"number {number} ({kind}): {what}" for number, kind, what in sorted(whole.violations)[:50])
    yield from (f"it went where it must not: {one}" for one in found.gone_elsewhere())
    yield from (f"it left a trace: {one}" for one in found.left_traces())
    if len(found.live.workers()) != WORKERS:
        yield f"workers died: {len(found.live.workers())} were started"
    if _BUG.search(found.live.said()):
        yield "its log speaks of faults: " + found.live.said()[-2000:].decode("utf-8", "replace")


def replay(found: Scene, number: int) -> int:
    """One request, its answer, and what is wrong with it."""
    request = found.plan.request(number)
    print(f"number {number}, {request.kind}, {len(request.sent)} bytes: {request.sent[:_SHOWN]!r}")
    wrong = None
    with Line(found.live.port) as line:
        for answer in ask(line, found.plan, request, Tally()):
            print(f"{answer.status} in {answer.seconds:.3f} s, {json.dumps(answer.headers)}: {answer.body[:_SHOWN]!r}")
            wrong = wrong or fault_of(request, answer, LIMIT)
    print(found.live.said().decode("utf-8", "replace"), wrong or "as promised")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
