"""deploy/nginx.conf where a replica fails, what it writes down, and what it has to agree on with the service."""

import json
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cds_service.server import _PINNED
from cds_service.settings import Settings
from tests.load.calling import PATH, Caller, call, feedback
from tests.load.proxy import SITE, lacking, proxy
from tests.raw_https import CLIENT, GET, Scene, behind_nginx, mute, post, said
from tests.test_web import free_port

pytestmark = [pytest.mark.slow, pytest.mark.skipif(lacking() is not None, reason=str(lacking()))]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with behind_nginx(tmp_path_factory.mktemp("nginx")) as found:
        yield found


def test_a_call_that_one_replica_did_not_answer_is_answered_by_the_next(scene: Scene, tmp_path: Path) -> None:
    with (
        mute(lambda line: line.recv(65536)) as port,
        proxy(tmp_path / "proxy", [port, free_port(), scene.replicas[0].port]) as before,
    ):
        caller = Caller(CLIENT, before)
        got = [caller.ask(call()).status for _ in range(8)]
        caller.close()
        assert set(got) <= {200, 502}  # two tries a call; both may have met a bad one while these were not yet known
        assert got.count(200) >= 5


def test_what_was_begun_at_one_replica_is_not_done_again_at_the_next(scene: Scene, tmp_path: Path) -> None:
    """A replica that has written the feedback and dies before it can say so."""
    real = scene.replicas[0].port

    def forward(line: socket.socket) -> None:
        line.settimeout(1)
        sent = b""
        while b"}]}" not in sent:
            sent += line.recv(65536)
        with socket.create_connection(("127.0.0.1", real), timeout=10) as onward:
            onward.sendall(sent)
            assert onward.recv(65536).startswith(b"HTTP/1.1 200")

    with mute(forward) as port, proxy(tmp_path / "proxy", [port, real]) as before:
        asked = [feedback() for _ in range(4)]
        caller = Caller(CLIENT, before)
        got = [caller.ask(one).status for one in asked]
        caller.close()
    assert sorted(set(got)) == [200, 401]
    with closing(sqlite3.connect(scene.folder / "ledger.sqlite3")) as ledger:
        for one in asked:
            assert ledger.execute("SELECT count(*) FROM feedback WHERE card = ?", [one.card]).fetchone() == (1,)


# --- what it writes down, and what it has to agree on with the service ------------------------------------------------


def test_the_log_holds_paths_of_ours_and_nothing_else_of_a_request(scene: Scene) -> None:
    said(scene.proxy, GET.format("/cds-services?patient=canary-query"))
    said(scene.proxy, GET.format("/Patient/canary-path"))
    said(
        scene.proxy,
        post("/canary-post", b"canary-body", "Content-Length: 11", "X-C: canary-header", bearer="canary-token"),
    )
    said(scene.proxy, post(PATH, b"canary", "Content-Length: 9999999", bearer="canary-large"))
    logged = scene.proxy.logged()
    assert "GET /cds-services 200" in logged
    assert f"POST {PATH} " in logged
    assert "GET other 404" in logged
    assert "canary" not in logged


def test_nothing_of_a_body_is_left_on_the_disk(scene: Scene) -> None:
    body = call().body + b" " * (1 << 20)
    sent = post(PATH, body, f"Content-Length: {len(body)}", bearer=CLIENT.token(PATH))
    assert said(scene.proxy, sent)[0] == 200
    assert not [path for path in (scene.proxy.folder / "body").rglob("*") if path.is_file()]
    logged = (scene.proxy.folder / "error.log").read_text() + (scene.proxy.folder / "main-error.log").read_text()
    assert "temporary file" not in logged


def test_its_limits_are_those_of_the_service() -> None:
    text = SITE.read_text("utf-8")
    assert re.search(r"client_max_body_size (\d+)m;", text)[1] == str(Settings().max_body_bytes >> 20)  # type: ignore[index]
    assert re.search(r"client_body_buffer_size (\d+)m;", text)[1] == str(Settings().max_body_bytes >> 20)  # type: ignore[index]
    assert "large_client_header_buffers 4 8k;" in text
    assert 8190 <= _PINNED["limit_request_field_size"] <= 8192
    seconds = re.search(r"proxy_read_timeout (\d+)s;", text)
    assert seconds
    assert int(seconds[1]) > 8 + 1  # the longest deadline, a busy machine
    away = re.search(r"fail_timeout=(\d+)s;", text)
    assert away
    assert int(away[1]) < Settings().drain_seconds


def test_its_own_words_are_json_whatever_the_status() -> None:
    found = re.search(r"return 200 '(.*)';", SITE.read_text("utf-8"))
    assert found
    assert json.loads(found[1])["resourceType"] == "OperationOutcome"
