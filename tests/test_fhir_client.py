"""A client's FHIR server that misbehaves costs nothing but its own answer, and that in time."""

import socket
import tracemalloc
from collections import Counter
from time import monotonic, sleep

import pytest

from cds_service.chart.fhir_client import FhirClient
from cds_service.chart.fhir_pages import Fetched
from tests import fhir_servers as fakes
from tests.fhir_fetching import EMPTY, HERE, PATIENT, QUERIES, SECONDS, TOKEN, fault_of, fetch, no_thread_is_left
from tests.fhir_servers import FakeServer, serving

__all__ = ["no_thread_is_left"]  # after every test

MISBEHAVIOUR: dict[str, tuple[fakes.Behaviour, str]] = {
    "never answers": (fakes.silent, "deadline"),
    "drips its status line": (fakes.dripping(b"HTTP/1.1 200 OK\r\n" * 100), "deadline"),
    "drips its headers": (fakes.dripping_headers, "deadline"),
    "says continue for ever": (fakes.continuing, "deadline"),
    "drips its body": (fakes.dripping(fakes.whole(EMPTY), every=0.02), "deadline"),
    "drips without a length": (fakes.dripping(fakes.head() + b" " * 10_000, every=0.02), "deadline"),
    "drips chunks": (fakes.dripping(fakes.head(Transfer_Encoding="chunked") + b"1\r\n \r\n" * 999, 0.02), "deadline"),
    "closes at once": (fakes.closing_at_once, "unreachable"),
    "resets": (fakes.resetting, "unreachable"),
    "half a body": (fakes.half(EMPTY), "broken"),
    "half a body without a length": (fakes.closing_at(EMPTY[: len(EMPTY) // 2]), "unreadable"),
    "no body": (fakes.answering(fakes.whole(b"")), "unreadable"),
    "HTML": (fakes.answering(fakes.whole(b"<html>Log in</html>", Content_Type="text/html")), "unreadable"),
    "a JSON array": (fakes.answering(fakes.whole(b"[]")), "unreadable"),
    "JSON that is no resource": (fakes.answering(fakes.whole(b'{"a":1}')), "unreadable"),
    "not UTF-8": (fakes.answering(fakes.whole(b'{"resourceType":"Patient","x":"\xff"}')), "unreadable"),
    "nested too deep": (fakes.answering(fakes.whole(b'{"resourceType":' * 10_000)), "unreadable"),
    "not HTTP": (fakes.answering(b"220 mail.example.org ESMTP\r\n"), "unreachable"),
    "an endless header": (fakes.answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000), "unreachable"),
    "a length that is none": (fakes.answering(fakes.whole(EMPTY, Content_Length="-1")), "deadline"),
    "compressed": (fakes.gzip_bomb(10), "unreadable"),
    "200 MB": (fakes.flooding(stated=True), "too-large"),
    "200 MB in chunks": (fakes.flooding(stated=False), "too-large"),
    "an error as 200": (
        fakes.answering(fakes.whole(b'{"resourceType":"OperationOutcome","issue":[{"severity":"error"}]}')),
        "error-outcome",
    ),
    "301": (fakes.redirecting("/fhir/elsewhere", "301 Moved Permanently"), "redirect"),
    "302 with a bad address": (fakes.redirecting("http://[::"), "redirect"),
    "307": (fakes.redirecting("//evil.test/", "307 Temporary Redirect"), "redirect"),
    "304": (fakes.answering(fakes.head("304 Not Modified")), "redirect"),
    "204": (fakes.answering(fakes.head("204 No Content")), "rejected"),
    "400": (fakes.failing("400 Bad Request"), "rejected"),
    "401": (fakes.failing("401 Unauthorized", WWW_Authenticate="Bearer"), "refused"),
    "403": (fakes.failing("403 Forbidden"), "refused"),
    "404": (fakes.failing("404 Not Found"), "not-found"),
    "410": (fakes.failing("410 Gone"), "not-found"),
    "429": (fakes.failing("429 Too Many Requests", Retry_After="120"), "overloaded"),
    "500": (fakes.failing("500 Internal Server Error"), "server-error"),
    "502": (fakes.failing("502 Bad Gateway"), "server-error"),
    "503": (fakes.failing("503 Service Unavailable", Retry_After="120"), "overloaded"),
}


@pytest.mark.parametrize(("behaviour", "fault"), MISBEHAVIOUR.values(), ids=MISBEHAVIOUR)
def test_whatever_the_server_does_the_answer_comes_in_time(behaviour: fakes.Behaviour, fault: str) -> None:
    with serving(behaviour) as server:
        found = fetch(server.base, SECONDS if fault == "deadline" else 2.5)
        assert fault_of(found) == fault
        assert not any(one.pages for one in found.values())
        again = 2 if behaviour is fakes.closing_at_once else 1
        asked = again * len(QUERIES)
        assert len(server.asked) <= asked if fault == "deadline" else len(server.asked) == asked


def test_a_server_that_does_not_accept_costs_no_more_than_the_deadline() -> None:
    with fakes.full_backlog() as base:
        assert fault_of(fetch(base)) == "deadline"


def test_nobody_listening_is_noticed_at_once() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        began = monotonic()
        assert fault_of(fetch(f"http://127.0.0.1:{reserved.getsockname()[1]}/fhir", 5)) == "unreachable"
        assert monotonic() - began < 1


def test_a_deadline_that_has_passed_asks_nobody() -> None:
    with serving(fakes.answering(fakes.whole(EMPTY))) as server:
        assert fault_of(fetch(server.base, -1)) == "deadline"
        assert not server.asked


def test_what_has_come_by_the_deadline_is_given_though_the_rest_hangs() -> None:
    def some(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        behave = fakes.silent if "slow" in asked.target else fakes.answering(fakes.whole(EMPTY))
        behave(server, connection, asked)

    with serving(some) as server:
        found = fetch(server.base, quick="Condition?patient=p", slow="Observation?slow")
    assert found == {"quick": Fetched((EMPTY,), True), "slow": Fetched(fault="deadline")}


def test_all_are_asked_at_once() -> None:
    def unhurried(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        sleep(0.2)
        fakes.answering(fakes.whole(EMPTY))(server, connection, asked)

    with serving(unhurried) as server:
        began = monotonic()
        assert all(one.complete for one in fetch(server.base, 2).values())
        assert monotonic() - began < 0.2 * len(QUERIES) / 2


@pytest.mark.parametrize(
    "response",
    [
        fakes.whole(EMPTY),
        fakes.whole(EMPTY, Content_Type="text/plain"),
        fakes.whole(b"\xef\xbb\xbf" + EMPTY),
        fakes.head(Transfer_Encoding="chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(EMPTY), EMPTY),
        fakes.whole(EMPTY, Content_Encoding="identity"),
    ],
    ids=["plain", "another media type", "byte order mark", "chunked", "identity"],
)
def test_oddly_sent_json_is_read(response: bytes) -> None:
    with serving(fakes.answering(response)) as server:
        assert fetch(server.base, one="Condition") == {"one": Fetched((EMPTY,), True)}


def test_a_request_says_what_it_takes_and_whose_it_is() -> None:
    with serving(fakes.answering(fakes.whole(PATIENT))) as server:
        assert fetch(f"{server.base}/", patient="Patient/p")["patient"].complete
    (asked,) = server.asked
    assert asked.target == "/fhir/Patient/p"
    assert asked.headers.pop("host") == f"127.0.0.1:{server.port}"
    assert asked.headers.pop("user-agent").startswith("immune-status-cds/")
    assert asked.headers == {
        "accept": "application/fhir+json, application/json",
        "accept-encoding": "identity",
        "authorization": f"Bearer {TOKEN}",
    }


@pytest.mark.parametrize("token", [None, ""])
def test_without_a_token_none_is_sent(token: str | None) -> None:
    with serving(fakes.answering(fakes.whole(PATIENT))) as server:
        assert (
            FhirClient().fetch(HERE, server.base, token, {"patient": "Patient/p"}, monotonic() + 2)["patient"].complete
        )
    assert not server.tokens()


@pytest.mark.parametrize("token", ["two words", "line\r\nX-Injected: 1", "caf\u00e9", "\x00"])
def test_a_token_that_is_none_is_not_sent(token: str) -> None:
    with serving(fakes.answering(fakes.whole(PATIENT))) as server:
        found = FhirClient().fetch(HERE, server.base, token, {"patient": "Patient/p"}, monotonic() + 2)
    assert found["patient"].fault == "not-allowed"
    assert not server.connections


# --- what it takes, what it counts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stated", [True, False])
def test_200_megabytes_do_not_come_in(stated: bool) -> None:
    with serving(fakes.flooding(stated)) as server:
        tracemalloc.start()
        try:
            assert fault_of(fetch(server.base, 5)) == "too-large"
            most = tracemalloc.get_traced_memory()[1] / fakes.MEGABYTE
        finally:
            tracemalloc.stop()
    print(f"{most:.1f} MB at most, the sender's own included")
    assert most < 60


def test_a_query_of_more_than_four_megabytes_is_too_large() -> None:
    large = fakes.searchset(text="x" * (5 << 20))
    in_chunks = fakes.head(Transfer_Encoding="chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(large), large)
    with serving(fakes.answering(in_chunks)) as server:
        assert fetch(server.base, 5, one="Condition")["one"].fault == "too-large"


def test_all_queries_together_bring_in_no_more_than_three_could() -> None:
    large = fakes.searchset(text="x" * (3 << 20))
    with serving(fakes.answering(fakes.whole(large))) as server:
        found = fetch(server.base, 5)
    assert sum(len(page) for one in found.values() for page in one.pages) <= 12 << 20
    assert "too-large" in {one.fault for one in found.values()}


def test_every_query_is_counted_by_what_became_of_it() -> None:
    counted: Counter[str] = Counter()
    client = FhirClient(lambda outcome: counted.update([outcome]))
    with serving(fakes.failing("500 x")) as server:
        fetch(server.base, client=client)
    with serving(fakes.answering(fakes.whole(EMPTY))) as server:
        fetch(server.base, client=client, one="Condition")
    fetch("http://192.0.2.1/fhir", client=client)
    assert counted == {"server-error": 9, "complete": 1, "not-allowed": 9}
