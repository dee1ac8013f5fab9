"""One FHIR server that hangs or fails costs the callers of all others nothing, and its own no more than it must."""

import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic, sleep

import pytest

from cds_service.chart.fhir_client import FhirClient
from cds_service.chart.gather import gather
from cds_service.outbound.breaker import FAILURES_IN_A_ROW, FETCHES_AT_ONCE, Breakers
from cds_service.outbound.url_guard import AllowedServer, Guard
from cds_service.wire.request import HookRequest
from tests import fhir_servers as fakes
from tests.fhir_chart import LABS, TEMPLATES
from tests.fhir_fetching import EMPTY, HERE, TOKEN, fetch, no_thread_is_left
from tests.fhir_servers import FakeServer, serving

__all__ = ["no_thread_is_left"]  # after every test

GOOD = fakes.answering(fakes.whole(EMPTY))
BAD = fakes.failing("500 x")


class Clock:
    """Time that a test moves on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def outcome(client: FhirClient, server: FakeServer, seconds: float = 2.0, guard: Guard = HERE) -> str | None:
    """Of a fetch with one query."""
    return client.fetch(guard, server.base, TOKEN, {"one": "Condition?patient=p"}, monotonic() + seconds)["one"].fault


def fail(client: FhirClient, server: FakeServer, word: str, times: int = FAILURES_IN_A_ROW, seconds: float = 2) -> None:
    assert [outcome(client, server, seconds) for _ in range(times)] == [word] * times


@contextmanager
def hanging(client: FhirClient, server: FakeServer, fetches: int, seconds: float) -> Iterator[None]:
    """So many fetches that wait for an answer which does not come."""
    with ThreadPoolExecutor(fetches) as pool:
        ends, before = monotonic() + seconds, len(server.asked)
        waiting = [pool.submit(client.fetch, HERE, server.base, TOKEN, {"one": "X"}, ends) for _ in range(fetches)]
        while len(server.asked) < before + fetches and monotonic() < ends:
            sleep(0.005)
        yield
        assert {one.result(10)["one"].fault for one in waiting} == {"deadline"}


def test_a_server_that_hangs_costs_the_others_nothing_and_a_ninth_fetch_is_told_at_once() -> None:
    client = FhirClient()
    with serving(fakes.silent) as hung, serving(GOOD) as good, hanging(client, hung, FETCHES_AT_ONCE, 2):
        began = monotonic()
        assert outcome(client, good) is None
        print(f"{(monotonic() - began) * 1000:.1f} ms at the other server")
        assert monotonic() - began < 0.5
        began = monotonic()
        assert outcome(client, hung) == "busy"
        print(f"{(monotonic() - began) * 1000:.1f} ms until told")
        assert monotonic() - began < 0.2
        assert len(hung.asked) == FETCHES_AT_ONCE
    with serving(GOOD) as again:  # and the eight failures opened no other breaker
        assert outcome(client, again) is None


def test_eight_fetches_that_hang_make_the_server_rest_and_their_permits_come_back() -> None:
    clock = Clock()
    client = FhirClient(breakers=Breakers(clock))
    with serving(fakes.silent) as hung:
        with hanging(client, hung, FETCHES_AT_ONCE, 0.5):
            pass
        began = monotonic()
        assert outcome(client, hung) == "resting"
        assert monotonic() - began < 0.2
        clock.now += 5
        with hanging(client, hung, 1, 0.5):
            assert outcome(client, hung) == "resting"  # one tries it, and no other


def test_a_server_that_fails_five_times_is_left_alone_and_tried_again_after_a_rest() -> None:
    clock, better = Clock(), Event()
    client = FhirClient(breakers=Breakers(clock))

    def recovering(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        (GOOD if better.is_set() else BAD)(server, connection, asked)

    with serving(recovering) as server:
        fail(client, server, "server-error")
        connections = server.connections
        assert outcome(client, server) == "resting"
        assert server.connections == connections
        clock.now += 5
        assert outcome(client, server) == "server-error"
        better.set()
        clock.now += 9.9
        assert outcome(client, server) == "resting"
        clock.now += 0.1
        assert [outcome(client, server) for _ in range(3)] == [None] * 3


@pytest.mark.parametrize(
    ("behaviour", "word"),
    [
        (fakes.failing("429 x", Retry_After="1"), "overloaded"),
        (fakes.failing("503 x", Retry_After="1"), "overloaded"),
        (fakes.failing("502 x"), "server-error"),
        (fakes.closing_at_once, "unreachable"),
        (fakes.half(EMPTY), "broken"),
        (fakes.silent, "deadline"),
    ],
    ids=["429", "503", "502", "closes", "half", "silent"],
)
def test_what_is_the_servers_fault_makes_it_rest(behaviour: fakes.Behaviour, word: str) -> None:
    client = FhirClient()
    with serving(behaviour) as server:
        fail(client, server, word, seconds=0.2)
        assert outcome(client, server) == "resting"


@pytest.mark.parametrize(
    ("behaviour", "word", "seconds"),
    [
        (fakes.failing("401 x"), "refused", 2.0),
        (fakes.failing("403 x"), "refused", 2.0),
        (fakes.failing("404 x"), "not-found", 2.0),
        (fakes.failing("400 x"), "rejected", 2.0),
        (fakes.answering(fakes.whole(EMPTY, Content_Length="9999999")), "too-large", 2.0),
        (fakes.silent, "deadline", 0.1),
        (fakes.silent, "deadline", -1.0),
    ],
    ids=["401", "403", "404", "400", "too large", "hardly any time", "no time"],
)
def test_what_is_not_the_servers_fault_does_not(behaviour: fakes.Behaviour, word: str, seconds: float) -> None:
    client = FhirClient()
    with serving(behaviour) as server:
        fail(client, server, word, FAILURES_IN_A_ROW * 2, seconds)


def test_one_answer_among_many_failures_is_an_answer() -> None:
    def mostly(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        (GOOD if "Condition" in asked.target else BAD)(server, connection, asked)

    client = FhirClient()
    with serving(mostly) as server:
        for _ in range(FAILURES_IN_A_ROW * 2):
            found = fetch(server.base, 2, client=client, one="Condition?x", other="Observation?x", third="Patient/p")
            assert [one.fault for one in found.values()] == [None, "server-error", "server-error"]


def test_a_first_page_is_an_answer_though_the_second_fails() -> None:
    def first_only(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        (BAD if "page" in asked.target else fakes.leading_to("?page=2"))(server, connection, asked)

    client = FhirClient()
    with serving(first_only) as server:
        fail(client, server, "server-error", FAILURES_IN_A_ROW * 2)


def test_callers_with_a_guard_of_their_own_share_what_is_known_of_a_server() -> None:
    client = FhirClient()
    with serving(BAD) as server:
        fail(client, server, "server-error")
        own = Guard((AllowedServer.of(f"http://127.0.0.1:{server.port}/fhir", private=True),))
        assert outcome(client, server, guard=own) == "resting"
        assert outcome(client, server, guard=Guard()) == "not-allowed"  # and tells nothing to others


def test_the_new_words_are_counted_for_every_query() -> None:
    counted: Counter[str] = Counter()
    client = FhirClient(lambda word: counted.update([word]))
    with serving(fakes.failing("429 x")) as server:
        for _ in range(FAILURES_IN_A_ROW + 2):
            fetch(server.base, client=client, one="Condition", other="Observation")
    assert counted == {"overloaded": 2 * FAILURES_IN_A_ROW, "resting": 4}


def test_a_key_that_is_not_asked_for_because_its_server_rests_is_lacking_like_any_other() -> None:
    client = FhirClient()
    with serving(BAD) as server:
        fail(client, server, "server-error")
        asked = HookRequest(
            hook="patient-view", hook_instance="1", patient_id="p", prefetch={}, fhir_server=server.base
        )
        found = gather(asked, TEMPLATES, client, HERE, deadline=monotonic() + 2, labs=LABS)
    assert found == asked
