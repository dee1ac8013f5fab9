"""A server's origin in; out comes a permit to ask it, or the word why not now: a limit and a circuit breaker for each server.

A server that hangs holds so many of our threads and no more. One that keeps failing rests: nothing is sent, the answer is
there at once, and then one fetch at a time tries whether it is back.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from threading import Lock
from time import monotonic
from typing import Literal

from cds_service.outbound.exchange import LEAST_SECONDS
from cds_service.outbound.faults import Failed
from cds_service.outbound.url_guard import Origin

FETCHES_AT_ONCE = 8
FAILURES_IN_A_ROW = 5
FIRST_REST, LONGEST_REST = 5.0, 60.0  # seconds
MOST_ORIGINS = 256  # in open access a caller may name any port of this machine

Verdict = Literal["answered", "failed", "neither"]
_TOOK_TOO_LONG = {"deadline", "unresolved"}
_OF_THE_SERVER = {"unreachable", "tls", "server-error", "overloaded", "broken"} | _TOOK_TOO_LONG


def verdict(answered: bool, faults: Collection[str], seconds: float) -> Verdict:
    """What a fetch that had so many seconds says of its server: too few say nothing, nor does what we refused ourselves."""
    if answered:
        return "answered"
    counted = _OF_THE_SERVER - (_TOOK_TOO_LONG if seconds < LEAST_SECONDS else set())
    return "neither" if counted.isdisjoint(faults) else "failed"


@dataclass(slots=True)
class Permit:
    """One fetch under way; whoever holds it sets the verdict. `trial`: the server rested, and this one tries it."""

    trial: bool
    verdict: Verdict = "neither"


@dataclass(slots=True)
class _Breaker:
    """What is known of one server. While it rests, and until a fetch is answered, `rests_until` is set."""

    under_way: int = 0
    failures: int = 0  # in a row
    rest: float = 0.0  # how long the latest one is
    rests_until: float | None = None
    on_trial: bool = False

    def permit(self, now: float) -> Permit:
        """Raises Failed."""
        trial = self.rests_until is not None
        if trial and (self.on_trial or now < (self.rests_until or 0.0)):
            raise Failed("resting")
        if self.under_way >= FETCHES_AT_ONCE:
            raise Failed("busy")
        self.under_way += 1
        self.on_trial = self.on_trial or trial
        return Permit(trial)

    def settle(self, permit: Permit, now: float) -> None:
        """Takes a permit back, and learns from how it went."""
        self.under_way -= 1
        self.on_trial = self.on_trial and not permit.trial
        if permit.verdict == "answered":
            self.failures, self.rest, self.rests_until = 0, 0.0, None
        elif permit.verdict == "failed" and (permit.trial or self.rests_until is None):
            self._failed(now)  # what was sent before the rest began and fails during it says nothing new

    def _failed(self, now: float) -> None:
        self.failures += 1
        if self.failures >= FAILURES_IN_A_ROW:
            self.rest = min(2 * self.rest or FIRST_REST, LONGEST_REST)
            self.rests_until = now + self.rest

    def is_blank(self) -> bool:
        """Whether it is as good as new, and need not be kept."""
        return not self.under_way and not self.failures


class Breakers:
    """The breakers of all servers, shared by the threads of one process. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._of_origin: dict[Origin, _Breaker] = {}

    @property
    def known(self) -> int:
        """How many servers something is known of."""
        return len(self._of_origin)

    @contextmanager
    def permit(self, origin: Origin) -> Iterator[Permit]:
        """Held for one fetch, and given back however it ends. Raises Failed: "busy" or "resting"."""
        with self._lock:
            permit = self._of(origin).permit(self._clock())
        try:
            yield permit
        finally:
            with self._lock:
                self._take_back(origin, permit)

    def _of(self, origin: Origin) -> _Breaker:
        if origin not in self._of_origin:
            if len(self._of_origin) >= MOST_ORIGINS:
                self._forget_one()
            self._of_origin[origin] = _Breaker()
        return self._of_origin[origin]

    def _take_back(self, origin: Origin, permit: Permit) -> None:
        breaker = self._of_origin[origin]
        breaker.settle(permit, self._clock())
        if breaker.is_blank():
            del self._of_origin[origin]

    def _forget_one(self) -> None:
        """One that does not rest, or whose rest ends first; never one that is being asked. Raises Failed."""
        idle = [origin for origin, one in self._of_origin.items() if not one.under_way]
        if not idle:
            raise Failed("busy")
        del self._of_origin[min(idle, key=lambda one: self._of_origin[one].rests_until or -inf)]
