"""Trusted callers over HTTP: who is let in, in which order a call is judged, and what holds for one client alone."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.web import cds_hooks
from cds_service.web.admission import Admission
from cds_service.web.wiring import KEY, Wiring
from hooks.assess import assess as real_assess
from tests.clients import BASE, SIGN, CdsClient, key_set
from tests.fixture_files import EVALUATION, Clock, app_of, legal

JSON = {"Content-Type": "application/json"}
BODY = json.dumps(legal("cd4-120-starting-art"))
OVERRIDDEN = {"feedback": [{"card": "c1", "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:00:00Z"}]}
PUBLIC = {"/", "/cds-services", "/healthz", "/readyz", "/metrics", "/static/<path:filename>"} | {
    "/openapi.json",  # how to call, for tools: it holds nothing of a patient
    "/why/launch",  # whoever comes is sent to the EHR, which knows him
    "/why/callback",  # what is shown there the EHR grants, for a launch of that very browser
}
PASSWORD = "a password of the team, Ω"  # noqa: S105  (of this test)
CLOCK = Clock()
NOW = CLOCK().timestamp()
ONE, TWO = CdsClient(), CdsClient(iss="https://other.example.org", name="other")


class Site:
    """The service with its trust file and its database in a folder."""

    def __init__(self, folder: Path, more: str = "", **settings: Any) -> None:
        (folder / "one.json").write_bytes(key_set(ONE.jwk()))
        (folder / "two.json").write_bytes(key_set(TWO.jwk()))
        (folder / "issuers.toml").write_text(
            f'[[issuer]]\niss = "{ONE.iss}"\njwks = "one.json"\n{more}\n'
            f'[[issuer]]\niss = "{TWO.iss}"\njwks = "two.json"\n',
            "utf-8",
        )
        (folder / "password").write_text(f"{PASSWORD}\n", "utf-8")
        self.database = folder / "ledger.sqlite3"
        self.app: Flask = app_of(
            CLOCK,
            **{
                "open_access": False,
                "public_url": BASE,
                "issuers": str(folder / "issuers.toml"),
                "database_url": f"sqlite:///{self.database}",
                "report_password_file": str(folder / "password"),
                "workbench": "on",
            }
            | settings,
        )
        self.client: FlaskClient = self.app.test_client()
        self.parts: Wiring = self.app.extensions[KEY]
        self.services = tuple(self.parts.services.values())

    def post(self, client: CdsClient = ONE, path: str = SIGN, body: Any = BODY, **claims: Any) -> Any:
        headers = JSON | client.authorization(path, NOW, **claims)
        return self.client.post(path, data=body if isinstance(body, str) else json.dumps(body), headers=headers)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


# --- every route -----------------------------------------------------------------------------------------------------


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Rule, method and a path of every route."""
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<service_id>", "immune-status-order-sign").replace("<path:filename>", "style.css")
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            yield rule.rule, method, path


def test_every_route_but_the_public_ones_asks_who_calls(site: Site) -> None:
    seen = set()
    for rule, method, path in routes(site.app):
        with closing(site.client.open(path, method=method, data=BODY, headers=JSON)) as answer:
            seen.add(rule)
            assert (answer.status_code == 401) is (rule not in PUBLIC), f"{method} {rule} answers {answer.status_code}"
    closed = {"/cds-services/<service_id>", "/cds-services/<service_id>/feedback", "/report", "/workbench"}
    assert closed == seen - PUBLIC


def test_a_route_that_is_public_says_nothing_of_anybody(site: Site) -> None:
    assert site.post().status_code == 200
    patient = legal("cd4-120-starting-art")["context"]["patientId"]
    for rule, method, path in routes(site.app):
        if rule in PUBLIC:
            with closing(site.client.open(path, method=method)) as answer:
                assert patient not in answer.text


def test_discovery_does_not_look_at_a_token(site: Site) -> None:
    token = ONE.authorization("/cds-services", NOW)
    for headers in ({}, {"Authorization": "Bearer nonsense"}, token, token):
        assert site.client.get("/cds-services", headers=headers).status_code == 200


# --- the order of judgement ------------------------------------------------------------------------------------------


def test_every_failure_to_authenticate_gets_one_and_the_same_answer(site: Site) -> None:
    good = site.post()
    assert good.status_code == 200
    stranger = CdsClient(iss="https://stranger.example.org")
    refused = [
        site.client.post(SIGN, data=BODY, headers=JSON),
        site.client.post(SIGN, data=BODY, headers=JSON | {"Authorization": "Bearer x.y.z"}),
        site.client.post(SIGN, data="{", headers={"Content-Type": "text/plain"}),  # before type, size and envelope
        site.client.post(SIGN, data="x" * (5 << 20), headers=JSON),
        site.post(stranger),
        site.post(exp=int(NOW) - 100, iat=int(NOW) - 300),
        site.post(aud="x"),
        site.post(path=SIGN, jti=""),
    ]
    assert {one.status_code for one in refused} == {401}
    assert len({one.data for one in refused}) == 1
    assert {one.headers["WWW-Authenticate"] for one in refused} == {"Bearer"}


def test_route_and_method_are_judged_before_the_caller(site: Site) -> None:
    assert site.client.post("/cds-services/none", data=BODY, headers=JSON).status_code == 404
    assert site.client.get(SIGN).status_code == 405


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"data": BODY, "content_type": "text/plain"}, 415),
        ({"data": "x" * (5 << 20), "content_type": "application/json"}, 413),
        ({"data": "{", "content_type": "application/json"}, 400),
        (
            {
                "data": json.dumps(legal("cd4-120-starting-art") | {"hook": "patient-view"}),
                "content_type": "application/json",
            },
            422,
        ),
        (
            {"data": json.dumps(legal("cd4-120-starting-art") | {"prefetch": {}}), "content_type": "application/json"},
            412,
        ),
    ],
)
def test_whoever_is_known_is_told_what_is_wrong_and_needs_a_new_token_for_the_next_try(
    site: Site, change: dict[str, Any], status: int
) -> None:
    token = ONE.authorization(SIGN, NOW)
    assert site.client.post(SIGN, headers=token, **change).status_code == status
    assert site.client.post(SIGN, data=BODY, headers=JSON | token).status_code == 401
    assert site.post().status_code == 200


# --- once ------------------------------------------------------------------------------------------------------------


def test_a_token_opens_one_door_once(site: Site) -> None:
    token = JSON | ONE.authorization(SIGN, NOW)
    assert [site.client.post(SIGN, data=BODY, headers=token).status_code for _ in range(3)] == [200, 401, 401]
    assert site.post(path=f"{SIGN}/feedback", body=OVERRIDDEN, jti="one").status_code == 200
    assert site.post(jti="one").status_code == 401


def test_a_token_that_was_used_stays_used_after_a_new_start(tmp_path: Path) -> None:
    token = JSON | ONE.authorization(SIGN, NOW)
    statuses = [Site(tmp_path).client.post(SIGN, data=BODY, headers=token).status_code for _ in range(2)]
    assert statuses == [200, 401]


def test_of_sixty_four_uses_at_once_one_is_accepted(tmp_path: Path) -> None:
    site = Site(tmp_path, deadline_ms=30_000)  # whoever waits for the database too long gets 503: that is another test
    token = JSON | ONE.authorization(SIGN, NOW)
    site.app.extensions[KEY].admission._at_work = site.app.extensions[KEY].admission._of_one_issuer = 64
    gate = threading.Barrier(32)

    def use(number: int) -> int:
        if number < 32:
            gate.wait(10)
        return site.app.test_client().post(SIGN, data=BODY, headers=token).status_code

    with ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(use, range(64)))
    assert sorted(statuses) == [200] + [401] * 63


def test_nothing_of_a_token_is_kept_but_its_id(site: Site) -> None:
    token = ONE.token(SIGN, NOW, jti="the-id", sub="ZZCANARYTOKEN")
    assert site.client.post(SIGN, data=BODY, headers=JSON | {"Authorization": f"Bearer {token}"}).status_code == 200
    kept = b"".join(path.read_bytes() for path in site.database.parent.glob("ledger*"))
    assert b"the-id" in kept
    assert not [part for part in token.split(".") if part.encode() in kept]
    assert b"ZZCANARYTOKEN" not in kept


def test_where_nobody_knows_whether_a_token_was_used_it_is_not_accepted(site: Site) -> None:
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answer = site.post()
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        other.execute("ROLLBACK")
    assert site.post().status_code == 200
    for path in site.database.parent.glob("ledger*"):
        path.unlink()
    assert site.post().status_code == 503


def test_old_tokens_are_forgotten_an_hour_after_their_end(site: Site) -> None:
    noon = CLOCK.now
    assert site.post().status_code == 200  # it ends at 12:05
    try:
        for minutes, rows in ((50, 2), (70, 2)):
            CLOCK.now = noon + timedelta(minutes=minutes)
            later = JSON | ONE.authorization(SIGN, CLOCK.now.timestamp())
            assert site.client.post(SIGN, data=BODY, headers=later).status_code == 200
            with closing(sqlite3.connect(site.database)) as database:
                assert database.execute("SELECT count(*) FROM seen_tokens").fetchone() == (rows,)
    finally:
        CLOCK.now = noon


# --- what holds for one client alone ---------------------------------------------------------------------------------


def evaluation(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer.get_json()["extension"][EVALUATION]
    return found


def test_a_client_may_have_a_profile_of_its_own(tmp_path: Path) -> None:
    site = Site(tmp_path, 'profile = "who"')
    assert evaluation(site.post())["profile"] == "who"
    assert evaluation(site.post(TWO))["profile"] == "dhhs"


def test_no_card_speaks_of_what_a_site_has_said_it_cannot_send(tmp_path: Path) -> None:
    site = Site(tmp_path, 'not_supplied = ["allergies", "medications"]')
    request = legal("cd4-120-starting-art")
    for lacking, told in ((["allergies"], False), (["allergies", "medications"], False), (["allergies", "labs"], True)):
        prefetch = {key: value for key, value in request["prefetch"].items() if key not in lacking}
        asked = request | {"prefetch": prefetch}
        foreseen, unforeseen = site.post(body=asked), site.post(TWO, body=asked)
        summaries = [card["summary"] for card in foreseen.get_json()["cards"]]
        assert any(one.startswith("Not assessed") for one in summaries) is told
        assert not any("llerg" in one for one in summaries if one.startswith("Not assessed"))
        assert any(card["summary"].startswith("Not assessed") for card in unforeseen.get_json()["cards"])
        assert evaluation(foreseen)["complete"] is False
        assert evaluation(foreseen)["findings"][0] == evaluation(unforeseen)["findings"][0]


def test_what_came_although_it_was_not_foreseen_is_used_and_its_faults_are_told(tmp_path: Path) -> None:
    site = Site(tmp_path, 'not_supplied = ["medications"]')
    assert site.post().get_json() == site.post(TWO).get_json()
    request = legal("cd4-120-starting-art")
    cut = {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": "https://x.test/?p=2"}]}
    cut["entry"] = [{"resource": {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
                                  "subject": {"reference": f"Patient/{request['context']['patientId']}"}}}]  # fmt: skip
    answer = site.post(body=request | {"prefetch": request["prefetch"] | {"medications": cut}})
    assert any(card["summary"].startswith("Not assessed") for card in answer.get_json()["cards"])


def test_pages_of_a_clients_own_origins_may_call_and_no_others(tmp_path: Path) -> None:
    site = Site(tmp_path, 'origins = ["https://ehr.example.org"]')
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    for origin, allowed in (
        ("https://ehr.example.org", True),
        ("https://ehr.example.org:8443", False),
        ("http://ehr.example.org", False),
        ("https://evil.example.org", False),
        ("http://localhost:3000", False),
        ("null", False),
        ("*", False),
    ):
        answer = site.client.options(SIGN, headers={"Origin": origin} | asked)
        assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
        refused = site.client.post(SIGN, data=BODY, headers=JSON | {"Origin": origin})
        assert refused.status_code == 401
        assert refused.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_feedback_belongs_to_whoever_sent_it(site: Site) -> None:
    for client in (ONE, TWO):
        assert site.post(client, f"{SIGN}/feedback", OVERRIDDEN).status_code == 200
    with closing(sqlite3.connect(site.database)) as database:
        rows = database.execute("SELECT issuer FROM feedback ORDER BY id").fetchall()
    assert rows == [(ONE.iss,), (TWO.iss,)]


def test_the_reason_of_a_refusal_is_counted_for_the_operator(site: Site) -> None:
    site.post(aud="x")
    site.post(CdsClient(iss="https://stranger.example.org"))
    site.client.post(SIGN, data=BODY, headers=JSON)
    text = site.client.get("/metrics").text
    assert 'cds_refused_tokens_total{issuer="https://ehr.example.org",reason="audience"} 1.0' in text
    assert 'cds_refused_tokens_total{issuer="unknown",reason="issuer"} 1.0' in text
    assert 'cds_refused_tokens_total{issuer="unknown",reason="no-token"} 1.0' in text
    assert "stranger" not in text


# --- room ------------------------------------------------------------------------------------------------------------


class Held:
    """Answers that are being worked on until they are let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go, self.inside = threading.Event(), threading.Semaphore(0)
        monkeypatch.setattr(cds_hooks, "assess", self._assess)

    def _assess(self, *args: Any) -> Any:
        self.inside.release()
        self.go.wait(10)
        return real_assess(*args)

    def crowd(self, pool: ThreadPoolExecutor, post: Callable[[], Any], number: int) -> list[Any]:
        started = [pool.submit(post) for _ in range(number)]
        for _ in range(number):
            assert self.inside.acquire(timeout=10)
        return started


def test_a_client_with_too_many_calls_at_once_is_told_so_and_its_token_stays_good(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(site.app.extensions[KEY], "admission", Admission(of_one_issuer=2))
    held = Held(monkeypatch)
    with ThreadPoolExecutor(4) as pool:
        crowd = held.crowd(pool, lambda: site.post().status_code, 2)
        token = JSON | ONE.authorization(SIGN, NOW)
        answer = site.client.post(SIGN, data=BODY, headers=token)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
        assert f'cds_refusals_total{{code="over-quota",issuer="{ONE.iss}"}} 1.0' in site.client.get("/metrics").text
        other = pool.submit(lambda: site.post(TWO).status_code)
        assert held.inside.acquire(timeout=10)  # another client is let in
        held.go.set()
        assert [one.result(10) for one in (*crowd, other)] == [200] * 3
    assert site.client.post(SIGN, data=BODY, headers=token).status_code == 200


def test_when_all_places_are_taken_the_next_is_told_at_once_and_health_answers(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(site.app.extensions[KEY], "admission", Admission(at_work=2, waiting=0))
    held = Held(monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        crowd = held.crowd(pool, lambda: site.post().status_code, 2)
        for headers in (JSON, JSON | ONE.authorization(SIGN, NOW)):  # whoever it is: a signature costs more than this
            answer = site.client.post(SIGN, data=BODY, headers=headers)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert [site.client.get(path).status_code for path in ("/healthz", "/readyz", "/cds-services")] == [200] * 3
        held.go.set()
        assert [one.result(10) for one in crowd] == [200, 200]
    assert site.post().status_code == 200


def test_a_call_waits_a_moment_for_a_place(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    object.__setattr__(site.app.extensions[KEY], "admission", Admission(at_work=1, waiting=1, patience=10))
    held = Held(monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        crowd = held.crowd(pool, lambda: site.post().status_code, 1)
        waiting = pool.submit(lambda: site.post().status_code)
        held.go.set()
        assert [one.result(10) for one in (*crowd, waiting)] == [200, 200]


def test_whatever_becomes_of_a_call_its_places_are_given_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission(at_work=1, waiting=0, of_one_issuer=1)
    object.__setattr__(site.app.extensions[KEY], "admission", admission)
    site.post(aud="x")
    site.post(body="{")
    site.post(body={"prefetch": {}})
    site.client.get(SIGN)
    site.client.post("/cds-services/none", data=BODY, headers=JSON)
    site.client.options(SIGN, headers={"Origin": "https://x.test", "Access-Control-Request-Method": "POST"})
    with monkeypatch.context() as broken:
        broken.setattr(cds_hooks, "assess", lambda *_: 1 / 0)
        assert site.post().status_code == 500
    assert (admission._working, admission._queued, sum(admission._issuers.values())) == (0, 0, 0)
    assert site.post().status_code == 200
