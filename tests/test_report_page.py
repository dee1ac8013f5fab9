"""The page `/report` as a site's team reads it: its figures, its drawings, and that it is safe whatever was sent."""

import csv
import re
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.ledger import Ledger
from cds_service.report import charts
from cds_service.report.asked import Span
from cds_service.report.counts import REASONS, Counts
from cds_service.report.make import Part
from cds_service.web import report as page_of_report
from cds_service.web.wiring import KEY
from cds_service.wire.validation import validator
from tests.feedback_history import HOSTILE, A, at, card, hear, say, tell
from tests.fixture_files import Clock, app_of

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
        "25% (2 of 8) of what was shown. Repeated 3 times, 0.60 a patient. Would have been shown 1 more time." in said
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
    assert [one["href"] for one in found.of("link")] == ["static/icon.svg", "static/style.css"]  # below a path, too
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


# --- the drawings ----------------------------------------------------------------------------------------------------


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


def test_every_colour_can_be_told_from_what_it_stands_on() -> None:
    sheet = (Path(page_of_report.__file__).parent / "static" / "style.css").read_text("utf-8")
    blocks = re.findall(r":root \{([^}]*)\}", sheet)
    light: dict[str, str] = {}
    dark: dict[str, str] = {}
    for place, block in enumerate(blocks[:4]):  # of all pages and of the report, each light and then dark
        (dark if place % 2 else light).update(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    printed = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[4]))
    words = [("text", "ground"), ("quiet", "ground"), ("accent", "ground"), ("text", "code"), ("on-accepted", "accepted"),
             ("on-reason", "odd"), ("on-reason", "even")]  # fmt: skip
    marks = [("accepted", "ground"), ("odd", "ground"), ("even", "ground"), ("accepted", "area"), ("even", "area"),
             ("bar", "ground"), ("quiet", "ground")]  # fmt: skip
    for colours in (light, dark, printed):
        assert [pair for pair in words if contrast(colours, *pair) < 4.5] == []
        assert [pair for pair in marks if contrast(colours, *pair) < 3] == []


def contrast(colours: dict[str, str], one: str, other: str) -> float:
    """As WCAG 2 reckons it."""
    lighter, darker = sorted((brightness(colours[one]), brightness(colours[other])), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def brightness(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
