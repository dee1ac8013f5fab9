"""The report in the browser of somebody who reads Portuguese: nothing fails, it keeps nobody out, and it fits a narrow window."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.pages import PAGES, desk
from tests.browser.servers import Servers
from tests.browser.test_every_page import OPEN_ALL, check_it_fits, kept_out
from tests.browser.watching import Watched


@pytest.fixture(scope="module")
def report(chromium: Browser, running: Servers) -> Iterator[Watched]:
    at = desk(chromium, running, locale="pt-MZ")
    found = PAGES["report"](at)
    found.page.evaluate(OPEN_ALL)
    yield found
    at.context.close()


def test_it_says_what_it_is_for_and_nothing_goes_wrong(report: Watched) -> None:
    assert report.page.get_attribute("html", "lang") == "pt"
    assert "Regra a regra" in report.page.inner_text("main")
    assert report.noticed == []


@pytest.mark.parametrize(("light", "width"), [("light", 1440), ("dark", 360)])
def test_axe_finds_nothing_that_keeps_somebody_out(report: Watched, light: Any, width: int) -> None:
    report.page.emulate_media(color_scheme=light, media="screen")
    report.page.set_viewport_size({"width": width, "height": 900})
    assert kept_out(report.page) == []


def test_its_longer_words_need_no_sideways_scrolling_and_none_is_cut_on_paper(report: Watched) -> None:
    report.page.emulate_media(media="screen")
    check_it_fits(report.page)
