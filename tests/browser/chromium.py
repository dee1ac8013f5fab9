"""Nothing in; the Chromium of this machine out, as a browser without a window that asks nobody for anything."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "google-chrome")
_FLAGS = ("--disable-gpu", "--disable-background-networking", "--disable-lcd-text", "--font-render-hinting=none")


def lacking() -> str | None:
    """Why no page can be opened on this machine; None where one can."""
    return None if _found() else "no Chromium installed (make system)"


@contextmanager
def browser() -> Iterator[Browser]:
    """Runs it, with a profile of its own, until the block ends."""
    rights = ("--no-sandbox",) if os.geteuid() == 0 else ()  # root has no sandbox to be put into
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=_found(), args=[*_FLAGS, *rights])
        yield found
        found.close()


def _found() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)
