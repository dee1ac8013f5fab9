"""The token goes to the server it was lent for and nowhere else: not by a link, a redirect, a cookie, a proxy or a log."""

import json
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from time import sleep

import pytest

from cds_service.chart.fhir_client import FhirClient
from cds_service.outbound.url_guard import AllowedServer, Guard
from tests import fhir_servers as fakes
from tests.fhir_fetching import EMPTY, PATIENT, TOKEN, fault_of, fetch, no_thread_is_left
from tests.fhir_servers import FakeServer, serving

__all__ = ["no_thread_is_left"]  # after every test

# --- paging ----------------------------------------------------------------------------------------------------------


def test_pages_are_followed_and_come_in_order() -> None:
    def three(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        page = int(asked.target.rpartition("=")[2])
        following = f"{server.base}/Observation?page={page + 1}" if page < 3 else None
        connection.sendall(fakes.whole(fakes.searchset(page, following=following)))

    with serving(three) as server:
        found = fetch(server.base, one="Observation?page=1")["one"]
        assert found.complete
        assert [json.loads(page)["entry"][0]["resource"] for page in found.pages] == [1, 2, 3]
        assert server.tokens() == [f"Bearer {TOKEN}"] * 3
        assert server.connections == 1


@pytest.mark.parametrize(
    ("behaviour", "pages", "fault"),
    [(fakes.paging, 5, "too-many"), (fakes.looping, 2, "loop"), (fakes.crowded, 1, "too-many")],
    ids=["for ever", "in a circle", "600 entries a page"],
)
def test_paging_comes_to_an_end(behaviour: fakes.Behaviour, pages: int, fault: str) -> None:
    with serving(behaviour) as server:
        found = fetch(server.base, 2, one="Observation")["one"]
        assert (len(found.pages), found.complete, found.fault) == (pages, False, fault)
        assert len(server.asked) == pages


def test_a_relative_link_is_followed_from_its_page() -> None:
    def two(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        behave = fakes.answering(fakes.whole(EMPTY)) if "page" in asked.target else fakes.leading_to("?page=2")
        behave(server, connection, asked)

    with serving(two) as server:
        assert fetch(server.base, one="Observation?code=1")["one"].complete
        assert [one.target for one in server.asked] == ["/fhir/Observation?code=1", "/fhir/Observation?page=2"]


def test_a_later_page_that_is_no_bundle_leaves_the_answer_partial() -> None:
    def two(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        behave = fakes.answering(fakes.whole(PATIENT)) if "page" in asked.target else fakes.leading_to("?page=2")
        behave(server, connection, asked)

    with serving(two) as server:
        found = fetch(server.base, one="Observation")["one"]
    assert (len(found.pages), found.complete, found.fault) == (1, False, "unreadable")


STRANGERS: list[Callable[[FakeServer, FakeServer], str]] = [
    lambda _, stranger: f"{stranger.base}/Observation?page=2",
    lambda _, stranger: f"//127.0.0.1:{stranger.port}/fhir/Observation",
    lambda own, stranger: f"http://127.0.0.1:{own.port}@127.0.0.1:{stranger.port}/fhir/Observation",
    lambda own, stranger: f"http://127.0.0.1:{stranger.port}\\@127.0.0.1:{own.port}/fhir/Observation",
    lambda own, stranger: f"http://127.0.0.1:{stranger.port}#@127.0.0.1:{own.port}/fhir/Observation",
    lambda own, _: f"http://localhost:{own.port}/fhir/Observation",
    lambda own, _: f"https://127.0.0.1:{own.port}/fhir/Observation",
    lambda own, _: f"http://127.0.0.1:{own.port}/other/Observation",
    lambda own, _: f"http://127.0.0.1:{own.port}/fhirevil/Observation",
    lambda own, _: f"http://127.0.0.1:{own.port}/fhir/%2e%2e/other",
    lambda *_: "../other",
    lambda *_: "/other/Observation",
    lambda *_: "http://169.254.169.254/latest/meta-data/",
    lambda *_: "javascript:alert(1)",
    lambda *_: "file:///etc/passwd",
    lambda *_: "http://[::",
]


@pytest.mark.parametrize("link", STRANGERS)
def test_a_link_that_leads_elsewhere_is_not_followed(link: Callable[[FakeServer, FakeServer], str]) -> None:
    with serving(fakes.answering(fakes.whole(EMPTY))) as stranger:

        def astray(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
            fakes.leading_to(link(server, stranger))(server, connection, asked)

        with serving(astray) as server:
            found = fetch(server.base, one="Observation")["one"]
            assert (len(found.pages), found.complete, found.fault) == (1, False, "not-allowed")
            assert [one.target for one in server.asked] == ["/fhir/Observation"]
        assert not stranger.connections


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
def test_no_redirect_takes_the_token_along(status: str) -> None:
    with serving(fakes.answering(fakes.whole(EMPTY))) as stranger:
        with serving(fakes.redirecting(f"{stranger.base}/Observation", status)) as server:
            assert fault_of(fetch(server.base)) == "redirect"
        assert not stranger.connections


def test_a_query_that_leads_elsewhere_is_not_sent() -> None:
    with serving(fakes.answering(fakes.whole(EMPTY))) as stranger, serving(fakes.silent) as server:
        found = fetch(server.base, other=f"{stranger.base}/Observation", up="Patient/..", here="//evil.test/")
        assert fault_of(found) == "not-allowed"
        assert not stranger.connections
        assert not server.asked


def test_a_server_that_is_not_allowed_is_not_connected_to() -> None:
    allowed = Guard((AllowedServer.of("https://fhir.ehr.test/r4", private=True),))
    with serving(fakes.answering(fakes.whole(EMPTY))) as server:
        for base in (server.base, server.base.replace("http:", "https:"), f"{server.base}?x="):
            assert fault_of(fetch(base, guard=allowed)) == "not-allowed"
        assert fault_of(fetch(f"{server.base}?x=")) == "not-allowed"
        assert not server.connections


def test_an_interrupted_connection_is_tried_once_more() -> None:
    def second_time(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        behave = fakes.closing_at_once if len(server.asked) == 1 else fakes.answering(fakes.whole(EMPTY))
        behave(server, connection, asked)

    with serving(second_time) as server:
        assert fetch(server.base, 1, one="Condition")["one"].complete

    def late(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        sleep(0.95)
        second_time(server, connection, asked)

    with serving(late) as server:  # but not when an answer would hardly come in time
        assert fetch(server.base, 1, one="Condition")["one"].fault in ("unreachable", "deadline")
        assert len(server.asked) == 1


# --- what the environment and the library would add ------------------------------------------------------------------


def test_cookies_stay_with_the_server_that_set_them() -> None:
    with serving(fakes.setting_cookies) as server:
        client = FhirClient()
        for _ in range(2):
            assert fetch(server.base, client=client, one="Observation")["one"].complete
        assert len(server.asked) == 4
        assert not any("cookie" in one.headers for one in server.asked)


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something\ndefault login a password b\n")
    netrc.chmod(0o600)
    with serving(fakes.answering(fakes.whole(EMPTY))) as proxy, serving(fakes.answering(fakes.whole(EMPTY))) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent"))
        assert fetch(server.base, one="Condition")["one"].complete
        assert server.tokens() == [f"Bearer {TOKEN}"]
        assert not proxy.connections


@pytest.mark.parametrize(
    "behaviour",
    [
        fakes.answering(b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\n{}"),
        fakes.closing_at_once,
        fakes.half(EMPTY),
        fakes.redirecting("http://127.0.0.1/ZZCANARYID"),
        fakes.silent,
    ],
)
def test_nothing_of_a_query_or_a_token_is_logged_or_shown(
    behaviour: fakes.Behaviour, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(behaviour) as server:
        shown = repr(fetch(server.base, 0.2))
    written = "".join(capfd.readouterr())
    assert "ZZCANARY" not in shown + written + caplog.text
