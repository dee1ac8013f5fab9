"""A browser and the servers in; every page of the service out, opened as a person comes to it, and watched."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator

from cds_service.cli import main
from tests.browser.servers import PASSWORD, ROOT, Servers
from tests.browser.watching import Watched, watched
from tests.fixture_files import legal
from tests.hostile_texts import HOSTILE, concepts, resources
from tests.test_workbench import STARTING, bundle

REPORT = "/report?from=2026-11-01&to=2026-11-30"
DOCTOR = (ROOT / "docs" / "doctor-example.html").as_uri()
EVALUATE = "Evaluate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A browser context with the report's password, and where the servers are."""

    context: BrowserContext
    servers: Servers

    def open(self, address: str) -> Watched:
        """A page in a tab of its own."""
        place = urlsplit(address)
        found = watched(self.context, f"{place.scheme}://{place.netloc}")
        found.page.goto(address)
        return found

    def workbench(self) -> Watched:
        """As the demo shows it."""
        return self.open(f"{self.servers.demo}/workbench")

    def what_if(self) -> Watched:
        """Many cells, a reaction to sulfonamides: cards go and come."""
        found = self.workbench()
        page = found.page
        page.get_by_label("Demo patient").select_option(STARTING)
        page.get_by_label("Newest CD4 count").fill("650")
        page.get_by_label("Newest viral load").fill("<20")
        page.get_by_label("The allergy is").select_option("severe")
        follow(page.get_by_role("button", name=EVALUATE))
        return found

    def pasted(self, text: str) -> Watched:
        """A text in the form for charts."""
        found = self.workbench()
        found.page.get_by_text("Or paste one").click()
        found.page.get_by_label("A captured CDS Hooks request").fill(text)
        follow(found.page.get_by_role("button", name=EVALUATE))
        return found


def follow(leading: Locator) -> None:
    """Clicks what leads to another page, and waits for that page: a click alone may leave the old one in sight for a while."""
    with leading.page.expect_navigation():
        leading.click()


def desk(browser: Browser, servers: Servers, **more: Any) -> Desk:
    """`more`: how the browser is set up otherwise."""
    known = {"username": "team", "password": PASSWORD}  # said where it is asked for
    context = browser.new_context(http_credentials=known, **more)
    context.set_default_timeout(45_000)
    return Desk(context=context, servers=servers)


def hostile_request() -> dict[str, Any]:
    """A captured request whose every code and resource says something hostile."""
    request = legal("cd4-120-starting-art")
    for one in concepts(request):
        one["text"] = HOSTILE
        for coding in one["coding"]:
            coding["display"] = HOSTILE
    for one in resources(request):
        one["note"] = [{"text": HOSTILE}]
    return request


def hostile_report(folder: Path) -> str:
    """What `cds-service check` makes of that request, as a file."""
    captured, page = folder / "captured.json", folder / "page.html"
    captured.write_text(json.dumps(hostile_request()), "utf-8")
    assert main(["check", str(captured), "--format", "html", "--out", str(page)]) in (0, 1)
    return page.as_uri()


PAGES: dict[str, Callable[[Desk], Watched]] = {
    "home": lambda at: at.open(f"{at.servers.demo}/"),
    "workbench": Desk.workbench,
    "what-if": Desk.what_if,
    "pasted-request": lambda at: at.pasted(json.dumps(legal("results-that-cannot-be-read"))),
    "pasted-bundle": lambda at: at.pasted(json.dumps(bundle())),
    "pasted-hostile": lambda at: at.pasted(json.dumps(hostile_request())),
    "refused": lambda at: at.pasted('{"hook": "order-sign"}'),
    "why": lambda at: at.open(f"{at.servers.demo}/ehr/open?patient=results-not-trusted"),
    "report": lambda at: at.open(f"{at.servers.site}{REPORT}"),
    "report-of-nothing": lambda at: at.open(f"{at.servers.site}/report?from=2020-01-01&to=2020-01-31"),
    "doctor": lambda at: at.open(DOCTOR),
}
