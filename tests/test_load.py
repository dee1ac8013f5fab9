"""The short forms of `make load`, with bounds that hold on a busy machine too."""

from pathlib import Path

import pytest

from tests.load.proxy import lacking
from tests.load.rolling import rolling
from tests.load.slow import slow

pytestmark = pytest.mark.slow
behind_nginx = pytest.mark.skipif(lacking() is not None, reason=str(lacking()))


@behind_nginx
def test_replicas_are_restarted_in_turn_and_no_call_fails(tmp_path: Path) -> None:
    found = rolling(tmp_path, calls=240, rate=40, drain_seconds=1)
    print(found)
    assert found.failed == 0
    assert set(found.stopped) == {0}


@behind_nginx
def test_slow_sockets_keep_nobody_out(tmp_path: Path) -> None:
    found = slow(tmp_path, sockets=200, rounds=1, seconds=1.5)
    print(found)
    assert {one.status for one in found.calls.got} == {200}
    assert min(found.held) > 150
    assert found.ratio < 10
