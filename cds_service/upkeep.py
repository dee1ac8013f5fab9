"""A running process in; out goes what is not done while somebody waits: canaries, counts written, old rows dropped, rates compared.

One thread a process. Whatever fails is logged by kind and tried again in its turn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

from flask import Flask

from cds_service.journal.log import log
from cds_service.ledger.firing import firing
from cds_service.ledger.retention import purge
from cds_service.web.wiring import KEY, Wiring

_KEPT = "upkeep"  # of the application's extensions
_CANARY_ROUND = 300.0  # seconds for all of them
_COUNTS_EVERY, _RATES_EVERY, _PURGE_EVERY = 10.0, 300.0, 600.0  # seconds


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do every so many seconds."""

    every: float
    do: Callable[[], object]


class Upkeep:
    """The thread, and its tasks."""

    def __init__(self, tasks: tuple[Task, ...]) -> None:
        self._tasks = tasks
        self._stop = Event()
        self._thread = Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begins; each task is due for the first time when its own interval has passed."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Ends after the task at hand, and does each of them no more."""
        self._stop.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        due = [monotonic() + one.every for one in self._tasks]
        while not self._stop.wait(max(0.0, min(due) - monotonic())):
            place = due.index(min(due))
            _attempt(self._tasks[place])
            due[place] = monotonic() + self._tasks[place].every


def _attempt(task: Task) -> None:
    try:
        task.do()
    except Exception as fault:  # the others go on; what it says could hold what was in a row
        log.error("upkeep-failed", fault=type(fault).__name__)


def look_after(app: Flask) -> None:
    """What a serving process needs: every canary once before it serves, and the thread that goes on. Others' are left alone."""
    parts: Wiring | None = app.extensions.get(KEY)
    if parts is None:
        return
    parts.canaries.round(parts.clock())
    each = _CANARY_ROUND / max(1, parts.canaries.checked)
    app.extensions[_KEPT] = Upkeep(
        (
            Task(each, lambda: parts.canaries.next_one(parts.clock())),
            Task(_COUNTS_EVERY, parts.ledger.tallies.flush),
            Task(_RATES_EVERY, lambda: _compare(parts)),
            Task(_PURGE_EVERY, lambda: _purge(parts)),
        )
    )
    app.extensions[_KEPT].start()


def finish(app: Flask) -> None:
    """Before the process ends: what was said and counted is written."""
    upkeep: Upkeep | None = app.extensions.pop(_KEPT, None)
    if upkeep:
        upkeep.stop()
        parts: Wiring = app.extensions[KEY]
        parts.ledger.cards.flush()
        parts.ledger.tallies.flush()


def _compare(parts: Wiring) -> None:
    for one in firing(parts.ledger.database, parts.clock().date()):
        parts.metrics.firing(one.rule, one.share, one.share_before, one.deviation)


def _purge(parts: Wiring) -> None:
    kept = parts.settings
    purge(parts.ledger.database, parts.clock(), kept.retention_days, kept.comment_days)
