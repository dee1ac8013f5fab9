"""A database that is hurt in, what the demo's server makes of it out: advice comes as before, feedback is told to come later.

`python -m tests.load.open_access URL PORT` is that server, in open access as `cds-service demo` starts it.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from cds_service.demo.run import demo_app
from cds_service.server import Server
from cds_service.settings import Settings
from tests.load.calling import PATH
from tests.load.conversing import about, issued, overriding
from tests.load.outages import DEADLINE, LATE, RECOVERY, Outage
from tests.load.replicas import Replica
from tests.test_web import Answer, send

_TIMES = 4
_SOON = 10.0  # seconds
_WEAR = 60.0  # seconds until the last of the space that is left is used up


class OpenAccess(Replica):
    """The demo's server on a database of ours."""

    def __init__(self, folder: Path, database_url: str, inside: Sequence[str] = ()) -> None:
        folder.mkdir()
        super().__init__(folder, folder / "nobody", 1, 0, database_url=database_url, inside=inside)
        self._url = database_url

    def _words(self) -> list[str]:
        return ["tests.load.open_access", self._url, str(self.port)]


@dataclass(slots=True)
class Visit:
    """Of somebody who calls about one patient, before, while and after the database is away. `faults`: what was not as promised."""

    port: int
    call: bytes = field(default_factory=lambda: about(uuid4().hex))
    faults: list[str] = field(default_factory=list)
    asked: int = 0
    refused: int = 0
    recovered: list[float] = field(default_factory=list)
    _first: Any = None
    _held: Any = None

    @property
    def wrong(self) -> str:
        """What is not as promised; empty where all is."""
        return "; ".join(self.faults)

    def begin(self) -> None:
        """Every card is overridden, so that the patient has a history."""
        self._first = self.answer()
        if self.override([card for card, _ in issued(json.dumps(self._first).encode())]).status != 200:
            self.faults.append("feedback was refused while all was well")
        ends = monotonic() + _SOON
        while (held := self.answer()) == self._first and monotonic() < ends:
            sleep(0.1)  # feedback that is faster than its card begins its quiet period when the card is written
        if held == self._first:
            self.faults.append("overridden advice was not held")
        self._held = held

    def answer(self) -> Any:
        """To the call, which is the same each time."""
        self.asked += 1
        got = send(self.port, "POST", PATH, self.call, {"Content-Type": "application/json"})
        if got.status != 200:
            self.faults.append(f"a call got {got.status}")
        return json.loads(got.body)

    def override(self, cards: Sequence[str]) -> Answer:
        """Feedback on cards."""
        return send(self.port, "POST", f"{PATH}/feedback", overriding(cards), {"Content-Type": "application/json"})

    def during(self, *, readable: bool) -> None:
        """While nothing can be written; `readable`: but read, so that advice is held as it was."""
        for _ in range(_TIMES):
            self._refused(_WEAR if readable else 0.0)
            found = self.answer()
            if found != self._first and not (readable and found == self._held):
                self.faults.append("another answer than without a history")

    def _refused(self, wear: float) -> None:
        """What is written all the same, on the last of a disk's space, is no fault for so many seconds."""
        ends = monotonic() + wear
        while True:
            began = monotonic()
            got = self.override([str(uuid4())])
            if got.status != 200 or began >= ends:
                break
        self.refused += got.status == 503
        if got.status != 503 or "retry-after" not in got.headers or monotonic() - began > DEADLINE + LATE:
            self.faults.append(f"feedback got {got.status} after {monotonic() - began:.1f} s")

    def afterwards(self) -> None:
        """As soon as the database is back."""
        began = monotonic()
        while self.override([str(uuid4())]).status != 200 and monotonic() < began + 2 * RECOVERY:
            sleep(0.05)
        self.recovered.append(monotonic() - began)
        if self.recovered[-1] > RECOVERY:
            self.faults.append(f"well after {self.recovered[-1]:.1f} s")
        if self.answer() != self._held:
            self.faults.append("what was overridden is no longer held")

    def __str__(self) -> str:
        return (
            f"open access: {self.asked} calls got 200 and the same cards, {self.refused} feedback 503 with Retry-After, "
            f"well again after {max(self.recovered):.1f} s at most of {len(self.recovered)} times"
        )


def visiting(folder: Path, url: str, outages: Sequence[Outage], inside: Sequence[str] = ()) -> Visit:
    """One outage after the other."""
    server = OpenAccess(folder, url, inside)
    try:
        server.start()
        visit = Visit(server.port)
        visit.begin()
        for outage in outages:
            with outage.away([server.pid, *server.children()]):
                visit.during(readable=outage.readable)
            visit.afterwards()
        return visit
    finally:
        server.end()


if __name__ == "__main__":
    settings = Settings(open_access=True, database_url=sys.argv[1])
    Server(lambda: demo_app(settings, None), f"127.0.0.1:{sys.argv[2]}", workers=1).run()
