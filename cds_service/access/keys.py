"""Where an issuer's keys are in, the key for a token out: kept in memory, fetched anew when they age or a token names another.

Keys are fetched from the configured place only, one fetch at a time, in a thread of its own: those who know their key never wait.
An outage leaves the known keys in force for a day.
"""

import ssl
from collections.abc import Callable
from threading import Event, Lock, Thread
from time import monotonic
from typing import Literal

from jwt import PyJWK

from cds_service.access.issuers import Issuer, KeyAddress, KeyFile
from cds_service.access.key_set import MOST_BYTES, KeySet, KeySetFault, read_key_set
from cds_service.outbound.document import fetch_document
from cds_service.outbound.faults import Failed

FETCH_SECONDS = 2.0
_AGED = 300.0  # then they are fetched anew: a key that was withdrawn is soon unknown here
_TOO_OLD = 24 * 3600.0
_BETWEEN_FETCHES = 30.0
_BETWEEN_FIRST_FETCHES = 5.0  # as long as there is no key at all
KeyOutcome = Literal["fetched", "failed", "unusable"]


class Keys:
    """The keys of one issuer. `count` is told what became of each fetch."""

    def __init__(
        self,
        issuer: Issuer,
        context: ssl.SSLContext,
        count: Callable[[KeyOutcome], object],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._issuer, self._context, self._count, self._clock = issuer, context, count, clock
        self._lock = Lock()
        self._under_way: Event | None = None
        self._keys: KeySet = {}
        self._fetched = self._tried = float("-inf")

    def find(self, kid: str, algorithm: str, seconds: float) -> PyJWK | None:
        """The key of this id for this algorithm, after at most so many seconds; None where there is none."""
        known = self._known(kid, algorithm)
        age = self._clock() - self._fetched
        if known and age <= _AGED:
            return known
        fetching = self._fetch()
        if known and age <= _TOO_OLD:
            return known  # what is fetched serves the next
        if fetching:
            fetching.wait(max(0.0, seconds))
        return self._known(kid, algorithm) if self._clock() - self._fetched <= _TOO_OLD else None

    def load(self) -> None:
        """Reads a key file. Raises OSError, KeySetFault."""
        self._keys = read_key_set(self._read(), self._issuer.algorithms)
        self._fetched = self._tried = self._clock()

    def _known(self, kid: str, algorithm: str) -> PyJWK | None:
        return self._keys.get((kid, algorithm))

    def _fetch(self) -> Event | None:
        """A fetch that is under way, begun where it is time for one; None where it is not."""
        with self._lock:
            if self._under_way is None and self._clock() - self._tried >= self._pause():
                self._tried = self._clock()
                self._under_way = Event()
                Thread(target=self._run, args=(self._under_way,), name="access-keys", daemon=True).start()
            return self._under_way

    def _pause(self) -> float:
        return _BETWEEN_FETCHES if self._keys else _BETWEEN_FIRST_FETCHES

    def _run(self, done: Event) -> None:
        outcome: KeyOutcome = "failed"
        try:
            self.load()
            outcome = "fetched"
        except KeySetFault:
            outcome = "unusable"
        except (Failed, OSError):
            pass
        finally:
            with self._lock:
                self._under_way = None
            done.set()
            self._count(outcome)

    def _read(self) -> bytes:
        source = self._issuer.keys
        if isinstance(source, KeyAddress):
            return fetch_document(source.url, source.guard, monotonic() + FETCH_SECONDS, MOST_BYTES, self._context)
        if isinstance(source, KeyFile):
            with source.path.open("rb") as file:
                return file.read(MOST_BYTES + 1)
        raise KeySetFault("this issuer has no keys")
