"""deploy/nginx.conf in Debian's real nginx before two real replicas: what it passes, what it refuses, what it tries again."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load.calling import PATH, Caller, call, feedback
from tests.load.proxy import lacking, proxy
from tests.raw_https import CLIENT, GET, Scene, behind_nginx, check_outcome, post, said
from tests.test_web import free_port

pytestmark = [pytest.mark.slow, pytest.mark.skipif(lacking() is not None, reason=str(lacking()))]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with behind_nginx(tmp_path_factory.mktemp("nginx")) as found:
        yield found


# --- what is passed --------------------------------------------------------------------------------------------------


def test_what_is_public_is_passed_with_the_headers_of_the_service(scene: Scene) -> None:
    for path in ("/", "/openapi.json", "/cds-services", "/static/style.css"):
        status, headers, content = said(scene.proxy, GET.format(path))
        assert status == 200, path
        assert content
        assert headers["cache-control"] == "no-store"
        assert headers["x-knowledge-version"]
        assert headers["server"] == "nginx"
    assert "default-src 'none'" in said(scene.proxy, GET.format("/"))[1]["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "//metrics",
        "/./metrics",
        "/%6detrics",
        "/cds-services/../metrics",
        "/cds-services/%2e%2e/metrics",
        "/cds-services/..%2fmetrics",
        "/metrics?x=/cds-services",
        "/metrics/",
        "/healthz",
        "/readyz",
        "/fhir/Patient",
        "/cds-outcome",
        "/cds-services/%0d%0aX:y",
        "/static/../../etc/passwd",
        "http://cds.example.org/metrics",
        "/cds-services/x/feedback/../../../metrics",
    ],
)
def test_nothing_else_is_reached(scene: Scene, path: str) -> None:
    status, headers, content = said(scene.proxy, GET.format(path))
    assert status in (400, 404)
    assert b"cds_answers_total" not in content
    check_outcome(headers, content)


@pytest.mark.parametrize("path", ["/why/launch?iss=x&launch=y", "/why/callback?state=x&code=y"])
def test_the_why_page_is_passed_where_there_is_one(scene: Scene, path: str) -> None:
    """Here there is none, as the service itself says."""
    status, headers, content = said(scene.proxy, GET.format(path))
    assert (status, bool(headers["x-knowledge-version"])) == (404, True)
    check_outcome(headers, content)


def test_a_call_and_its_feedback_are_answered(scene: Scene) -> None:
    caller = Caller(CLIENT, scene.proxy)
    assert caller.ask(call()).status == 200
    assert caller.ask(feedback()).status == 200
    caller.close()


def test_http_2_is_spoken_with_those_who_can(scene: Scene) -> None:
    trust = ssl.create_default_context(cafile=scene.proxy.folder / "certificate.pem")
    trust.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", scene.proxy.port), timeout=10) as plain,
        trust.wrap_socket(plain, server_hostname="cds.example.org") as line,
    ):
        assert line.selected_alpn_protocol() == "h2"


def test_a_token_counts_once_at_all_replicas(scene: Scene) -> None:
    token = CLIENT.token(PATH)
    sent = post(PATH, call().body, f"Content-Length: {len(call().body)}", bearer=token)
    assert [said(scene.proxy, sent)[0] for _ in range(3)] == [200, 401, 401]


def test_a_refusal_of_the_service_comes_as_it_is(scene: Scene) -> None:
    status, headers, content = said(scene.proxy, post(PATH, b"{}", "Content-Length: 2"))
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert check_outcome(headers, content).issue[0].code == "login"
    status, headers, content = said(scene.proxy, GET.format(PATH))
    assert (status, headers["allow"]) == (405, "OPTIONS, POST")


def test_a_chunked_body_reaches_the_service_whole(scene: Scene) -> None:
    body = call().body
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:9], body[9:9000], body[9000:]))
    sent = post(PATH, pieces + b"0\r\n\r\n", "Transfer-Encoding: chunked", bearer=CLIENT.token(PATH))
    assert said(scene.proxy, sent)[0] == 200


# --- what nginx refuses itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"no http at all\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 414),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Secret: " + b"a" * 9000 + b"\r\nConnection: close\r\n\r\n", 431),
        (post(PATH, b"", "Content-Length: 4194305"), 413),
        (post(PATH, b"400001\r\n" + b" " * 0x400001 + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), 413),
        (post(PATH, b"zz\r\n", "Transfer-Encoding: chunked"), 400),
        (post(PATH, b"", "Transfer-Encoding: xchunked"), 501),
        (post(PATH, b"{}", "Content-Length: 2", "Transfer-Encoding: chunked"), 400),
        (b"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
    ],
)
def test_what_it_refuses_itself_has_the_form_of_all_refusals(scene: Scene, sent: bytes, status: int) -> None:
    found, headers, content = said(scene.proxy, sent)
    assert found == status
    check_outcome(headers, content)
    assert b"nginx/" not in content
    assert "/" not in headers["server"]


def test_a_plain_request_to_the_tls_port_is_refused_without_html(scene: Scene) -> None:
    with socket.create_connection(("127.0.0.1", scene.proxy.port), timeout=10) as line:
        line.sendall(GET.format("/").encode())
        answer = line.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"OperationOutcome" in answer
    assert b"<html" not in answer


def test_where_no_replica_listens_it_says_so(tmp_path: Path) -> None:
    with proxy(tmp_path / "proxy", [free_port(), free_port()]) as before:
        status, headers, content = said(before, post(PATH, b"{}", "Content-Length: 2"))
    assert status == 502
    assert headers["retry-after"] == "1"
    assert check_outcome(headers, content).issue[0].code == "transient"
