"""Something long to do and many who need it: it is done once, and nobody waits longer than it may."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic

import pytest

from cds_service.ledger.once import Once


def test_what_is_long_to_do_is_done_once_and_nobody_waits_longer_than_it_may() -> None:
    begun, go, times = Event(), Event(), []

    def do() -> int:
        times.append(1)
        begun.set()
        assert go.wait(10)
        return 7

    once = Once(do)
    began = monotonic()
    with pytest.raises(TimeoutError):
        once.wait(0.05)
    assert monotonic() - began < 1
    assert begun.wait(5)
    assert not once.done
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(once.wait, 10) for _ in range(4)]
        go.set()
        assert [one.result() for one in waiting] == [7] * 4
    assert (once.done, once.wait(0), len(times)) == (True, 7, 1)


def test_what_failed_is_tried_again_by_whoever_comes_next() -> None:
    faults: list[Exception] = [OSError("first"), OSError("second")]

    def do() -> str:
        if faults:
            raise faults.pop(0)
        return "done"

    once = Once(do)
    for said in ("first", "second"):
        with pytest.raises(OSError, match=said):
            once.wait(5)
        assert not once.done
    assert once.wait(5) == "done"
