"""So much feedback in, workers killed meanwhile; how soon others served, and what was acknowledged and lost, out."""

import os
import random
import signal
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from tests.load.conversing import crowd
from tests.load.databases import Database
from tests.load.kept import Kept, kept
from tests.load.proxy import Proxy, lacking, proxy
from tests.load.replicas import Replica, replicas
from tests.load.rolling import CLIENTS

# Of nginx: answered; or its token was used up by the worker that was killed; or half of the answer was out by then; or busy.
EXPECTED = (200, 401, 0, 503)
_FORGOTTEN = 2.0  # seconds for which nginx passes over a server that failed: the other may not fail as well meanwhile
_PAUSE = 0.1  # seconds between what one client says about two patients


@dataclass(frozen=True, slots=True, kw_only=True)
class Killing:
    """`back`: seconds until a replica answered again, all of whose workers were killed at once."""

    killed: int
    back: list[float]
    kept: Kept
    through_nginx: Counter[int]  # what clients got that know of no replica

    @property
    def wrong(self) -> str:
        """What is not as promised; empty where all is."""
        unexpected = sum(times for status, times in self.through_nginx.items() if status not in EXPECTED)
        late = max(self.back, default=0.0) > 10
        return self.kept.wrong or (f"{unexpected} unexpected" if unexpected else "") or ("late" if late else "")

    def __str__(self) -> str:
        through = ", ".join(f"{status or 'no answer'} {times}" for status, times in sorted(self.through_nginx.items()))
        back = f"back after {max(self.back, default=0.0):.1f} s at most of {len(self.back)} times all at once"
        return f"{self.killed} workers killed; {back}; {self.kept}; of the tries through nginx: {through or 'it is not here'}"


def killing(folder: Path, database: Database, feedback: int, kills: int, *, rest: float = 1.0) -> Killing:
    """So many kills, one every so many seconds. Half of the clients come through nginx, where it is installed."""
    with ExitStack() as stack:
        found = stack.enter_context(replicas(folder / "service", 2, CLIENTS, database_url=database.url))
        ports: list[Proxy | int] = [one.port for one in found]
        straight = through = stack.enter_context(crowd(CLIENTS, ports, lanes=4, pause=_PAUSE))
        if nginx := lacking() is None:
            before = stack.enter_context(proxy(folder / "proxy", [one.port for one in found]))
            through = stack.enter_context(crowd(CLIENTS, [before], lanes=4, pause=_PAUSE))
        crowds = {straight, through}
        killed, back = _kill(found, kills, rest)
        while sum(one.acknowledged for one in crowds) < feedback:
            sleep(0.1)
        for one in crowds:
            one.end()
        return Killing(
            killed=killed,
            back=back,
            kept=kept([said for one in crowds for said in one.said], database, folder / "service" / "written", killed),
            through_nginx=Counter(got.status for said in through.said for got in said.tries if nginx),
        )


def _kill(found: list[Replica], kills: int, rest: float) -> tuple[int, list[float]]:
    """By turns one worker of a server, while its other serves on, and then all of them; the next turn is the other server's."""
    chance = random.Random(7)  # noqa: S311  (no secret)
    killed, back = 0, list[float]()
    while killed < kills:
        one = found[len(back) % len(found)]
        sleep(_FORGOTTEN)
        for number in (1, one.workers):
            sleep(rest * chance.uniform(0.5, 1.5))
            workers = chance.sample(running := one.children(), min(number, len(running)))
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
            killed += len(workers)
        back.append(one.wait_until_ready())
    return killed, back
