"""So much feedback in, servers restarted in turn meanwhile; what was acknowledged and lost out."""

from dataclasses import dataclass
from pathlib import Path
from time import sleep

from tests.load.conversing import crowd
from tests.load.databases import Database
from tests.load.kept import Kept, kept
from tests.load.replicas import replicas
from tests.load.rolling import CLIENTS

_LANES, _PAUSE = 4, 0.3  # few, for a start is slow where the machine is busy
_BETWEEN = 0.3  # seconds from one server's being ready to the next one's being told to stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminating:
    """`stopped`: exit status of each that was stopped."""

    stopped: list[int]
    kept: Kept

    @property
    def wrong(self) -> str:
        """What is not as promised; empty where all is."""
        return self.kept.wrong or ("" if set(self.stopped) == {0} else f"exit statuses {sorted(set(self.stopped))}")

    def __str__(self) -> str:
        return f"{len(self.stopped)} servers stopped by SIGTERM, exit statuses {sorted(set(self.stopped))}; {self.kept}"


def terminating(folder: Path, database: Database, feedback: int, restarts: int) -> Terminating:
    """Clients call two servers without a proxy. Neither waits before it closes its door: it is harder so for the clients."""
    with (
        replicas(folder / "service", 2, CLIENTS, drain_seconds=0, database_url=database.url) as found,
        crowd(CLIENTS, [one.port for one in found], lanes=_LANES, pause=_PAUSE) as clients,
    ):
        stopped = []
        for number in range(restarts):
            sleep(_BETWEEN)
            one = found[number % len(found)]
            stopped.append(one.stop())
            one.start()
        while clients.acknowledged < feedback:
            sleep(0.1)
        clients.end()
        return Terminating(stopped=stopped, kept=kept(clients.said, database, folder / "service" / "written"))
