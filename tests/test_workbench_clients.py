"""The workbench at a test site: a chart as one of its clients sends it, by that client's codes, guideline and gaps."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fixture_files import EVALUATION, Clock, app_of, legal
from tests.test_access import ONE, PASSWORD, TWO, Site
from tests.test_local_codes import CALL, MAP
from tests.test_report_page import Read
from tests.test_workbench import words

MORE = 'codes = "local-codes.toml"\nprofile = "who"\nnot_supplied = ["orders"]'
PASTED = json.dumps(CALL)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "local-codes.toml").write_text(MAP, "utf-8")
    return Site(tmp_path, MORE)


def shown(site: Site, **form: str) -> str:
    answer = site.client.post("/workbench", data=form, auth=("", PASSWORD))
    assert answer.status_code == 200
    return answer.text


def test_the_clients_of_the_trust_file_can_be_chosen_and_none_where_there_is_none(site: Site) -> None:
    page = Read(shown(site, patient=""))
    offered = [one["value"] for one in page.of("option")]
    assert {ONE.iss, TWO.iss} <= set(offered)
    demo = app_of(Clock()).test_client().get("/workbench").text
    assert 'name="client"' not in demo


def test_a_chart_is_read_by_the_codes_and_the_guideline_of_its_client(site: Site) -> None:
    one, two, nobody = (words(shown(site, pasted=PASTED, client=iss)) for iss in (ONE.iss, TWO.iss, ""))
    assert f"As {ONE.iss} sends it: 6 codes of its own are read; it cannot send orders." in one
    assert "CD4 count 120/µL" in one
    assert "guideline who" in one
    assert f"As {TWO.iss} sends it: 0 codes" in two
    assert "guideline dhhs" in two
    for said in (two, nobody):
        assert "CD4 count 120/µL" not in said
    assert " sends it: " not in nobody


def test_its_cards_are_those_that_the_client_itself_would_get(site: Site) -> None:
    answer = site.post(body=PASTED, path="/cds-services/immune-status-patient-view").get_json()
    assert len(answer["extension"][EVALUATION]["findings"]) > 1
    said = words(shown(site, pasted=PASTED, client=ONE.iss))
    assert answer["cards"]
    assert all(" ".join(card["summary"].split()) in said for card in answer["cards"])


def test_what_if_keeps_the_client_and_can_go_by_another_guideline(site: Site) -> None:
    said = words(shown(site, pasted=PASTED, client=ONE.iss, cd4="90", profile="dhhs"))
    assert "guideline who" in said[said.index("Before,") :]
    assert "guideline dhhs" in said
    assert "CD4 count 90/µL" in said
    same = words(shown(site, pasted=PASTED, client=ONE.iss, profile="who"))
    assert "As it would be" not in same  # this is how it is answered anyhow


def test_what_the_site_cannot_send_raises_no_card(tmp_path: Path) -> None:
    request = legal("cd4-120-starting-art")
    del request["prefetch"]["conditions"]
    site = Site(tmp_path, 'not_supplied = ["conditions"]')
    one, two = (words(shown(site, pasted=json.dumps(request), client=iss)) for iss in (ONE.iss, TWO.iss))
    assert "it cannot send conditions" in one
    assert "Not assessed" in two.partition("Over time")[0]
    assert "Not assessed" not in one.partition("Over time")[0]


def test_neither_keys_nor_files_of_the_trust_file_are_shown(site: Site) -> None:
    said = shown(site, pasted=PASTED, client=ONE.iss)
    assert not [one for one in ("one.json", "local-codes.toml", "jwks", PASSWORD) if one in said]


def test_the_assay_factor_of_the_site_holds_here_too() -> None:
    request = legal("cd4-120-starting-art")
    load = request["prefetch"]["viralLoads"]["entry"][0]["resource"]
    load["valueQuantity"] = {"value": 1200, "unit": "[IU]/mL", "code": "[IU]/mL", "system": "http://unitsofmeasure.org"}
    load["code"] = {"coding": [{"system": "http://loinc.org", "code": "10351-5"}]}
    text = json.dumps(request)
    for factor, amount in ((None, "1,200 IU/mL"), (Decimal("0.6"), "2,000 copies/mL")):
        client = app_of(Clock(), iu_per_copy=factor).test_client()
        assert f"HIV viral load {amount}" in words(client.post("/workbench", data={"pasted": text}).text)
