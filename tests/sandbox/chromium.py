"""The path of a Chromium in, a browser that Playwright drives out; it looks for nobody beyond this machine of its own accord."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.sandbox.scene import CannotRunError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

USUAL = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
_QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")


def add_option(parser: ArgumentParser) -> None:
    """Which one."""
    parser.add_argument("--browser", default=next(filter(os.path.exists, USUAL), None), metavar="FILE")


@contextmanager
def chromium(file: str | None) -> "Iterator[Browser]":
    """Until the block ends. Raises CannotRunError."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415  (nothing else here needs it)
    except ImportError:
        raise CannotRunError("Playwright for Python is needed") from None
    if file is None:
        raise CannotRunError("--browser: a Chromium is needed, and none was found")
    arguments = [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playing:
        browser = playing.chromium.launch(executable_path=file, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
