"""The Sandbox in; out it comes told what was seen in each hook, what was accepted and overridden, and what was not as promised."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hooks import SERVICES
from tests.sandbox.scene import Scene
from tests.sandbox.seen import NOTHING, Answer, Sandbox

REGIMEN = ("abacavir 600 MG / dolutegravir 50 MG / Lamivudine 300 MG Oral Tablet", "1546888")
DAPSONE = ("Dapsone 100 MG Oral Tablet", "197557")
COTRIMOXAZOLE, ATOVAQUONE = "198335", "308429"
START, REPLACE = (
    "Order TMP-SMX double strength, 1 tablet daily",
    "Replace dapsone by atovaquone 1500 mg daily with food",
)
NOT_NOW = "Not now, will review"
# Feedback that has to be in the ledger afterwards
GIVEN = {("immunologic-non-response", "not-now"), ("pneumocystis-start", "accepted"), ("prophylaxis-agent", "accepted")}


@dataclass(slots=True)
class Story:
    """What is said line by line, and every promise that was not kept."""

    sandbox: Sandbox
    scene: Scene
    broken: list[str] = field(default_factory=list)

    def tell(self) -> Iterator[str]:
        """All of it, in the order in which it happens."""
        found = self.sandbox.discover()
        yield f"discovery: {', '.join(found)}"
        self.promise(set(found) == {one.id for one in SERVICES}, "every service is found")
        yield from self.patient_view()
        yield from self.order_select()
        yield from self.order_sign()
        yield from self.refused()

    def patient_view(self) -> Iterator[str]:
        """A chart is opened, one card is overridden, and the chart is opened again."""
        answer = self.sandbox.open("results-not-trusted")
        yield from self.seen("patient-view, a chart with results that cannot be trusted", answer)
        self.promise(any(one.startswith("Not assessed") for one in answer.shown), "what could not be read is said")
        self.sandbox.picture_of("not-assessed", "Not assessed")
        answer = self.sandbox.open("cd4-150-suppressed")
        yield from self.seen("patient-view, CD4 150 in spite of suppression", answer)
        self.sandbox.picture("patient-view")
        review = next((one for one in answer.shown if "review the non-response" in one), "")
        self.promise(bool(review), "the non-response is to be reviewed")
        yield told(self.took(self.sandbox.override(review, NOT_NOW, "override"), "overridden"), review)
        answer = self.sandbox.open("cd4-150-suppressed")
        yield from self.seen("patient-view, the same chart again", answer)
        self.promise(review not in answer.shown, "what was overridden is held")

    def order_select(self) -> Iterator[str]:
        """A whole regimen is chosen; the prophylaxis that is due is accepted and becomes the Sandbox's draft."""
        self.sandbox.open("starting-art")
        answer = self.sandbox.select(*REGIMEN)
        yield from self.seen("order-select, CD4 120, a first regimen is chosen", answer)
        due = next((one for one in answer.shown if "Pneumocystis prophylaxis is due" in one), "")
        self.promise(bool(due), "prophylaxis is due")
        self.sandbox.picture_of("order-select", due)
        feedback, answer = self.sandbox.accept_and_select(START, COTRIMOXAZOLE)
        yield told(self.took(feedback, "accepted"), START)
        yield from self.seen("order-select, with what was accepted as the draft", answer)
        self.promise(due not in answer.shown, "what is drafted is no longer said to be due")

    def order_sign(self) -> Iterator[str]:
        """An order that could harm is signed, replaced by what the card offers, and signed again."""
        self.sandbox.open("sulfonamide-sjs")
        answer = self.sandbox.sign(*DAPSONE)
        yield from self.seen("order-sign, dapsone after Stevens-Johnson syndrome", answer)
        harms = next((one["summary"] for one in answer.body["cards"] if one["indicator"] == "critical"), "")
        self.promise(harms in answer.shown and bool(harms), "an order that can harm is critical")
        self.sandbox.picture_of("order-sign", harms)
        yield told(self.took(self.sandbox.accept(REPLACE), "accepted"), REPLACE)
        answer = self.sandbox.press_sign(ATOVAQUONE)
        yield from self.seen("order-sign, with what was accepted as the draft", answer)
        self.promise(harms not in answer.shown, "the replacement is not warned of")

    def refused(self) -> Iterator[str]:
        """The same call to a service that does not know the Sandbox."""
        answer = self.sandbox.open("cd4-150-suppressed", self.scene.strange)
        yield f"patient-view, at a service that does not trust it: {answer.status}, and the Sandbox shows “{NOTHING}”"
        self.promise(answer.status == 401 and NOTHING in self.sandbox.text(), "who is not known is refused")
        self.sandbox.picture("refused")

    def seen(self, moment: str, answer: Answer) -> Iterator[str]:
        """The answer in words; every card that was sent has to be shown, and nothing may have been lacking."""
        evaluation: dict[str, Any] = answer.body.get("extension", {}).get("org.immune-status-cds.evaluation", {})
        complete = "complete" if evaluation.get("complete") else "not complete"
        yield f"{moment}: {answer.status}, {complete}, prefetch {', '.join(sorted(answer.sent.get('prefetch', {})))}"
        cards = answer.body.get("cards", ())
        yield from (f"    {one['indicator']:8}  {one['summary']}" for one in cards)
        self.promise(answer.status == 200, f"{moment}: it is answered")
        self.promise(answer.whole, f"{moment}: the Sandbox shows the cards of the answer")

    def took(self, feedback: dict[str, Any], outcome: str) -> dict[str, Any]:
        """Feedback as it went out, which has to be taken."""
        self.promise(feedback["status"] == 200 and feedback["outcome"] == outcome, f"{outcome} feedback is taken")
        return feedback

    def promise(self, kept: bool, what: str) -> None:
        """Remembers what was not kept; the story goes on."""
        if not kept:
            self.broken.append(what)


def told(feedback: dict[str, Any], what: str) -> str:
    """Feedback in words."""
    reason = feedback.get("overrideReason", {}).get("reason", {}).get("code")
    return f"    feedback {feedback['status']}: {feedback['outcome']}{f' ({reason})' if reason else ''}: {what}"
