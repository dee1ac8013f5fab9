"""Things to be written in, written soon and together by one thread: whoever hands them over does not wait for the disk."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, ExceptHookArgs, Thread, current_thread
from time import sleep
from typing import Generic, TypeVar

from cds_service.ledger.database import LedgerDown, LedgerRefused

_MOST_WAITING = 2000
_AT_ONCE = 100
_TOGETHER = 0.025  # seconds in which more may come: what is written together costs little more than one
_AGAIN = 0.5  # seconds, where the database did not take them
T = TypeVar("T")


class Writer(Generic[T]):
    """A queue and its thread, which begins with the first thing to write and ends with the process.

    What is not written when a process is killed is lost: a few hundredths of a second's worth. A database that is away is
    waited for; what then finds no room in the queue is refused. What cannot be written is told to `threading.excepthook`, and
    takes nothing else with it.
    """

    def __init__(self, write: Callable[[Sequence[T]], None]) -> None:
        """`write` takes them in the order they came, all or none; it raises LedgerDown where it cannot, and
        anything else, LedgerRefused too, where one of them never can be."""
        self._write = write
        self._queue: deque[T] = deque()
        self._changed = Condition()
        self._flushing = 0  # who wait for it
        self._thread: Thread | None = None

    def put(self, one: T) -> bool:
        """Whether there is room for it; it is then written with whatever else comes in the next moment."""
        with self._changed:
            if len(self._queue) >= _MOST_WAITING:
                return False
            self._queue.append(one)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="ledger-writer", daemon=True)
                self._thread.start()
            if len(self._queue) in (1, _AT_ONCE):
                self._changed.notify_all()
        return True

    def flush(self, seconds: float = 5.0) -> bool:
        """Waits until all that was handed over is written; whether it is."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._queue, seconds)
            finally:
                self._flushing -= 1

    def _run(self) -> None:
        alone = 0  # how many of the next are written one by one, since one of them cannot be
        while True:
            some = self._next(alone)
            try:
                self._write(some)
            except Exception as fault:  # whatever it is, those behind it are to be written
                if isinstance(fault, LedgerDown) and not isinstance(fault, LedgerRefused):
                    sleep(_AGAIN)
                    continue
                if len(some) > 1:
                    alone = len(some)
                    continue
                threading.excepthook(ExceptHookArgs((type(fault), fault, fault.__traceback__, current_thread())))
            alone = max(0, alone - 1)
            with self._changed:
                for _ in some:
                    self._queue.popleft()  # only now: whoever flushes waits for what is being written
                self._changed.notify_all()

    def _next(self, alone: int) -> Sequence[T]:
        """What is written now, which stays in the queue meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue)
            if alone:
                return [self._queue[0]]
            self._changed.wait_for(lambda: self._flushing or len(self._queue) >= _AT_ONCE, _TOGETHER)
            return [self._queue[place] for place in range(min(_AT_ONCE, len(self._queue)))]
