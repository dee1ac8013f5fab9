"""The page at `/` in a browser that asks for Portuguese: nothing fails, it can be read by all, wide or narrow, and printed."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.pages import PAGES, desk
from tests.browser.servers import Servers
from tests.browser.test_every_page import OPEN_ALL, check_it_fits, kept_out
from tests.browser.watching import Watched


@pytest.fixture(scope="module")
def found(chromium: Browser, running: Servers) -> Iterator[Watched]:
    reader = desk(chromium, running, locale="pt-PT")
    yield PAGES["home"](reader)
    reader.context.close()


@pytest.fixture
def page(found: Watched) -> Page:
    found.page.emulate_media(color_scheme="light", media="screen")
    found.page.evaluate(OPEN_ALL)
    return found.page


def test_it_is_in_portuguese_and_nothing_goes_wrong(found: Watched) -> None:
    assert found.page.evaluate("document.documentElement.lang") == "pt"
    assert "Motivos de rejeição" in found.page.inner_text("main")
    assert found.noticed == []


@pytest.mark.parametrize(("light", "width"), [("light", 1440), ("dark", 360)])
def test_axe_finds_nothing_that_keeps_somebody_out(page: Page, light: Any, width: int) -> None:
    page.emulate_media(color_scheme=light)
    page.set_viewport_size({"width": width, "height": 900})
    assert kept_out(page) == []


def test_a_narrow_window_needs_no_sideways_scrolling_and_nothing_is_cut_on_paper(page: Page) -> None:
    check_it_fits(page)
