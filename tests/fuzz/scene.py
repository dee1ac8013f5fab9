"""What a fuzz is to be in, the running service with everything around it out; at its end what must never have happened."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.fhir_servers import FakeServer, answering, searchset, serving, whole
from tests.fuzz.documents import COMMENT, LENT, NAME, PATIENT
from tests.fuzz.ehr import Ehr
from tests.fuzz.line import Line
from tests.fuzz.live import Live, live
from tests.fuzz.requests import Plan
from tests.fuzz.trust import Client

LIMIT = 256 << 10
ORIGINS = 16  # so that the breaker of one that fails does not keep the others from being asked
_LIKE_A_TOKEN = re.compile(rb"eyJ(?=([A-Za-z0-9_-]{21}))")  # how {" begins in base64url
_METRICS = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The service, what is asked of it, and the servers that it may and may not go to."""

    live: Live
    plan: Plan
    friends: tuple[FakeServer, ...]
    stranger: FakeServer

    def gone_elsewhere(self) -> list[str]:
        """Whatever it did outside itself but connect to its friends."""
        allowed = {("socket.connect", str(("127.0.0.1", one.port))) for one in self.friends}
        found = [f"{event} {where}" for event, where in self.live.outside() - allowed]
        return found + [f"{self.stranger.connections} connections to the stranger"] * bool(self.stranger.connections)

    def left_traces(self) -> list[str]:
        """Canaries and tokens in what it wrote or counted; a comment in feedback is kept in the database on purpose."""
        with Line(self.live.port) as line:
            counted = line.ask(_METRICS, "GET").body
        written, said = self.live.left_behind() + counted, self.live.said() + counted
        found = [one for one in (NAME, PATIENT, LENT) if one.encode() in written]
        found += [COMMENT] if COMMENT.encode() in said else []
        return found + ["a client's token"] * holds_token(written)


def holds_token(written: bytes) -> bool:
    """Whether a token or a part of one stands there; three letters alone also stand in a sealed comment, by chance."""
    begun = (urlsafe_b64decode(b"eyJ" + one) for one in _LIKE_A_TOKEN.findall(written))
    return any(one.isascii() and one.decode("ascii").isprintable() for one in begun)


@contextmanager
def scene(seed: str, today: date, folder: Path) -> Iterator[Scene]:
    """Runs everything until the block ends."""
    with ExitStack() as stack:
        stranger = stack.enter_context(serving(answering(whole(searchset()))))
        ehr = Ehr(seed, today, stranger.base)
        friends = tuple(stack.enter_context(serving(ehr)) for _ in range(ORIGINS))
        servers = tuple(one.base for one in friends)
        settings = {"fhir_servers": list(servers), "allow_private_addresses": True, "deadline_ms": 800}
        client = Client("https://fuzz.example.org", settings)
        running = stack.enter_context(live(folder, [client], max_body_bytes=LIMIT))
        plan = Plan(seed=seed, today=today, client=client, servers=servers, stranger=stranger.base)
        yield Scene(live=running, plan=plan, friends=friends, stranger=stranger)
