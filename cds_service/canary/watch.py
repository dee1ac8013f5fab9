"""The canaries of one process in, one after the other or all at once; out comes which rules fail theirs."""

from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock

from cds_service.canary.canaries import Canary, read_canaries
from cds_service.canary.evaluation import Difference, evaluate
from hooks.knowledge import Knowledge, Profile


class Canaries:
    """What one process knows of its canaries; safe to use from several threads. No lock is held while one is evaluated.

    `tell` is told of each evaluation the rule and whether it passed, in the thread that evaluated.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        profiles: Mapping[str, Profile],
        tell: Callable[[str, bool], object],
        canaries: tuple[Canary, ...] | None = None,
    ) -> None:
        self._knowledge, self._profiles, self._tell = knowledge, profiles, tell
        self._canaries = read_canaries() if canaries is None else canaries
        self._lock = Lock()
        self._turn = 0
        self._latest: dict[str, Difference | None] = {}  # by rule
        self._first: dict[str, bool] = {}  # whether its first evaluation passed

    def next_one(self, now: datetime) -> None:
        """Evaluates the canary whose turn it is, so that a round is spread over time."""
        with self._lock:
            canary = self._canaries[self._turn]
            self._turn = (self._turn + 1) % len(self._canaries)
        self._evaluate(canary, now)

    def round(self, now: datetime) -> None:
        """Evaluates all of them at once; whose turn it is stays as it was."""
        for canary in self._canaries:
            self._evaluate(canary, now)

    @property
    def differences(self) -> Mapping[str, Difference]:
        """The rules whose latest evaluation failed, and what differed."""
        with self._lock:
            return {rule: found for rule, found in sorted(self._latest.items()) if found}

    @property
    def failed(self) -> tuple[str, ...]:
        """The rules whose latest evaluation failed, sorted."""
        return tuple(self.differences)

    @property
    def checked(self) -> int:
        """How many have been evaluated at least once."""
        with self._lock:
            return len(self._first)

    @property
    def first_round_passed(self) -> bool | None:
        """Whether the first evaluation of every canary passed; None until all have had theirs."""
        with self._lock:
            return all(self._first.values()) if len(self._first) == len(self._canaries) else None

    def _evaluate(self, canary: Canary, now: datetime) -> None:
        found = evaluate(canary, now, self._knowledge, self._profiles)
        with self._lock:
            self._latest[canary.rule] = found
            self._first.setdefault(canary.rule, found is None)
        self._tell(canary.rule, found is None)
