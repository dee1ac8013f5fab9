"""The door to `/report` as a site's team and as strangers meet it: who is let in, how fast one may guess, what is recorded."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from cds_service.settings import Settings
from cds_service.web import report as page_of_report
from cds_service.web.door import TRIES, Door
from tests.fixture_files import Clock, app_of
from tests.test_access import NOW, ONE, PASSWORD, Site

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


# --- who sees it -----------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, audit=str(tmp_path / "audit"))


def ask(site: Site, said: str | None, **more: Any) -> TestResponse:
    return site.client.get("/report", auth=None if said is None else ("anybody", said), **more)


def test_whoever_knows_the_password_is_let_in_from_anywhere_under_any_name(site: Site) -> None:
    assert ask(site, PASSWORD, environ_overrides=ELSEWHERE).status_code == 200
    assert site.client.get("/report", auth=("", PASSWORD)).status_code == 200


def test_a_wrong_password_is_answered_like_none(site: Site) -> None:
    answers = [ask(site, said) for said in (None, "wrong", "")]
    answers.append(site.client.get("/report", headers=ONE.authorization("/report", NOW)))
    answers += [
        site.client.get("/report", headers={"Authorization": value}) for value in ("Basic", "Basic %%%", "Basic Og==")
    ]
    assert [one.status_code for one in answers[:6]] == [401] * 6
    for answer in answers[:6]:
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="report", charset="UTF-8"'
        assert answer.data == answers[0].data
        assert answer.content_type == "application/fhir+json"


def test_where_no_password_is_set_there_is_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path, report_password_file=None)
    nothing = site.client.get("/nothing")
    for answer in (ask(site, PASSWORD), ask(site, None), site.client.post("/report"), site.client.options("/report")):
        assert (answer.status_code, answer.data) == (404, nothing.data)
        assert {name for name, _ in answer.headers} == {name for name, _ in nothing.headers}


def test_the_demo_answers_its_own_machine_and_nobody_else() -> None:
    client = app_of(Clock()).test_client()
    assert client.get("/report").status_code == 200
    assert client.get("/report", environ_overrides=ELSEWHERE).status_code == 404


def test_no_page_of_another_origin_may_read_it_with_the_browsers_own_password(site: Site) -> None:
    answer = ask(site, PASSWORD, headers={"Origin": "https://evil.example.org"})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Allow-Credentials" not in answer.headers


class Seconds:
    """A clock that stands where it is put."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_passwords_are_guessed_three_a_second_at_most(tmp_path: Path) -> None:
    site, clock = Site(tmp_path), Seconds()
    settings: Settings = site.parts.settings
    object.__setattr__(site.parts, "door", Door(settings, clock))
    statuses = [ask(site, f"guess {number}").status_code for number in range(TRIES + 3)]
    assert statuses == [401] * TRIES + [429] * 3
    refused = ask(site, PASSWORD)  # the right one too, or it could be told from the wrong ones
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert ask(site, None).status_code == 401  # a browser that asks what is needed guesses nothing
    clock.now += 1
    assert [ask(site, f"guess {number}").status_code for number in range(TRIES + 1)] == [401] * TRIES + [429]
    clock.now += 1000
    assert [ask(site, f"guess {number}").status_code for number in range(TRIES + 1)] == [401] * TRIES + [429]
    clock.now += 0.4
    assert ask(site, PASSWORD).status_code == 200


def test_the_right_password_may_come_as_often_as_it_likes(site: Site) -> None:
    assert {ask(site, PASSWORD).status_code for _ in range(3 * TRIES)} == {200}


def test_guesses_at_once_are_counted_like_guesses_one_by_one(tmp_path: Path) -> None:
    site, found = Site(tmp_path), []
    object.__setattr__(site.parts, "door", Door(site.parts.settings, Seconds()))

    def guess() -> None:
        with closing(site.app.test_client().get("/report", auth=("", "guess"))) as answer:
            found.append(answer.status_code)

    guessing = [threading.Thread(target=guess) for _ in range(12)]
    for one in guessing:
        one.start()
    for one in guessing:
        one.join(20)
    assert sorted(found) == [401] * TRIES + [429] * (12 - TRIES)


# --- what is recorded, and what it costs the others ------------------------------------------------------------------


def test_the_audit_says_that_it_was_read_and_not_the_password(site: Site, tmp_path: Path) -> None:
    answer = ask(site, PASSWORD, query_string={"rule": "art-start"})
    ask(site, "ZZCANARY")
    site.parts.audit.flush(60)
    written = (tmp_path / "audit").read_text("utf-8")
    (line,) = [json.loads(line) for line in written.splitlines()]
    assert (line["event"], line["outcome"], line["status"]) == ("report", "html", 200)
    assert line["correlation"] == answer.headers["X-Correlation-Id"]
    assert "ZZCANARY" not in written
    assert PASSWORD not in written
    assert 'code="password-needed"' in site.client.get("/metrics").text


@contextmanager
def being_made(monkeypatch: pytest.MonkeyPatch, site: Site) -> Iterator[None]:
    """Somebody else's report is under way."""
    go, inside = threading.Event(), threading.Event()
    real = page_of_report.make

    def slow(*given: Any) -> Any:
        inside.set()
        go.wait(20)
        return real(*given)

    monkeypatch.setattr(page_of_report, "make", slow)
    other = threading.Thread(target=lambda: ask(site, PASSWORD))
    other.start()
    assert inside.wait(20)
    try:
        yield
    finally:
        go.set()
        other.join(20)


def test_one_report_is_made_at_a_time_and_calls_are_answered_meanwhile(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with being_made(monkeypatch, site):
        assert site.post().status_code == 200
        answer = ask(site, PASSWORD)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert ask(site, PASSWORD).status_code == 200


def test_a_report_that_cannot_be_read_in_time_says_what_to_do(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_of_report, "SECONDS", -1.0)
    monkeypatch.setattr("cds_service.report.make._LOOKED_EVERY", 1)
    answer = ask(site, PASSWORD)
    assert answer.status_code == 503
    assert "fewer days" in answer.text
    monkeypatch.undo()
    assert ask(site, PASSWORD).status_code == 200  # the connection is as it was
    assert site.post().status_code == 200
