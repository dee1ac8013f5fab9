"""Every page in a browser: nothing fails, nobody else is asked, it can be read by all, wide or narrow, by day or night."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import monotonic
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Page

from tests.browser.conftest import Open
from tests.browser.pages import PAGES, REPORT, Desk, desk
from tests.browser.servers import Servers
from tests.browser.watching import watched

EVERY = [*PAGES, "doctor-hostile"]
SAID = {
    "home": "Override reasons",
    "workbench": "Every rule",
    "what-if": "Before, and as it would be",
    "pasted-request": "Cannot be read",
    "pasted-bundle": "immune-status-patient-view",
    "pasted-hostile": "Stop all treatment",
    "refused": "The service would answer a call with this: 400",
    "why": "The chart was read again for this page",
    "report": "Rule by rule",
    "report-of-nothing": "Nothing was recorded in these days",
    "doctor": "Which advice this client can get",
    "doctor-hostile": "Which advice this client can get",
}
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
NARROWEST = 320  # what 400 % of a window of 1280 leaves
A4 = 718  # CSS pixels between the margins
OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"
WIDER_THAN_THE_WINDOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Text that a box hides on paper, where nobody can scroll.
CUT = """() => [...document.querySelectorAll("main *")].filter((one) => getComputedStyle(one).overflowX !== "visible"
    && one.scrollWidth > one.clientWidth + 1 && !one.closest("svg, .unseen, select, textarea, input"))
    .map((one) => one.outerHTML.slice(0, 80))"""
# Letters lighter than half, on paper or on a ground that a printer may leave out; a sign has its ground printed.
PALE = """() => [...document.querySelectorAll("main, main *")].filter((one) => one.checkVisibility()
    && !one.matches(".tag.mark, button, svg, svg *")
    && Math.max(...getComputedStyle(one).color.match(/[0-9.]+/g).slice(0, 3).map(Number)) > 145)
    .map((one) => one.outerHTML.slice(0, 80))"""
DISTURB = """() => { window.forbidden = 0;
    document.addEventListener("securitypolicyviolation", () => { window.forbidden += 1; });
    console.warn("odd"); setTimeout(() => { throw new Error("broken"); });
    fetch("/nowhere").catch(() => {});
    document.body.append(Object.assign(document.createElement("script"), {text: "1"}));
    const image = new Image(); image.src = "/nowhere.png"; }"""


@pytest.mark.parametrize("name", EVERY)
def test_it_says_what_it_is_for_and_nothing_goes_wrong(opened: Open, name: str) -> None:
    found = opened(name)
    assert SAID[name] in found.page.inner_text("main")
    assert found.noticed == []


@pytest.mark.parametrize(("light", "width"), [("light", 1440), ("dark", 360)])
@pytest.mark.parametrize("name", EVERY)
def test_axe_finds_nothing_that_keeps_somebody_out(look: Open, name: str, light: Any, width: int) -> None:
    page = look(name).page
    page.emulate_media(color_scheme=light)
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(OPEN_ALL)
    assert kept_out(page) == []


def check_it_fits(page: Page) -> None:
    """In a narrow window without scrolling sideways, and on paper with nothing cut."""
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    assert page.evaluate(WIDER_THAN_THE_WINDOW) == 0
    page.emulate_media(media="print")
    page.set_viewport_size({"width": A4, "height": 1000})
    assert page.evaluate(WIDER_THAN_THE_WINDOW) == 0
    assert page.evaluate(CUT) == []


def kept_out(page: Page) -> list[str]:
    """What is serious or critical in axe's judgement; put into the page by the browser, past the policy."""
    found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {node['html']}" for one in grave for node in one["nodes"]]


@pytest.mark.parametrize("name", EVERY)
def test_a_narrow_window_and_large_letters_need_no_sideways_scrolling(look: Open, name: str) -> None:
    page = look(name).page
    page.evaluate(OPEN_ALL)
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    assert page.evaluate(WIDER_THAN_THE_WINDOW) == 0
    page.set_viewport_size({"width": 1280, "height": 900})
    with letters(page, 2):
        assert page.evaluate("getComputedStyle(document.body).fontSize") == "32px"
        assert page.evaluate(WIDER_THAN_THE_WINDOW) == 0


@contextmanager
def letters(page: Page, times: int) -> Iterator[None]:
    """So many times as large, by the setting of the browser."""
    with closing_session(page) as session:
        session.send("Page.setFontSizes", {"fontSizes": {"standard": 16 * times, "fixed": 13 * times}})
        yield
        session.send("Page.setFontSizes", {"fontSizes": {"standard": 16, "fixed": 13}})


@contextmanager
def closing_session(page: Page) -> Iterator[CDPSession]:
    session = page.context.new_cdp_session(page)
    yield session
    session.detach()


@pytest.mark.parametrize("name", ["home", "what-if", "report", "report-of-nothing", "doctor"])
def test_on_paper_it_is_dark_on_light_and_nothing_is_cut(look: Open, name: str) -> None:
    page = look(name).page
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": A4, "height": 1000})
    assert page.evaluate(WIDER_THAN_THE_WINDOW) == 0
    assert page.evaluate(CUT) == []
    assert page.evaluate(PALE) == []
    assert page.pdf(format="A4").startswith(b"%PDF-")


def test_on_paper_the_workbench_says_what_was_asked_and_each_result(look: Open) -> None:
    page = look("what-if").page
    page.evaluate("document.querySelectorAll('figure details').forEach(one => one.open = false)")
    page.emulate_media(media="print")
    assert page.get_by_label("Newest CD4 count").is_visible()
    assert not page.get_by_role("button", name="Evaluate").is_visible()
    assert page.locator("figure details td").first.evaluate("one => one.checkVisibility()")


@pytest.fixture(scope="module")
def unscripted(chromium: Browser, running: Servers) -> Iterator[Desk]:
    """A browser in which no script runs."""
    found = desk(chromium, running, java_script_enabled=False)
    yield found
    found.context.close()


@pytest.mark.parametrize("name", ["home", "workbench", "report", "doctor"])
def test_without_scripts_it_says_the_same(opened: Open, unscripted: Desk, name: str) -> None:
    found = PAGES[name](unscripted)
    assert SAID[name] in found.page.inner_text("main")
    assert found.page.text_content("main") == opened(name).page.text_content("main")
    assert found.noticed == []


def test_the_report_opens_to_its_password_only(chromium: Browser, running: Servers) -> None:
    with closing(chromium.new_context(http_credentials={"username": "team", "password": "a guess"})) as stranger:
        page = stranger.new_page()
        answer = page.goto(f"{running.site}{REPORT}")
        assert answer
        assert answer.status == 401
        assert "A password is needed." in page.inner_text("body")
        assert "Rule by rule" not in page.inner_text("body")


def test_where_nothing_is_that_is_said(chromium: Browser, running: Servers) -> None:
    with closing(chromium.new_context()) as visitor:
        page = visitor.new_page()
        answer = page.goto(f"{running.demo}/nowhere")
        assert answer
        assert answer.status == 404
        assert "There is nothing at this address." in page.inner_text("body")


def test_all_that_is_watched_for_is_seen(chromium: Browser, running: Servers) -> None:
    """Or the tests above could not fail."""
    with closing(chromium.new_context()) as context:
        found = watched(context, running.demo)
        found.page.route("https://elsewhere.example/**", lambda route: route.abort())
        found.page.goto(f"{running.demo}/")
        assert found.noticed == []
        found.page.evaluate(DISTURB)
        found.page.wait_for_function("window.forbidden === 2")
        parts = ("console: warning: odd", "error: broken", "forbidden: script-src-elem inline", "404: ")
        ends = monotonic() + 20
        while not all(part in " ".join(found.noticed) for part in parts) and monotonic() < ends:
            found.page.wait_for_timeout(50)
        assert [part for part in parts if part not in " ".join(found.noticed)] == []
        found.page.goto("data:text/html,<img src=https://elsewhere.example/p.png>")
        assert any(one.startswith("leaves: https://elsewhere.example/p.png") for one in found.noticed)


def test_what_axe_is_asked_for_it_finds(chromium: Browser) -> None:
    with closing(chromium.new_context()) as context:
        page = context.new_page()
        page.set_content("<main style='background:#fff;color:#ccc'>pale <img src='x.png'><input></main>")
        found = " ".join(kept_out(page))
        assert all(one in found for one in ("color-contrast", "image-alt", "label", "html-has-lang"))
