import csv
import tomllib
from itertools import groupby
from pathlib import Path

import pytest
from msgspec import Raw
from msgspec.json import encode

from cds_service.errors import Malformed
from cds_service.wire.envelope import read_envelope
from hooks import SERVICES
from tests.reading_doc import FOLDER, LOINC, Case, chart_of, notes_of, sections, told

SECTIONS = sections()
CASES = [pytest.param(one, id=f"{section.title}: {one.label}") for section in SECTIONS for one in section.cases]
VALUE_SETS = Path(__file__).parents[1] / "hooks" / "knowledge" / "value_sets"
STANDARD = {
    "cd4-count": (450, "/uL", "cd4-count = 450 /uL"),
    "cd4-percent": (28, "%", "cd4-percent = 28 %"),
    "viral-load-copies": (1500, "copies/mL", "viral-load = 1500 copies/mL"),
    "viral-load-log": (3, "log10 copies/mL", "viral-load = 1000 copies/mL"),
    "viral-load-iu": (1500, "[IU]/mL", "viral-load = 1500 IU/mL"),
    "cd4-unverified": (450, "/uL", "unreadable cd4-count: its code is not one this service can rely on"),
    "viral-load-unverified": (1500, "copies/mL", "unreadable viral-load: its code is not one this service can rely on"),
    "not-a-measure": (450, "/uL", "ignored"),
    "hiv2-viral-load": (1500, "copies/mL", "ignored"),
}


def column(file: str, name: str) -> list[str]:
    with (VALUE_SETS / file).open(encoding="utf-8", newline="") as lines:
        return [row[name] for row in csv.DictReader(lines)]


def result(**elements: object) -> Case:
    whole = {
        "resourceType": "Observation",
        "id": "result",
        "status": "final",
        "subject": {"reference": "Patient/invented"},
        "effectiveDateTime": "2026-11-10",
    }
    return Case(label="", results=(whole | elements,), read=())


@pytest.mark.parametrize("case", CASES)
def test_each_shape_is_read_as_the_table_says(case: Case) -> None:
    assert told(case) == case.read
    assert notes_of(case) == case.notes


def test_no_row_stands_twice() -> None:
    for section in SECTIONS:
        rows = [key for key, _ in groupby(section.cases, lambda one: one.label)]
        assert sorted(set(rows)) == sorted(rows), section.title


def test_every_unit_spelling_of_the_value_set_is_in_the_table() -> None:
    text = (FOLDER / "3-units.toml").read_text(encoding="utf-8")
    (every,) = [one for one in tomllib.loads(text)["section"] if one["title"] == "Every unit we know"]
    shown = sorted(row["quantity"].partition(" ")[2] for row in every["cases"])
    assert shown == sorted(column("units.csv", "spelling"))


@pytest.mark.parametrize(
    ("system", "code", "measure"),
    [row for row in zip(*(column("lab_codes.csv", name) for name in ("system", "code", "measure")), strict=True)
     if row[2] in STANDARD],
)  # fmt: skip
def test_every_code_of_the_value_set_is_read_as_its_measure(system: str, code: str, measure: str) -> None:
    value, unit, read = STANDARD[measure]
    case = result(code={"coding": [{"system": system, "code": code}]}, valueQuantity={"value": value, "unit": unit})
    assert told(case) == (read,)


def test_the_measures_of_the_value_set_are_all_accounted_for() -> None:
    others = {
        "toxoplasma-igg",
        "g6pd",
        "crag",
        "hbsag",
        "anti-hbs",
        "tb-test",
        "coccidioides",
        "hcv-ab",
        "pregnancy-status",
    }
    assert set(column("lab_codes.csv", "measure")) == set(STANDARD) | others


@pytest.mark.parametrize(
    ("value", "received"),
    [
        ({"valueQuantity": {"value": Raw(b"0.450"), "unit": "10*9/L"}}, "0.450 10*9/L"),
        ({"valueQuantity": {"value": 450, "unit": "cells/uL", "code": "/uL"}}, "450 /uL | cells/uL"),
        ({"valueQuantity": {"value": 500, "comparator": ">=", "code": "/uL"}}, ">=500 /uL"),
        ({"valueString": "> 500 cells/uL"}, ">500 cells/ul"),
    ],
)
def test_numeral_and_unit_are_kept_as_they_came(value: dict[str, object], received: str) -> None:
    (count,) = chart_of(result(code={"coding": [{"system": LOINC, "code": "24467-3"}]}, **value)).cd4_counts
    assert count.received == received


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"01", b"+1", b".5", b"1.", b"0x10", b"1_000"])
def test_what_is_no_json_number_is_refused_before_any_result_is_read(number: bytes) -> None:
    (service,) = [one for one in SERVICES if one.hook == "patient-view"]
    request = {
        "hook": "patient-view",
        "hookInstance": "1",
        "context": {"patientId": "invented"},
        "prefetch": {"cd4": {"resourceType": "Observation", "valueQuantity": {"value": 450}}},
    }
    body = encode(request)
    assert read_envelope(body, service).patient_id == "invented"
    with pytest.raises(Malformed):
        read_envelope(body.replace(b"450", number), service)
