"""Every page without a mouse: each thing that can be used is reached in order, is seen to be, and works."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Open
from tests.browser.pages import EVALUATE

# Numbers everything that can be reached, in the order of the page.
NUMBER_ALL = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((one) => one.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}))
    .map((one, place) => { one.dataset.place = place; return one.outerHTML.slice(0, 60); })"""
# Where the focus is, and whether that shows: an outline of its own, or the browser's, and not out of sight.
FOCUSED = """() => { const one = document.activeElement, look = getComputedStyle(one), box = one.getBoundingClientRect();
    const shows = look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 1;
    return [one.dataset.place, shows && box.bottom > 0 && box.top < innerHeight]; }"""
SCROLLS = """() => [...document.querySelectorAll("main *")]
    .filter((one) => ["auto", "scroll"].includes(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth)
    .map((one) => [one.outerHTML.slice(0, 60), one.tabIndex])"""
# From here on, the tab key begins at the top, also where the address names a place further down.
AT_THE_TOP = """() => { const first = document.createElement("span"); first.tabIndex = -1; document.body.prepend(first);
    first.focus(); first.remove(); scrollTo(0, 0); }"""
MOST = 400


def way(page: Page) -> list[int]:
    """Where the tab key leads, until it leaves the page; a date has several parts, which count once."""
    page.evaluate(AT_THE_TOP)
    reached: list[int] = []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        place, shows = page.evaluate(FOCUSED)
        if place is None or (reached and int(place) < reached[-1]):
            return reached
        assert shows, f"nothing shows that the focus is at {place}"
        if not reached or int(place) != reached[-1]:
            reached.append(int(place))
    raise AssertionError("the tab key never leaves the page")


@pytest.mark.parametrize("name", ["home", "workbench", "what-if", "report", "doctor"])
def test_the_tab_key_reaches_everything_in_order_and_it_shows(look: Open, name: str) -> None:
    page = look(name).page
    page.reload()
    things = page.evaluate(NUMBER_ALL)
    assert things
    assert way(page) == [*range(len(things))]


@pytest.mark.parametrize("name", ["workbench", "report", "doctor"])
def test_what_scrolls_sideways_scrolls_by_keyboard(look: Open, name: str) -> None:
    page = look(name).page
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    page.set_viewport_size({"width": 360, "height": 800})
    scrolling = page.evaluate(SCROLLS)
    assert scrolling
    assert [one for one, reached in scrolling if reached != 0] == []


def test_a_folded_part_opens_and_closes_by_keyboard(look: Open) -> None:
    page = look("report").page
    folded = page.locator("details").first
    folded.evaluate("one => one.open = false")
    folded.locator("summary").focus()
    for opened in (True, False):
        page.keyboard.press("Enter")
        assert folded.evaluate("one => one.open") is opened


def test_a_question_is_asked_and_answered_by_keyboard_alone(look: Open) -> None:
    page = look("workbench").page
    page.get_by_label("Newest CD4 count").focus()
    page.keyboard.type("650")
    page.keyboard.press("Tab")
    page.keyboard.type("<20")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_role("heading", level=2).first.inner_text() == "Before, and as it would be"
    with page.expect_navigation():
        page.get_by_role("link", name="Begin anew").press("Enter")
    page.get_by_role("button", name=EVALUATE).wait_for()


def test_on_a_phone_the_newest_result_is_in_sight_at_once(look: Open) -> None:
    page = look("workbench").page
    page.set_viewport_size({"width": 360, "height": 800})
    for figure in page.locator("figure").all():
        mark = figure.locator(".decisive").last.bounding_box()
        assert mark
        assert 0 < mark["x"] < 360 - mark["width"]
