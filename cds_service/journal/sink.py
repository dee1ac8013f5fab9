"""Lines in; out they go to a file, a pipe or a terminal, by a thread of their own: whoever writes never waits for the reader.

A reader that does not read costs lines, which are counted, and nothing else.
"""

import atexit
import os
from collections.abc import Callable
from queue import Empty, Full, Queue
from threading import Lock, Thread
from time import monotonic

LONGEST_QUEUE = 10_000
FLUSH_SECONDS = 1.0
_TOGETHER = 1 << 15  # bytes


class Sink:
    """One file descriptor that lines are written to, from any thread, and in each process after a fork."""

    def __init__(self, descriptor: int, dropped: Callable[[], object] = lambda: None) -> None:
        self._descriptor, self._dropped = descriptor, dropped
        self._lock = Lock()
        self._pid = 0
        self._lines: Queue[bytes] = Queue(LONGEST_QUEUE)
        atexit.register(self.flush)

    def write(self, line: bytes) -> None:
        """Takes one line, without its end. Never waits, never raises."""
        if self._pid != os.getpid():
            self._start()
        try:
            self._lines.put_nowait(line + b"\n")
        except Full:
            self._dropped()

    def flush(self, seconds: float = FLUSH_SECONDS) -> None:
        """Waits until what was taken is written, but not for long."""
        ends = monotonic() + seconds
        with self._lines.all_tasks_done:
            while self._lines.unfinished_tasks and monotonic() < ends and self._pid == os.getpid():
                self._lines.all_tasks_done.wait(0.05)

    def _start(self) -> None:
        """A thread does not live on in a forked process, and what its parent had not written is the parent's to write."""
        with self._lock:
            if self._pid == os.getpid():
                return
            self._lines = Queue(LONGEST_QUEUE)
            Thread(target=self._run, args=(self._lines,), name="journal", daemon=True).start()
            self._pid = os.getpid()

    def _run(self, lines: "Queue[bytes]") -> None:
        while True:
            taken = [lines.get()]
            size = len(taken[0])
            try:
                while size < _TOGETHER:
                    taken.append(lines.get_nowait())
                    size += len(taken[-1])
            except Empty:
                pass
            self._out(b"".join(taken), len(taken))
            for _ in taken:
                lines.task_done()

    def _out(self, text: bytes, count: int) -> None:
        try:
            while text:
                text = text[os.write(self._descriptor, text) :]
        except OSError:  # the disk is full, or nobody reads any more
            for _ in range(count):
                self._dropped()
