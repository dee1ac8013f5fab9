"""The why page, launched by an EHR that really issues and checks: what it shows, and everything that comes to no page."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from html import unescape
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from flask.testing import FlaskClient

from cds_service.chart.banner import Banner, banner
from cds_service.chart.prefetch import KEYS
from cds_service.demo.run import demo_app
from cds_service.ledger import LedgerDown
from cds_service.settings import SettingFault, Settings
from cds_service.web import why
from cds_service.why.launch import Pending, returned
from cds_service.why.look import _WHAT
from cds_service.why.refused import SAID, NotShown, Word
from cds_service.wire.links import LABEL
from cds_service.wire.validation import validator
from hooks import SERVICES
from tests import fhir_servers as fakes
from tests.fhir_servers import whole
from tests.fixture_files import ANCHOR, app_of, legal
from tests.journal_lines import journal
from tests.smart_launch import CLIENT, PATIENT, Door, Scene, entry, launching, serving
from tests.test_access import CLOCK, ONE, TWO, Site
from tests.test_guides import DOCS, rows
from tests.test_report_page import Read

SECRET = "s3cret&more"  # noqa: S105  (of this test)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with launching(tmp_path_factory.mktemp("site")) as found:
        yield found


@pytest.fixture
def scene(stage: Scene) -> Scene:
    stage.begin_anew()
    return stage


def said(answer: requests.Response) -> str:
    return " ".join(" ".join(Read(answer.text).words).split())


def check_refused(answer: requests.Response, word: Word) -> None:
    """A page of ours with the sentences of this word, and nothing of a chart."""
    assert answer.status_code == SAID[word].status
    assert SAID[word].happened in said(answer)
    assert SAID[word].do in said(answer)
    assert "Every rule" not in answer.text
    assert PATIENT not in answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"


# --- what it shows ---------------------------------------------------------------------------------------------------


def test_the_chart_is_read_with_the_token_that_the_ehr_gave_and_all_reasons_are_shown(scene: Scene) -> None:
    answer = scene.page()
    assert answer.status_code == 200
    text = said(answer)
    for part in (
        "Achieng Lakeshore, born 1992-03-08",
        "CD4 120/µL on 12 Nov: Pneumocystis prophylaxis is due",
        "The chart was read again for this page at 12:00 UTC on 20 November 2026",
        "cannot be seen from here",
        "Everything that was asked for came and could be read",
        "Would change it",
        "pneumocystis-cd4 200/µL",
        "silent",
    ):
        assert part in text
    pictures = [str(one["aria-label"]) for one in Read(answer.text).of("svg") if one.get("role") == "img"]
    assert [one.partition(",")[0] for one in pictures] == ["CD4 count", "HIV viral load"]
    assert {token for _, token in scene.reads()} == {f"Bearer {next(iter(scene.ehr.tokens))}"}
    assert len(scene.reads()) == 9


def test_rules_that_judge_an_order_are_named_and_not_asked(scene: Scene) -> None:
    text = said(scene.page())
    asked = next(one for one in SERVICES if one.hook == "patient-view")
    of_orders = {rule.title for one in SERVICES for rule in one.rules if rule.of_order}
    assert of_orders
    assert not [one for one in of_orders if one not in text]
    assert not {rule.title for rule in asked.rules} & of_orders


def failing(scene: Scene, kind: str, status: str) -> None:
    """From now on the EHR answers so where it is asked for this kind of resource."""
    inner = scene.server.app

    def app(environ: Any, start: Any) -> Any:
        if environ["PATH_INFO"] != f"/fhir/{kind}":
            return inner(environ, start)  # type: ignore[misc]
        start(status, [])
        return [b""]

    scene.server.app = app


def test_what_did_not_come_is_named_with_its_reason(scene: Scene) -> None:
    failing(scene, "AllergyIntolerance", "403 x")
    text = said(scene.page())
    assert "The allergy list: nothing came; the EHR does not let this page read it." in text
    assert "allergy list was not supplied" in text
    assert "Everything that was asked for came" not in text


def test_a_chart_of_which_too_little_came_is_no_silence(scene: Scene) -> None:
    failing(scene, "Observation", "500 x")
    answer = scene.page()
    assert answer.status_code == 200
    assert "Too little of the chart came" in said(answer)
    assert "does not mean that nothing is due" in said(answer)
    assert "Viral loads: nothing came; the EHR's server answered with a fault." in said(answer)


def test_a_rule_that_the_site_shows_to_nobody_is_not_shown_here(tmp_path: Path) -> None:
    with launching(tmp_path, shadow=frozenset({"pneumocystis-start", "hepatitis-b-flare"})) as scene:
        text = said(scene.page())
    assert "Pneumocystis prophylaxis is due" not in text
    assert "pneumocystis-start" not in text
    assert "Hepatitis B under the regimen" not in text
    assert "cryptococcal antigen is due" in text


def test_what_the_chart_says_is_never_markup(scene: Scene) -> None:
    patient = next(one for one in scene.ehr.charts.by_patient[PATIENT] if one["resourceType"] == "Patient")
    patient["name"] = [{"text": "<img src=x onerror=alert(1)>"}]
    text = scene.page().text
    assert "&lt;img src=x" in text
    assert "<img" not in text


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        ({"name": [{"use": "old", "text": "X"}, {"family": "Doe", "given": ["A", "B\u202e"]}]}, Banner("A B Doe")),
        ({"name": [{"text": "First"}, {"use": "official", "text": "Official"}]}, Banner("Official")),
        ({"name": {"text": "X"}, "birthDate": 7}, Banner()),
        ({"name": None, "birthDate": "1980-01-02"}, Banner("", "1980-01-02")),
        ({"name": []}, Banner()),
        ({"name": [{"use": "old", "text": "X"}]}, Banner()),
        ([], Banner()),
    ],
)
def test_a_banner_holds_what_can_be_read_and_seen(patient: Any, expected: Banner) -> None:
    assert banner(json.dumps(patient).encode()) == expected


def test_a_page_is_stored_nowhere_runs_nothing_and_is_framed_by_nobody(scene: Scene) -> None:
    headers = scene.page().headers
    policy = headers["Content-Security-Policy"]
    own = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
    assert policy == f"{own}; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_confidential_client_proves_itself_by_its_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n", "utf-8")
    with launching(tmp_path, 'smart_secret_file = "secret"', proof=SECRET) as scene:
        assert scene.page().status_code == 200
    with launching(tmp_path, 'smart_secret_file = "secret"', proof="another") as scene:
        check_refused(scene.page(), "not-redeemed")


# --- the way there ---------------------------------------------------------------------------------------------------


def test_the_browser_is_sent_with_all_that_smart_asks_and_nothing_of_a_patient(scene: Scene) -> None:
    answer = scene.launch(scene.session())
    assert answer.status_code == 302
    to = urlsplit(answer.headers["Location"])
    asked = {name: one[0] for name, one in parse_qs(to.query).items()}
    assert f"{to.scheme}://{to.netloc}{to.path}" == f"{scene.ehr.base_url}/ehr/authorize"
    assert (asked["response_type"], asked["client_id"], asked["aud"]) == ("code", CLIENT, scene.ehr.iss)
    assert asked["redirect_uri"] == f"{scene.service.url}/why/callback"
    assert asked["code_challenge_method"] == "S256"
    assert re.fullmatch(r"[\w-]{43}", asked["code_challenge"])
    assert re.fullmatch(r"[\w-]{43}", asked["state"])
    assert asked["scope"].split()[0] == "launch"
    assert "patient/Observation.read" in asked["scope"]
    assert PATIENT not in answer.headers["Location"]


def cookies_of(site: Site, iss: str) -> list[str]:
    answer = FlaskClient(site.app).get("/why/launch", query_string={"iss": iss, "launch": "x"})
    assert answer.status_code == 302
    return answer.headers.getlist("Set-Cookie")


def test_what_the_browser_carries_is_sealed_and_for_this_host_alone(tmp_path: Path) -> None:
    with launching(tmp_path, public_url="https://cds.example.org/hiv") as scene:
        (cookie,) = cookies_of(scene.site, scene.ehr.iss)
    name, _, rest = cookie.partition("=")
    assert re.fullmatch(r"__Host-why-[0-9a-f]{16}", name)
    assert re.fullmatch(r"[\w-]{300,1500}; Expires=[^;]+; Max-Age=600; Secure; HttpOnly; Path=/; SameSite=Lax", rest), (
        rest
    )


def test_within_the_frames_of_an_ehr_the_cookie_and_the_policy_say_so(tmp_path: Path) -> None:
    frames = 'smart_frames = ["https://ehr.example.org"]'
    with launching(tmp_path, frames, public_url="https://cds.example.org/hiv") as scene:
        (cookie,) = cookies_of(scene.site, scene.ehr.iss)
        refused = FlaskClient(scene.site.app).get("/why/launch", query_string={"iss": scene.ehr.iss})
        stranger = FlaskClient(scene.site.app).get(
            "/why/launch", query_string={"iss": "https://x.example.org", "launch": "x"}
        )
    assert cookie.endswith("Secure; HttpOnly; Path=/; SameSite=None; Partitioned")
    assert refused.headers["Content-Security-Policy"].endswith("frame-ancestors https://ehr.example.org")
    assert stranger.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


def test_launches_that_pile_up_in_a_browser_are_dropped(scene: Scene) -> None:
    session = scene.session()
    for _ in range(12):
        scene.launch(session)
        assert len(session.cookies) <= 5
    assert scene.page(session).status_code == 200


def test_two_launches_at_once_in_one_browser_both_come_to_their_page(scene: Scene) -> None:
    session = scene.session()
    first, second = (scene.come_back(session, one) for one in (PATIENT, "cd4-150-suppressed"))
    assert "Lakeshore" in scene.get(session, first).text
    assert "id cd4-150-suppressed" in scene.get(session, second).text
    assert len(session.cookies) == 0


def test_a_server_that_knows_smart_2_alone_is_asked_in_its_words(tmp_path: Path) -> None:
    known = configuration({"capabilities": ["permission-v2"]})
    with odd_ehr(tmp_path, known) as site:
        assert "patient%2FObservation.rs+" in site.begun().headers["Location"]
    with odd_ehr(tmp_path, known, 'smart_scopes = ["launch", "patient/*.rs"]') as site:
        assert "scope=launch+patient%2F%2A.rs&" in site.begun().headers["Location"]


# --- what is refused -------------------------------------------------------------------------------------------------


def changed(url: str, **changes: str | None) -> str:
    parts = urlsplit(url)
    asked = {name: one[0] for name, one in parse_qs(parts.query).items()} | changes
    return parts._replace(query=urlencode({name: one for name, one in asked.items() if one is not None})).geturl()


def redeemed(scene: Scene) -> bool:
    """Whether a code was brought to the EHR."""
    return any(path == "/ehr/token" for path, _ in scene.server.asked)


@pytest.mark.parametrize("iss", ["https://evil.example.org/fhir", "{base}/fhir/more", "{base}", "{base}/FHIR", "", "x"])
def test_a_launch_by_an_ehr_that_the_trust_file_does_not_name_goes_nowhere(scene: Scene, iss: str) -> None:
    answer = scene.launch(scene.session(), iss=iss.format(base=scene.ehr.base_url))
    check_refused(answer, "unknown-ehr" if iss else "no-launch")
    assert "Set-Cookie" not in answer.headers
    assert [path for path, _ in scene.server.asked] == ["/ehr/open"]
    assert "evil" not in answer.text


@pytest.mark.parametrize("launch", ["", "a b", "ü", "x" * 3001])
def test_a_launch_without_a_launch_is_none(scene: Scene, launch: str) -> None:
    answer = FlaskClient(scene.site.app).get("/why/launch", query_string={"iss": scene.ehr.iss, "launch": launch})
    assert answer.status_code == 400
    assert scene.server.asked == []


def test_a_parameter_that_stands_there_twice_is_none(scene: Scene) -> None:
    session = scene.session()
    back = scene.come_back(session)
    check_refused(scene.get(session, f"{back}&state=x"), "no-launch")
    check_refused(scene.get(session, f"{back}&code=x"), "no-launch")


def test_another_state_is_refused_and_its_code_goes_nowhere(scene: Scene) -> None:
    session = scene.session()
    back = scene.come_back(session)
    state = parse_qs(urlsplit(back).query)["state"][0]
    for wrong in (state[:-1], "x" * 43, scene.come_back(scene.session()).rpartition("state=")[2]):
        check_refused(scene.get(session, changed(back, state=wrong)), "another-browser")
    check_refused(scene.get(session, changed(back, state=None)), "no-launch")
    assert not redeemed(scene)


def test_an_answer_in_another_browser_is_refused(scene: Scene) -> None:
    """A link that somebody sends to have one look at a chart of his choosing."""
    check_refused(scene.get(scene.session(), scene.come_back(scene.session())), "another-browser")
    assert not redeemed(scene)


def test_a_cookie_that_was_made_or_changed_elsewhere_is_refused(scene: Scene) -> None:
    session = scene.session()
    back = scene.come_back(session)
    ((name, sealed),) = session.cookies.items()
    other_letter = "B" if sealed.startswith("A") else "A"
    for wrong in ("x", "", sealed[:-4] + "AAAA", other_letter + sealed[1:], '{"state": "x"}', "é" * 50):
        other = scene.session()
        header = f"{name}={wrong}".encode()
        answer = other.get(back, headers={"Cookie": header}, allow_redirects=False, timeout=20)
        check_refused(answer, "another-browser")
    assert not redeemed(scene)


def test_a_cookie_of_one_launch_does_not_open_the_answer_of_another(scene: Scene) -> None:
    first, second = scene.session(), scene.session()
    back = scene.come_back(first)
    scene.come_back(second)
    ((name, _),) = first.cookies.items()
    ((_, sealed),) = second.cookies.items()
    answer = scene.session().get(back, headers={"Cookie": f"{name}={sealed}"}, allow_redirects=False, timeout=20)
    check_refused(answer, "another-browser")
    assert not redeemed(scene)


def test_an_answer_counts_once_for_all_processes(scene: Scene) -> None:
    session = scene.session()
    back = scene.come_back(session)
    kept = dict(session.cookies)
    assert scene.get(session, back).status_code == 200
    check_refused(scene.get(session, back), "another-browser")  # the browser carries nothing any longer
    session.cookies.update(kept)
    check_refused(scene.get(session, back), "used-before")
    fresh = parse_qs(urlsplit(scene.come_back(scene.session())).query)["code"][0]
    check_refused(scene.get(session, changed(back, code=fresh)), "used-before")
    second = app_of(
        CLOCK,
        open_access=False,
        public_url=scene.service.url,
        issuers=str(scene.folder / "issuers.toml"),
        database_url=f"sqlite:///{scene.site.database}",
    )
    header = "; ".join(f"{name}={one}" for name, one in kept.items())
    answer = FlaskClient(second, use_cookies=False).get(
        f"/why/callback?{urlsplit(back).query}", headers={"Cookie": header}
    )
    assert (answer.status_code, SAID["used-before"].happened in answer.text) == (400, True)


def test_another_process_takes_an_answer_that_the_first_has_not_seen(scene: Scene) -> None:
    session = scene.session()
    back = scene.come_back(session)
    second = app_of(
        CLOCK,
        open_access=False,
        public_url=scene.service.url,
        issuers=str(scene.folder / "issuers.toml"),
        database_url=f"sqlite:///{scene.site.database}",
    )
    header = "; ".join(f"{name}={one}" for name, one in session.cookies.items())
    assert (
        FlaskClient(second, use_cookies=False)
        .get(f"/why/callback?{urlsplit(back).query}", headers={"Cookie": header})
        .status_code
        == 200
    )


def test_the_ehr_takes_a_code_once_and_only_with_its_verifier(scene: Scene) -> None:
    """Of the launcher: that it checks what it is to check."""
    session = scene.session()
    code = parse_qs(urlsplit(scene.come_back(session)).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": "x" * 43, "client_id": CLIENT}
    form |= {"redirect_uri": scene.ehr.app.redirect_uri}
    answers = [session.post(f"{scene.ehr.base_url}/ehr/token", form, timeout=20) for _ in range(2)]
    assert [(one.status_code, one.json()) for one in answers] == [(400, {"error": "invalid_grant"})] * 2
    back = scene.come_back(session)
    assert scene.get(session, back).status_code == 200
    form |= {"code": parse_qs(urlsplit(back).query)["code"][0]}
    assert session.post(f"{scene.ehr.base_url}/ehr/token", form, timeout=20).json() == {"error": "invalid_grant"}


def test_a_code_of_another_launch_does_not_fit_the_verifier(scene: Scene) -> None:
    """A code that somebody else's launch brought, put into ours."""
    session = scene.session()
    back = scene.come_back(session)
    theirs = parse_qs(urlsplit(scene.come_back(scene.session(), "cd4-150-suppressed")).query)["code"][0]
    check_refused(scene.get(session, changed(back, code=theirs)), "not-redeemed")
    assert scene.reads() == []


def test_a_code_that_the_ehr_has_forgotten_is_told(scene: Scene) -> None:
    session = scene.session()
    back = scene.come_back(session)
    scene.ehr.codes.clear()
    check_refused(scene.get(session, back), "not-redeemed")


def test_a_launch_that_took_too_long_is_over(scene: Scene) -> None:
    session = scene.session()
    back, before = scene.come_back(session), CLOCK.now
    try:
        CLOCK.now = before + timedelta(seconds=600)
        check_refused(scene.get(session, back), "too-late")
    finally:
        CLOCK.now = before
    assert not redeemed(scene)


def test_a_token_whose_time_is_over_shows_nothing(scene: Scene) -> None:
    scene.ehr.token_seconds = -1
    check_refused(scene.page(), "access-over")
    assert scene.reads()


def test_what_the_user_or_the_ehr_did_not_allow_is_told(scene: Scene) -> None:
    for error, word in (("access_denied", "not-allowed"), ("server_error", "not-redeemed")):
        session = scene.session()
        back = changed(scene.come_back(session), code=None, error=error, error_description="<b>")
        check_refused(scene.get(session, back), word)  # type: ignore[arg-type]
    session = scene.session()
    to = scene.launch(session).headers["Location"]
    scene.ehr.launches.clear()
    check_refused(scene.get(session, scene.get(session, to).headers["Location"]), "not-redeemed")
    assert not redeemed(scene)


def test_a_code_of_another_server_is_not_carried_to_this_one(scene: Scene) -> None:
    session = scene.session()
    back = scene.come_back(session)
    check_refused(scene.get(session, f"{back}&iss=https%3A%2F%2Fother.example.org"), "ehr-unfit")
    assert not redeemed(scene)
    assert scene.get(session, f"{back}&iss={scene.ehr.iss}").status_code == 200


def test_there_is_room_for_few_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    launches = scene.site.parts.launches
    assert launches
    monkeypatch.setattr(launches.admission, "_patience", 0.01)
    for _ in range(4):
        launches.admission.enter()
    answer = scene.launch(scene.session())
    check_refused(answer, "full")
    assert answer.headers["Retry-After"] == "5"
    for _ in range(4):
        launches.admission.leave()
    with launches.admission.of(ONE.iss), launches.admission.of(ONE.iss), launches.admission.of(ONE.iss):
        check_refused(scene.launch(scene.session()), "full")
    assert scene.page().status_code == 200


def test_where_nobody_can_tell_whether_it_was_used_nothing_is_shown(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = scene.session()
    back = scene.come_back(session)

    def away(*_: object, **__: object) -> bool:
        raise LedgerDown("OperationalError")

    monkeypatch.setattr(scene.site.parts.ledger.seen_tokens, "use", away)
    check_refused(scene.get(session, back), "full")
    assert not redeemed(scene)


# --- EHRs that do not answer as they should --------------------------------------------------------------------------


class Odd:
    """A service whose one EHR says what it is told to."""

    def __init__(self, site: Site, base: str) -> None:
        self.site, self.base = site, base

    def begun(self) -> Any:
        return FlaskClient(self.site.app).get("/why/launch", query_string={"iss": self.base, "launch": "x"})


Told = Mapping[str, bytes]


def configuration(changes: Mapping[str, Any]) -> Told:
    known = {
        "authorization_endpoint": "{base}/authorize",
        "token_endpoint": "{base}/token",
        "code_challenge_methods_supported": ["S256"],
    }
    return {
        "smart-configuration": json.dumps({k: v for k, v in (known | {**changes}).items() if v is not None}).encode()
    }


def odd_ehr(folder: Path, told: Told | fakes.Behaviour, lines: str = "") -> Any:
    def answer(server: Any, connection: Any, asked: Any) -> None:
        name = asked.target.rpartition("/")[2]
        body = told[name].replace(b"{base}", server.base.encode()) if name in told else b"{}"  # type: ignore[index]
        connection.sendall(whole(body, Content_Type="application/json"))

    @contextmanager
    def running() -> Iterator[Odd]:
        with fakes.serving(told if callable(told) else answer) as server:
            origin = server.base.removesuffix("/fhir")
            site = Site(folder, entry(origin, lines), public_url="http://127.0.0.1:1")
            yield Odd(site, server.base)

    return running()


@pytest.mark.parametrize(
    "told",
    [
        configuration({"authorization_endpoint": "https://evil.example.org/authorize"}),
        configuration({"token_endpoint": "https://evil.example.org/token"}),
        configuration({"token_endpoint": "http://169.254.169.254/token"}),
        configuration({"authorization_endpoint": "javascript:alert(1)"}),
        configuration({"authorization_endpoint": None}),
        configuration({"token_endpoint": 7}),
        configuration({"code_challenge_methods_supported": ["plain"]}),
        configuration({"token_endpoint": "{base}/" + "x" * 1100}),
        configuration({"issuer": "x" * 300}),
        {"smart-configuration": b"<html>"},
        {"smart-configuration": b'{"token_endpoint": "a", "token_endpoint": "b"}'},
        {"smart-configuration": b"[]"},
    ],
    ids=lambda one: one["smart-configuration"][:60].decode(),
)
def test_what_an_ehr_says_of_itself_is_believed_as_far_as_the_trust_file_goes(tmp_path: Path, told: Told) -> None:
    with odd_ehr(tmp_path, told) as site:
        answer = site.begun()
    assert answer.status_code == 502
    assert SAID["ehr-unfit"].happened in unescape(answer.text)
    assert "Set-Cookie" not in answer.headers
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "behaviour",
    [
        fakes.silent,
        fakes.dripping(whole(b"{}" * 100)),
        fakes.flooding(stated=False, megabytes=2),
        fakes.flooding(stated=True, megabytes=2),
        fakes.gzip_bomb(20),
        fakes.half(b"{}" * 100),
        fakes.closing_at_once,
        fakes.resetting,
        fakes.redirecting("https://evil.example.org/"),
        fakes.failing("404 Not Found"),
        fakes.failing("503 Away"),
    ],
)
def test_an_ehr_that_is_away_slow_or_odd_is_told_in_time(
    tmp_path: Path, behaviour: fakes.Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(why, "DISCOVER_SECONDS", 0.5)
    with odd_ehr(tmp_path, behaviour) as site:
        answer = site.begun()
        assert answer.status_code == 502
        assert SAID["ehr-away"].happened in unescape(answer.text)


def test_an_ehr_that_nobody_can_reach_is_asked_again_only_after_a_while(tmp_path: Path) -> None:
    with fakes.serving(fakes.failing("503 Away")) as server:
        site = Site(tmp_path, entry(server.base.removesuffix("/fhir")), public_url="http://127.0.0.1:1")
        odd = Odd(site, server.base)
        assert [odd.begun().status_code for _ in range(5)] == [502] * 5
        assert len(server.asked) == 1


def test_what_an_ehr_says_of_itself_is_asked_once_for_many_launches(scene: Scene) -> None:
    for _ in range(3):
        scene.page()
    assert [path for path, _ in scene.server.asked].count("/fhir/.well-known/smart-configuration") == 1


GOOD = {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "patient": PATIENT, "scope": "launch"}


def granted(scene: Scene, content: bytes | dict[str, Any], status: str = "200 OK") -> requests.Response:
    """The page, where the EHR's token endpoint answers like this."""
    inner, body = scene.server.app, content if isinstance(content, bytes) else json.dumps(content).encode()

    def app(environ: Any, start: Any) -> Any:
        if environ["PATH_INFO"] != "/ehr/token":
            return inner(environ, start)  # type: ignore[misc]
        start(status, [("Content-Type", "application/json")])
        return [body]

    scene.server.app = app
    return scene.page()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"patient": None}, "no-patient"),
        ({"patient": ""}, "no-patient"),
        ({"patient": "../x"}, "no-patient"),
        ({"patient": 7}, "ehr-unfit"),
        ({"token_type": "mac"}, "ehr-unfit"),
        ({"access_token": ""}, "ehr-unfit"),
        ({"access_token": "a\nb"}, "ehr-unfit"),
        ({"access_token": None}, "ehr-unfit"),
        ({"expires_in": 0}, "access-over"),
        ({"expires_in": "soon"}, "ehr-unfit"),
        ({}, "access-over"),  # a token that its own charts do not know
    ],
)
def test_a_grant_is_checked_before_a_chart_is_read(scene: Scene, changes: dict[str, Any], word: Word) -> None:
    check_refused(granted(scene, GOOD | changes), word)
    assert bool(scene.reads()) is (changes == {})


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b"<html>", "200 OK", "ehr-unfit"),
        (b'{"access_token": "a", "access_token": "b"}', "200 OK", "ehr-unfit"),
        (b" " * (65 << 10), "200 OK", "ehr-away"),
        (b'{"error": "invalid_grant"}', "400 x", "not-redeemed"),
        (b'{"error": "invalid_client"}', "401 x", "not-redeemed"),
        (b"", "302 x", "ehr-away"),
        (b"", "500 x", "ehr-away"),
    ],
)
def test_an_answer_that_grants_nothing_is_told(scene: Scene, body: bytes, status: str, word: Word) -> None:
    check_refused(granted(scene, body, status), word)
    assert scene.reads() == []


def test_a_lifetime_that_is_written_as_text_is_read(scene: Scene) -> None:
    scene.page()
    scene.ehr.tokens["t"] = scene.ehr.tokens[next(iter(scene.ehr.tokens))]
    assert granted(scene, GOOD | {"expires_in": "300"}).status_code == 200
    check_refused(granted(scene, GOOD | {"expires_in": "0"}), "access-over")


def test_a_token_that_does_not_come_in_time_is_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why, "REDEEM_SECONDS", 0.2)
    inner, told = scene.server.app, Event()

    def app(environ: Any, start: Any) -> Any:
        if environ["PATH_INFO"] == "/ehr/token":
            told.wait(20)
        return inner(environ, start)  # type: ignore[misc]

    scene.server.app = app
    check_refused(scene.page(), "ehr-away")
    told.set()
    assert scene.reads() == []


def test_an_ehr_that_always_says_who_answers_is_not_believed_when_it_does_not() -> None:
    pending = Pending(state="s", verifier="v", iss="i", token="t", server="me", names_itself=True, expires=9)  # noqa: S106
    assert returned("s", "me", pending, 8) == pending
    for server in (None, "", "you"):
        with pytest.raises(NotShown, match="ehr-unfit"):
            returned("s", server, pending, 8)
    with pytest.raises(NotShown, match="too-late"):
        returned("s", "me", pending, 9)


def test_an_ehr_that_shows_whose_chart_it_is_is_left_to_it(scene: Scene) -> None:
    answer = scene.page()
    scene.ehr.tokens["t"] = scene.ehr.tokens[next(iter(scene.ehr.tokens))]
    plain = granted(scene, GOOD | {"need_patient_banner": False, "appContext": "immune-status-order-sign 0.1.0"})
    assert "Lakeshore" in answer.text
    assert "Lakeshore" not in plain.text
    assert "what the card said of the order is not repeated" in said(plain)
    assert "what the card said of the order is not repeated" not in said(answer)


def test_data_of_another_patient_are_not_shown(scene: Scene) -> None:
    stranger = scene.ehr.charts.by_patient["cd4-150-suppressed"]
    inner = scene.server.app

    def app(environ: Any, start: Any) -> Any:
        if environ["PATH_INFO"] != "/fhir/Condition":
            return inner(environ, start)  # type: ignore[misc]
        start("200 OK", [("Content-Type", "application/fhir+json")])
        held = [{"resource": one} for one in stranger if one["resourceType"] == "Condition"]
        return [json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": held}).encode()]

    scene.server.app = app
    check_refused(scene.page(), "contradiction")


# --- the demo --------------------------------------------------------------------------------------------------------


def test_the_demo_launches_its_own_page_and_its_cards_link_to_it() -> None:
    with serving(Door()) as door:
        door.app = demo_app(Settings(open_access=True, database_url="sqlite://", public_url=door.url), ANCHOR)
        session = requests.Session()
        session.trust_env = False
        listed = session.get(f"{door.url}/ehr", timeout=20).text
        answer = session.get(f"{door.url}/ehr/open?patient={PATIENT}", timeout=20)
        hook = "/cds-services/immune-status-order-sign"
        cards = session.post(door.url + hook, json=legal("cd4-120-starting-art"), timeout=20).json()["cards"]
        assert session.get(f"{door.url}/ehr/open?patient=nobody", timeout=20).status_code == 404
        for token, status in (("of another EHR", 200), ("ehr-that-it-never-gave", 401)):
            headers = {"Authorization": f"Bearer {token}"}
            found = session.get(f"{door.url}/fhir/Patient/{PATIENT}", headers=headers, timeout=20)
            assert found.status_code == status
    assert f"patient={PATIENT}" in listed
    assert (answer.status_code, "Achieng Lakeshore" in answer.text) == (200, True)
    assert {card["links"][0]["url"] for card in cards} == {f"{door.url}/why/launch"}


def test_the_demos_ehr_gives_a_chart_only_for_its_own_token_and_sends_nobody_to_another_app(scene: Scene) -> None:
    scene.page()
    token, session = next(iter(scene.ehr.tokens)), scene.session()
    for bearer, chart, status in ((token, PATIENT, 200), (token, "cd4-150-suppressed", 403), ("x", PATIENT, 401)):
        for query in (f"Patient/{chart}", f"Condition?patient={chart}"):
            headers = {"Authorization": f"Bearer {bearer}"}
            assert session.get(f"{scene.ehr.iss}/{query}", headers=headers, timeout=20).status_code == status
    to = scene.launch(session).headers["Location"]
    for changes in ({"redirect_uri": "https://evil.example.org/"}, {"client_id": "another"}):
        assert scene.get(session, changed(to, **changes)).status_code == 400
    for changes, error in (
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"aud": "https://evil.example.org/"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "patient/*.read"}, "invalid_scope"),
    ):
        to = scene.launch(session).headers["Location"]
        assert f"error={error}&" in scene.get(session, changed(to, **changes)).headers["Location"]
    again = scene.launch(session).headers["Location"]
    assert "code=" in scene.get(session, again).headers["Location"]
    assert "error=invalid_request&" in scene.get(session, again).headers["Location"]  # a launch counts once too


# --- the cards -------------------------------------------------------------------------------------------------------


def test_each_card_of_a_client_with_the_page_links_to_it_and_of_others_none(scene: Scene) -> None:
    answer = scene.site.post(aud=f"{scene.service.url}/cds-services/immune-status-order-sign")
    cards = answer.get_json()["cards"]
    assert cards
    for card in cards:
        assert card["links"] == [
            {
                "label": LABEL,
                "type": "smart",
                "url": f"{scene.service.url}/why/launch",
                "appContext": "immune-status-order-sign 0.1.0",
            }
        ]
    assert validator("response").is_valid(answer.get_json())
    others = scene.site.post(TWO, aud=f"{scene.service.url}/cds-services/immune-status-order-sign").get_json()["cards"]
    assert others
    assert not [one for one in others if "links" in one]


def test_a_card_that_says_what_was_not_assessed_links_there_too(scene: Scene) -> None:
    body = legal("cd4-120-starting-art")
    del body["prefetch"]["allergies"], body["prefetch"]["conditions"]
    aud = f"{scene.service.url}/cds-services/immune-status-order-sign"
    cards = scene.site.post(body=body, aud=aud).get_json()["cards"]
    assert cards[-1]["source"]["topic"]["code"] == "NotAssessed"
    assert cards[-1]["links"][0]["type"] == "smart"


# --- what is written down --------------------------------------------------------------------------------------------


def test_nothing_of_a_launch_or_a_chart_stands_in_the_log_and_the_audit_knows_that_somebody_looked(
    tmp_path: Path,
) -> None:
    with launching(tmp_path, audit=str(tmp_path / "audit")) as scene, journal() as lines:
        session = scene.session()
        back = scene.come_back(session)
        kept = dict(session.cookies)
        assert scene.get(session, back).status_code == 200
        session.cookies.update(kept)
        check_refused(scene.get(session, back), "used-before")
        scene.site.parts.audit.flush(60)
        token = next(iter(scene.ehr.tokens))
        asked = parse_qs(urlsplit(back).query)
        metrics = scene.site.client.get("/metrics").text
    audited = (tmp_path / "audit").read_text("utf-8")
    with closing((scene.site.database).open("rb")) as file:
        stored = file.read().decode("latin-1")
    for secret in (token, asked["code"][0], asked["state"][0], PATIENT, "Lakeshore", *kept.values()):
        for where in (lines.text, audited, metrics, stored):
            assert secret not in where
    (looked,) = [json.loads(line) for line in audited.splitlines()]
    assert (looked["event"], looked["issuer"], looked["complete"]) == ("why", ONE.iss, True)
    assert re.fullmatch("[0-9a-f]{32}", looked["patient"])
    shown = [one for one in lines.fields if one["event"] == "why-shown"]
    assert [(one["outcome"], one["issuer"]) for one in shown] == [("reasons", ONE.iss)]
    refused = [one for one in lines.fields if one["event"] == "refused"]
    assert [(one["code"], one["issuer"], one["status"]) for one in refused] == [("used-before", ONE.iss, 400)]


def test_each_part_of_a_chart_has_a_name_that_clinicians_know() -> None:
    assert set(_WHAT) == set(KEYS)


# --- the guide -------------------------------------------------------------------------------------------------------


def test_the_guide_has_each_word_with_its_status_and_the_scopes_that_are_asked(scene: Scene) -> None:
    assert {word: cells[0] for word, cells in rows("why-page.md").items()} == {
        word: str(one.status) for word, one in SAID.items()
    }
    asked = parse_qs(urlsplit(scene.launch(scene.session()).headers["Location"]).query)
    assert f"`{asked['scope'][0]}`" in (DOCS / "why-page.md").read_text("utf-8")


# --- the settings ----------------------------------------------------------------------------------------------------


def test_without_a_client_id_there_is_no_page(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert FlaskClient(site.app).get("/why/launch").status_code == 404
    assert "/why/launch" not in site.client.get("/openapi.json").get_json()["paths"]


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ('smart_client_id = "x"', "fhir_servers"),
        ('smart_frames = []\nfhir_servers = ["https://a.example.org"]', "smart_client_id"),
        ('smart_client_id = ""\nfhir_servers = ["https://a.example.org"]', "smart_client_id"),
        ('smart_client_id = "x"\nfhir_servers = ["https://a.example.org"]\nsmart_frames = ["*"]', "smart_frames"),
        (
            'smart_client_id = "x"\nfhir_servers = ["https://a.example.org"]\nsmart_frames = ["https://a;b"]',
            "smart_frames",
        ),
        (
            'smart_client_id = "x"\nfhir_servers = ["https://a.example.org"]\nsmart_frames = ["https://a.org/"]',
            "smart_frames",
        ),
        (
            'smart_client_id = "x"\nfhir_servers = ["https://a.example.org"]\nsmart_secret_file = "absent"',
            "smart_secret_file",
        ),
        (
            'smart_client_id = "x"\nfhir_servers = ["https://a.example.org"]\nsmart_authorization = ["http://a.org"]',
            "smart_authorization",
        ),
    ],
)
def test_nonsense_keeps_the_service_from_starting_and_is_named(tmp_path: Path, lines: str, named: str) -> None:
    with pytest.raises(SettingFault, match=named):
        Site(tmp_path, lines)


def test_one_server_launches_for_one_issuer(tmp_path: Path) -> None:
    own = 'smart_client_id = "x"\nfhir_servers = ["https://a.example.org/r4"]'
    with pytest.raises(SettingFault, match="for one issuer only"):
        Site(tmp_path, f'{own}\n[[issuer]]\niss = "https://third.example.org"\njwks = "two.json"\n{own}')
