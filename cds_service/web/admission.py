"""A call in; out comes whether there is room for it: so many at work, so many waiting for a moment; the others are told at once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from cds_service.errors import OverQuota, Unavailable

AT_WORK = 16  # of the threads of a worker; the others tell that there is no room
WAITING = 8
OF_ONE_ISSUER = 12  # one client never takes all the room
PATIENCE = 0.05  # seconds: whoever is refused hears it at once
_LATER = {"Retry-After": "1"}


class Admission:
    """The room of one process."""

    def __init__(
        self,
        at_work: int = AT_WORK,
        waiting: int = WAITING,
        of_one_issuer: int = OF_ONE_ISSUER,
        patience: float = PATIENCE,
    ) -> None:
        self._at_work, self._waiting, self._patience = at_work, waiting, patience
        self._of_one_issuer = of_one_issuer
        self._changed = Condition()
        self._working = self._queued = 0
        self._issuers: Counter[str] = Counter()

    def enter(self) -> None:
        """Takes a place; whoever enters leaves. Raises Unavailable where none becomes free in time."""
        with self._changed:
            if self._working >= self._at_work:
                self._wait()
            self._working += 1

    def leave(self) -> None:
        """Gives the place back."""
        with self._changed:
            self._working -= 1
            self._changed.notify()

    @contextmanager
    def of(self, issuer: str) -> Iterator[None]:
        """A place among those of one client. Raises OverQuota where it has too many calls at once."""
        with self._changed:
            if self._issuers[issuer] >= self._of_one_issuer:
                raise OverQuota("Too many calls of this client at once. Try again later.", _LATER)
            self._issuers[issuer] += 1
        try:
            yield
        finally:
            with self._changed:
                self._issuers[issuer] -= 1

    def _wait(self) -> None:
        if self._queued >= self._waiting:
            raise Unavailable("The service is full. Try again later.", _LATER)
        self._queued += 1
        try:
            if not self._changed.wait_for(lambda: self._working < self._at_work, self._patience):
                raise Unavailable("The service is full. Try again later.", _LATER)
        finally:
            self._queued -= 1
