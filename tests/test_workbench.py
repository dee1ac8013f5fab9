"""The workbench as a site's team uses it: what it shows, what it compares, and that it is safe whatever is pasted."""

import json
import re
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.reasons.markdown import rendered
from cds_service.web.wiring import KEY, Wiring
from tests.fixture_files import Clock, app_of, ask, legal, lines_of, read, request_files
from tests.test_access import PASSWORD, Site
from tests.test_report_page import Read

STARTING, SUPPRESSED = "starting-art:order-sign", "suppressed-for-years:patient-view"
SCRIPT = '"><script>alert(1)</script>'
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}
LEGAL = [one for one in request_files() if one.parent.name != "refused"]
PLAIN = [one for one in LEGAL if "discreet" not in lines_of(read(one))]  # the workbench shows cards as they are meant


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return app_of(Clock()).test_client()


def send(client: FlaskClient, **form: str) -> str:
    answer = client.post("/workbench", data=form)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    return answer.text


def words(text: str) -> str:
    return " ".join(" ".join(Read(text).words).split())


def marked(text: str, mark: str) -> list[str]:
    """The summaries of the cards with this mark."""
    return re.findall(rf'mark-{mark}">.*?<h4>(.*?)</h4>', text, re.DOTALL)


def bundle(**changes: Any) -> dict[str, Any]:
    held = legal("cd4-120-starting-art")["prefetch"]
    entries = [{"resource": held["patient"]}]
    entries += [one for key, found in held.items() if key != "patient" and found for one in found.get("entry", ())]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries} | changes


# --- what it shows ---------------------------------------------------------------------------------------------------


def test_it_begins_with_a_demo_patient_and_shows_what_the_service_answers(client: FlaskClient) -> None:
    said = words(client.get("/workbench").text)
    for part in ("Whose chart", "What if", "The answer", "Over time", "The chart as read", "Every rule", "On the wire"):
        assert part in said
    assert "Pneumocystis prophylaxis is due" in said


@pytest.mark.parametrize("path", PLAIN, ids=lambda one: one.stem)
def test_the_cards_of_a_fixture_are_those_of_its_answer(client: FlaskClient, path: Path) -> None:
    request = read(path)
    expected = read(path.parents[2] / "responses" / path.relative_to(path.parents[1]))
    said = words(send(client, pasted=json.dumps(request)))
    assert all(" ".join(card["summary"].split()) in said for card in expected["cards"])
    assert said.count("Source: ") >= len(expected["cards"]) - 1


def test_each_result_stands_with_what_it_was_taken_for_or_why_it_was_not(client: FlaskClient) -> None:
    said = words(send(client, patient=_moment_of(client, "results-not-trusted")))
    assert "Taken for" in said
    assert "Cannot be read" in said


RESULT = legal("cd4-120-starting-art")["prefetch"]["cd4"]["entry"][0]["resource"]


def _searched(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]}


def _of_kind(kind: str, code: tuple[str, str], **more: Any) -> dict[str, Any]:
    owner = "patient" if kind == "AllergyIntolerance" else "subject"
    concept = {"coding": [{"system": code[0], "code": code[1]}]}
    named = "medicationCodeableConcept" if kind == "MedicationRequest" else "code"
    return {"resourceType": kind, "id": "odd", owner: RESULT["subject"], named: concept} | more


RXNORM, SNOMED = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://snomed.info/sct"
HIGHER = RESULT | {"id": "higher", "valueQuantity": RESULT["valueQuantity"] | {"value": 345}}
OLDER, NEWER = (
    RESULT | {"meta": {"versionId": number}, "valueQuantity": RESULT["valueQuantity"] | {"value": value}}
    for number, value in (("1", 345), ("2", 120))
)
CANCELLED = _of_kind("MedicationRequest", (RXNORM, "1433868"), status="cancelled", intent="order")
REFUTED = {"verificationStatus": {"coding": [{"code": "refuted"}]}}


@pytest.mark.parametrize(
    ("prefetch", "came", "why"),
    [
        ({"cd4": _searched(RESULT, HIGHER)}, "345", "another result of its day"),
        ({"cd4": _searched(OLDER, NEWER)}, "345", "another version of it"),
        ({"medications": _searched(CANCELLED)}, "1433868", "it does not count: withdrawn, cancelled"),
        ({"conditions": _searched(_of_kind("Condition", (SNOMED, "22455005"), **REFUTED))}, "22455005", "not confirmed, refuted"),
        ({"allergies": _searched(_of_kind("AllergyIntolerance", (RXNORM, "3108"), **REFUTED))}, "3108", "does not count: refuted"),
    ],
    ids=lambda one: str(one)[:20],
)  # fmt: skip
def test_what_was_recognised_and_does_not_count_says_why(
    client: FlaskClient, prefetch: dict[str, Any], came: str, why: str
) -> None:
    request = legal("cd4-120-starting-art")
    request["prefetch"] |= prefetch
    rows = re.findall(r"<tr>\s*<th scope=\"row\">(.*?)</tr>", send(client, pasted=json.dumps(request)), re.DOTALL)
    (row,) = [one for one in rows if came in one.partition("</th>")[0]]
    assert why in row


def test_results_of_a_chart_without_hiv_say_that_they_are_not_looked_at(client: FlaskClient) -> None:
    request = legal("cd4-120-starting-art") | {"hook": "patient-view"}
    request["prefetch"]["conditions"] = _searched()
    del request["context"]["draftOrders"]
    said = words(send(client, pasted=json.dumps(request)))
    assert "not looked at: nothing in the chart establishes HIV infection" in said


def _moment_of(client: FlaskClient, patient: str) -> str:
    parts: Wiring = client.application.extensions[KEY]
    return next(one.key for one in parts.moments(date(2026, 11, 20)) if one.key.startswith(patient))


def test_every_rule_has_its_reasons_and_what_would_change_it(client: FlaskClient) -> None:
    said = words(send(client, patient=STARTING))
    for part in ("Because", "Thresholds", "Sources", "Would change it", "pneumocystis-cd4 200/µL", "monitoring-due"):
        assert part in said


def test_both_measures_are_drawn_and_stand_in_a_table(client: FlaskClient) -> None:
    found = Read(send(client, patient=SUPPRESSED))
    told = [str(one["aria-label"]) for one in found.of("svg") if one.get("role") == "img"]
    assert [one.partition(",")[0] for one in told] == ["CD4 count", "HIV viral load"]
    assert "below what the test can count" in told[1]
    assert "HIV viral load below 20 copies/mL" in " ".join(found.words)


def test_a_bundle_is_read_as_the_whole_chart(client: FlaskClient) -> None:
    said = words(send(client, pasted=json.dumps(bundle()), on="2026-11-20"))
    assert "immune-status-patient-view" in said
    assert "120/µL" in said
    assert "was not supplied" not in said


# --- what if ---------------------------------------------------------------------------------------------------------


def test_another_cd4_count_marks_the_cards_that_go_and_change(client: FlaskClient) -> None:
    text = send(client, patient=STARTING, cd4="650", load="<20")
    assert any("IRIS" in one for one in marked(text, "gone"))
    assert marked(text, "new")
    assert "cryptococcal-screen recommended, info silent" in words(text)


def test_a_severe_sulfonamide_allergy_changes_what_is_offered(client: FlaskClient) -> None:
    text = send(client, patient=STARTING, allergy="severe")
    after = text[text.index('id="after"') :]
    assert "TMP-SMX double strength" in text[text.index('id="before"') : text.index('id="after"')]
    assert "Order TMP-SMX" not in after[: after.index("Over time")]


def test_a_drug_is_added_and_taken_away(client: FlaskClient) -> None:
    covered = send(client, patient=STARTING, add="tmp-smx-ds-daily")
    assert not [one for one in marked(covered, "changed") if "prophylaxis is due" in one]
    assert any("Pneumocystis" in one for one in marked(covered, "gone"))
    without = words(send(client, patient=SUPPRESSED, remove="1999660"))
    assert "bictegravir" not in without[without.index("The chart as read") : without.index("Every rule")]


def test_the_day_and_the_guideline_can_be_others(client: FlaskClient) -> None:
    later = words(send(client, patient=SUPPRESSED, on="2028-11-20"))
    assert "monitoring-due silent recommended" in later
    assert "guideline who" in words(send(client, patient=STARTING, profile="who"))


def test_nothing_otherwise_is_nothing_to_compare(client: FlaskClient) -> None:
    said = words(send(client, patient=STARTING, cd4="", allergy="", profile="dhhs"))
    assert "As it would be" not in said


def test_the_form_holds_what_was_asked(client: FlaskClient) -> None:
    found = Read(
        send(client, patient=STARTING, cd4="90", on="2026-12-01", allergy="mild", add="tmp-smx-ds-daily", profile="who")
    )
    values = {one["name"]: one.get("value") for one in found.of("input")}
    assert (values["cd4"], values["on"]) == ("90", "2026-12-01")
    chosen = [one["value"] for one in found.of("option") if "selected" in one]
    assert chosen == [STARTING, "tmp-smx-ds-daily", "mild", "who"]
    labelled = {one["for"] for one in found.of("label")}
    assert labelled == {one["name"] for tag in ("input", "select", "textarea") for one in found.of(tag)}


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"cd4": "many"}, "The CD4 count: a number up to 5,000"),
        ({"cd4": "99999"}, "The CD4 count: a number up to 5,000"),
        ({"load": "<<20"}, "The viral load: a number"),
        ({"load": "1e5"}, "The viral load: a number"),
        ({"on": "tomorrow"}, "The day of the evaluation: a day is expected"),
        ({"on": "0001-01-01"}, "The day of the evaluation: a day is expected"),
        ({"measured": "2026-11-01"}, "neither a CD4 count nor a viral load"),
        ({"add": SCRIPT}, "The drug to add is none of those"),
        ({"profile": "../who"}, "The guideline is none of those"),
        ({"patient": SCRIPT}, "There is no such demo patient"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(client: FlaskClient, form: dict[str, str], sentence: str) -> None:
    text = send(client, **({"patient": STARTING} | form))
    assert sentence in words(text)
    assert "<script" not in text


# --- whatever is pasted ----------------------------------------------------------------------------------------------

REQUEST = legal("cd4-120-starting-art")
OTHERS = REQUEST | {"context": REQUEST["context"] | {"patientId": "another"}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("this is no JSON", "is not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "neither a CDS Hooks request"),
        ('{"hook": ["order-sign"]}', "none of ours"),
        ('{"hook": "order-sign"}', "not a CDS Hooks request"),
        ("[" * 100_000, "is not JSON"),
        ('{"resourceType": "Bundle", "entry": [1, {"resource": null}]}', "exactly one Patient"),
        ('{"resourceType": "Bundle", "entry": {"resource": 3}}', "exactly one Patient"),
        (json.dumps(OTHERS), "422"),
        (json.dumps(REQUEST | {"prefetch": {}}), "412"),
        (json.dumps(REQUEST | {"prefetch": SCRIPT}), "not a CDS Hooks request"),
        (json.dumps({"hook": SCRIPT}), "none of ours"),
        ('{"hook": "patient-view", "x": ' + "9" * 5000 + "}", "number"),
        ('{"hook": "patient-view", "x": "\\ud800"}', "service"),
    ],
    ids=lambda one: one[:24],
)
def test_a_paste_that_cannot_be_answered_gets_a_sentence(client: FlaskClient, text: str, sentence: str) -> None:
    for more in ({}, {"cd4": "90"}):
        answer = send(client, pasted=text, **more)
        assert sentence in words(answer).partition("Version")[0]
        assert "<script" not in answer


def test_four_mebibytes_are_too_much_or_are_read_but_never_a_fault(client: FlaskClient) -> None:
    assert "larger than" in words(send(client, pasted="x" * ((4 << 20) + 1)))
    assert "larger than" in words(send(client, pasted="%" * (13 << 20)))
    many = legal("cd4-120-starting-art")
    one = {"resource": {"resourceType": "Observation", "id": "x" * 40, "code": {"text": SCRIPT * 20},
                        "subject": {"reference": f"Patient/{many['context']['patientId']}"}}}  # fmt: skip
    many["prefetch"]["labs"] = {"resourceType": "Bundle", "type": "searchset", "entry": [one] * 4500}
    text = send(client, pasted=json.dumps(many))
    assert "<script" not in text
    assert "And 4," in words(text)


@pytest.mark.parametrize(
    "path", [one for one in request_files() if one.parent.name == "refused"], ids=lambda one: one.stem
)
def test_what_the_service_refuses_is_refused_here_in_its_own_sentence(client: FlaskClient, path: Path) -> None:
    answer = ask(client, request := read(path))
    for more in ({}, {"cd4": "90", "load": "<20", "add": "tmp-smx-ds-daily", "remove": "1433868", "allergy": "severe"}):
        said = words(send(client, pasted=json.dumps(request), **more)).partition("Version")[0]
        if answer.status_code != 422 or "answers the hook" not in answer.text:  # here the hook chooses the service
            assert "The service would answer a call with this" in said or "none of ours" in said


def test_no_word_of_a_chart_is_taken_for_markup(client: FlaskClient) -> None:
    hostile = json.loads(json.dumps(REQUEST), object_hook=_with_markup)
    text = send(client, pasted=json.dumps(hostile), cd4="90")
    assert "&lt;script&gt;" in text
    assert "<script" not in text
    assert {tag for tag, _ in Read(text).tags}.isdisjoint({"script", "style", "img", "iframe", "object"})


def _with_markup(found: dict[str, Any]) -> dict[str, Any]:
    hostile = ("display", "text", "unit", *(["id"] if found.get("resourceType") == "Observation" else []))
    return {key: f"{value}{SCRIPT}" if key in hostile else value for key, value in found.items()}


def test_cards_are_rendered_without_trusting_them() -> None:
    said = rendered(
        "**Due** *now* & <b>x</b>\n\n- one\n- [two](https://x.test/?a=1&b=2)\n\n[three](javascript:alert(1))"
    )
    assert said == (
        "<p><strong>Due</strong> <em>now</em> &amp; &lt;b&gt;x&lt;/b&gt;</p>\n"
        '<ul><li>one</li><li><a href="https://x.test/?a=1&amp;b=2" rel="noreferrer">two</a></li></ul>\n'
        "<p>[three](javascript:alert(1))</p>"
    )
    assert "onclick=&#34;" in rendered('[x](https://x.test/"onclick="alert(1))')


def test_it_runs_nothing_and_loads_nothing_but_its_style(client: FlaskClient) -> None:
    answer = client.post("/workbench", data={"patient": STARTING, "cd4": "300"})
    assert "default-src 'none'; style-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    found = Read(answer.text)
    assert not [one for _, one in found.tags if "style" in one or any(name.startswith("on") for name in one)]
    assert all(str(one["href"]).startswith(("#", "workbench", "https://")) for one in found.of("a"))


def test_no_address_in_the_page_begins_at_the_root_so_that_it_may_stand_below_a_path(client: FlaskClient) -> None:
    found = Read(client.get("/workbench").text)
    led = [
        str(one[name])
        for tag in ("a", "link", "form")
        for one in found.of(tag)
        for name in ("href", "action")
        if name in one
    ]
    assert "workbench#answer" in led
    assert not [one for one in led if one.startswith("/")]


def test_every_class_that_is_drawn_has_a_look(client: FlaskClient) -> None:
    sheets = ""
    for name in ("style", "workbench"):
        with closing(client.get(f"/static/{name}.css")) as answer:
            sheets += answer.text
    used = {
        name
        for _, one in Read(send(client, patient=STARTING, cd4="300")).tags
        for name in str(one.get("class") or "").split()
    }
    assert not [name for name in used - {"detail", "try", "mark"} if not re.search(rf"\.{name}\b", sheets)]


def test_the_published_interface_has_every_field_of_the_form(client: FlaskClient) -> None:
    published = client.get("/openapi.json").get_json()["paths"]["/workbench"]["post"]["requestBody"]["content"]
    named = set(published["application/x-www-form-urlencoded"]["schema"]["properties"])
    page = Read(send(client, patient=STARTING))
    assert {one["name"] for tag in ("input", "select", "textarea") for one in page.of(tag)} | {"client"} == named


# --- what it leaves behind, and who is let in ------------------------------------------------------------------------


def test_it_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = Site(tmp_path)
    before, counted = _kept(tmp_path), site.client.get("/metrics").text
    capsys.readouterr()
    for form in ({"pasted": json.dumps(REQUEST)}, {"pasted": json.dumps(OTHERS)}, {"cd4": "90"}):
        assert site.client.post("/workbench", data=form, auth=("", PASSWORD)).status_code == 200
    assert _kept(tmp_path) == before
    wanted = ("cds_answers", "cds_findings", "cds_refusals")
    assert _lines(site.client.get("/metrics").text, wanted) == _lines(counted, wanted)
    assert "".join(capsys.readouterr()) == ""


def _kept(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("ledger*")) if not path.name.endswith("-shm")]


def _lines(text: str, names: tuple[str, ...]) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(names)]


def test_what_the_workbench_was_asked_holds_no_advice_back(client: FlaskClient) -> None:
    first = ask(client, REQUEST).get_json()
    send(client, pasted=json.dumps(REQUEST))
    assert ask(client, REQUEST).get_json() == first


def test_it_is_behind_the_door_of_the_report_and_only_where_it_is_wanted(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert site.client.get("/workbench").status_code == 401
    assert site.client.post("/workbench", data={"cd4": "90"}).status_code == 401
    assert site.client.get("/workbench", auth=("", PASSWORD)).status_code == 200
    assert Site(tmp_path, workbench="off").client.get("/workbench", auth=("", PASSWORD)).status_code == 404
    demo = app_of(Clock()).test_client()
    assert demo.get("/workbench", environ_overrides=ELSEWHERE).status_code == 404
