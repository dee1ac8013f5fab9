"""A small document is fetched from its exact URL, whole, in time and within bounds, or not at all and for one word."""

import json
import logging
import socket
from pathlib import Path
from time import monotonic

import pytest

from cds_service.outbound import connection
from cds_service.outbound.connection import trusting
from cds_service.outbound.document import fetch_document, send_form
from cds_service.outbound.faults import Failed
from cds_service.outbound.url_guard import AllowedServer, Guard
from tests import fhir_servers as fakes
from tests.fhir_fetching import no_thread_is_left
from tests.fhir_servers import serving

__all__ = ["no_thread_is_left"]  # after every test

CONTEXT = trusting()
HERE = Guard(loopback_only=True)
KEYS = json.dumps({"keys": []}).encode()
MOST = 1 << 18


def fetch(url: str, guard: Guard = HERE, seconds: float = 2.0, most: int = MOST) -> bytes:
    began = monotonic()
    try:
        return fetch_document(url, guard, began + seconds, most, CONTEXT)
    finally:
        assert monotonic() - began < seconds + 1.1  # a shared machine; the usual overrun is a few milliseconds


def fault(url: str, guard: Guard = HERE, seconds: float = 2.0, most: int = MOST) -> str:
    with pytest.raises(Failed) as failed:
        fetch(url, guard, seconds, most)
    assert failed.value.__cause__ is None
    return failed.value.fault


def test_the_document_comes_as_it_was_sent_and_the_request_tells_nothing_else() -> None:
    with serving(fakes.answering(fakes.whole(KEYS))) as server:
        assert fetch(f"{server.base}/keys.json?tenant=a") == KEYS
    (asked,) = server.asked
    assert asked.target == "/fhir/keys.json?tenant=a"
    assert asked.headers.pop("user-agent").startswith("immune-status-cds/")
    assert asked.headers == {
        "host": f"127.0.0.1:{server.port}",
        "accept": "application/json",
        "accept-encoding": "identity",
    }


@pytest.mark.parametrize(
    ("behaviour", "word"),
    [
        (fakes.silent, "deadline"),
        (fakes.dripping_headers, "deadline"),
        (fakes.continuing, "deadline"),
        (fakes.dripping(fakes.whole(KEYS)), "deadline"),
        (fakes.closing_at_once, "unreachable"),
        (fakes.resetting, "unreachable"),
        (fakes.half(KEYS), "broken"),
        (fakes.failing("401 x"), "refused"),
        (fakes.failing("404 x"), "not-found"),
        (fakes.failing("500 x"), "server-error"),
        (fakes.answering(fakes.head("204 No Content")), "rejected"),
        (fakes.answering(fakes.whole(KEYS, Content_Encoding="gzip")), "unreadable"),
    ],
)
def test_a_server_that_misbehaves_is_told_by_one_word_in_time(behaviour: fakes.Behaviour, word: str) -> None:
    with serving(behaviour) as server:
        assert fault(server.base, seconds=0.4) == word


@pytest.mark.parametrize("stated", [True, False])
def test_what_is_too_large_does_not_come_in(stated: bool) -> None:
    with serving(fakes.flooding(stated)) as server:
        assert fault(server.base, seconds=5) == "too-large"


def test_the_largest_document_there_may_be_comes_and_one_byte_more_does_not() -> None:
    with serving(fakes.answering(fakes.whole(KEYS))) as server:
        assert fetch(server.base, most=len(KEYS)) == KEYS
        assert fault(server.base, most=len(KEYS) - 1) == "too-large"
    with serving(fakes.closing_at(KEYS)) as server:
        assert fault(server.base, most=len(KEYS) - 1) == "too-large"


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
def test_no_redirect_is_followed(status: str) -> None:
    with serving(fakes.answering(fakes.whole(KEYS))) as stranger:
        with serving(fakes.redirecting(f"{stranger.base}/keys.json", status)) as server:
            assert fault(server.base) == "redirect"
            assert len(server.asked) == 1
        assert not stranger.connections


@pytest.mark.parametrize(
    "url",
    ["http://ehr.test/keys", "https://ehr.test.evil.test/keys", "https://ehr.test/keys/..", "https://ehr.test/k", ""],
)
def test_what_the_guard_does_not_admit_is_not_looked_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.socket, "getaddrinfo", lambda *_, **__: pytest.fail("looked up"))
    assert fault(url, Guard((AllowedServer.of("https://ehr.test/keys"),))) == "not-allowed"


@pytest.mark.parametrize("ips", [["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["169.254.169.254"]])
def test_a_name_that_leads_inside_is_not_connected_to(ips: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ips]
    monkeypatch.setattr(connection.socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(connection.TimedSocket, "connect", lambda *_: pytest.fail("connected"))
    assert fault("https://ehr.test/keys", Guard((AllowedServer.of("https://ehr.test/keys"),))) == "not-allowed"


def test_the_environment_and_cookies_have_no_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password something\n")
    netrc.chmod(0o600)
    with serving(fakes.answering(fakes.whole(KEYS))) as proxy, serving(fakes.setting_cookies) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NETRC", str(netrc))
        fetch(server.base)
        fetch(server.base)
        assert not proxy.connections
    assert not any({"cookie", "authorization"} & one.headers.keys() for one in server.asked)


def test_nothing_of_the_url_is_logged_or_told(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(fakes.closing_at_once) as server, pytest.raises(Failed) as failed:
        fetch(f"{server.base}/ZZCANARY")
    assert "ZZCANARY" not in repr(failed.value) + "".join(capfd.readouterr()) + caplog.text


# --- forms -----------------------------------------------------------------------------------------------------------


def send(url: str, guard: Guard = HERE) -> bytes:
    return send_form(url, guard, monotonic() + 2.0, MOST, CONTEXT, form={"code": "a b&c"}, more={"X-More": "y"})


def test_a_form_is_sent_as_forms_are() -> None:
    with serving(fakes.answering(fakes.whole(KEYS))) as server:
        assert send(server.base) == KEYS
    (asked,) = server.asked
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (asked.headers["content-length"], asked.headers["x-more"]) == (str(len("code=a+b%26c")), "y")


def test_what_was_sent_of_a_form_may_have_been_acted_on_and_is_not_sent_again() -> None:
    with serving(fakes.closing_at_once) as server:
        with pytest.raises(Failed):
            send(server.base)
        assert server.connections == 1
        assert fault(server.base)
        assert server.connections == 3  # a question may be asked twice


def test_a_form_goes_nowhere_that_the_guard_does_not_admit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.socket, "getaddrinfo", lambda *_, **__: pytest.fail("looked up"))
    with pytest.raises(Failed, match="not-allowed"):
        send("https://evil.test/token", Guard((AllowedServer.of("https://ehr.test/token"),)))
