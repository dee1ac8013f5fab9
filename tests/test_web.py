"""The service over HTTP: a real server on a free loopback port for all that a server adds, the test client for the rest."""

import http.client
import json
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from ipaddress import ip_network
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from cds_service.web import cds_hooks
from tests.fixture_files import Clock, app_of, ask, legal, numbered
from tests.journal_lines import journal

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 64 * 1024
PATH = "/cds-services/immune-status-order-sign"
BODY = json.dumps(legal("cd4-120-starting-art")).encode()
CLIENT = app_of(Clock()).test_client()
NOW = "2026-11-20T10:00:00Z"
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}
SERVE = """
import sys
from cds_service.app import create_app
from cds_service.server import Server
from cds_service.settings import Settings
from cds_service.server.slow_clients import Worker
Worker.patience = float(sys.argv[4])
settings = Settings(open_access=True, explain="full", max_body_bytes=int(sys.argv[2]), database_url=sys.argv[3])
Server(lambda: create_app(settings), sys.argv[1], workers=1).run()
"""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, patience: float = 10) -> Iterator[int]:
    """The production server in a process of its own; gives its port, and ends it by its pid."""
    port, database = free_port(), f"sqlite:///{folder / 'ledger.sqlite3'}"
    command = [sys.executable, "-c", SERVE, f"127.0.0.1:{port}", str(LIMIT), database, str(patience)]
    with subprocess.Popen(command, cwd=ROOT) as server:
        try:
            wait_for(port, server)
            yield port
        finally:
            server.terminate()
            server.wait(20)


def wait_for(port: int, server: subprocess.Popen[bytes], status: int = 200) -> None:
    """Until /readyz answers so."""
    ends = monotonic() + 60  # a machine that does much else starts slowly
    while server.poll() is None and monotonic() < ends:
        try:
            if send(port, "GET", "/readyz").status == status:
                return
        except OSError:
            sleep(0.02)
    pytest.fail("the server did not become ready")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("server")) as found:
        yield found


def send(port: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, path, body, headers or {}, encode_chunked=False)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def talk(port: int, sent: bytes, finish: bool = True) -> bytes:
    """Everything the server says to raw bytes before it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        if finish:
            connection.shutdown(socket.SHUT_WR)
        said = b""
        while piece := connection.recv(65536):
            said += piece
        return said


def head(*lines: str, path: str = PATH) -> bytes:
    fixed = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json")
    return "\r\n".join((*fixed, *lines, "", "")).encode()


def chunked(body: bytes, size: int = 1000) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def status_of(said: bytes) -> int:
    return int(said.split(b" ", 2)[1])


JSON = {"Content-Type": "application/json"}


# --- bodies on a real server -----------------------------------------------------------------------------------------


def test_a_whole_body_is_answered_with_cards(port: int) -> None:
    answer = send(port, "POST", PATH, BODY, JSON)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.body)["cards"]


@pytest.mark.parametrize("size", [1, 1000, 60_000])
def test_a_chunked_body_is_read_whole(port: int, size: int) -> None:
    body = (
        BODY
        if size > 1
        else b'{"feedback": [{"card": "1", "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:00Z"}]}'
    )
    path = PATH if size > 1 else f"{PATH}/feedback"
    said = talk(port, head("Transfer-Encoding: chunked", "Connection: close", path=path) + chunked(body, size))
    assert status_of(said) == 200
    content = json.loads(said.partition(b"\r\n\r\n")[2])
    assert content == {} if size == 1 else content["cards"]


def test_what_follows_in_a_chunked_body_is_never_ignored(port: int) -> None:
    """A valid request first, and then, past it, more: two documents are no request, wherever the chunks end."""
    said = talk(port, head("Transfer-Encoding: chunked", "Connection: close") + chunked(BODY + BODY[:1], len(BODY)))
    assert status_of(said) == 400


@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_a_body_over_the_limit_is_refused_and_none_of_it_taken_for_another_request(port: int, framing: str) -> None:
    inside = b"\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 4
    body = BODY + inside + b" " * (LIMIT - len(BODY)) + inside
    if framing == "chunked":
        said = talk(port, head("Transfer-Encoding: chunked") + chunked(body, 4096))
    else:
        said = talk(port, head(f"Content-Length: {len(body)}") + body)
    assert status_of(said) == 413
    assert said.count(b"HTTP/1.1") == 1
    assert OperationOutcome.model_validate_json(said.partition(b"\r\n\r\n")[2])


def test_a_length_over_the_limit_is_refused_before_the_body_comes(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head(f"Content-Length: {1 << 40}"))
        assert status_of(connection.recv(65536)) == 413


def test_a_body_at_the_limit_is_taken(port: int) -> None:
    body = BODY + b" " * (LIMIT - len(BODY))
    assert send(port, "POST", PATH, body, JSON).status == 200
    assert status_of(talk(port, head("Transfer-Encoding: chunked", "Connection: close") + chunked(body, 4096))) == 200


def test_a_body_shorter_than_its_length_is_refused(port: int) -> None:
    said = talk(port, head(f"Content-Length: {len(BODY) + 10}") + BODY)
    assert status_of(said) == 400
    assert said.count(b"HTTP/1.1") == 1


def test_a_body_longer_than_its_length_is_cut_there_and_refused(port: int) -> None:
    said = talk(port, head(f"Content-Length: {len(BODY) - 1}", "Connection: close") + BODY)
    assert status_of(said) == 400


def test_a_chunked_body_that_breaks_off_is_refused(port: int) -> None:
    broken = chunked(BODY)[:-200]
    assert status_of(talk(port, head("Transfer-Encoding: chunked") + broken)) == 400


def test_a_request_without_a_body_is_refused(port: int) -> None:
    assert status_of(talk(port, head("Connection: close"))) == 400


def test_a_client_that_waits_for_leave_to_send_gets_it(port: int) -> None:
    said = talk(port, head(f"Content-Length: {len(BODY)}", "Expect: 100-continue", "Connection: close") + BODY)
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


def test_a_client_of_http_1_0_is_answered(port: int) -> None:
    said = talk(port, head(f"Content-Length: {len(BODY)}").replace(b"HTTP/1.1", b"HTTP/1.0") + BODY)
    assert said.startswith(b"HTTP/1.0 200 OK")


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 10", "Transfer-Encoding: chunked"),
        ("Content-Length: 10", "Content-Length: 11"),
        ("Content-Length: -1",),
        ("Content-Length: +2",),
        ("Content-Length: 0x2",),
        ("Transfer-Encoding: xchunked",),
    ],
)
def test_framing_that_could_be_read_in_two_ways_is_refused(port: int, lines: tuple[str, ...]) -> None:
    assert status_of(talk(port, head(*lines) + b"0\r\n\r\n")) in (400, 501)


def test_a_connection_serves_one_request_after_another(port: int) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        seen = []
        for path, status in ((PATH, 200), ("/cds-services/none", 404), (PATH, 200)):
            connection.request("POST", path, BODY, JSON)
            answer = connection.getresponse()
            seen.append(answer.read())
            assert answer.status == status
    assert seen[0] == seen[2]


def test_calls_at_the_same_time_do_not_mix(port: int) -> None:
    names = ["cd4-120-starting-art", "already-on-tmp-smx", "medications-not-supplied", "nothing-to-say"] * 6
    bodies = {name: json.dumps(legal(name)).encode() for name in names}
    alone = {name: send(port, "POST", PATH, body, JSON).body for name, body in bodies.items()}
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda name: send(port, "POST", PATH, bodies[name], JSON).body, names))
    assert together == [alone[name] for name in names]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/cds-services", 200),
        ("GET", "/", 200),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/metrics", 200),
        ("GET", "/nowhere", 404),
        ("PUT", PATH, 405),
        ("POST", PATH, 415),
    ],
)
def test_every_response_carries_the_headers_promised(port: int, method: str, path: str, status: int) -> None:
    answer = send(port, method, path)
    assert answer.status == status
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert re.fullmatch(r"\d{4}\.\d+\.\d+", answer.headers["x-knowledge-version"])
    assert not re.search(r"\d", answer.headers.get("server", ""))


def test_a_head_request_is_answered_without_a_body(port: int) -> None:
    answer = send(port, "HEAD", "/cds-services")
    assert (answer.status, answer.body) == (200, b"")
    assert send(port, "HEAD", PATH).status == 405


# --- addresses, methods, media types ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "HEAD"])
def test_another_method_is_refused_with_those_allowed(method: str) -> None:
    for path in (PATH, f"{PATH}/feedback"):
        answer = CLIENT.open(path, method=method)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "OPTIONS, POST"


def test_posting_to_what_is_only_read_is_refused() -> None:
    for path in ("/cds-services", "/healthz", "/readyz", "/metrics", "/"):
        answer = CLIENT.post(path)
        assert answer.status_code == 405
        assert "GET" in answer.headers["Allow"]


def test_a_method_override_is_not_heeded() -> None:
    assert CLIENT.get(PATH, headers={"X-HTTP-Method-Override": "POST"}).status_code == 405


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/cds-services/x", "/cds-services/x/feedback", f"{PATH}/x", "/%00", f"/cds-services/{'a' * 3000}"],
)
def test_an_unknown_address_is_refused(path: str) -> None:
    assert CLIENT.post(path, data=BODY, headers=JSON).status_code == 404


def test_a_slash_at_the_end_redirects_nobody() -> None:
    assert CLIENT.post(f"{PATH}/", data=BODY, headers=JSON).status_code == 200


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 200),
        ("application/fhir+json", 200),
        ("Application/JSON; Charset=UTF-8", 200),
        ('application/json; charset="utf-8"', 200),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=latin-1", 415),
        ("text/plain", 415),
        ("text/json", 415),
        ("application/xml", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
    ],
)
def test_only_json_is_taken(media_type: str, status: int) -> None:
    assert CLIENT.post(PATH, data=BODY, content_type=media_type).status_code == status


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "GZIP"])
def test_a_compressed_body_is_refused_unread(coding: str) -> None:
    answer = CLIENT.post(PATH, data=BODY, headers=JSON | {"Content-Encoding": coding})
    assert answer.status_code == 415


def test_a_body_said_not_to_be_compressed_is_taken() -> None:
    assert CLIENT.post(PATH, data=BODY, headers=JSON | {"Content-Encoding": "identity"}).status_code == 200


# --- browsers --------------------------------------------------------------------------------------------------------

NEAR = ["http://localhost:3000", "https://localhost", "http://127.0.0.1:8081", "http://[::1]:3000"]
FAR = [
    "https://ehr.example.org",
    "null",
    "http://localhost.example.org",
    "http://127.0.0.1.example.org",
    "file://localhost",
    "http://192.168.0.2",
    "http://[",
    "",
]
ROUTES = ["/cds-services", PATH, f"{PATH}/feedback"]


def preflight(path: str, origin: str) -> Any:
    method = "GET" if path == "/cds-services" else "POST"
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}
    return CLIENT.options(path, headers={"Origin": origin, **asked})


@pytest.mark.parametrize("origin", NEAR)
@pytest.mark.parametrize("path", ROUTES)
def test_a_page_of_this_machine_may_call_in_the_demo(path: str, origin: str) -> None:
    answer = preflight(path, origin)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert {"authorization", "content-type"} <= set(answer.headers["Access-Control-Allow-Headers"].lower().split(", "))
    assert {"GET", "POST"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", FAR)
@pytest.mark.parametrize("path", ROUTES)
def test_a_page_from_elsewhere_may_not(path: str, origin: str) -> None:
    answer = preflight(path, origin)
    assert not [name for name in answer.headers if name[0].startswith("Access-Control")]


@pytest.mark.parametrize("origin", [*NEAR, *FAR])
def test_answers_and_refusals_say_alike_who_may_read_them(origin: str) -> None:
    for body, status in ((BODY, 200), (b"{", 400)):
        answer = CLIENT.post(PATH, data=body, headers=JSON | {"Origin": origin})
        assert answer.status_code == status
        assert answer.headers.get("Access-Control-Allow-Origin") == (origin if origin in NEAR else None)
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


def test_without_open_access_no_page_may_call() -> None:
    client = app_of(Clock(), open_access=False).test_client()
    for origin in NEAR:
        assert "Access-Control-Allow-Origin" not in client.get("/cds-services", headers={"Origin": origin}).headers


def test_without_open_access_nobody_gets_cards() -> None:
    client = app_of(Clock(), open_access=False).test_client()
    for path in (PATH, f"{PATH}/feedback"):
        assert client.post(path, data=BODY, headers=JSON).status_code == 401
    assert client.get("/cds-services").status_code == 200


def test_the_open_demo_answers_its_own_machine_only() -> None:
    assert CLIENT.post(PATH, data=BODY, headers=JSON, environ_base=ELSEWHERE).status_code == 401
    forwarded = JSON | {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    assert CLIENT.post(PATH, data=BODY, headers=forwarded, environ_base=ELSEWHERE).status_code == 401


# --- health and metrics ----------------------------------------------------------------------------------------------


def test_metrics_are_for_loopback() -> None:
    assert CLIENT.get("/metrics", environ_base={"REMOTE_ADDR": "::1"}).status_code == 200
    assert CLIENT.get("/metrics", environ_base=ELSEWHERE).status_code == 403
    assert CLIENT.get("/metrics", environ_base=ELSEWHERE, headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
    assert CLIENT.get("/metrics", environ_base={"REMOTE_ADDR": "unix:"}).status_code == 403


def test_metrics_are_for_the_addresses_allowed() -> None:
    client = app_of(Clock(), metrics_allow=(ip_network("192.0.2.0/29"), ip_network("2001:db8::/64"))).test_client()
    statuses = {
        address: client.get("/metrics", environ_base={"REMOTE_ADDR": address}).status_code
        for address in ("192.0.2.7", "2001:db8::9", "192.0.2.8", "2001:db8:1::9")
    }
    assert statuses == {"192.0.2.7": 200, "2001:db8::9": 200, "192.0.2.8": 403, "2001:db8:1::9": 403}


def test_metrics_count_answers_and_findings_without_anything_of_a_patient() -> None:
    client = app_of(Clock()).test_client()
    ask(client, legal("cd4-120-starting-art"))
    ask(client, legal("medications-not-supplied"))
    client.post(PATH, data=b"{", headers=JSON)
    text = client.get("/metrics").text
    assert 'cds_answers_total{service="immune-status-order-sign",status="200"} 2.0' in text
    assert 'cds_answers_total{service="immune-status-order-sign",status="400"} 1.0' in text
    assert 'cds_findings_total{outcome="recommended",rule="pneumocystis-start"} 1.0' in text
    assert "cds_incomplete_answers_total 1.0" in text
    assert not [word for word in ("starting-art", "Lakeshore", "250000", "enc-2026") if word in text]


def test_an_unknown_service_makes_no_metric() -> None:
    client = app_of(Clock()).test_client()
    client.post("/cds-services/invented", data=BODY, headers=JSON)
    assert "invented" not in client.get("/metrics").text


def remove(database: Path) -> None:
    for path in database.parent.iterdir():
        path.unlink()
    database.parent.rmdir()


def overwrite(database: Path) -> None:
    for path in database.parent.iterdir():
        path.write_bytes(b"no database " * 1000)


@pytest.mark.parametrize("destroy", [remove, overwrite])
def test_the_service_is_not_ready_when_its_database_is_gone(tmp_path: Path, destroy: Callable[[Path], None]) -> None:
    database = tmp_path / "ledger" / "ledger.sqlite3"
    database.parent.mkdir()
    client = app_of(Clock(), database_url=f"sqlite:///{database}").test_client()
    assert client.get("/readyz").get_json()["status"] == "ready"
    destroy(database)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/healthz").get_json() == {"status": "alive"}
    assert ask(client, legal("cd4-120-starting-art")).status_code == 200


# --- a bug -----------------------------------------------------------------------------------------------------------


def test_a_bug_is_answered_with_a_correlation_id_and_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("ZZCANARYNAME of the patient")

    before = numbered(CLIENT.post(PATH, data=BODY, headers=JSON).get_json())
    with monkeypatch.context() as patched, journal() as lines:
        patched.setattr(cds_hooks, "read", fail)
        answers = [CLIENT.post(PATH, data=BODY, headers=JSON) for _ in range(2)]
    assert [one.status_code for one in answers] == [500, 500]
    said = [one.get_json(force=True)["issue"][0]["diagnostics"] for one in answers]
    ids = [one.headers["X-Correlation-Id"] for one in answers]
    assert all(number in text for number, text in zip(ids, said, strict=True))
    faults = [one for one in lines.fields if one["event"] == "fault"]
    assert [one["correlation"] for one in faults] == ids
    assert {(one["fault"], one["place"].partition(":")[0]) for one in faults} == {("ValueError", "fail")}
    assert said[0] != said[1]
    seen = lines.text + "".join(one.text + str(one.headers) for one in answers)
    assert not [word for word in ("ZZCANARYNAME", "starting-art", "Lakeshore") if word in seen]
    assert "ValueError" not in "".join(one.text for one in answers)
    assert numbered(CLIENT.post(PATH, data=BODY, headers=JSON).get_json()) == before


def test_feedback_at_the_same_time_is_all_kept(tmp_path: Path) -> None:
    entries = [{"card": f"c{number}", "outcome": "overridden", "outcomeTimestamp": NOW} for number in range(40)]
    bodies = [json.dumps({"feedback": [one]}) for one in entries]
    with serving(tmp_path) as port, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda body: send(port, "POST", f"{PATH}/feedback", body, JSON).status, bodies))
    assert answers == [200] * len(entries)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite3")) as connection:
        found = connection.execute("SELECT card FROM feedback").fetchall()
    assert sorted(found) == sorted((one["card"],) for one in entries)


# --- the server's end ------------------------------------------------------------------------------------------------


def test_the_server_stops_and_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    entry = {"card": "c1", "outcome": "overridden", "outcomeTimestamp": NOW}
    with serving(tmp_path) as port:
        assert send(port, "POST", f"{PATH}/feedback", json.dumps({"feedback": [entry]}), JSON).status == 200
    with pytest.raises(ConnectionRefusedError):
        send(port, "GET", "/healthz")
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite3")) as connection:
        assert connection.execute("SELECT card FROM feedback").fetchall() == [("c1",)]
