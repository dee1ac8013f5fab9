"""A client and a proxy or port in; calls with a fresh token each out, and what each got: over kept connections, at a given pace."""

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from time import monotonic, perf_counter, sleep
from uuid import uuid4

from cds_service.app import system_clock
from tests.benchmark.bodies import body
from tests.faults.asking import percentile
from tests.fuzz.trust import Client
from tests.load.proxy import Proxy

PATH = "/cds-services/immune-status-order-sign"
_SIGNED_AHEAD = 20  # tokens, so that signing is not measured


@dataclass(frozen=True, slots=True)
class Asked:
    """One call; `card` is what its feedback is about."""

    path: str
    body: bytes
    card: str = ""


@dataclass(frozen=True, slots=True)
class Got:
    """What became of it; `status` 0 where no answer came. `seconds`: from the first byte sent to the last received.

    `later`: whether it was told when to come again (Retry-After).
    """

    asked: Asked
    status: int
    began: float
    seconds: float
    later: bool = False

    @property
    def ended(self) -> float:
        """By the monotonic clock."""
        return self.began + self.seconds


@cache
def _chart() -> bytes:
    return body(10, 2, 2, system_clock().date())


def call() -> Asked:
    """For cards, with a chart of 23 KB."""
    return Asked(PATH, _chart())


def feedback() -> Asked:
    """On a card of its own."""
    card = str(uuid4())
    entry = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:00:00Z"}
    return Asked(f"{PATH}/feedback", json.dumps({"feedback": [entry]}).encode(), card)


class Caller:
    """One kept connection of a client, through a proxy or to a port."""

    def __init__(self, client: Client, where: Proxy | int, signed_ahead: int = _SIGNED_AHEAD) -> None:
        """Tokens that were signed ahead age: whoever seldom calls signs one at a time."""
        self._client, self._signed_ahead = client, signed_ahead
        self._line = (
            http.client.HTTPConnection("127.0.0.1", where, timeout=30) if isinstance(where, int) else _Through(where)
        )
        self._tokens: dict[str, list[str]] = {}

    def ask(self, asked: Asked) -> Got:
        """One call with a token of its own. It is never tried again."""
        return self.exchange(asked)[0]

    def exchange(self, asked: Asked) -> tuple[Got, bytes]:
        """The same, and the body of the answer."""
        tokens = self._tokens.setdefault(asked.path, [])
        if not tokens:
            tokens += [self._client.token(asked.path) for _ in range(self._signed_ahead)]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {tokens.pop()}"}
        began, started = monotonic(), perf_counter()
        status, body, later = 0, b"", False
        try:
            self._line.request("POST", asked.path, asked.body, headers)
            answer = self._line.getresponse()
            body, later = answer.read(), "Retry-After" in answer.headers
            status = answer.status
        except (OSError, http.client.HTTPException):
            self._line.close()
        return Got(asked, status, began, perf_counter() - started, later), body

    def close(self) -> None:
        """Hangs up."""
        self._line.close()


class _Through(http.client.HTTPConnection):
    def __init__(self, proxy: Proxy) -> None:
        super().__init__("cds.example.org", proxy.port, timeout=30)
        self._proxy = proxy

    def connect(self) -> None:
        self.sock = self._proxy.connect()


@dataclass(slots=True)
class Calls:
    """All calls of a run."""

    got: list[Got] = field(default_factory=list)

    def statuses(self) -> Counter[int]:
        """How often each came."""
        return Counter(one.status for one in self.got)

    def milliseconds(self, part: float, *statuses: int) -> float:
        """The time below which that part of the answers of these statuses (of all, if none is named) lies."""
        return percentile((one.seconds for one in self.got if not statuses or one.status in statuses), part)

    def __str__(self) -> str:
        statuses = ", ".join(f"{status or 'none'} {n}" for status, n in sorted(self.statuses().items()))
        times = ", ".join(f"p{100 * part:g} {self.milliseconds(part):.0f} ms" for part in (0.5, 0.95, 0.99, 1))
        return f"{len(self.got)} calls: {statuses}; {times}"


def drive(
    clients: Iterable[Client],
    where: Proxy | int,
    next_call: Callable[[], Asked],
    *,
    lanes: int,
    ends: Callable[[int], bool],
    rate: float | None = None,
) -> Calls:
    """Calls over so many connections until `ends` says so of the next one's number; at a rate a second, or as fast as it goes."""
    known, numbers, began = list(clients), count(), monotonic()

    def lane(place: int) -> Iterator[Got]:
        caller = Caller(known[place % len(known)], where)
        while not ends(number := next(numbers)):
            if rate:
                sleep(max(0.0, began + number / rate - monotonic()))
            yield caller.ask(next_call())
        caller.close()

    with ThreadPoolExecutor(lanes) as pool:
        parts = pool.map(lambda place: list(lane(place)), range(lanes))
        return Calls([one for part in parts for one in part])


def after(number: int) -> Callable[[int], bool]:
    """Ends with so many calls."""
    return lambda next_one: next_one >= number


def in_seconds(seconds: float) -> Callable[[int], bool]:
    """Ends so many seconds from now."""
    ends = monotonic() + seconds
    return lambda _: monotonic() >= ends
