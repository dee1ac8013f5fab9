"""Days in the life of a chart in; out come what the service says at each visit, and what it makes of the words of clinicians."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.ledger import Ledger
from cds_service.web.wiring import KEY
from cds_service.wire.cards import topic
from cds_service.wire.evaluation import EXTENSION
from cds_service.wire.override_reasons import CODINGS
from tests.charts import Chart
from tests.fixture_files import ANCHOR, Clock, app_of

REASONS = {one["code"]: {"code": one["code"], "system": one["system"]} for one in CODINGS}
QUIET_CHART: dict[str, Any] = {
    "problems": ["HIV infection"],
    "medications": [{"what": "BIC/FTC/TAF", "since": 900}],
    "cd4": {"20": 150},
    "viral-load": {"20": 3000},
    "allergies": ["nothing known"],
    "settled": ["toxoplasma IgG", "IGRA"],
}


class Visit:
    """One answer of the service, and what a clinician may do with its cards."""

    def __init__(self, history: "History", service: str, answer: TestResponse) -> None:
        assert answer.status_code == 200, answer.text
        self._history, self.service, self.body = history, service, answer.get_json()

    @property
    def cards(self) -> dict[str, dict[str, Any]]:
        """By topic."""
        return {one["source"]["topic"]["code"]: one for one in self.body["cards"]}

    @property
    def complete(self) -> bool:
        return bool(self.body["extension"][EXTENSION]["complete"])

    def finding(self, rule: str) -> dict[str, Any]:
        return next(one for one in self.body["extension"][EXTENSION]["findings"] if one["rule"] == rule)

    def says(self, rule: str) -> bool:
        """Whether the rule speaks on a card that is shown."""
        found = self.finding(rule)
        shown = found["outcome"] == "recommended"
        assert shown == (found.get("card") in {one["uuid"] for one in self.body["cards"]})
        return shown

    def until(self, rule: str) -> date | None:
        """Until when it is held for a quiet period, None where it is not."""
        found = self.finding(rule)
        if found.get("why") != "quiet-period":
            return None
        assert found["outcome"] == "held"
        return date.fromisoformat(found["until"])

    def override(self, rule: str, reason: str | None = None, **more: Any) -> TestResponse:
        """The card on which the rule speaks is overridden."""
        given = {"overrideReason": {"reason": REASONS[reason]}} if reason else {}
        return self.send({"card": self.finding(rule)["card"], "outcome": "overridden", **given, **more})

    def accept(self, rule: str, *labels: str) -> TestResponse:
        """Suggestions of the rule's card are taken, by their labels."""
        card = next(one for one in self.body["cards"] if one["uuid"] == self.finding(rule)["card"])
        taken = [{"id": one["uuid"]} for one in card["suggestions"] if one["label"] in labels]
        assert len(taken) == len(labels), [one["label"] for one in card["suggestions"]]
        return self.send({"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": taken})

    def send(self, entry: Mapping[str, Any]) -> TestResponse:
        """Feedback of one entry, now."""
        stamped = {"outcomeTimestamp": self._history.clock.now.isoformat()} | dict(entry)
        answer = self._history.client.post(f"/cds-services/{self.service}/feedback", json={"feedback": [stamped]})
        assert answer.status_code == 200, answer.text
        return answer


class History:
    """One patient of one service, from a first day on."""

    def __init__(self, day: date = ANCHOR, **settings: Any) -> None:
        self.clock = Clock(day)
        self.client: FlaskClient = app_of(self.clock, **settings).test_client()
        self.ledger: Ledger = self.client.application.extensions[KEY].ledger
        self._calls = 0

    def later(self, days: int) -> "History":
        self.clock.set(self.clock.now.date() + timedelta(days=days))
        return self

    def visit(
        self,
        changes: Mapping[str, Any] | None = None,
        hook: str = "patient-view",
        patient: str | None = None,
        clinician: str = "Practitioner/one",
        instance: str | None = None,
    ) -> Visit:
        """Opens the chart, or signs what is drafted. Ages in the chart are days before this visit."""
        self._calls += 1
        request = Chart({**QUIET_CHART, **(changes or {})}, self.clock.now.date()).request(hook)
        request["hookInstance"] = instance or f"call-{self._calls}"
        request["context"]["userId"] = clinician
        if patient:
            request = json.loads(json.dumps(request).replace("invented-1", patient))
        service = f"immune-status-{hook}"
        answer = self.client.post(f"/cds-services/{service}", json=request)
        assert self.ledger.cards.flush(60), "what was said is written before anybody reads it"
        return Visit(self, service, answer)


def topics(*rules: str) -> set[str]:
    return set(map(topic, rules))
