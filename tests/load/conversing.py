"""Clients and the servers before them in; out comes what was said: calls about new patients, then feedback on each of their cards.

Whatever is not acknowledged is said again, in the same words, at the next server, until it is.
"""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import cycle
from threading import Event
from time import monotonic, sleep
from uuid import uuid4

from cds_service.app import system_clock
from cds_service.wire.override_reasons import OVERRIDE_REASONS
from tests.benchmark.bodies import body
from tests.fuzz.trust import Client
from tests.load.calling import PATH, Asked, Caller, Got
from tests.load.proxy import Proxy

_PAUSE = 0.1  # seconds until it is said again
_PATIENCE = 90.0  # seconds until a client gives up
_EVALUATION = "org.immune-status-cds.evaluation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A call or feedback with all its tries; of a call the cards it brought and their rules, of feedback the cards it is about."""

    issuer: str
    tries: tuple[Got, ...]
    issued: tuple[tuple[str, str], ...] = ()
    overridden: tuple[str, ...] = ()

    @property
    def acknowledged(self) -> bool:
        """In the end."""
        return self.tries[-1].status == 200


def about(patient: str) -> bytes:
    """A small call about a patient of whom nobody has heard."""
    return _chart().replace(b"bench-1", patient.encode()).replace(b'"bench"', json.dumps(f"of {patient}").encode())


def issued(answer: bytes) -> tuple[tuple[str, str], ...]:
    """Card and rule of all that an answer advises."""
    findings = json.loads(answer)["extension"][_EVALUATION]["findings"]
    return tuple((one["card"], one["rule"]) for one in findings if one["outcome"] == "recommended")


def overriding(cards: Sequence[str], reason: int = 0) -> bytes:
    """Feedback on cards, all in one body."""
    chosen = OVERRIDE_REASONS[reason % len(OVERRIDE_REASONS)]
    entry = {
        "outcome": "overridden",
        "outcomeTimestamp": datetime.now(UTC).isoformat(),
        "overrideReason": {"reason": {"code": chosen.code, "system": chosen.system}},
    }
    return json.dumps({"feedback": [{"card": card} | entry for card in cards]}).encode()


class Crowd:
    """Clinicians in their EHRs. `said`: what has come to an end; `tries`: each answer as it comes; `begun`: issuer and cards of
    each feedback, once it was sent."""

    def __init__(self, clients: Sequence[Client], servers: Sequence[Proxy | int], lanes: int, pause: float) -> None:
        self.said: list[Said] = []
        self.tries: list[Got] = []
        self.begun: list[tuple[str, tuple[str, ...]]] = []
        self._enough = Event()
        self._pause = pause
        self._pool = ThreadPoolExecutor(lanes)
        self._lanes = [self._pool.submit(self._lane, clients, servers, place) for place in range(lanes)]

    @property
    def acknowledged(self) -> int:
        """How much feedback was acknowledged."""
        return sum(bool(one.overridden) and one.acknowledged for one in list(self.said))

    def wait_for(self, answers: int, status: int, since: float = 0.0, *, seconds: float = 60.0) -> None:
        """Until there were so many with this status to what was asked since then, for so many seconds at most."""
        ends = monotonic() + seconds
        while sum(got.status == status and got.began > since for got in list(self.tries)) < answers:
            if monotonic() >= ends:
                break
            sleep(0.1)

    def end(self) -> None:
        """Lets everybody finish; raises what went wrong in any of them."""
        self._enough.set()
        self._pool.shutdown()
        for one in self._lanes:
            one.result()

    def _lane(self, clients: Sequence[Client], servers: Sequence[Proxy | int], place: int) -> None:
        client = clients[place % len(clients)]
        callers = deque(Caller(client, one, signed_ahead=1) for one in servers)
        callers.rotate(place)
        for number in cycle(range(len(OVERRIDE_REASONS))):
            if self._enough.wait(self._pause):
                break
            self._converse(client, callers, number)
        for one in callers:
            one.close()

    def _converse(self, client: Client, callers: deque[Caller], number: int) -> None:
        tries, answer = self._insist(callers, Asked(PATH, about(uuid4().hex)))
        found = issued(answer) if tries[-1].status == 200 else ()
        self.said.append(Said(issuer=client.iss, tries=tries, issued=found))
        cards = tuple(dict.fromkeys(card for card, _ in found))
        for chosen in filter(None, (cards[:1], cards[1:])):
            self.begun.append((client.iss, chosen))
            tries, _ = self._insist(callers, Asked(f"{PATH}/feedback", overriding(chosen, number), chosen[0]))
            self.said.append(Said(issuer=client.iss, tries=tries, overridden=chosen))

    def _insist(self, callers: deque[Caller], asked: Asked) -> tuple[tuple[Got, ...], bytes]:
        tries: list[Got] = []
        ends = monotonic() + _PATIENCE
        while True:
            got, answer = callers[0].exchange(asked)
            tries.append(got)
            self.tries.append(got)
            if got.status == 200 or monotonic() >= ends:
                return tuple(tries), answer
            callers[0].close()  # or the server would, while this client talks to the next
            callers.rotate()
            sleep(_PAUSE)


@contextmanager
def crowd(
    clients: Sequence[Client], servers: Sequence[Proxy | int], lanes: int = 8, pause: float = 0.0
) -> Iterator[Crowd]:
    """They talk until the block ends, and then finish what they have begun. `pause`: seconds after each conversation."""
    found = Crowd(clients, servers, lanes, pause)
    try:
        yield found
    finally:
        found.end()


@cache
def _chart() -> bytes:
    return body(2, 0, 1, system_clock().date())
