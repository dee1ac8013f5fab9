"""Nothing in; out for every test of this room: two servers, one browser, and each page opened once."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import browser, lacking
from tests.browser.pages import PAGES, Desk, desk, hostile_report
from tests.browser.servers import Servers, servers
from tests.browser.watching import Watched

Open = Callable[[str], Watched]
_WIDE = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One for all; skipped, and said so, where there is none."""
    if why := lacking():
        pytest.skip(why)
    with browser() as found:
        yield found


@pytest.fixture(scope="session")
def running(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:  # noqa: ARG001  (nobody else asks)
    """The demo, and a site."""
    with servers(tmp_path_factory.mktemp("servers")) as found:
        yield found


@pytest.fixture(scope="session")
def room(chromium: Browser, running: Servers) -> Desk:
    """Where the pages are opened."""
    return desk(chromium, running)


@pytest.fixture(scope="session")
def opened(room: Desk, tmp_path_factory: pytest.TempPathFactory) -> Open:
    """Each page once: a test may look at it in another light or width, and leaves what it says as it was."""
    held: dict[str, Watched] = {}

    def open_once(name: str) -> Watched:
        if name not in held:
            there = PAGES.get(name) or (lambda at: at.open(hostile_report(tmp_path_factory.mktemp("doctor"))))
            held[name] = there(room)
        return held[name]

    return open_once


@pytest.fixture
def look(opened: Open) -> Open:
    """A page in daylight, on a screen, wide, at its top, its details closed as they come."""

    def at(name: str) -> Watched:
        found = opened(name)
        found.page.emulate_media(color_scheme="light", media="screen")
        found.page.set_viewport_size(_WIDE)
        return found

    return at
