"""The page `/report` as a site's team and as strangers meet it: what it shows, to whom, how fast one may guess."""

import csv
import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.ledger import Ledger
from cds_service.report import charts
from cds_service.report.asked import Span
from cds_service.report.counts import REASONS, Counts
from cds_service.report.make import Part
from cds_service.settings import Settings
from cds_service.web import report as page_of_report
from cds_service.web.door import TRIES, Door
from cds_service.web.wiring import KEY
from cds_service.wire.validation import validator
from tests.feedback_history import HOSTILE, A, at, card, hear, say, tell
from tests.fixture_files import Clock, app_of
from tests.test_access import NOW, ONE, PASSWORD, Site

NOVEMBER = "/report?from=2026-11-01&to=2026-11-30"
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}
SCRIPT = '"><script>alert(1)</script>'


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    made = Ledger(f"sqlite:///{tmp_path_factory.mktemp('page') / 'ledger.sqlite3'}")
    tell(made)
    patient, facts = made.pseudonyms.of(A, "patient"), "0123456789abcdef" * 2
    say(made, 60, at(11, 23), patient, facts, SCRIPT, issuer=SCRIPT)
    hear(made, card(60), at(11, 23), "disagree", issuer=SCRIPT, comment=HOSTILE)
    yield made
    made.database.close()


@pytest.fixture
def client(ledger: Ledger) -> FlaskClient:
    """The demo's service, on the ledger with the history."""
    app = app_of(Clock())
    object.__setattr__(app.extensions[KEY], "ledger", ledger)
    return app.test_client()


class Read(HTMLParser):
    """What a page is made of: its tags in order, the attributes of each, its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == [], "not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag or tag in ("option", "p", "dt", "dd", "li")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(client: FlaskClient, query: str = NOVEMBER) -> Read:
    answer = client.get(query)
    assert answer.status_code == 200
    return Read(answer.text)


# --- what it shows ---------------------------------------------------------------------------------------------------


def test_it_shows_the_figures_of_each_rule_and_says_what_no_feedback_means(client: FlaskClient) -> None:
    said = " ".join(" ".join(read(client).words).split())
    assert (
        "Starting antiretroviral treatment art-start Shown 8; accepted 40% (2 of 5) of what there is feedback on"
        in said
    )
    assert (
        "25% (2 of 8) of what was shown. Repeated 3 times, 0.60 a patient. Would have been shown 1 more times." in said
    )
    assert "never what was ignored" in said
    assert "quiet period 5; no room 1; shadow 1; no HIV viral load 4; no CD4 count 3" in said


def test_every_drawing_is_told_in_words_or_stands_beside_them(client: FlaskClient) -> None:
    found = read(client, f"{NOVEMBER}&by=week")
    drawn = [one for one in found.of("svg") if "x" not in one and "viewbox" not in one]
    assert len(drawn) > 10
    assert all(
        one.get("aria-hidden") == "true" or (one.get("role") == "img" and one.get("aria-label")) for one in drawn
    )
    told = [one["aria-label"] for one in drawn if one.get("role") == "img"]
    assert (
        "Shown 8. Accepted: 2; Patient declines: 1; I disagree with the recommendation: 1; Another reason, or none: 1; "
        "No feedback, ordered afterwards: 1; No feedback: 2."
    ) in told
    assert (
        "Shown 8, most in Week of 2 Nov 2026: 4; accepted 2, most in Week of 2 Nov 2026: 2; overridden 3"
        in " ".join(str(one) for one in told)
    )


def test_it_runs_nothing_and_loads_nothing_but_its_style(client: FlaskClient) -> None:
    answer = client.get(NOVEMBER)
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    found = Read(answer.text)
    assert not {"script", "style", "img", "iframe", "object", "foreignobject", "use"} & {tag for tag, _ in found.tags}
    assert not [one for _, one in found.tags if "style" in one or any(name.startswith("on") for name in one)]
    assert [one["href"] for one in found.of("link")] == ["/static/style.css"]
    assert all(str(one["href"]).startswith(("#", "?")) for one in found.of("a"))


def test_every_class_that_is_drawn_has_a_look(client: FlaskClient) -> None:
    with closing(client.get("/static/style.css")) as answer:
        sheet = answer.text
    used = {name for _, one in read(client).tags for name in str(one.get("class") or "").split()}
    assert {"shown", "accepted", "reason-7", "line-overridden"} <= used
    assert not [name for name in used if not re.search(rf"\.{name}\b", sheet)]


def test_the_form_has_what_was_asked_for_and_links_to_the_same_figures(client: FlaskClient) -> None:
    found = read(client, f"{NOVEMBER}&rule=art-start&by=day&issuer=https%3A%2F%2Fnobody.example%2F%26x")
    assert {one["name"]: one["value"] for one in found.of("input")} == {"from": "2026-11-01", "to": "2026-11-30"}
    chosen = [one["value"] for one in found.of("option") if "selected" in one and one.get("value")]
    assert chosen == ["art-start", "https://nobody.example/&x"]
    links = [str(one["href"]) for one in found.of("a") if str(one["href"]).startswith("?")]
    assert [link.rpartition("&")[2] for link in links] == ["format=csv", "format=csv", "format=json"]
    for link in links:
        answer = client.get(f"/report{link}")
        assert answer.status_code == 200
        assert "attachment" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("by", ["", "day", "week", "month"])
def test_csv_and_json_have_the_same_figures(client: FlaskClient, by: str) -> None:
    query = f"{NOVEMBER}&by={by}&rule=art-start&format="
    rows = list(csv.DictReader(StringIO(client.get(f"{query}csv").text, newline="")))
    found = client.get(f"{query}json").get_json()
    validator("report").validate(found)
    for column, name in (
        ("shown", "shown"),
        ("accepted", "accepted"),
        ("no_feedback", "noFeedback"),
        ("silent", "silent"),
    ):
        assert sum(int(row[column]) for row in rows) == found["total"][name]


@pytest.mark.parametrize(
    "query",
    ["/report", "/report?from=2026-11-24&to=2026-11-30", "/report?from=2024-12-01&to=2026-11-30", NOVEMBER + "&by=day"],
)
def test_whatever_the_period_the_page_is_whole(client: FlaskClient, query: str) -> None:
    read(client, query)


def test_an_empty_ledger_is_told_as_such() -> None:
    found = read(app_of(Clock()).test_client(), "/report")
    assert "Nothing was recorded in these days" in "".join(found.words)
    assert "nan" not in "".join(found.words).casefold()


@pytest.mark.parametrize("name", ["issuer", "service", "rule"])
def test_a_hostile_filter_is_only_words(client: FlaskClient, name: str) -> None:
    found = read(client, f"{NOVEMBER}&{name}=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert not found.of("script")
    assert SCRIPT in "".join(found.words)


@pytest.mark.parametrize("form", ["html", "csv", "json"])
def test_nothing_of_a_patient_a_card_a_hash_or_a_comment_is_in_it(
    client: FlaskClient, ledger: Ledger, form: str
) -> None:
    said = client.get(f"{NOVEMBER}&format={form}").text
    with ledger.database.reading() as connection:
        kept = [
            str(one)
            for column in ("patient FROM issued_advice", "fingerprint FROM issued_advice", "card FROM feedback",
                           "digest FROM feedback", "comment FROM feedback")
            for (one,) in connection.exec_driver_sql(f"SELECT {column}")
        ]  # fmt: skip
    assert not [one for one in kept if len(one) > 8 and one in said]
    assert "Thursday" not in said


@pytest.mark.parametrize(
    ("query", "named"),
    [("from=yesterday", "from"), ("from=2026-11-30&to=2026-11-01", "from, to"), ("by=year", "by"), ("format=pdf", "format"),
     ("rule=a%00b", "rule"), (f"issuer={'x' * 257}", "issuer"), ("from=2020-01-01&by=day", "by")],
)  # fmt: skip
def test_what_is_not_clear_is_refused_by_its_name(client: FlaskClient, query: str, named: str) -> None:
    answer = client.get(f"/report?{query}")
    assert answer.status_code == 400
    assert answer.get_json(force=True)["issue"][0]["diagnostics"].startswith(f"{named}: ")


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


def test_the_demo_answers_its_own_machine_and_nobody_else(client: FlaskClient) -> None:
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
    site.parts.audit.flush()
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


# --- the charts ------------------------------------------------------------------------------------------------------


def test_a_bar_is_whole_and_shows_a_sign_only_where_there_is_room() -> None:
    one = Counts(shown=100, accepted=40, overridden_by=dict.fromkeys(REASONS, 1) | {"none": 14}, ordered_unanswered=10)
    segments = charts.bar(one).segments
    assert sum(segment.width for segment in segments) == pytest.approx(100)
    assert [segment.sign for segment in segments] == ["A", "", "", "", "", "", "", "7", "O", "N"]
    assert charts.bar(Counts(overridden_by=dict.fromkeys(REASONS, 0))).segments == ()


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (1, 1), (2, 2), (7, 8), (9, 10), (11, 20), (100, 100), (101, 200), (950425, 1_000_000)]
)
def test_an_axis_ends_at_a_round_number(most: int, top: int) -> None:
    assert charts.ceiling(most) == top


def test_a_series_of_one_day_is_drawn_and_one_of_many_has_no_markers() -> None:
    day = Span(at(11, 2).date(), at(11, 2).date())
    one = charts.series([Part(day, Counts(shown=3, accepted=1))], "day")
    assert one.area == "M0 120.0V0.0H1000.0V120.0Z"
    assert (one.lines[0].points, one.lines[0].markers) == ("500.0,80.0", ((50.0, 80.0),))
    assert one.ticks == ((3, 0.0), (0, 120.0))
    many = charts.series([Part(day, Counts())] * 300, "day")
    assert (many.lines[0].markers, many.hints, len(many.labels)) == ((), (), 3)
