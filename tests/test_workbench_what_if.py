"""What might be otherwise in a chart: any result, drug, diagnosis or allergy; and what cannot be applied says why."""

import json
from datetime import date
from typing import Any

import pytest

from cds_service.web.wiring import KEY, Wiring
from cds_service.web.workbench import room_of
from cds_service.workbench.choices import ALLERGIES, all_results, key_of, of_key, said_by
from cds_service.workbench.page import Page, page
from hooks.record import LabResult, PatientRecord
from tests.fixture_files import Clock, app_of, legal

APP = app_of(Clock())
PARTS: Wiring = APP.extensions[KEY]
ROOM = room_of(PARTS)
STARTING, SUPPRESSED = "starting-art:order-sign", "suppressed-for-years:patient-view"
FIRST = legal("cd4-120-starting-art")["prefetch"]["cd4"]["entry"][0]["resource"]
EMPTY = {"resourceType": "Bundle", "type": "searchset", "entry": []}


def tried(patient: str = STARTING, **form: str) -> Page:
    found = page({"patient": patient} | form, ROOM)
    assert found.now or found.fault
    return found


def record_of(found: Page) -> PatientRecord:
    assert found.now, found.fault
    return found.now.record


def pasted(**prefetch: Any) -> str:
    request = legal("cd4-120-starting-art")
    request["prefetch"] |= prefetch
    return json.dumps(request)


def nameless_draft() -> str:
    request = legal("cd4-120-starting-art")
    for one in request["context"]["draftOrders"]["entry"]:
        del one["resource"]["id"]
    return json.dumps(request)


def keys(measure: str, patient: str = SUPPRESSED) -> list[str]:
    return [key_of(one) for one in all_results(record_of(tried(patient))) if key_of(one).startswith(measure)]


def amounts(found: Page, measure: str) -> list[tuple[str, str, str]]:
    return [
        (one.comparator, f"{one.number}" if one.number is not None else "", str(one.date))
        for one in record_of(found).results(measure)
        if isinstance(one, LabResult)
    ]


# --- results ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1, 3])
def test_any_result_of_the_chart_can_have_another_value(place: int) -> None:
    key = keys("cd4-count")[place]
    before, after = (
        amounts(tried(SUPPRESSED), "cd4-count"),
        amounts(tried(SUPPRESSED, result1=key, value1="77"), "cd4-count"),
    )
    assert after[place] == ("", "77", before[place][2])
    assert [one for at, one in enumerate(after) if at != place] == [one for at, one in enumerate(before) if at != place]


def test_any_result_can_be_of_another_day_and_keeps_its_value() -> None:
    found = tried(
        SUPPRESSED, result1=keys("viral-load")[0], day1="2026-11-01", result2=keys("viral-load")[1], day2="2026-11-02"
    )
    assert amounts(found, "viral-load")[:2] == [("", "", "2026-11-02"), ("<", "20", "2026-11-01")]
    assert not found.not_applied


def test_two_raised_viral_loads_of_the_chart_are_a_failure() -> None:
    first, second = keys("viral-load")[:2]
    found = tried(SUPPRESSED, result1=first, value1="5000", result2=second, value2="4000")
    assert "virologic-failure" in {one.rule for one in found.changes}


def test_a_result_can_be_taken_away() -> None:
    assert len(amounts(tried(SUPPRESSED, result1=keys("cd4-count")[0], value1="none"), "cd4-count")) == 3


def test_a_test_that_was_never_made_can_have_a_result() -> None:
    found = tried(result1="new|toxoplasma-igg", value1="Positive", day1="2026-10-01")
    assert [(one.result, one.date) for one in record_of(found).others("toxoplasma-igg")] == [
        ("positive", date(2026, 10, 1))
    ]


@pytest.mark.parametrize("key", ROOM.choices.tests)
def test_every_result_besides_is_read_as_what_was_asked_for(key: str) -> None:
    number = "12" if of_key(key) in ("cd4-count", "cd4-percent", "viral-load") else ""
    for value in filter(None, (*said_by(of_key(key)), number)):
        found = tried(result1=key, value1=value)
        assert not found.not_applied, value
        newest = record_of(found).results(of_key(key))[0]
        assert newest.source == "Observation/what-if-1"
        said = newest.result if not isinstance(newest, LabResult) else newest.number
        assert str(said) == value or (value == "not detected" and newest.detected is False)  # type: ignore[union-attr]


def test_of_a_panel_the_other_parts_stay() -> None:
    parts = [{"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": {"value": value, "unit": unit}}
             for code, value, unit in (("24467-3", 120, "/uL"), ("8123-2", 9, "%"))]  # fmt: skip
    panel = legal("cd4-120-starting-art")["prefetch"]["cd4"]["entry"][0]["resource"] | {
        "component": parts,
        "id": "panel",
    }
    panel.pop("valueQuantity")
    text = pasted(cd4={"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": panel}]}, labs=EMPTY)
    key = key_of(record_of(tried(pasted=text)).cd4_counts[0])
    changed = record_of(tried(pasted=text, result1=key, value1="300"))
    assert [f"{one.number}" for one in (*changed.cd4_counts, *changed.cd4_percents)] == ["300", "9"]
    both = tried(pasted=text, result1=key, value1="300", result2=key.replace("cd4-count", "cd4-percent"), value2="20")
    assert [f"{one.number}" for one in (*record_of(both).cd4_counts, *record_of(both).cd4_percents)] == ["300", "20"]


def unreadable() -> str:
    odd = FIRST | {"id": "odd", "valueQuantity": {"value": 90, "unit": "furlongs"}}
    return pasted(cd4={"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": odd}]}, labs=EMPTY)


def test_a_result_that_cannot_be_read_can_be_what_it_would_say() -> None:
    text = unreadable()
    assert record_of(tried(pasted=text)).unreadable
    found = tried(pasted=text, result1="cd4-count|Observation/odd|unread", value1="90")
    assert not record_of(found).unreadable
    assert amounts(found, "cd4-count") == [("", "90", FIRST["effectiveDateTime"][:10])]
    gone = tried(pasted=text, result1="cd4-count|Observation/odd|unread", value1="none")
    assert not record_of(gone).unreadable
    assert not record_of(gone).cd4_counts
    assert (
        "it needs a value"
        in tried(pasted=text, result1="cd4-count|Observation/odd|unread", day1="2026-11-01").not_applied[0]
    )


# --- drugs, diagnoses, allergies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("concept", ROOM.choices.problems)
def test_every_diagnosis_that_can_be_chosen_stands_on_the_problem_list(concept: str) -> None:
    found = tried(problem=concept, onset="2026-11-01")
    assert not found.not_applied
    problem = record_of(found).problems_of(concept, ("active",))[-1]
    assert (problem.source, problem.onset) == ("Condition/what-if-1", date(2026, 11, 1))


@pytest.mark.parametrize("allergen", ["", *ROOM.choices.allergens])
def test_every_allergen_that_can_be_chosen_is_read_with_its_severity(allergen: str) -> None:
    for severity, severe, cutaneous in (
        ("severe", True, False), ("mild", False, False), ("unknown", None, False), ("cutaneous", True, True),
    ):  # fmt: skip
        (one,) = record_of(tried(allergen=allergen, allergy=severity)).allergies or ()
        assert (one.severe, one.severe_cutaneous) == (severe, cutaneous)
        assert one.sulfonamide if not allergen else one.ingredients == {allergen}
    assert set(ALLERGIES) == {"", "severe", "mild", "unknown", "cutaneous", "none"}


def test_a_drug_is_taken_since_a_day_or_was_until_a_day() -> None:
    added = record_of(tried(add="tmp-smx-ds-daily", since="2026-01-05"))
    assert [one.since for one in added.medications or () if one.source.startswith("MedicationRequest/what-if")] == [
        date(2026, 1, 5)
    ]
    before = record_of(tried(SUPPRESSED)).art
    ended = record_of(tried(SUPPRESSED, remove="1999660", until="2026-08-01"))
    assert (before.status, ended.art.status) == ("on", "unclear")  # nobody knows when the drug before it ended
    (past,) = [one for one in ended.medications or () if "1999660" in one.ingredients]
    assert (past.since, past.until) == (before.changed, date(2026, 8, 1))


def test_a_statement_ends_on_the_day_too() -> None:
    statement = {
        "resourceType": "MedicationStatement", "id": "s", "status": "active", "effectiveDateTime": "2025-02-03",
        "subject": {"reference": f"Patient/{legal('cd4-120-starting-art')['context']['patientId']}"},
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1433868"}]},
    }  # fmt: skip
    text = pasted(
        medicationStatements={"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": statement}]}
    )
    found = record_of(tried(pasted=text, remove="1433868", until="2026-03-04"))
    (past,) = [one for one in found.medications or () if one.source == "MedicationStatement/s"]
    assert (past.current, past.since, past.until) == (False, date(2025, 2, 3), date(2026, 3, 4))


# --- orders about to be signed ----------------------------------------------------------------------------------------

DOLUTEGRAVIR = "1433868"


def drafted(found: Page) -> list[str]:
    return sorted("+".join(sorted(one.ingredients)) for one in record_of(found).drafted_medications())


def test_a_drug_can_be_ordered_besides() -> None:
    found = tried(order="tmp-smx-ds-daily")
    assert len(drafted(found)) == 1 + len(drafted(tried()))
    assert not found.not_applied
    assert record_of(found).medications == record_of(tried()).medications
    assert ("pneumocystis-start", "silent") in {(one.rule, one.after) for one in found.changes}


def test_an_order_where_the_chart_was_only_opened_is_about_to_be_signed() -> None:
    found = tried(SUPPRESSED, order=DOLUTEGRAVIR)
    assert found.now
    assert found.before
    assert (found.before.service.hook, found.now.service.hook) == ("patient-view", "order-sign")
    assert drafted(found) == [DOLUTEGRAVIR]


def test_an_order_counts_among_those_just_selected() -> None:
    request = legal("cd4-120-starting-art") | {"hook": "order-select"}
    drafts = request["context"]["draftOrders"]["entry"]
    request["context"]["selections"] = [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in drafts]
    found = tried(pasted=json.dumps(request), remove=DOLUTEGRAVIR, order="tmp-smx-ds-daily")
    assert found.now
    assert found.now.service.hook == "order-select"
    selected = json.loads(found.now.body)["context"]["selections"]
    assert selected == [*request["context"]["selections"][1:], "MedicationRequest/what-if-1"]


def test_without_the_order_there_is_nothing_to_counsel_on() -> None:
    request = legal("cd4-120-starting-art")
    del request["context"]["draftOrders"]["entry"][1:]
    found = tried(pasted=json.dumps(request), remove=DOLUTEGRAVIR)
    assert not drafted(found)
    assert not found.not_applied
    assert ("iris-counselling", "silent") in {(one.rule, one.after) for one in found.changes}


def test_a_drug_taken_until_a_day_and_ordered_again_is_a_restart() -> None:
    found = tried(SUPPRESSED, remove="1999660", until="2026-02-03", order="1999660")
    assert drafted(found) == ["1999660"]
    assert not found.not_applied
    assert not [one for one in record_of(found).taken_medications() if "1999660" in one.ingredients]
    assert "iris-counselling" in {one.rule for one in found.changes}


# --- what cannot be applied says why ---------------------------------------------------------------------------------

NAMELESS = {key: one for key, one in FIRST.items() if key != "id"}
UNTREATED = json.loads(pasted(conditions=EMPTY)) | {"hook": "patient-view"}
del UNTREATED["context"]["draftOrders"]
NO_ID = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": NAMELESS}]}


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"result1": "cd4-count|Observation/elsewhere|2026-11-12", "value1": "90"}, "does not stand in this chart"),
        ({"result1": "new|cd4-count", "value1": "90", "day1": "2027-01-01"}, "it cannot be read, for it is dated in the future"),
        ({"result1": "new|cd4-count", "value1": "400", "day1": "2026-11-12"}, "another result of the same day counts"),
        ({"remove": "7454"}, "no entry of the medication list and no draft holds it"),
        ({"pasted": nameless_draft(), "remove": "1433868"}, "Drug not ordered: it came without an id"),
        ({"allergy": "none"}, "Allergy: none is on file"),
        ({"pasted": pasted(cd4=NO_ID), "cd4": "90", "measured": "2026-11-01"}, "it came without an id"),
        ({"pasted": json.dumps(UNTREATED), "cd4": "90"}, "nothing in the chart establishes HIV infection"),
        ({"patient": SUPPRESSED, "remove": "1999660", "until": "1990-01-01"}, "after the day on which it would end"),
    ],
)  # fmt: skip
def test_what_cannot_be_applied_says_why(form: dict[str, str], sentence: str) -> None:
    found = tried(**form)
    assert not found.fault
    assert sentence in " ".join(found.not_applied)


def test_a_list_that_did_not_come_is_not_silently_taken_for_whole() -> None:
    request = legal("cd4-120-starting-art")
    del request["prefetch"]["allergies"]
    found = tried(pasted=json.dumps(request), allergy="severe")
    assert found.not_applied == ("Allergy list: it did not come, and is now read as if what was added were all of it.",)
    gone = tried(pasted=json.dumps(request), allergy="none")
    assert gone.not_applied == ("Allergy: the allergy list did not come, so nothing was taken away.",)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"value1": "90"}, "not of which result"),
        ({"result1": "new|cd4-count"}, "neither another value nor another day"),
        ({"result1": "new|cd4-count", "day1": "2026-11-01"}, "A new result needs its value"),
        ({"result1": "new|crag", "value1": "90"}, "positive, negative"),
        ({"result1": "cd4-percent|Observation/x|2026-11-12", "value1": "101"}, "a number up to 100 is expected"),
        ({"result1": "|||", "value1": "1"}, "none that this test can have"),
        ({"result1": "new|viral-load", "value1": "none"}, "not detected"),
        ({"since": "2026-11-01"}, "no drug that is taken besides"),
        ({"until": "2026-11-01"}, "no drug that is not taken"),
        ({"onset": "2026-11-01"}, "no diagnosis"),
        ({"allergen": "10180"}, "not what the allergy to it is like"),
        ({"problem": "<script>"}, "The diagnosis is none of those"),
        ({"order": "<script>"}, "The drug to order is none of those"),
        ({"client": "https://ehr.example.org"}, "There is no such client"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said_in_a_sentence(form: dict[str, str], sentence: str) -> None:
    assert sentence in tried(**form).fault
