"""A page of the Sandbox in; out come the cards as a clinician sees them there, and what clicks on them bring about."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request, Response

from tests.sandbox.scene import Scene

WINDOW = {"width": 1200, "height": 860}
LEFT = {"x": 0, "y": 0, "width": 600, "height": 860}  # without the panel for developers
MILLISECONDS = 30_000  # for a page that loads on a busy machine
CARD = "[class*='decision-card']"
NOTHING = "No recommendations to display"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one call, and what the Sandbox showed of it: the first line of each card."""

    status: int
    sent: dict[str, Any]
    body: dict[str, Any]
    shown: tuple[str, ...]

    @property
    def summaries(self) -> tuple[str, ...]:
        """Of the cards in the answer."""
        return tuple(one["summary"] for one in self.body.get("cards", ()))

    @property
    def whole(self) -> bool:
        """Whether every card that was sent is shown, and no other."""
        return sorted(self.shown) == sorted(self.summaries)


class Sandbox:
    """The Sandbox in a browser."""

    def __init__(self, page: "Page", scene: Scene, pictures: Path) -> None:
        self._page, self._scene, self._pictures = page, scene, pictures
        page.set_viewport_size(WINDOW)  # type: ignore[arg-type]
        page.set_default_timeout(MILLISECONDS)

    def discover(self) -> tuple[str, ...]:
        """The services that it found at the address it was given."""
        address = f"{self._scene.service}/cds-services"
        with self._page.expect_response(lambda one: one.url == address and one.request.method == "GET") as found:
            self.open("no-art-cd4-520")
        return tuple(one["id"] for one in found.value.json()["services"])

    def open(self, patient: str, service: str | None = None) -> Answer:
        """A chart is opened: patient-view."""
        base = service or self._scene.service
        asked = {
            "fhirServiceUrl": self._scene.fhir,
            "patientId": patient,
            "serviceDiscoveryURL": f"{base}/cds-services",
            "hook": "patient-view",
            "screen": "patient-view",
        }
        return self._calling(
            base, "patient-view", lambda: self._page.goto(f"{self._scene.sandbox}/?{urlencode(asked)}")
        )

    def select(self, drug: str, code: str) -> Answer:
        """A drug is chosen on the Rx View: order-select."""
        self._page.get_by_role("button", name="Rx View").click()
        return self._calling(self._scene.service, "order-select", lambda: self._choose(drug), code)

    def sign(self, drug: str, code: str) -> Answer:
        """A drug is chosen on the Rx Sign page, and signed: order-sign."""
        self._page.get_by_role("button", name="Rx Sign").click()
        self._choose(drug)
        return self.press_sign(code)

    def press_sign(self, code: str) -> Answer:
        """What is drafted is signed."""
        button = self._page.get_by_role("button", name="Sign Order")
        return self._calling(self._scene.service, "order-sign", button.click, code)

    def accept(self, label: str) -> dict[str, Any]:
        """The button of a suggestion; the feedback that the service took."""
        button = self._page.get_by_role("button", name=label, exact=True).first
        return self._telling(button.click)

    def accept_and_select(self, label: str, code: str) -> tuple[dict[str, Any], Answer]:
        """On the Rx View what is accepted becomes the draft, and is asked about at once."""
        told: list[dict[str, Any]] = []
        answer = self._calling(self._scene.service, "order-select", lambda: told.append(self.accept(label)), code)
        return told[0], answer

    def override(self, summary: str, reason: str, picture: str) -> dict[str, Any]:
        """A card is dismissed with a reason of its menu; the feedback that the service took."""
        card = self._page.locator(CARD).filter(has_text=summary)
        card.get_by_role("button", name="select dismiss reason").click()
        chosen = self._page.get_by_role("menuitem", name=f"Override: {reason}")
        chosen.wait_for()
        self.picture(picture, LEFT)
        return self._telling(chosen.click)

    def picture(self, name: str, part: dict[str, int] | None = None) -> None:
        """Of the window as it is, or of a part of it."""
        self._page.wait_for_timeout(500)  # its ripples and fades
        self._page.screenshot(path=self._pictures / f"sandbox-{name}.png", clip=part)  # type: ignore[arg-type]

    def picture_of(self, name: str, summary: str) -> None:
        """With this card on top, below the header."""
        card = self._page.locator(CARD).filter(has_text=summary).first
        card.evaluate("one => { one.scrollIntoView({block: 'start'}); window.scrollBy(0, -90); }")
        self.picture(name, LEFT)

    def text(self) -> str:
        """All that can be read."""
        return self._page.inner_text("body")

    def _choose(self, drug: str) -> None:
        self._page.locator("input[name='medication-input']").fill(drug)
        self._page.get_by_role("button", name=drug, exact=True).click()

    def _calling(self, base: str, hook: str, act: Callable[[], Any], code: str = "") -> Answer:
        """The answer to the call that the act brings about, once its cards are shown."""

        def awaited(response: "Response") -> bool:
            request = response.request
            return (
                request.method == "POST"
                and response.url == f"{base}/cds-services/immune-status-{hook}"
                and (not code or f'"code":"{code}"' in (request.post_data or ""))
            )

        with self._page.expect_response(awaited) as found:
            act()
        response = found.value
        body = response.json()
        cards = body.get("cards", ())
        self._page.get_by_text(cards[0]["summary"] if cards else NOTHING, exact=False).first.wait_for()
        shown = tuple(one.strip().splitlines()[0].strip() for one in self._page.locator(CARD).all_inner_texts())
        return Answer(response.status, _sent(response.request), body, shown)

    def _telling(self, act: Callable[[], Any]) -> dict[str, Any]:
        with self._page.expect_response(
            lambda one: one.url.endswith("/feedback") and one.request.method == "POST"
        ) as found:
            act()
        return {"status": found.value.status} | _sent(found.value.request)["feedback"][0]


def _sent(request: "Request") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.post_data or "{}")
    return found
