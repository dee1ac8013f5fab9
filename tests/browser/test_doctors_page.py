"""The page that `cds-service check` writes, opened as the file it is: a site's team finds what it sent and what was made of it."""

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Open

LABEL = "one => getComputedStyle(one, '::before').content"


@pytest.fixture
def page(look: Open) -> Page:
    return look("doctor").page


def row(page: Page, section: str, *words: str) -> Locator:
    """The row of a section that says all of these."""
    found = page.get_by_role("region", name=section, exact=True).get_by_role("row")
    for one in words:
        found = found.filter(has_text=one)
    return found.first


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("What was looked at", ("draft-orders-missing.json", "400 malformed-request")),
        ("Which advice this client can get", ("prophylaxis-agent", "for want of allergies")),
        ("Prefetch templates", ("cd4", "honoured")),
        ("Prefetch templates", ("viralLoads", "missing")),
        ("Results", ("20447-9", "viral-load-copies")),
        ("Drugs", ("1433873", "dolutegravir")),
        ("Allergies", ("716186003", "no known allergy")),
    ],
)
def test_each_section_says_what_came_and_what_became_of_it(page: Page, section: str, words: tuple[str, ...]) -> None:
    assert row(page, section, *words).is_visible()


def test_what_costs_advice_is_marked_by_a_sign_that_is_explained(page: Page) -> None:
    assert row(page, "Which advice this client can get", "prophylaxis-agent").locator(".sign").inner_text() == "!"
    assert page.get_by_text("! advice is lost").is_visible()


def test_each_link_of_the_contents_leads_to_its_section(page: Page) -> None:
    links = page.get_by_role("navigation", name="Sections").get_by_role("link")
    assert links.count() > 8
    for link in links.all():
        target = page.locator(str(link.get_attribute("href")))
        assert target.inner_text() == link.inner_text()
    links.last.click()
    assert page.get_by_role("heading", name="Lines for a map of local codes").bounding_box()
    assert "[[lab]]" in page.get_by_role("region", name="Lines for a map of local codes").inner_text()


def test_on_a_phone_every_cell_says_what_it_is(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    cells = row(page, "Prefetch templates", "cd4").locator("td:not(.sign)")
    assert [one.evaluate(LABEL) for one in cells.all()] == ['"Key: "', '"Came: "', '"Noticed: "']
