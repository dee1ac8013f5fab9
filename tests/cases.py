"""The clinical cases of tests/spec in, each put to the service as a whole request; what a clinician would see, and is to, out.

A case is a sentence and a chart by days before the request. It starts from the `[chart]` of its file and replaces what it
names; `rows` are cases that share what their case says. `outcome`, and what belongs to it, is what the file's rule must give:

    recommended   indicator, and as the case likes: level, summary, detail, offers (all suggestions, in order), recommends (those
                  of them that are recommended), several (whether more than one of them may be taken)
    held          indicator, why
    silent        because
    not-assessed  missing; `told = true` where a "Not assessed" card must say so

`explained` are words that `cds-service explain` must have on the chart and the rule, and `explained-lacks` those that it must not.
`complete` is true and there is no "Not assessed" card unless the case says so. `also` gives the outcomes of other rules,
`alone` says that no other rule is listed, `cards` how many cards there are. `profile`, `endemic` and `cotrimoxazole-for-all`
say how the site has set the service. `settled` are tests that are negative and on file, so that they are no matter here.
"""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import delete

from cds_service.app import create_app
from cds_service.explain import explain
from cds_service.ledger import Ledger
from cds_service.ledger.issued_advice import IssuedAdvice
from cds_service.ledger.quiet_periods import QuietPeriod
from cds_service.settings import Settings
from cds_service.web.wiring import KEY
from cds_service.wire.evaluation import EXTENSION
from cds_service.wire.validation import validator
from hooks import SERVICES
from hooks.advice import URGENCY
from tests.charts import Chart

FOLDER = Path(__file__).parent / "spec"
AS_OF = date(2026, 11, 20)
SERVICE_OF = {service.hook: service for service in SERVICES}
RULES = {rule.id: rule for service in SERVICES for rule in service.rules}
CHART = {"as-of", "hook", "birth-date", "problems", "cd4", "cd4-percent", "viral-load", "medications", "statements"}
CHART |= {"drafts", "orders", "allergies", "labs", "settled", "not-supplied", "failed", "partial"}
SITE = {"profile", "endemic", "cotrimoxazole-for-all"}
EXPECTED = {
    "recommended": {"indicator"},
    "held": {"indicator", "why"},
    "silent": {"because"},
    "not-assessed": {"missing"},
}
OPTIONAL = {"level", "summary", "detail", "detail-lacks", "offers", "complete", "told", "also", "alone", "cards"}
OPTIONAL |= {"recommends", "several", "explained", "explained-lacks"}
OWN = {"says", "boundary", "outcome"}


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence of the specification: the rule it is about, the chart, and what must come out."""

    rule: str
    said: dict[str, Any]

    @property
    def hook(self) -> str:
        return str(self.said["hook"])

    def chart(self) -> Chart:
        return Chart(self.said, date.fromisoformat(self.said["as-of"]) if "as-of" in self.said else AS_OF)


def read_spec() -> Iterator[Case]:
    for path in sorted(FOLDER.glob("*.toml")):
        spec = tomllib.loads(path.read_text("utf-8"))
        assert spec.keys() == {"chart", "case"}, path.name
        for one in spec["case"]:
            shared = {key: value for key, value in one.items() if key != "rows"}
            for row in one.get("rows", [{}]):
                yield Case(path.stem, {"hook": "patient-view"} | spec["chart"] | shared | row)


CASES = list(read_spec())


class Now:
    """The clock of the service, put to noon (UTC) of the day of each case."""

    day = AS_OF

    def __call__(self) -> datetime:
        return datetime.combine(self.day, time(12), UTC)


NOW = Now()


def settings_of(profile: str = "dhhs", endemic: str = "", for_all: bool = False) -> Settings:
    """The service as a site has set it."""
    return Settings(
        explain="full",
        open_access=True,
        database_url="sqlite://",
        profile=profile,
        endemic=frozenset(filter(None, endemic.split(","))),
        cotrimoxazole_for_all=for_all,
    )


@cache
def make_client(profile: str = "dhhs", endemic: str = "", for_all: bool = False) -> FlaskClient:
    return create_app(settings_of(profile, endemic, for_all), NOW).test_client()


def site_of(case: Case) -> tuple[str, str, bool]:
    said = case.said
    return said.get("profile", "dhhs"), said.get("endemic", ""), said.get("cotrimoxazole-for-all", False)


def forget(client: FlaskClient) -> None:
    """Nothing was ever said about anybody."""
    ledger: Ledger = client.application.extensions[KEY].ledger
    with ledger.database.writing() as connection:
        connection.execute(delete(QuietPeriod))
        connection.execute(delete(IssuedAdvice))


def client_of(case: Case) -> FlaskClient:
    return make_client(*site_of(case))


_ANSWERS: dict[
    tuple[str, str], dict[str, Any]
] = {}  # several tests look at the answers to the cases of the specification


def answer(case: Case) -> dict[str, Any]:
    """The answer of the service, legal and at one with itself; of a case of the specification it is asked for once."""
    name = (case.rule, case.said.get("says", ""))
    if name not in _ANSWERS or not all(name):
        _ANSWERS[name] = _answer(case, client_of(case))
    return _ANSWERS[name]


def _answer(case: Case, client: FlaskClient) -> dict[str, Any]:
    chart = case.chart()
    NOW.day = chart.as_of
    forget(client)  # all cases are of one patient, and none has a past with us
    response = client.post(f"/cds-services/{SERVICE_OF[case.hook].id}", json=chart.request(case.hook))
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json
    assert not [fault.message for fault in validator("response").iter_errors(body)]
    said = [one for one in body["extension"][EXTENSION]["findings"] if one["outcome"] == "recommended"]
    told = {one["uuid"]: one["indicator"] for one in body["cards"] if not is_not_assessed(one)}
    assert told == {
        card: min((one["indicator"] for one in said if one["card"] == card), key=URGENCY.index)
        for card in {one["card"] for one in said}
    }
    return body


def is_not_assessed(card: dict[str, Any]) -> bool:
    return bool(card["source"]["topic"]["code"] == "NotAssessed")


def check(case: Case) -> None:
    """Whether what comes out is what the case says."""
    body, said = answer(case), case.said
    evaluation = body["extension"][EXTENSION]
    outcomes = {one["rule"]: one["outcome"] for one in evaluation["findings"]}
    finding = next(one for one in evaluation["findings"] if one["rule"] == case.rule)
    wanted = {"outcome": said["outcome"]} | {
        key: said[key] for key in ("indicator", "level", "why", "missing") if key in said
    }
    assert {key: finding.get(key) for key in wanted} == wanted, finding
    assert said.get("because", "") in finding.get("because", "")
    assert evaluation["complete"] is said.get("complete", True)
    assert any(map(is_not_assessed, body["cards"])) is said.get("told", False)
    assert outcomes | said.get("also", {}) == outcomes
    assert set(outcomes) == ({case.rule} if said.get("alone") else {rule.id for rule in SERVICE_OF[case.hook].rules})
    assert len(body["cards"]) == said.get("cards", len(body["cards"]))
    if said.keys() & {"explained", "explained-lacks"}:
        check_explanation(case)
    if said["outcome"] == "recommended":
        check_card(next(one for one in body["cards"] if one["uuid"] == finding["card"]), said)


def check_explanation(case: Case) -> None:
    """What the command says of the chart and of the rule: its facts, silent or not, and what would change its answer."""
    body = json.dumps(case.chart().request(case.hook)).encode()
    whole = explain(body, settings_of(*site_of(case)), datetime.combine(case.chart().as_of, time(12), UTC))
    found = "\n".join(part for part in whole.split("\n\n") if part.startswith((f"{case.rule}: ", "THE CHART AS READ")))
    assert [one for one in case.said.get("explained", []) if one not in found] == [], found
    assert [one for one in case.said.get("explained-lacks", []) if one in found] == [], found


def check_card(card: dict[str, Any], said: dict[str, Any]) -> None:
    summary, detail = card["summary"].casefold(), card["detail"].casefold()
    assert said.get("summary", "").casefold() in summary
    assert [one for one in said.get("detail", []) if one.casefold() not in detail] == []
    assert [one for one in said.get("detail-lacks", []) if one.casefold() in detail] == []
    assert "- None" not in card["detail"]
    offered = [(one["label"].removeprefix("Order "), one.get("isRecommended")) for one in card.get("suggestions", [])]
    if "several" in said:
        assert card["selectionBehavior"] == ("any" if said["several"] else "at-most-one")
    check_labels([label for label, _ in offered], said.get("offers"))
    check_labels([label for label, recommended in offered if recommended], said.get("recommends"))


def check_labels(labels: list[str], wanted: list[str] | None) -> None:
    """Each is named, in order, by some of its words; one that replaces a draft only as such."""
    if wanted is None:
        return
    assert len(labels) == len(wanted), labels
    pairs = list(zip(labels, wanted, strict=True))
    assert [label for label, offer in pairs if offer.casefold() not in label.casefold()] == []
    assert [label for label, offer in pairs if label.startswith("Replace ") and not offer.startswith("Replace ")] == []
