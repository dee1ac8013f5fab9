"""A site's own code map: what it says is read for that client alone, and what it may not say starts nothing."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.json import encode

from cds_service.chart.read import Reading, read
from cds_service.chart.templates import ASKED_FOR, prefetch_templates
from cds_service.cli import main
from cds_service.web.wiring import KEY, Wiring
from cds_service.wire.request import HookRequest
from hooks.knowledge import Knowledge, KnowledgeFault, load, local_knowledge
from hooks.knowledge.codes import SHAPES
from tests.clients import BASE, SIGN, CdsClient, key_set
from tests.fhir_chart import ADULT, HIV, page
from tests.fixture_files import EVALUATION, Clock, app_of

DOCS = Path(__file__).parents[1] / "docs"
KNOWLEDGE = load()
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LAB, FORMULARY, PROBLEMS, ALLERGENS = "urn:oid:1.2.3", "https://a.example.org/drugs", "urn:problems", "urn:allergens"
EMPTY = page()
MAP = f"""
[[lab]]
system = "{LAB}"
code = "CD4ABS"
measure = "cd4-count"
[[drug]]
system = "{FORMULARY}/"
code = "41.207"
rxnorm = "1433868"
[[problem]]
system = "{PROBLEMS}"
code = "T.1"
concept = "tb-meningitis"
[[problem]]
system = "{PROBLEMS}"
code = "PCP"
icd10 = "B20.6"
[[allergy]]
system = "{ALLERGENS}"
code = "S"
class = "sulfonamide"
[[allergy]]
system = "{ALLERGENS}"
code = "A"
rxnorm = "190521"
"""


def mapped(folder: Path, text: str = MAP) -> Knowledge:
    (folder / "local-codes.toml").write_text(text, "utf-8")
    return local_knowledge(folder / "local-codes.toml", KNOWLEDGE)


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def of(kind: str, **more: Any) -> dict[str, Any]:
    subject = "patient" if kind == "AllergyIntolerance" else "subject"
    return {"resourceType": kind, "id": "local", subject: {"reference": "Patient/p"}} | more


def result(unit: str = "cells/uL") -> dict[str, Any]:
    value = {"value": 120, "unit": unit}
    return of(
        "Observation", status="final", code=coded(LAB, "CD4ABS"), effectiveDateTime="2026-11-01", valueQuantity=value
    )


def order(code: str = "41.207") -> dict[str, Any]:
    return of("MedicationRequest", status="active", intent="order", medicationCodeableConcept=coded(FORMULARY, code))


def problem(code: str) -> dict[str, Any]:
    return of("Condition", code=coded(PROBLEMS, code), clinicalStatus=coded("", "active"))


def allergy(code: str) -> dict[str, Any]:
    return of("AllergyIntolerance", code=coded(ALLERGENS, code))


def reading(knowledge: Knowledge, **prefetch: Any) -> Reading:
    """The chart of an adult with HIV, with this beside."""
    everything = {"patient": ADULT, "conditions": HIV, "cd4": EMPTY, "viralLoads": EMPTY} | prefetch
    request = HookRequest(
        hook="patient-view",
        hook_instance="i",
        patient_id="p",
        prefetch={key: Raw(encode(one)) for key, one in everything.items()},
    )
    return read(request, NOW, knowledge)


def test_a_local_result_is_read_with_the_map_and_unreadable_without(tmp_path: Path) -> None:
    with_map = reading(mapped(tmp_path), cd4=page(result()))
    assert [str(one.number) for one in with_map.record.cd4_counts] == ["120"]
    assert not with_map.record.unreadable
    assert with_map.coverage["result", True] == 1
    without = reading(KNOWLEDGE, cd4=page(result()))
    assert not without.record.cd4_counts
    assert {one.why for one in without.record.unreadable} == {"its code is not one this service can rely on"}
    assert without.coverage["result", False] == 1


def test_a_local_drug_is_read_with_the_map_and_none_of_ours_without(tmp_path: Path) -> None:
    with_map = reading(mapped(tmp_path), medications=page(order()))
    assert [one.ingredients for one in with_map.record.medications or ()] == [{"1433868"}]
    assert not any(one.by_name for one in with_map.record.medications or ())
    assert with_map.record.art.status == "on"
    assert reading(KNOWLEDGE, medications=page(order())).record.medications == ()


def test_a_drug_without_a_code_of_its_own_is_mapped_by_its_parts(tmp_path: Path) -> None:
    parts = f'[[drug]]\nsystem = "{FORMULARY}"\ncode = "T"\nrxnorm = ["1433868", "68244", "300195"]'
    found = reading(mapped(tmp_path, parts), medications=page(order("T"))).record
    assert found.art.agents == {"1433868", "68244", "300195"}


@pytest.mark.parametrize(
    ("code", "concepts"),
    [
        ("T.1", {"tb-meningitis", "tb-active"}),
        ("T1", {"tb-meningitis", "tb-active"}),
        ("PCP", {"hiv-infection", "pneumocystis"}),
    ],
)
def test_a_local_problem_means_what_the_concept_or_code_it_is_mapped_to_means(
    tmp_path: Path, code: str, concepts: set[str]
) -> None:
    conditions = page(HIV["entry"][0]["resource"], problem(code))
    with_map = reading(mapped(tmp_path), conditions=conditions).record
    assert concepts in [one.concepts for one in with_map.problems or ()]
    assert [one.source for one in reading(KNOWLEDGE, conditions=conditions).record.problems or ()] == ["Condition/hiv"]


def test_a_local_problem_can_be_the_diagnosis(tmp_path: Path) -> None:
    alone = page(problem("PCP"))
    assert reading(mapped(tmp_path), conditions=alone).record.hiv.status == "established"
    assert reading(KNOWLEDGE, conditions=alone).record.hiv.status == "none"


def test_a_local_allergy_is_read_with_the_map_and_not_recognised_without(tmp_path: Path) -> None:
    both = page(allergy("S") | {"id": "s"}, allergy("A") | {"id": "a"})
    to_abacavir, to_sulfa = reading(mapped(tmp_path), allergies=both).record.allergies or ()
    assert (to_abacavir.ingredients, to_sulfa.sulfonamide) == ({"190521"}, True)
    assert to_abacavir.recognised
    assert to_sulfa.recognised
    unmapped = reading(KNOWLEDGE, allergies=both).record.allergies or ()
    assert not any(one.ingredients or one.sulfonamide for one in unmapped)


def test_the_unit_is_judged_as_strictly_as_ever(tmp_path: Path) -> None:
    for unit in ("copies/mL", "furlongs", "10*9/uL"):
        found = reading(mapped(tmp_path), cd4=page(result(unit))).record
        assert not found.cd4_counts
        assert {one.why for one in found.unreadable} == {"its unit is not known for this test"}


def test_a_code_of_the_same_system_that_is_not_in_the_map_counts_as_not_mapped(tmp_path: Path) -> None:
    other = result() | {"code": coded(LAB, "CD4PCT")}
    assert reading(mapped(tmp_path), labs=page(other)).coverage["result", False] == 1


def test_the_clients_server_is_asked_by_its_own_codes_too(tmp_path: Path) -> None:
    entry = '[[lab]]\nsystem = "urn:oid:1.2.3"\ncode = "CD4, abs|x"\nmeasure = "cd4-count"'
    asked = prefetch_templates(mapped(tmp_path, entry))
    usual = prefetch_templates(KNOWLEDGE)
    assert asked["cd4"] == usual["cd4"].replace("&_sort", ",urn:oid:1.2.3|CD4%5C%2C%20abs%5C%7Cx&_sort")
    assert {key for key in asked if asked[key] != usual[key]} == {"cd4"}


def test_the_rights_that_an_ehr_has_to_give_are_for_what_the_templates_bring() -> None:
    asked = prefetch_templates(KNOWLEDGE).values()
    assert tuple(dict.fromkeys(re.split(r"[/?]", query)[0] for query in asked)) == ASKED_FOR


def test_a_search_by_very_many_codes_leaves_their_systems_out(tmp_path: Path) -> None:
    entries = (f'[[lab]]\nsystem = "{LAB}"\ncode = "L{n}"\nmeasure = "g6pd"\n' for n in range(99))
    labs = prefetch_templates(mapped(tmp_path, "".join(entries)))["labs"]
    assert "L98" in labs
    assert "5196-1" in labs
    assert len(labs) < 1500


# --- what a map may not say ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (
            "[[lab]]\nsystem = 'urn:x'\ncode = '1'\nmeasure = 'cd4'",
            r"lab 1 \(urn:x\|1\)\.measure: expected one of .*cd4-count",
        ),
        ("[[lab]]\nsystem = 'urn:x'\ncode = '1'\nmeasure = 'cd4-unverified'", "measure: expected one of"),
        ("[[lab]]\nsystem = 'urn:x'\ncode = '1'", "lab 1: expected one of measure"),
        ("[[lab]]\nsystem = 'urn:x'\ncode = '1'\nmeasure = 'g6pd'\nunit = '%'", "lab 1.unit: expected one of"),
        ("[[lab]]\nsystem = 'urn:x'\ncode = 1\nmeasure = 'g6pd'", "lab 1.code: expected text"),
        ("[[lab]]\nsystem = ''\ncode = '1'\nmeasure = 'g6pd'", "lab 1.system: expected text"),
        ("[[lab]]\nsystem = '/'\ncode = '1'\nmeasure = 'g6pd'", "lab 1.system: expected the address"),
        ("[[lab]]\nsystem = 'urn:x'\ncode = ' 1'\nmeasure = 'g6pd'", "lab 1.code: expected text of 1"),
        ("[[lab]]\ncode = '1'\nmeasure = 'g6pd'", "lab 1: expected a field 'system'"),
        ("[[drug]]\nsystem = 'urn:x'\ncode = '1'\nrxnorm = '99999999'", r"drug 1 .*rxnorm: expected RxNorm codes"),
        ("[[drug]]\nsystem = 'urn:x'\ncode = '1'\nrxnorm = []", "drug 1"),
        ("[[drug]]\nsystem = 'urn:x'\ncode = '1'\nrxnorm = ['1433868', 1]", "drug 1"),
        ("[[drug]]\nsystem = 'urn:x'\ncode = '1'\nrxnorm = 1433868", "drug 1.rxnorm: expected text"),
        (
            "[[problem]]\nsystem = 'urn:x'\ncode = '1'\nconcept = 'hiv'",
            "problem 1 .*concept: expected one of .*hiv-infection",
        ),
        (
            "[[problem]]\nsystem = 'urn:x'\ncode = '1'\nsnomed = '86406009'",
            "problem 1 .*snomed: expected a code of conditions.csv",
        ),
        (
            "[[problem]]\nsystem = 'urn:x'\ncode = '1'\nconcept = 'hsv'\nicd10cm = 'B20'",
            "one of concept, snomed, icd10, icd10cm, and one",
        ),
        ("[[allergy]]\nsystem = 'urn:x'\ncode = '1'\nclass = 'penicillin'", "allergy 1 .*class: expected one of"),
        ("[[allergy]]\nsystem = 'urn:x'\ncode = '1'", "allergy 1: expected one of class, rxnorm"),
        ("[[unit]]\nspelling = 'x'", r"unit: expected one of \[\[lab\]\], \[\[drug\]\]"),
        ("lab = 1", r"lab: expected \[\[lab\]\] tables"),
        ("lab = [1]", "lab 1: expected a table"),
        ("no toml", "cannot be read as TOML"),
        (MAP + MAP, r"lab 2 \(urn:oid:1\.2\.3\|CD4ABS\): expected no duplicate"),
        (
            MAP + f"[[problem]]\nsystem='{PROBLEMS}'\ncode='T1'\nconcept='hsv'",
            r"problem 3 \(urn:problems\|T1\): expected no duplicate",
        ),
        (
            f"[[drug]]\nsystem='{LAB}'\ncode='1'\nrxnorm='190521'\n[[allergy]]\nsystem='{LAB}'\ncode='1'\nrxnorm='190521'",
            "no duplicate",
        ),
    ],
)
def test_a_map_that_makes_no_sense_is_refused_with_its_entry_named(tmp_path: Path, entry: str, says: str) -> None:
    with pytest.raises(KnowledgeFault, match=rf"^local-codes\.toml: {says}" if says[0] in "lu" else says) as refused:
        mapped(tmp_path, entry)
    assert str(refused.value).startswith("local-codes.toml: ")


@pytest.mark.parametrize(
    "alias",
    [*KNOWLEDGE.systems, *(f"{one}/" for one in SHAPES), "HTTP://LOINC.org", "http://snomed.info/sct/731000124108"],
)
def test_what_codes_of_a_known_system_mean_is_not_for_a_site_to_say(tmp_path: Path, alias: str) -> None:
    with pytest.raises(KnowledgeFault, match=r"system: expected a code system of the site's own"):
        mapped(tmp_path, f"[[lab]]\nsystem = '{alias}'\ncode = '24467-3'\nmeasure = 'cd4-count'")


def test_the_example_in_the_documentation_is_a_map_of_every_kind() -> None:
    found = local_knowledge(DOCS / "local-codes.example.toml", KNOWLEDGE)
    assert len(found.local) == 8


# --- nothing else changes --------------------------------------------------------------------------------------------


def test_an_empty_map_is_the_knowledge_itself(tmp_path: Path) -> None:
    assert mapped(tmp_path, "# nothing yet") is KNOWLEDGE


CODE = st.from_regex(re.compile(r"[A-Za-z0-9.\-]{1,12}", re.ASCII), fullmatch=True)
TABLES = ("lab_codes", "products", "conditions", "allergens")


@settings(max_examples=40, deadline=None)
@given(codes=st.sets(CODE, min_size=1, max_size=5))
def test_whatever_a_map_adds_no_code_that_was_known_means_anything_else(
    codes: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    entries = (f'[[lab]]\nsystem = "urn:x"\ncode = "{one}"\nmeasure = "cd4-count"\n' for one in sorted(codes))
    found = mapped(tmp_path_factory.mktemp("map"), "".join(entries))
    for table in TABLES:
        before, after = getattr(KNOWLEDGE, table), getattr(found, table)
        assert {code: after[code] for code in before} == before
        assert {system for system, _ in after.keys() - before.keys()} <= {"urn:x"}
    assert found.units is KNOWLEDGE.units
    assert found.systems is KNOWLEDGE.systems
    assert reading(found, labs=page(result())) == reading(KNOWLEDGE, labs=page(result()))


# --- the service -----------------------------------------------------------------------------------------------------

CLOCK = Clock()
ONE, TWO = CdsClient(), CdsClient(iss="https://other.example.org", name="other")
VIEW = SIGN.replace("order-sign", "patient-view")


def site(folder: Path, text: str = MAP) -> dict[str, Any]:
    """A trust file of two clients, the first with a map; as settings."""
    (folder / "local-codes.toml").write_text(text, "utf-8")
    for name, client in (("one", ONE), ("two", TWO)):
        (folder / f"{name}.json").write_bytes(key_set(client.jwk()))
    (folder / "issuers.toml").write_text(
        f'[[issuer]]\niss = "{ONE.iss}"\njwks = "one.json"\ncodes = "local-codes.toml"\n'
        f'[[issuer]]\niss = "{TWO.iss}"\njwks = "two.json"\n',
        "utf-8",
    )
    database = f"sqlite:///{folder / 'ledger.sqlite3'}"
    return {"open_access": False, "public_url": BASE, "issuers": str(folder / "issuers.toml"), "database_url": database}


CALL = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"patientId": "p", "userId": "Practitioner/1"},
    "prefetch": {
        "patient": ADULT,
        "conditions": page(problem("PCP")),
        "cd4": page(result()),
        "viralLoads": EMPTY,
        "medications": page(order()),
        "allergies": page(allergy("S")),
        "labs": EMPTY,
    },
}


def test_a_map_holds_for_its_own_client_alone(tmp_path: Path) -> None:
    app = app_of(CLOCK, **site(tmp_path))
    said = {}
    for client in (ONE, TWO):
        headers = {"Content-Type": "application/json", **client.authorization(VIEW, CLOCK().timestamp())}
        answer = app.test_client().post(VIEW, data=json.dumps(CALL), headers=headers)
        assert answer.status_code == 200, answer.get_json()
        said[client.iss] = [one["rule"] for one in answer.get_json()["extension"][EVALUATION]["findings"]]
    assert "pneumocystis-start" in said[ONE.iss]
    assert said[TWO.iss] == ["scope"]  # nothing says that this patient has HIV


def explained(folder: Path, printed: pytest.CaptureFixture[str], *more: str) -> str:
    (folder / "captured.json").write_text(json.dumps(CALL), "utf-8")
    assert main(["explain", str(folder / "captured.json"), "--as-of", "2026-11-20", *more]) == 0
    return printed.readouterr().out


def test_a_captured_request_is_explained_as_its_client_sends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stated = site(tmp_path)
    trust = Path(stated["issuers"])
    lines = 'codes = "local-codes.toml"\nprofile = "who"\nnot_supplied = ["orders"]\n'
    trust.write_text(trust.read_text("utf-8").replace('codes = "local-codes.toml"\n', lines), "utf-8")
    monkeypatch.setenv("CDS_ISSUERS", stated["issuers"])
    nobody, one, two = (
        explained(tmp_path, capsys, *more) for more in ([], ["--issuer", ONE.iss], ["--issuer", TWO.iss])
    )
    assert "pneumocystis-start: recommended" in one
    assert "CD4 count 120/µL" in one
    assert ", profile who" in one
    assert f"as sent by {ONE.iss}: 6 codes of its own; cannot send orders" in one
    assert "CD4 count 120/µL" not in nobody + two
    assert ", profile dhhs" in two
    assert "as sent by" not in nobody


def test_a_request_is_explained_for_no_client_that_is_not_in_the_trust_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "captured.json").write_text(json.dumps(CALL), "utf-8")
    asked = ["explain", str(tmp_path / "captured.json"), "--issuer", "https://stranger.example.org"]
    assert main(asked) == 2
    assert "CDS_ISSUERS: the trust file is required" in capsys.readouterr().err
    monkeypatch.setenv("CDS_ISSUERS", site(tmp_path)["issuers"])
    assert main(asked) == 2
    assert "--issuer: there is no entry of this `iss`" in capsys.readouterr().err


def test_a_call_costs_nothing_more_what_it_needs_was_made_when_the_service_started(tmp_path: Path) -> None:
    parts: Wiring = app_of(CLOCK, **site(tmp_path)).extensions[KEY]
    one, two = (parts.callers.issuers[client.iss] for client in (ONE, TWO))
    assert parts.knowledge_for(two) is parts.knowledge
    assert parts.templates_for(two) is parts.templates
    assert parts.knowledge_for(one) is parts.knowledge_for(one) is not parts.knowledge
    assert parts.templates_for(one) is parts.templates_for(one)


def test_a_service_with_a_faulty_map_does_not_start_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stated = site(tmp_path, "[[lab]]\nsystem = 'http://loinc.org'\ncode = '24467-3'\nmeasure = 'viral-load-copies'")
    with pytest.raises(KnowledgeFault, match="lab 1"):
        app_of(CLOCK, **stated)
    for name in ("public_url", "issuers", "database_url"):
        monkeypatch.setenv(f"CDS_{name.upper()}", stated[name])
    assert main(["serve"]) == 2
    assert "local-codes.toml: lab 1.system: expected a code system of the site's own" in capsys.readouterr().err
    (tmp_path / "local-codes.toml").unlink()
    assert main(["serve"]) == 2
    assert "local-codes.toml: cannot be read as TOML" in capsys.readouterr().err
