"""SIGTERM in; out goes a worker that first says it is not ready, serves on for a while, and answers who is at the door yet."""

import os
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import Any

from cds_service.server import stuck
from cds_service.web.health import STOPPING

# After the door is closed: nothing for five seconds, a request for ten, an answer for eight, and some for a busy machine.
GRACE_SECONDS = 25


class Worker(stuck.Worker):
    """The arbiter hands its SIGTERM on to each worker and waits. A second one changes nothing; SIGINT and SIGQUIT do not wait."""

    alive: bool  # as gunicorn has it: whether it still accepts connections
    _quits = False
    _closes: float | None = None  # by the monotonic clock; None: nobody has told it to stop

    def run(self) -> None:
        """Until it is told to stop, and then for as long as the grace lasts at most."""
        super().run()
        if self.under_way():
            os._exit(1)  # Python would wait for stuck threads without end, and there may be no arbiter to end it

    def handle_exit(self, *_: Any) -> None:
        """SIGTERM. It may come at any point of the main thread, so nothing here takes a lock."""
        if self._closes is None:
            self._closes = monotonic() + self.app.drain_seconds
            self.method_queue.defer(lambda: None)  # ends the main thread's waiting

    def handle_quit(self, *given: Any) -> None:
        """SIGINT, SIGQUIT. Ctrl-C brings both at once, to the whole group and from the arbiter. Gunicorn's own takes a lock of the
        threads, which the main thread may hold at this very point: it would wait for itself without end. So it does that next."""
        if not self._quits:
            self._quits = True
            self.alive = False
            self.method_queue.defer(super().handle_quit, *given)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """One round of the main thread."""
        if self._closes is None or not self.alive:
            super().wait_for_and_dispatch_events(timeout)
            return
        self._say_so()
        super().wait_for_and_dispatch_events(max(0.0, min(timeout, self._closes - monotonic())))
        if monotonic() >= self._closes:
            self._close_the_door()
            self.alive = False

    def is_parent_alive(self) -> bool:
        """Without an arbiter the worker ends; the next server needs its address."""
        lives = bool(super().is_parent_alive())
        if not lives:
            self._close_the_door()
        return lives

    def _say_so(self) -> None:
        """To /readyz, and to each client with its next answer: no connection is kept from now on."""
        self.max_keepalived = 0
        self.wsgi.extensions[STOPPING] = True

    def _close_the_door(self) -> None:
        """Who has been let in by the kernel is answered; the moment between the last look and the closing is all that is left."""
        for listener in self.sockets:
            while _somebody_waits(listener):
                self.accept(listener)
        self.set_accept_enabled(False)
        while self.sockets:
            self.sockets.pop().close()


def _somebody_waits(listener: Any) -> bool:
    with DefaultSelector() as selector:
        selector.register(listener, EVENT_READ)
        return bool(selector.select(0))
