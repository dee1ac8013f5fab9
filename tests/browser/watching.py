"""A page of the browser in; out comes all that is wrong with it: errors, what its policy forbids, whom else it calls."""

from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

_FORBIDDEN = """document.addEventListener("securitypolicyviolation",
    (one) => console.error("forbidden: " + one.violatedDirective + " " + one.blockedURI));"""


@dataclass  # without slots: Playwright keeps something of its own on whoever listens
class Watched:
    """A page, and what was noticed since it was opened."""

    page: Page
    origin: str
    noticed: list[str] = field(default_factory=list)

    def console(self, message: ConsoleMessage) -> None:
        """What the browser would show to a developer; every line counts, for no page here writes any."""
        self.noticed.append(f"console: {message.type}: {message.text}")

    def asks(self, request: Request) -> None:
        """Of other places than the one it comes from."""
        place = urlsplit(request.url)
        if f"{place.scheme}://{place.netloc}" != self.origin:
            self.noticed.append(f"leaves: {request.url}")

    def hears(self, response: Response) -> None:
        """What it asked for and did not get."""
        if response.status >= HTTPStatus.BAD_REQUEST:
            self.noticed.append(f"{response.status}: {response.url}")


def watched(context: BrowserContext, origin: str) -> Watched:
    """A new page that is watched from before it loads anything."""
    page = context.new_page()
    page.add_init_script(_FORBIDDEN)
    found = Watched(page, origin)
    page.on("console", found.console)
    page.on("pageerror", lambda error: found.noticed.append(f"error: {error}"))
    page.on("request", found.asks)
    page.on("response", found.hears)
    return found
