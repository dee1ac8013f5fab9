"""Every fixture is posted at its own day and answered as written down, and in the same way on any other day."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.cli import main
from cds_service.fixtures import NoFixture, fixture, fixture_names
from cds_service.wire.validation import validator
from tests.fixture_files import (
    EVALUATION,
    REQUESTS,
    RESPONSES,
    Clients,
    Clock,
    answer_to,
    as_of,
    ask,
    legal,
    numbered,
    read,
    request_files,
    response_of,
    service_for,
)

PATHS = request_files()
LEGAL = [path for path in PATHS if path.parent.name != "refused"]
BENT = ("epic-shapes", "sandbox-shapes")  # as real clients send them, which is not always FHIR
EXPECTED = {
    "order-sign/cd4-120-starting-art",
    "order-sign/cd4-85-sulfonamide-sjs",
    "order-sign/unrelated-order",
    "order-sign/already-on-tmp-smx",
    "order-sign/nothing-to-say",
    "order-sign/epic-shapes",
    "order-sign/sandbox-shapes",
    "order-sign/medications-not-supplied",
    "order-sign/tmp-smx-after-sjs",
    "order-sign/art-in-meningitis",
    "order-sign/hepatitis-b-switch",
    "order-sign/dapsone-g6pd-unknown",
    "order-select/draft-without-medication",
    "patient-view/cd4-150-suppressed",
    "patient-view/results-out-of-date",
    "patient-view/results-that-cannot-be-read",
    "patient-view/no-hiv",
    "patient-view/child-of-nine",
    "patient-view/no-art",
    "patient-view/prophylaxis-may-stop",
    "patient-view/toxoplasma-and-pneumocystis",
    "patient-view/tb-test-positive",
    "refused/context-missing",
    "refused/hook-of-another-service",
    "refused/another-patients-cd4",
    "refused/no-prefetch",
    "refused/draft-orders-missing",
    "refused/authorization-without-fhir-server",
}
FORBIDDEN = re.compile(
    r"\b(?:stop|discontinue) (?:ART|antiretroviral)|\bstart (?:this |the )?regimen"
    r"|\b(?:this |the )?patient has (?:IRIS|AIDS|PCP|Pneumocystis|tuberculosis)"
    r"|\bprophylaxis (?:is )?not (?:needed|required|necessary|indicated)|\b(?:delay|defer|postpone) ART to prevent",
    re.IGNORECASE,
)
WRITTEN_DATE = re.compile(
    r"\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?: \d{4})?\b|\b\d{4}-\d\d-\d\d\b"
)

CLOCK = Clock()
CLIENTS = Clients(CLOCK)
CLIENT = CLIENTS.of({})


def titled(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


every_request = pytest.mark.parametrize("path", PATHS, ids=titled)
every_legal_request = pytest.mark.parametrize("path", LEGAL, ids=titled)


def undated(answer: Any) -> Any:
    """An answer without its dates."""
    return json.loads(WRITTEN_DATE.sub("DATE", json.dumps(numbered(answer))))


def answered(request: dict[str, Any]) -> Any:
    CLOCK.set(as_of(request))
    answer = ask(CLIENTS.of(request), request)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_the_fixtures_that_others_rely_on_are_there() -> None:
    assert {titled(path) for path in PATHS} >= EXPECTED


def test_each_request_has_a_response_and_each_response_a_request() -> None:
    assert sorted(RESPONSES.glob("*/*.json")) == sorted(map(response_of, PATHS))


def test_a_name_alone_says_which_fixture_is_meant() -> None:
    assert len({path.stem for path in PATHS}) == len(PATHS)


@every_request
def test_the_answer_is_the_one_written_down(path: Path) -> None:
    request = read(path)
    CLOCK.set(as_of(request))
    assert answer_to(CLIENTS.of(request), path, request) == read(response_of(path))


@every_legal_request
def test_a_legal_request_is_one_by_the_specification(path: Path) -> None:
    request = read(path)
    assert request["hook"] == path.parent.name
    validator("request" if request["hook"] == "patient-view" else "order-request").validate(request)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", request["hookInstance"])
    assert set(request["context"]) >= {"userId", "patientId"}


@pytest.mark.parametrize("path", [path for path in LEGAL if path.stem not in BENT], ids=titled)
def test_what_a_legal_request_carries_is_fhir(path: Path) -> None:
    request = read(path)
    carried = [one for one in request["prefetch"].values() if one]
    if path.stem != "draft-without-medication":  # whose very point is a draft that is not yet an order
        carried += [request["context"]["draftOrders"]] if "draftOrders" in request["context"] else []
    for one in carried:
        assert get_fhir_model_class(one["resourceType"]).model_validate(one)


@pytest.mark.parametrize("path", [path for path in PATHS if path not in LEGAL], ids=titled)
def test_a_refused_request_names_the_service_to_send_it_to(path: Path) -> None:
    assert service_for(read(path)) in {one["id"] for one in CLIENT.get("/cds-services").get_json()["services"]}
    expected = read(response_of(path))
    assert set(expected) == {"status", "body"}
    assert 400 <= expected["status"] < 500


def test_the_shapes_of_epic_change_nothing_of_the_advice() -> None:
    plain, epic = (answered(legal(name)) for name in ("cd4-120-starting-art", "epic-shapes"))
    said = [[(card["summary"], card["detail"], card["indicator"]) for card in one["cards"]] for one in (plain, epic)]
    assert said[0] == said[1]
    assert said[0]
    assert numbered(plain["extension"]) == numbered(epic["extension"])


@pytest.mark.parametrize(
    ("name", "outcome", "rule"),
    [
        ("cd4-120-starting-art", "recommended", "pneumocystis-start"),
        ("cd4-85-sulfonamide-sjs", "recommended", "pneumocystis-start"),
        ("already-on-tmp-smx", "silent", "pneumocystis-start"),
        ("nothing-to-say", "silent", "pneumocystis-start"),
        ("unrelated-order", "held", "pneumocystis-start"),
        ("medications-not-supplied", "not-assessed", "pneumocystis-start"),
        ("draft-without-medication", "not-assessed", "art-start"),
        ("cd4-150-suppressed", "recommended", "pneumocystis-start"),
        ("results-out-of-date", "recommended", "monitoring-due"),
        ("results-that-cannot-be-read", "not-assessed", "pneumocystis-start"),
        ("no-hiv", "silent", "scope"),
        ("child-of-nine", "recommended", "scope"),
        ("no-art", "recommended", "art-start"),
        ("tmp-smx-after-sjs", "recommended", "prophylaxis-agent"),
        ("art-in-meningitis", "recommended", "art-timing"),
        ("hepatitis-b-switch", "recommended", "hepatitis-b-flare"),
        ("dapsone-g6pd-unknown", "recommended", "prophylaxis-agent"),
        ("prophylaxis-may-stop", "recommended", "pneumocystis-stop"),
        ("toxoplasma-and-pneumocystis", "recommended", "toxoplasma-start"),
        ("tb-test-positive", "recommended", "tuberculosis-prevention"),
    ],
)
def test_a_fixture_shows_what_its_name_says(name: str, outcome: str, rule: str) -> None:
    findings = answered(legal(name))["extension"][EVALUATION]["findings"]
    assert {one["rule"]: one["outcome"] for one in findings}[rule] == outcome


@pytest.mark.parametrize(
    ("name", "indicator", "cards", "offers"),
    [
        ("tmp-smx-after-sjs", "critical", 1, [["update"], ["update"], ["delete"]]),
        ("art-in-meningitis", "critical", 3, [["delete"]]),
        ("hepatitis-b-switch", "critical", 1, [["delete"]]),
        ("dapsone-g6pd-unknown", "warning", 1, [["create"], *[["update"]] * 4, ["delete"]]),
        ("prophylaxis-may-stop", "info", 1, []),
        ("toxoplasma-and-pneumocystis", "warning", 1, [["create"]] * 3),
        ("tb-test-positive", "warning", 1, [["create", "create"]]),
    ],
)
def test_the_first_card_of_a_fixture_is_as_urgent_as_told_and_offers_what_it_shows(
    name: str, indicator: str, cards: int, offers: list[list[str]]
) -> None:
    found = answered(legal(name))["cards"]
    assert (found[0]["indicator"], len(found)) == (indicator, cards)
    assert [[one["type"] for one in each["actions"]] for each in found[0].get("suggestions", [])] == offers


@every_legal_request
def test_the_command_prints_the_request_of_today(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fixture", path.stem]) == 0
    today = json.loads(capsys.readouterr().out)
    assert abs((as_of(today) - date.today()).days) <= 1  # noqa: DTZ011  (a day's grace: it is printed for the day in UTC)
    assert undated(answered(today)) == undated(read(response_of(path)))


@pytest.mark.parametrize("day", [date(2024, 2, 29), date(2027, 1, 3), date(2031, 12, 31)], ids=str)
def test_no_fixture_ages(day: date) -> None:
    for path in LEGAL:
        moved = fixture(path.stem, day)
        assert as_of(moved) == day
        assert undated(answered(moved)) == undated(read(response_of(path))), path.stem


def test_the_names_are_those_of_the_legal_requests() -> None:
    assert fixture_names() == sorted(path.stem for path in LEGAL)


def test_an_unknown_name_is_refused_with_the_names_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoFixture, match="cd4-120-starting-art"):
        fixture("nowhere", date(2026, 11, 20))
    assert main(["fixture", "nowhere"]) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert "cd4-120-starting-art" in printed.err


@every_legal_request
def test_no_card_says_what_only_a_clinician_may(path: Path) -> None:
    for card in read(response_of(path))["cards"]:
        spoken = [card["summary"], card["detail"], *(one["label"] for one in card.get("suggestions", []))]
        assert not [text for text in spoken if FORBIDDEN.search(text)]


@pytest.mark.parametrize(
    "text",
    ["Stop ART.", "start this regimen", "The patient has IRIS", "Prophylaxis is not needed", "delay ART to prevent"],
)
def test_a_forbidden_directive_would_be_found(text: str) -> None:
    assert FORBIDDEN.search(text)


def test_requests_and_responses_are_data_only() -> None:
    assert {path.suffix for folder in (REQUESTS, RESPONSES) for path in folder.rglob("*") if path.is_file()} == {
        ".json"
    }
