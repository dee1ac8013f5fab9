"""An address and what was said at the door to the report in; nothing out where it opens, else a refusal; guesses are slow."""

import hmac
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import Lock
from time import monotonic

from werkzeug.datastructures import Authorization
from werkzeug.exceptions import NotFound

from cds_service.access import is_loopback
from cds_service.errors import PasswordNeeded, TooManyTries
from cds_service.settings import Settings

TRIES = 3  # wrong passwords a second, and at once


class Door:
    """The way to the report, for one process. In open access this machine is let in; else whoever knows the password."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = monotonic) -> None:
        """`clock` gives seconds that only go forward."""
        file = settings.report_password_file
        self._open, self._password = settings.open_access, Path(file).read_text("utf-8").strip() if file else None
        self._clock, self._lock = clock, Lock()
        self._tries, self._looked = float(TRIES), clock()

    @property
    def exists(self) -> bool:
        """Whether anybody at all is let in."""
        return self._open or self._password is not None

    def enter(self, address: str | None, said: Authorization | None) -> None:
        """Raises NotFound where there is nothing for this caller, PasswordNeeded, TooManyTries."""
        if self._open and is_loopback(address):
            return
        if self._password is None:
            raise NotFound
        if said is None or said.type != "basic":
            raise PasswordNeeded
        with self._lock:  # one guess after another, so that the count is exact
            self._look(said.password or "", self._password)

    def _look(self, said: str, password: str) -> None:
        now = self._clock()
        self._tries = min(float(TRIES), self._tries + TRIES * (now - self._looked))
        self._looked = now
        if self._tries < 1:  # the right one too, or it could be told from the wrong ones
            raise TooManyTries
        if not hmac.compare_digest(sha256(said.encode()).digest(), sha256(password.encode()).digest()):
            self._tries -= 1
            raise PasswordNeeded
