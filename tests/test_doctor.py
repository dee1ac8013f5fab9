"""`cds-service check` over captured requests: it names what is odd, what was recognised, what advice is lost, and no patient."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.cli import main
from cds_service.doctor.captured import captured
from cds_service.doctor.document import document
from cds_service.doctor.examine import Site, examine
from cds_service.doctor.findings import CodeReport, Report
from cds_service.doctor.shown import shape
from hooks.knowledge import load, load_profiles, local_knowledge
from tests.fhir_chart import ADULT, HIV, page
from tests.fixture_files import FIXTURES, legal, request_files

KNOWLEDGE = load()
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SITE = Site(knowledge=KNOWLEDGE, profile=load_profiles(KNOWLEDGE)["dhhs"], now=NOW)
LOCAL = "urn:oid:1.2.3"
EMPTY = page()
CD4 = "; its words or its key say CD4: unreadable"
BOB = {"reference": "Patient/p"}


def call(prefetch: dict[str, Any] | None = None, hook: str = "patient-view", **more: Any) -> dict[str, Any]:
    """A call about an adult with HIV."""
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"patientId": "p", "userId": "Practitioner/1"},
        "prefetch": {"patient": ADULT, "conditions": HIV, "cd4": EMPTY, "viralLoads": EMPTY} | (prefetch or {}),
    } | more


def checked(*bodies: Any, site: Site = SITE) -> Report:
    return examine([captured(f"{place}.json", json.dumps(one).encode()) for place, one in enumerate(bodies)], site)


def said(report: Report) -> set[str]:
    return {f"{one.where} {one.says}".strip() for one in report.remarks}


def result(code: str = "CD4ABS", system: str = LOCAL, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "r1",
        "status": "final",
        "code": {"coding": [{"system": system, "code": code, "display": "CD4 abs"}]},
        "subject": BOB,
        "effectiveDateTime": "2026-11-01",
        "valueQuantity": {"value": 123.4, "unit": "cells/uL"},
    } | more


def of_kind(report: Report, kind: str) -> list[CodeReport]:
    return [one for one in report.codes if one.kind == kind]


# --- prefetch templates ----------------------------------------------------------------------------------------------


def states(report: Report) -> dict[str, dict[str, int]]:
    return {one.key: dict(one.states) for one in report.keys}


def test_of_each_template_it_says_what_became_of_it() -> None:
    next_page = page(result("24467-3", "http://loinc.org"), link=[{"relation": "next", "url": "https://x/2"}])
    other_key = page(result("20447-9", "http://loinc.org"))
    body = call({"cd4": next_page, "labs": "nonsense", "allergies": None, "results": other_key})
    del body["prefetch"]["viralLoads"]
    found = states(checked(body))
    assert found["patient"] == {"honoured": 1}
    assert found["cd4"] == {"partial": 1}
    assert found["viralLoads"] == {"under another key": 1}
    assert found["labs"] == {"malformed": 1}
    assert found["allergies"] == {"honoured": 1}
    assert found["medications"] == {"missing": 1}
    assert found["results"] == {}


def test_of_each_template_it_says_how_the_answer_looked() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}
    body = call(
        {
            "cd4": {
                "resourceType": "Bundle",
                "entry": [{"resource": result("24467-3", "http://loinc.org")}],
                "total": 7,
            },
            "medications": page(outcome, total=0),
            "allergies": outcome | {"issue": [{"severity": "error"}]},
            "labs": {"response": {"status": "200 OK"}, "resource": EMPTY},
        }
    )
    notes = {one.key: {note for note, _ in one.notes} for one in checked(body).keys}
    assert notes["cd4"] == {"a Bundle without type", "its total is larger than its entries"}
    assert notes["medications"] == {"an empty search with an OperationOutcome as its only entry, as Epic answers"}
    assert notes["allergies"] == {"an OperationOutcome in the place of an answer"}
    assert notes["labs"] == {"wrapped in response and resource, as before CDS Hooks 1.0"}
    assert notes["viralLoads"] == {"an empty Bundle: asked, and there is none"}


# --- what is odd -----------------------------------------------------------------------------------------------------


def test_the_epic_fixture_is_known_by_its_habits() -> None:
    found = said(checked(legal("epic-shapes")))
    assert "Epic's extensions are there: preset `epic` in the trust file" in found
    assert "MedicationRequest category is an object where R4 has a list" in found
    assert "MedicationRequest doseQuantity stands on the dosage itself, as in STU3" in found
    assert "MedicationRequest references are absolute addresses" in found
    assert "context.userId is a PractitionerRole" in found
    assert "fhirAuthorization.scope is none of SMART: what it grants is not known here" in found


SCOPE = (
    "user/Patient.read user/Observation.rs user/Condition.read user/MedicationRequest.read user/MedicationStatement.r "
    "user/ServiceRequest.read"
)
LENT = {"access_token": "t", "scope": SCOPE}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"hook": "medication-prescribe"},
            "its hook is none of ours, which are order-sign, order-select, patient-view",
        ),
        ({"hookInstance": "1"}, "hookInstance is no UUID"),
        ({"user": "Practitioner/1", "redirect": "x"}, "members of the time before CDS Hooks 1.0: redirect, user"),
        ({"prefetch": None}, "it brings no prefetch at all: everything must be asked of its FHIR server"),
        ({"context": [{"patientId": "p"}]}, "context is no object: a list, as before 1.0"),
        (
            {"context": {}},
            "context names no patient: some EHRs strip a call whose address they do not know of its data",
        ),
        ({"context": {"patientId": "Patient/p"}}, "context.patientId is a reference, not an id"),
        (
            {"context": {"patientId": "p", "userId": "123"}},
            "context.userId is a bare id: it does not say what it is the id of",
        ),
        (
            {"fhirServer": "http://x.example.org"},
            "fhirServer is plain http: it is asked only on this machine, and only where that is allowed",
        ),
        (
            {"fhirServer": "https://x", "fhirAuthorization": {"access_token": ""}},
            "fhirAuthorization.access_token is empty: its FHIR server is asked without a token",
        ),
        (
            {"fhirServer": "https://x", "fhirAuthorization": LENT},
            "fhirAuthorization.scope does not grant AllergyIntolerance: these cannot be asked for",
        ),
        (
            {"hook": "order-sign"},
            "context.draftOrders did not come: in Epic the scopes for unsigned orders have to be granted",
        ),
    ],
)
def test_an_odd_envelope_is_named(change: dict[str, Any], says: str) -> None:
    assert says in said(checked(call() | change))


def test_a_resource_of_an_earlier_fhir_is_named_with_its_version() -> None:
    orders = page({"resourceType": "MedicationOrder", "id": "o", "patient": BOB})
    assert "MedicationOrder a resource of FHIR DSTU2: this service reads R4" in said(
        checked(call({"medications": orders}))
    )


def test_a_code_system_that_is_spelled_otherwise_is_named_and_read() -> None:
    report = checked(call({"cd4": page(result("24467-3", "urn:oid:2.16.840.1.113883.6.1"))}))
    assert "Observation http://loinc.org is spelled urn:oid:2.16.840.1.113883.6.1" in said(report)
    assert [(one.taken_for, one.why) for one in of_kind(report, "result")] == [("cd4-count", "")]


def test_a_capture_with_headers_tells_who_calls() -> None:
    wrapped = {
        "method": "POST",
        "path": "/cds-services/x",
        "received": "2026-11-20T12:00:00Z",
        "headers": {"Origin": "https://ehr.example.org", "Date": "Fri, 20 Nov 2026 12:05:00 GMT"},
        "body": call(),
    }
    report = checked(wrapped)
    assert "a browser page calls: put https://ehr.example.org under `origins` in the trust file" in said(report)
    assert "no Authorization header came with it" in said(report)
    assert [one.says for one in report.clocks] == ["its clock is 300 seconds ahead of ours: tokens may be refused"]
    assert checked(wrapped | {"received": None}).clocks == ()  # when it came in is not known


def test_feedback_that_was_captured_beside_is_looked_at_too() -> None:
    files = sorted((FIXTURES / "feedback").glob("*.json"))
    bodies = [json.loads(one.read_text("utf-8")) for one in files]
    report = checked(*bodies, {"card": "1", "outcome": "accepted", "overrideReason": {}})
    assert {one.hook for one in report.examined} == {"feedback"}
    assert "feedback has overrideReasons in the plural, as Epic sends it" in said(report)
    assert "feedback is a single object, not a list under `feedback`" in said(report)


def test_what_lies_in_the_future_is_told() -> None:
    ahead = result(
        "24467-3", "http://loinc.org", effectiveDateTime="2026-11-25", meta={"lastUpdated": "2026-11-20T12:30:00Z"}
    )
    report = checked(call({"cd4": page(ahead)}))
    assert {one.says for one in report.clocks} == {
        "effectiveDateTime lies in the future",
        "meta.lastUpdated lies in the future",
    }


# --- codes and units -------------------------------------------------------------------------------------------------


def test_codes_are_recognised_none_of_ours_or_not_recognised_each_with_why() -> None:
    everything = page(
        result("24467-3", "http://loinc.org"),
        result() | {"id": "glucose", "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}]}},
        result(id="local"),
        result(code="x", system="", id="without"),
        result(code="CD4", system="http://loinc.org", id="miscoded"),
        result() | {"id": "words", "code": {"text": "words of a person"}},
    )
    rows = {
        one.codes: (one.ours, one.taken_for, one.why) for one in of_kind(checked(call({"labs": everything})), "result")
    }
    assert rows["http://loinc.org|24467-3",] == (True, "cd4-count", "")
    assert rows["http://loinc.org|2345-7",] == (False, "", "")
    assert rows[f"{LOCAL}|CD4ABS",] == (None, "", f"its code is not known here{CD4}")
    assert rows["no system|x",] == (None, "", f"its code names no code system{CD4}")
    assert rows["http://loinc.org|CD4",] == (None, "", f"its code is none of the code system it names{CD4}")
    assert rows[()] == (None, "", "it has no code, at most words")


def test_drugs_problems_and_allergies_are_told_likewise() -> None:
    def coded(system: str, code: str, display: str = "") -> dict[str, Any]:
        return {"coding": [{"system": system, "code": code, "display": display}]}

    def order(name: str, **more: Any) -> dict[str, Any]:
        return {"resourceType": "MedicationRequest", "id": name, "status": "active", "subject": BOB} | more

    rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    report = checked(
        call(
            {
                "medications": page(
                    order("a", medicationCodeableConcept=coded(rxnorm, "1433873")),
                    order("b", medicationCodeableConcept=coded(rxnorm, "999")),
                    order("c", medicationCodeableConcept=coded(LOCAL, "1", "Dolutegravir 50")),
                    order("d", medicationCodeableConcept=coded(LOCAL, "2")),
                    order("e", medicationReference={"reference": "Medication/gone"}),
                ),
                "allergies": page(
                    {
                        "resourceType": "AllergyIntolerance",
                        "id": "f",
                        "patient": BOB,
                        "code": coded(LOCAL, "3", "Sulfa"),
                    },
                    {
                        "resourceType": "AllergyIntolerance",
                        "id": "g",
                        "patient": BOB,
                        "code": coded(LOCAL, "4", "Cats"),
                    },
                ),
            }
        )
    )
    drugs = [(one.ours, one.taken_for, one.why) for one in of_kind(report, "drug")]
    assert (True, "dolutegravir", "") in drugs
    assert (False, "", "") in drugs
    assert (True, "dolutegravir", "by its name only: its code is not known") in drugs
    assert (None, "", "its code is not known here") in drugs
    assert (None, "", "it does not say which drug: the Medication it refers to did not come") in drugs
    allergies = {one.codes: (one.ours, one.taken_for) for one in of_kind(report, "allergy")}
    assert allergies == {(f"{LOCAL}|3",): (True, "sulfonamides"), (f"{LOCAL}|4",): (None, "")}
    assert [one.taken_for for one in of_kind(report, "problem")] == ["hiv-infection"]


def test_a_unit_that_is_not_known_shows_with_the_shape_of_its_value() -> None:
    furlongs = result("24467-3", "http://loinc.org", valueQuantity={"value": 123.4, "unit": "furlongs"})
    (row,) = checked(call({"cd4": page(furlongs)})).units
    assert (row.measure, row.unit, row.shape) == ("cd4-count", "furlongs", "999.9")
    assert row.why == "its unit is not known for this test"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("<20", "<99"),
        ("12.3e3", "99.9e9"),
        ("Not detected", "Not detected"),
        ("1,234 copies/mL", "9,999 copies/mL"),
        ("see Dr Miller 555-1234", "see x x 999-9999"),
        ("Ångström", "x"),
        ("a\x1b[31mb", "a [99x"),
    ],
)
def test_of_a_value_only_the_shape_is_shown(value: str, shown: str) -> None:
    assert shape(value) == shown


# --- which advice ----------------------------------------------------------------------------------------------------


def test_a_rule_is_assessed_or_never_because_of_the_template_that_never_comes() -> None:
    whole = {one.rule: one for one in checked(legal("cd4-120-starting-art")).rules}
    assert whole["pneumocystis-start"].assessed == 1
    assert whole["pneumocystis-start"].never == ()
    lacking = {one.rule: one for one in checked(call()).rules}
    assert lacking["virologic-failure"].never == ("medications",)
    assert lacking["prophylaxis-agent"].never == ("allergies",)
    assert (lacking["prophylaxis-agent"].assessed, lacking["prophylaxis-agent"].not_assessed) == (0, 1)
    assert [(one.datum, one.why) for one in lacking["prophylaxis-agent"].lacked] == [("allergies", "was not supplied")]


def test_a_refused_request_reaches_no_rule_and_says_why() -> None:
    report = checked(call({"patient": ADULT | {"id": "another"}}))
    assert all(one.not_reached == 1 for one in report.rules)
    assert report.examined[0].outcome.startswith("422 contradiction")


# --- lines for a map -------------------------------------------------------------------------------------------------


def test_it_ends_with_lines_for_a_map_all_of_them_commented_out(tmp_path: Path) -> None:
    lines = checked(call({"labs": page(result(), result(code="GLU", id="2"))})).lines
    assert all(not line or line.startswith("#") for line in lines)
    assert '# measure = "cd4-count"' in lines
    file = tmp_path / "local-codes.toml"
    file.write_text("\n".join(lines), "utf-8")
    assert local_knowledge(file, KNOWLEDGE) is KNOWLEDGE
    confirmed = [line.removeprefix("# ") for line in lines if re.match(r"# (\[\[|system|code|measure)", line)][:4]
    file.write_text("\n".join(confirmed), "utf-8")
    assert local_knowledge(file, KNOWLEDGE).lab_codes[LOCAL, "CD4ABS"][0] == "cd4-count"


def test_with_the_map_of_the_client_its_codes_are_recognised(tmp_path: Path) -> None:
    file = tmp_path / "local-codes.toml"
    file.write_text(f'[[lab]]\nsystem = "{LOCAL}"\ncode = "CD4ABS"\nmeasure = "cd4-count"', "utf-8")
    mapped = Site(knowledge=local_knowledge(file, KNOWLEDGE), profile=SITE.profile, now=NOW)
    report = checked(call({"cd4": page(result())}), site=mapped)
    assert [(one.taken_for, one.why) for one in of_kind(report, "result")] == [("cd4-count", "")]
    assert report.lines == ()


# --- whatever comes --------------------------------------------------------------------------------------------------

SECRETS = ("Miller", "Elm Street", "1980-01-01", "555-0100", "123.4", "BEARER-OF-A-PATIENT")


def test_nothing_of_a_patient_stands_in_a_report() -> None:
    named = ADULT | {
        "name": [{"family": "Miller"}],
        "address": [{"text": "Elm Street"}],
        "telecom": [{"value": "555-0100"}],
    }
    worded = result() | {"code": {"text": "CD4 of Miller"}, "note": [{"text": "Miller"}], "valueString": "Miller 123.4"}
    del worded["valueQuantity"]
    lent = {"access_token": "BEARER-OF-A-PATIENT", "scope": "x"}
    report = checked(
        call(
            {"patient": named, "labs": page(worded), "cd4": page(result())},
            fhirServer="https://x",
            fhirAuthorization=lent,
        )
    )
    told = json.dumps(document(report))
    assert not [one for one in SECRETS if one in told]


def test_strict_validity_is_a_harmless_section_without_values() -> None:
    order = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "Miller",
        "category": {"text": "x"},
        "subject": BOB,
    }
    report = checked(call({"medications": page(order)}))
    assert {one.weight for one in report.invalid} == {"harmless"}
    assert "category is no list" in {one.says for one in report.invalid if one.where == "MedicationRequest"}
    assert "Miller" not in json.dumps(document(report))


def test_every_fixture_is_looked_at_and_each_refused_one_says_so() -> None:
    report = checked(*(json.loads(one.read_text("utf-8")) for one in request_files()))
    refused = {one.stem for one in request_files() if one.parent.name == "refused"} - {"hook-of-another-service"}
    assert sum(one.outcome != "answered" for one in report.examined) == len(refused)
    assert json.dumps(document(report))


NAMES = "hook context prefetch resourceType entry resource code coding patientId link total meta feedback body"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES.split()), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(part=JSON, key=st.sampled_from(["", "context", "prefetch", "labs", "entry", "draftOrders", "fhirAuthorization"]))
def test_nothing_that_comes_keeps_it_from_making_a_report(part: Any, key: str) -> None:
    body: Any = call(hook="order-sign")
    match key:
        case "":
            body = part
        case "labs":
            body["prefetch"]["labs"] = part
        case "entry":
            body["prefetch"]["labs"] = {"resourceType": "Bundle", "entry": [{"resource": part}, part]}
        case "draftOrders":
            body["context"]["draftOrders"] = part
        case _:
            body[key] = part
    assert json.dumps(document(checked(body)))


@pytest.mark.parametrize(
    "content", [b"", b"no json", b"[]", b"\xff", b"[" * 5000, b'{"body": "x", "path": "/feedback"}']
)
def test_a_file_that_is_no_request_is_reported_as_such(content: bytes) -> None:
    (one,) = examine([captured("x", content)], SITE).examined
    assert one.outcome != "answered"


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_prints_a_report_and_writes_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = FIXTURES / "requests" / "order-sign" / "cd4-120-starting-art.json"
    assert main(["check", str(file)]) == 0
    printed = capsys.readouterr().out
    for title in ("Prefetch templates", "Results", "Units and written results", "Which advice this client can get"):
        assert title in printed
    out = tmp_path / "report.json"
    assert main(["check", str(file), "--format", "json", "--out", str(out)]) == 0
    assert json.loads(out.read_text("utf-8"))["format"] == 1
    assert capsys.readouterr().out == ""


def test_what_cannot_be_looked_at_is_said_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "absent.json")]) == 2
    assert "it cannot be read" in capsys.readouterr().err
    assert main(["check", __file__, "--issuer", "https://ehr.example.org"]) == 2
    assert "CDS_ISSUERS" in capsys.readouterr().err
