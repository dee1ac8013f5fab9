"""The threads of a worker in; out goes the sign that it lives, as long as enough of them still end what they begin."""

from threading import get_ident
from time import monotonic
from typing import Any

from cds_service.server import slow_clients
from cds_service.web.admission import AT_WORK

# Seconds that no request takes: its client is waited for so long at most (slow_clients.py), its answer is due in eight.
LONGEST = 20.0


class Worker(slow_clients.Worker):
    """Gunicorn's arbiter replaces a worker that gives no sign of life; of itself one with threads gives it always."""

    longest = LONGEST

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._began: dict[int, float] = {}  # by thread
        self._most = min(AT_WORK, self.cfg.threads)  # stuck: as many as there are places, so that no call is served

    def handle(self, conn: Any) -> Any:
        """One request of a connection."""
        self._began[get_ident()] = monotonic()
        try:
            return super().handle(conn)
        finally:
            del self._began[get_ident()]

    def notify(self) -> None:
        """The sign, which is left out while too many threads are stuck."""
        if self.under_way(self.longest) < self._most:
            super().notify()

    def under_way(self, longer: float = 0.0) -> int:
        """How many requests are not answered yet after more than so many seconds."""
        before = monotonic() - longer
        return sum(began < before for began in list(self._began.values()))
