"""Observations of the other tests in; what each is read as, or why it cannot be used, out."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.json import decode, encode

from cds_service.chart.elements import Observation
from cds_service.chart.lab_values import LabReader
from cds_service.chart.other_results import read_other
from cds_service.chart.quantities import Units
from hooks.knowledge import load
from hooks.record import OtherResult, Pending, Unreadable
from tests.charts import LAB_CODES, LOINC, SNOMED

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KNOWLEDGE = load()
READER = LabReader(NOW, KNOWLEDGE, Units(KNOWLEDGE, Decimal(2)))
UNKNOWN = "its result is not known to this service"
V3 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def read(test: str, **elements: Any) -> list[OtherResult | Unreadable | Pending]:
    code = LAB_CODES.get(test, test)
    stated = {
        "resourceType": "Observation",
        "id": "one",
        "status": "final",
        "effectiveDateTime": "2026-11-10",
    } | elements
    observation = decode(encode({"code": coded(LOINC, code)} | stated), type=Observation)
    return list(read_other(observation, True, READER))


def said(test: str, **elements: Any) -> str:
    """The one result in a word: what it is, pending, or why it cannot be used; nothing where it says nothing of a test."""
    match read(test, **elements):
        case [OtherResult(result=result)]:
            return result
        case [Pending()]:
            return "pending"
        case [Unreadable(why=why)]:
            return why
        case found:
            return "nothing" if not found else str(found)


@pytest.mark.parametrize(
    ("test", "value", "result"),
    [
        ("CrAg", {"valueCodeableConcept": coded(SNOMED, "10828004")}, "positive"),
        ("CrAg", {"valueCodeableConcept": coded(SNOMED, "11214006")}, "positive"),
        ("CrAg", {"valueCodeableConcept": coded(SNOMED, "131194007")}, "negative"),
        ("CrAg", {"valueCodeableConcept": coded(LOINC, "LA6577-6")}, "negative"),
        ("CrAg", {"valueCodeableConcept": coded(SNOMED, "82334004")}, "nothing"),
        ("CrAg", {"valueString": "Non-reactive"}, "negative"),
        ("CrAg", {"valueString": "Detected"}, "positive"),
        ("CrAg", {"valueString": "not detected"}, "negative"),
        ("CrAg", {"valueString": "1:320"}, "positive"),
        ("CrAg", {"valueString": "Positive, 1 : 40"}, "positive"),
        ("CrAg", {"valueString": "< 1:5"}, "negative"),
        ("CrAg", {"valueString": "indeterminate"}, "nothing"),
        ("CrAg", {"valueString": "see comment"}, UNKNOWN),
        ("9820-2", {"valueQuantity": {"value": 160, "unit": "{titer}"}}, "positive"),
        ("9820-2", {"valueQuantity": {"value": 160}}, UNKNOWN),
        ("HBsAg", {"valueString": "1:320"}, UNKNOWN),
        ("HBsAg", {"interpretation": [coded(V3, "POS")], "valueQuantity": {"value": 12, "unit": "IU/mL"}}, "positive"),
        ("HBsAg", {"interpretation": [coded(V3, "NR")], "valueQuantity": {"value": 0.1}}, "negative"),
        ("HBsAg", {"interpretation": [coded(V3, "WR")], "valueQuantity": {"value": 1}}, "nothing"),
        ("HBsAg", {"interpretation": [coded(V3, "H")], "valueQuantity": {"value": 1}}, UNKNOWN),
        ("16935-9", {"valueQuantity": {"value": 10, "unit": "mIU/mL"}}, "positive"),
        ("16935-9", {"valueQuantity": {"value": 9.9, "unit": "m[IU]/mL"}}, "negative"),
        ("16935-9", {"valueQuantity": {"value": 10, "comparator": "<", "unit": "mIU/mL"}}, "negative"),
        ("16935-9", {"valueQuantity": {"value": 12, "comparator": "<", "unit": "mIU/mL"}}, UNKNOWN),
        ("16935-9", {"valueQuantity": {"value": 10, "comparator": "<=", "unit": "mIU/mL"}}, UNKNOWN),
        ("16935-9", {"valueQuantity": {"value": 1000, "comparator": ">", "unit": "mIU/mL"}}, "positive"),
        ("16935-9", {"valueQuantity": {"value": 5, "comparator": ">", "unit": "mIU/mL"}}, UNKNOWN),
        ("16935-9", {"valueQuantity": {"value": 12}}, UNKNOWN),
        ("G6PD", {"valueString": "deficient"}, "deficient"),
        ("G6PD", {"valueCodeableConcept": coded(SNOMED, "17621005")}, "normal"),
        ("G6PD", {"valueString": "positive"}, UNKNOWN),
        ("G6PD", {"interpretation": [coded(V3, "L")], "valueQuantity": {"value": 2, "unit": "U/g{Hb}"}}, "deficient"),
        ("IGRA", {"valueString": "positive"}, "positive"),
        ("Coccidioides IgG", {"valueString": "reactive"}, "positive"),
        ("IGRA", {"status": "registered"}, "pending"),
        ("IGRA", {"status": "preliminary", "valueString": "positive"}, "pending"),
        ("IGRA", {"status": "entered-in-error", "valueString": "positive"}, "nothing"),
        ("IGRA", {"status": "cancelled", "valueString": "positive"}, "nothing"),
        ("IGRA", {"effectiveDateTime": None, "valueString": "positive"}, "it has no date"),
        ("IGRA", {"effectiveDateTime": "2027-01-01", "valueString": "positive"}, "it is dated in the future"),
        ("CD4 count", {"valueQuantity": {"value": 100, "unit": "/uL"}}, "nothing"),
    ],
)  # fmt: skip
def test_what_each_is_read_as(test: str, value: dict[str, Any], result: str) -> None:
    assert said(test, **value) == result


def test_another_persons_result_is_not_read() -> None:
    observation = decode(encode({"resourceType": "Observation", "code": coded(LOINC, "5196-1")}), type=Observation)
    assert list(read_other(observation, False, READER)) == []


def test_components_count_like_results_and_the_panel_itself_says_nothing() -> None:
    parts = [
        {"code": coded(LOINC, "5196-1"), "valueString": "negative"},
        {"code": coded(LOINC, "22322-2"), "valueString": "positive"},
    ]
    found = read("100128-8", component=parts)
    assert [(one.test, one.result) for one in found if isinstance(one, OtherResult)] == [
        ("hbsag", "negative"),
        ("anti-hbs", "positive"),
    ]
    assert len(found) == 2
