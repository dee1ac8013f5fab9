"""A database that is hurt again and again in; what clients got meanwhile, how soon all was well again, and what was lost out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from tests.load.calling import Got
from tests.load.conversing import Crowd, crowd
from tests.load.databases import SqliteFile
from tests.load.kept import Kept, kept, partly, settled
from tests.load.outages import DEADLINE, LATE, RECOVERY, Outage
from tests.load.replicas import replicas
from tests.load.rolling import CLIENTS
from tests.postgresql_server import PostgresqlServer

_EXPECTED = (200, 503)
_ENOUGH = 20  # answers
_WEAR = 60.0  # seconds until a disk's last space is used up


@dataclass(frozen=True, slots=True, kw_only=True)
class Endured:
    """One outage. `recovered`: seconds from when the database itself answered again until the clients were answered as before."""

    how: str
    refused: list[Got]
    recovered: float
    partly: int  # feedback of which a part was there


@dataclass(frozen=True, slots=True, kw_only=True)
class Enduring:
    """All outages. `statuses`: of all answers."""

    outages: list[Endured]
    statuses: Counter[int]
    kept: Kept

    @property
    def slowest(self) -> float:
        """Seconds of the refusal that took longest."""
        return max((got.seconds for one in self.outages for got in one.refused), default=0.0)

    @property
    def wrong(self) -> str:
        """What is not as promised; empty where all is."""
        others = {status: times for status, times in self.statuses.items() if status not in _EXPECTED}
        unsaid = sum(not got.later for one in self.outages for got in one.refused)
        found = {
            f"unexpected {others}": bool(others),
            f"{unsaid} refusals without Retry-After": unsaid > 0,
            f"a refusal after {self.slowest:.1f} s": self.slowest > DEADLINE + LATE,
            "nobody was refused": not all(one.refused for one in self.outages),
            f"well after {self._recovered():.1f} s": self._recovered() > RECOVERY,
            "feedback written in part": any(one.partly for one in self.outages),
            self.kept.wrong: bool(self.kept.wrong),
        }
        return "; ".join(what for what, is_so in found.items() if is_so)

    def __str__(self) -> str:
        kinds = dict.fromkeys(one.how for one in self.outages)
        return f"{'; '.join(map(self._told, kinds))}; slowest refusal {self.slowest:.2f} s; {self.kept}"

    def _told(self, how: str) -> str:
        these = [one for one in self.outages if one.how == how]
        refused = sum(len(one.refused) for one in these)
        return (
            f"{how} {len(these)} times: {refused} answers of 503, well again after {self._recovered(how):.2f} s at most"
        )

    def _recovered(self, how: str = "") -> float:
        return max(one.recovered for one in self.outages if how in ("", one.how))


@dataclass(frozen=True, slots=True)
class _Moments:
    began: float
    back: float
    partly: int


def enduring(
    folder: Path,
    database: SqliteFile | PostgresqlServer,
    outages: Sequence[Outage],
    *,
    lasts: float = 2.0,
    inside: Sequence[str] = (),
) -> Enduring:
    """One after the other, each for so many seconds at least. No server is restarted."""
    with (
        replicas(folder, 2, CLIENTS, 2, 0, database_url=database.url, inside=inside) as found,
        crowd(CLIENTS, [one.port for one in found], pause=0.1) as clients,
    ):
        clients.wait_for(_ENOUGH, 200)
        servers = [pid for one in found for pid in (one.pid, *one.children())]
        moments = [_endure(clients, database, one, servers, lasts) for one in outages]
        assert servers == [pid for one in found for pid in (one.pid, *one.children())], "a worker was restarted"
        clients.end()
        return Enduring(
            outages=_judged(clients, outages, moments),
            statuses=Counter(got.status for got in clients.tries),
            kept=kept(clients.said, database, folder / "written"),
        )


def _endure(
    clients: Crowd, database: SqliteFile | PostgresqlServer, one: Outage, servers: Sequence[int], lasts: float
) -> _Moments:
    began = monotonic()
    with one.away(servers):
        sleep(lasts)
        clients.wait_for(_ENOUGH, 503, began, seconds=_WEAR)
        looks = one.readable and isinstance(database, SqliteFile)
        found = partly(list(clients.begun), database) if looks else 0
    back = monotonic()
    clients.wait_for(_ENOUGH, 200, back, seconds=RECOVERY + LATE)
    return _Moments(began, back, found)


def _judged(clients: Crowd, outages: Sequence[Outage], moments: Sequence[_Moments]) -> list[Endured]:
    until = [one.began for one in moments[1:]] + [float("inf")]
    return [
        Endured(
            how=one.how,
            refused=[got for got in clients.tries if got.status == 503 and at.began < got.began < ends],
            recovered=settled(clients.tries, at.back, ends),
            partly=at.partly,
        )
        for one, at, ends in zip(outages, moments, until, strict=True)
    ]
