"""Names and certificates: the connection goes to the address that was checked, to whom it was meant for, in time."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from threading import BoundedSemaphore
from time import monotonic, sleep
from unittest.mock import Mock

import pytest
import requests

from cds_service.chart.fhir_client import FhirClient
from cds_service.outbound import connection
from cds_service.outbound.exchange import Exchange
from cds_service.outbound.faults import Failed
from cds_service.outbound.url_guard import AllowedServer, Guard
from tests import fhir_servers as fakes
from tests.fhir_fetching import EMPTY, QUERIES, TOKEN, fault_of, fetch, no_thread_is_left, threads_left
from tests.fhir_servers import serving

__all__ = ["no_thread_is_left"]  # after every test

# --- names -----------------------------------------------------------------------------------------------------------

NAMED = Guard((AllowedServer.of("https://fhir.ehr.test/r4"),))


def leading(*ips: str, after: float = 0.0) -> Callable[..., list[tuple[object, ...]]]:
    """A DNS that answers so, after some time."""

    def look_up(_: str, port: int, **__: object) -> list[tuple[object, ...]]:
        sleep(after)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ips]

    return look_up


@pytest.mark.parametrize("ips", [["127.0.0.1"], ["10.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["169.254.169.254"]])
def test_a_name_that_leads_inside_is_not_connected_to(monkeypatch: pytest.MonkeyPatch, ips: list[str]) -> None:
    connected: list[object] = []
    monkeypatch.setattr(connection.socket, "getaddrinfo", leading(*ips))
    monkeypatch.setattr(connection.TimedSocket, "connect", lambda _, address: connected.append(address))
    assert fault_of(fetch("https://fhir.ehr.test/r4", guard=NAMED)) == "not-allowed"
    assert not connected


def test_a_name_is_looked_up_once_for_all_queries_and_the_connections_go_where_it_led(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connected: list[object] = []

    def refuse(_: socket.socket, address: object) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    answers = iter([leading("93.184.215.14"), leading("127.0.0.1")])

    def rebinding(name: str, port: int, **more: object) -> list[tuple[object, ...]]:
        return next(answers)(name, port, **more)

    monkeypatch.setattr(connection.socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(connection.TimedSocket, "connect", refuse)
    assert fault_of(fetch("https://fhir.ehr.test/r4", guard=NAMED)) == "unreachable"
    assert set(connected) == {("93.184.215.14", 443)}
    assert len(connected) == 2 * len(QUERIES)


def test_a_resolver_that_hangs_costs_no_more_than_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.socket, "getaddrinfo", leading("93.184.215.14", after=1.0))
    assert fault_of(fetch("https://fhir.ehr.test/r4", guard=NAMED)) == "unresolved"


def test_names_of_other_servers_that_hang_are_not_held_against_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_LOOKUPS", BoundedSemaphore(1))
    monkeypatch.setattr(connection.socket, "getaddrinfo", leading("93.184.215.14", after=1.0))
    other = Guard((AllowedServer.of("https://other.ehr.test/r4"),))
    assert fault_of(fetch("https://other.ehr.test/r4", 0.2, guard=other)) == "unresolved"
    assert fault_of(fetch("https://fhir.ehr.test/r4", 0.2, guard=NAMED)) == "busy"
    assert not threads_left("dns", 2)  # each gives back what it took


def test_a_name_without_an_address_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(connection.socket, "getaddrinfo", none)
    assert fault_of(fetch("https://fhir.ehr.test/r4", guard=NAMED)) == "unresolved"


def test_an_address_that_does_not_answer_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = connection.TimedSocket.connect

    def first_hangs(self: socket.socket, address: tuple[str, int]) -> None:
        if address[0] == "::1":
            sleep(self.gettimeout() or 0)
            raise TimeoutError
        connect(self, address)

    monkeypatch.setattr(connection.TimedSocket, "connect", first_hangs)
    with serving(fakes.answering(fakes.whole(EMPTY))) as server:
        monkeypatch.setattr(connection, "_LOOPBACK", ("::1", "127.0.0.1"))  # the fake listens on the second
        assert fetch(f"http://localhost:{server.port}/fhir", one="Condition")["one"].complete


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """A server's TLS context for 127.0.0.1, and the file of the authority that vouches for it (itself)."""
    if not shutil.which("openssl"):
        pytest.skip("openssl, which would make the certificate, is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-keyout", key, "-out", certificate, "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


def test_a_certificate_that_nobody_vouches_for_is_refused(certified: tuple[ssl.SSLContext, str]) -> None:
    with serving(fakes.answering(fakes.whole(EMPTY)), certified[0]) as server:
        assert fault_of(fetch(server.base, 2)) == "tls"
        assert not server.asked


def test_over_tls_the_answer_and_the_deadline_are_the_same(certified: tuple[ssl.SSLContext, str]) -> None:
    client = FhirClient(authorities=certified[1])
    with serving(fakes.answering(fakes.whole(EMPTY)), certified[0]) as server:
        assert all(one.complete for one in fetch(server.base, 3, client=client).values())
        assert server.tokens() == [f"Bearer {TOKEN}"] * len(QUERIES)
        assert fault_of(fetch(server.base.replace("127.0.0.1", "localhost"), 2, client=client)) == "tls"
    with serving(fakes.dripping(fakes.whole(EMPTY), every=0.02), certified[0]) as server:
        assert fault_of(fetch(server.base, client=client)) == "deadline"
    with serving(fakes.silent, certified[0]) as server:
        assert fault_of(fetch(server.base, 3, client=client)) == "deadline"  # time for the handshake of each


@pytest.mark.parametrize("kind", [requests.ReadTimeout, requests.ConnectTimeout])
def test_a_time_that_runs_out_a_little_early_is_the_deadline(kind: type[requests.Timeout]) -> None:
    def send(*_: object, **__: object) -> None:
        raise kind

    exchange = Exchange(Mock(send=send), monotonic() + 9, Mock())
    with pytest.raises(Failed, match="deadline"):
        exchange.body(requests.PreparedRequest(), 1)


def test_a_handshake_that_hangs_costs_no_more_than_the_deadline(certified: tuple[ssl.SSLContext, str]) -> None:
    with fakes.mute() as base:
        client = FhirClient(authorities=certified[1])
        assert fault_of(fetch(base.replace("http:", "https:"), client=client)) == "deadline"
