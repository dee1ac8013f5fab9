"""A number of tokens in, each used by 64 callers at the same moment at two servers; how many uses of each were accepted out."""

import http.client
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from time import sleep

from tests.load.calling import Asked, feedback
from tests.load.databases import Database
from tests.load.replicas import Replica, replicas
from tests.load.rolling import CLIENTS

TIMES = 64
WORKERS = 4
_TOLD = (200, 401)
_PAUSE = 0.02  # seconds until a caller for whom there was no room asks again
_TRIES = 500
_LASTS = 0.1  # seconds: a round, about
_REST = 1.5  # seconds for workers to come back


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One token. `written`: how often the feedback that came with it is there."""

    ends: Counter[int]  # what each of the 64 callers was told in the end
    passing: Counter[int]  # and before: 429 or 503 where there was no room, 0 where its worker was killed
    killed: int
    written: int

    @property
    def wrong(self) -> bool:
        """Accepted once and refused 63 times; nobody need hear of it if the worker that accepted it was killed."""
        accepted = self.ends[200]
        unheard = accepted == 0 and self.killed > 0 and self.passing[0] > 0
        return (
            self.ends.total() != TIMES
            or self.ends[401] != TIMES - accepted
            or not (accepted == 1 or unheard)
            or (not accepted <= self.written <= 1)
        )


@dataclass(frozen=True, slots=True)
class OneToken:
    """All rounds."""

    rounds: list[Round]

    @property
    def wrong(self) -> str:
        """What is not as promised; empty where all is."""
        found = [one for one in self.rounds if one.wrong]
        return f"{len(found)} of {len(self.rounds)} rounds: {found[:3]}" if found else ""

    def __str__(self) -> str:
        in_peace = [one for one in self.rounds if not one.killed]
        hurt = [one for one in self.rounds if one.killed]
        return f"{_told('in peace', in_peace)}; {_told('with workers killed', hurt)}"


def _told(name: str, rounds: list[Round]) -> str:
    kinds = Counter(f"{one.ends[200]} accepted and {one.ends[401]} refused" for one in rounds)
    passing = sum((one.passing for one in rounds), Counter[int]())
    before = ", ".join(f"{status or 'no answer'} {times}" for status, times in sorted(passing.items()))
    return (
        f"{len(rounds)} rounds {name} ({sum(one.killed for one in rounds)} killed): "
        f"{', '.join(f'{times} times {kind}' for kind, times in kinds.items())}, before that {before or 'nothing'}"
    )


def one_token(folder: Path, database: Database, rounds: int, kills: int) -> OneToken:
    """So many rounds in peace, and then so many while workers are killed."""
    chance = random.Random(7)  # noqa: S311  (no secret)
    with (
        replicas(folder / "service", 2, CLIENTS, WORKERS, 0, database_url=database.url) as found,
        ThreadPoolExecutor(TIMES) as pool,
    ):
        done = [_round(pool, found, database, None) for _ in range(rounds)]
        for _ in range(kills):
            done.append(_round(pool, found, database, chance))
            sleep(_REST)
        return OneToken(done)


def _round(pool: ThreadPoolExecutor, found: list[Replica], database: Database, chance: random.Random | None) -> Round:
    asked = feedback()
    token = CLIENTS[0].token(asked.path)
    together = Barrier(TIMES + 1)
    uses = [pool.submit(_use, found[place % 2].port, asked, token, together) for place in range(TIMES)]
    together.wait()
    killed = _kill(found, chance) if chance else 0
    told = [use.result() for use in uses]
    written = database.rows(f"SELECT count(*) FROM feedback WHERE card = '{asked.card}'")[0][0]  # noqa: S608  (our own)
    return Round(
        ends=Counter(one[-1] for one in told),
        passing=Counter(status for one in told for status in one[:-1]),
        killed=killed,
        written=written,
    )


def _kill(found: list[Replica], chance: random.Random) -> int:
    """A worker of each server, at any moment of the round."""
    sleep(chance.uniform(0, _LASTS))
    for one in found:
        os.kill(chance.choice(one.children()), signal.SIGKILL)
    return len(found)


def _use(port: int, asked: Asked, token: str, together: Barrier) -> list[int]:
    """Everything one caller is told, until it knows whether its use was accepted."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    line.connect()
    together.wait()
    told: list[int] = []
    for status in _asks(line, asked, token):
        told.append(status)
        if status in _TOLD or len(told) == _TRIES:
            break
        sleep(_PAUSE)
    line.close()
    return told


def _asks(line: http.client.HTTPConnection, asked: Asked, token: str) -> Iterator[int]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    while True:
        try:
            line.request("POST", asked.path, asked.body, headers)
            answer = line.getresponse()
            answer.read()
            yield answer.status
        except (OSError, http.client.HTTPException):
            line.close()
            yield 0
