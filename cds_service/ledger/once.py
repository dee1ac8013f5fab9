"""Something long to do in; out comes its result for all who need it, each of whom waits only as long as it may."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Once(Generic[_T]):
    """One thread does it, however many wait; where it failed, whoever comes next has it tried again."""

    def __init__(self, do: Callable[[], _T]) -> None:
        self._do = do
        self._lock = Lock()
        self._under_way: Future[_T] | None = None

    @property
    def done(self) -> bool:
        """Whether it has been done."""
        found = self._under_way
        return found is not None and found.done() and found.exception() is None

    def wait(self, seconds: float) -> _T:
        """Raises TimeoutError, and whatever it raised."""
        with self._lock:
            found = self._under_way
            if found is None or (found.done() and found.exception()):
                found = self._under_way = Future()
                Thread(target=self._run, args=(found,), name="once", daemon=True).start()
        return found.result(max(0.0, seconds))

    def _run(self, future: Future[_T]) -> None:
        try:
            future.set_result(self._do())
        except BaseException as fault:
            future.set_exception(fault)
