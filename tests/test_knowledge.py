"""A copy of the knowledge with one defect in; a refusal out that names the file, the entry and what is expected."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hooks.knowledge import KnowledgeFault, load, load_profiles
from hooks.knowledge.check import check_days
from hooks.knowledge.load import FOLDER

LOADED = load()
ROW = "http://snomed.info/sct,86406008,Human immunodeficiency virus infection,"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the knowledge that a test may spoil."""
    return shutil.copytree(FOLDER, tmp_path / "knowledge", ignore=shutil.ignore_patterns("*.py", "__pycache__"))


def fault(folder: Path) -> str:
    with pytest.raises(KnowledgeFault) as refusal:
        load_profiles(load(folder), folder)
    return str(refusal.value)


def spoil(path: Path, old: str, new: str) -> None:
    """Replaces the first occurrence; without `old`, adds at the end."""
    text = path.read_text("utf-8")
    assert old in text, f"{path.name} no longer says {old!r}"
    path.write_text(text.replace(old, new, 1) if old else text + new, "utf-8")


def spoil_field(path: Path, name: str, field: str, value: str | None) -> None:
    """Gives a field of a table another value, adds it where it is not there, or takes it away."""
    text = path.read_text("utf-8")
    line = "" if value is None else f"{field} = {value}\n"
    head = rf"(?m)^(\[\[?{re.escape(name)}\]\]?\n)"
    body, times = re.subn(head + rf"((?:[^\[\n][^\n]*\n)*?){field} = [^\n]*\n", rf"\g<1>\g<2>{line}", text, count=1)
    if not times:
        body, times = re.subn(head, rf"\g<1>{line}", text, count=1)
    assert times, f"{path.name} has no [{name}]"
    path.write_text(body, "utf-8")


def test_the_untouched_copy_loads(folder: Path) -> None:
    copy = load(folder)
    assert copy == LOADED
    assert load_profiles(copy, folder).keys() == load_profiles(LOADED).keys() >= {"dhhs", "who"}


# file, table, field, value (None: taken away), and what the refusal must say besides the file
FIELDS = [
    # sources
    ("sources.toml", "VF-DHHS", "title", None, "VF-DHHS: expected a field 'title'"),
    ("sources.toml", "VF-DHHS", "title", '" "', "VF-DHHS.title: expected text"),
    ("sources.toml", "VF-DHHS", "year", "2021", "VF-DHHS.year: expected one of title, section"),
    ("sources.toml", "VF-DHHS", "url", '"http://example.org"', "VF-DHHS.url: expected an https url"),
    ("sources.toml", "VF-DHHS", "date", '"2021-06-03"', "VF-DHHS.date: expected a date such as"),
    ("sources.toml", "VF-DHHS", "date", "2021-06-03T12:00:00", "VF-DHHS.date: expected a date such as"),
    ("sources.toml", "VF-DHHS", "date", "2026-11-21", "VF-DHHS.date: expected a day not after `checked`"),
    ("sources.toml", "VF-DHHS", "checked", "2027-01-01", "VF-DHHS.checked: expected a day not after the month of version"),
    ("sources.toml", "VF-DHHS", "secondary", '"yes"', "VF-DHHS.secondary: expected true or false"),
    ("sources.toml", "VF-DHHS", "undated", "true", "VF-DHHS.undated: expected true where the title says"),
    ("sources.toml", "SEED-1", "undated", None, "SEED-1.undated: expected true where the title says"),
    # what is said under every profile
    ("statements.toml", "iris-window", "source", '"GRANT-2011"', "iris-window: expected a source of sources.toml"),
    ("statements.toml", "iris-window", "locator", None, "iris-window: expected a field 'locator'"),
    ("statements.toml", "iris-window", "locator", '""', "iris-window.locator: expected text"),
    ("statements.toml", "iris-window", "checked", None, "iris-window: expected a field 'checked'"),
    ("statements.toml", "iris-window", "checked", "2009-01-01", "iris-window.checked: expected a day not before its source"),
    ("statements.toml", "iris-window", "value", "33", "iris-window.value: expected one of source, locator"),
    ("statements.toml", "iris-window", "strength", '"A"', "iris-window.evidence: expected with A: I, II, III"),
    ("statements.toml", "iris-window", "evidence", '"I"', "iris-window.evidence: expected with no strength: none"),
    ("statements.toml", "intensification", "strength", '"D"', "intensification.strength: expected A, B, C, strong or"),
    ("statements.toml", "intensification", "strength", '"strong"', "intensification.evidence: expected with strong: high"),
    ("statements.toml", "intensification", "evidence", '"low"', "intensification.evidence: expected with A: I, II, III"),
    # numbers
    ("thresholds.toml", "cmv-cd4", "source", '"INPRACTISE"', "cmv-cd4: expected a source of sources.toml"),
    ("thresholds.toml", "cmv-cd4", "locator", None, "cmv-cd4: expected a field 'locator'"),
    ("thresholds.toml", "cmv-cd4", "value", '"100"', "cmv-cd4.value: expected a number"),
    ("thresholds.toml", "cmv-cd4", "value", "nan", "cmv-cd4.value: expected a number"),
    ("thresholds.toml", "cmv-cd4", "value", "inf", "cmv-cd4.value: expected a number"),
    ("thresholds.toml", "cmv-cd4", "value", "true", "cmv-cd4.value: expected a number"),
    ("thresholds.toml", "cmv-cd4", "value", "-100", "cmv-cd4.value: expected a number not below 0"),
    ("thresholds.toml", "cmv-cd4", "unit", '"cells/uL"', "cmv-cd4.unit: expected one of /uL, %, copies/mL"),
    ("thresholds.toml", "cmv-cd4", "unit", '"/ul"', "cmv-cd4.unit: expected one of /uL"),
    ("thresholds.toml", "cmv-cd4", "inclusive", "0", "cmv-cd4.inclusive: expected true or false"),
    ("thresholds.toml", "cmv-cd4", "inclusiv", "true", "cmv-cd4.inclusiv: expected one of source"),
    ("thresholds.toml", "cmv-cd4", "since", "2026-11-21", "cmv-cd4.since: expected a day not after `checked`"),
    ("thresholds.toml", "cmv-cd4", "since", '"2026"', "cmv-cd4.since: expected a date such as"),
    ("thresholds.toml", "cmv-cd4", "checked", "2026-12-01", "cmv-cd4.checked: expected a day not after the month"),
    ("thresholds.toml", "cmv-cd4", "design", '"no"', "cmv-cd4.design: expected true or false"),
    ("thresholds.toml", "failure-fresh", "value", "90.5", "failure-fresh.value: expected a whole number of d"),
    ("thresholds.toml", "iris-cd4-rise-percent", "value", "101", "iris-cd4-rise-percent.value: expected a percentage"),
    # what can be ordered
    ("regimens.toml", "regimens.dapsone-daily", "label", None, "regimens.dapsone-daily: expected a field 'label'"),
    ("regimens.toml", "regimens.dapsone-daily", "toxo", "true", "regimens.dapsone-daily.toxo: expected one of label"),
    ("regimens.toml", "regimens.dapsone-daily.drugs", "code", '"197556"', "expected a known RxNorm code, not 197556"),
    ("regimens.toml", "regimens.dapsone-daily.drugs", "code", '"19755B"', "expected a code in the shape of"),
    ("regimens.toml", "regimens.dapsone-daily.drugs", "code", "197557", "drugs (1).code: expected text"),
    ("regimens.toml", "regimens.dapsone-daily.drugs", "agents", '["60212"]', "expected agents that are those of 197557"),
    ("regimens.toml", "regimens.dapsone-daily.drugs", "agents", '["3108", "3108"]', "3108: expected no duplicate"),
    ("regimens.toml", "regimens.dapsone-daily.drugs", "ingredient", '{ code = "3108" }', "expected a field 'display'"),
    ("regimens.toml", "tests.crag", "code", '"29903-3"', "tests.crag: expected a LOINC code whose check digit is right"),
    ("regimens.toml", "tests.crag", "code", '"2160-0"', "tests.crag: expected a LOINC code of lab_codes.csv"),
    ("regimens.toml", "tests.crag", "name", '"CrAg"', "tests.crag.name: expected one of code, display, label"),
    # guideline profiles
    ("profiles/dhhs.toml", "thresholds.mac-cd4", "source", '"OI-T2"', "thresholds.mac-cd4: expected a source of"),
    ("profiles/dhhs.toml", "thresholds.mac-cd4", "unit", '"mg"', "thresholds.mac-cd4.unit: expected one of /uL"),
    ("profiles/dhhs.toml", "statements.tb-test", "locator", '"  "', "statements.tb-test.locator: expected text"),
    ("profiles/dhhs.toml", "statements.tb-test", "checked", "2023-01-01", "statements.tb-test.checked: expected a day not"),
    ("profiles/dhhs.toml", "regimens.mac", "use", '"rifabutin-daily"', "regimens.mac.rifabutin-daily: expected a regimen"),
    ("profiles/dhhs.toml", "regimens.mac", "use", '"clarithromycin-twice-daily"', "expected no duplicate"),
    ("profiles/dhhs.toml", "regimens.mac", "source", None, "regimens.mac (1): expected a field 'source'"),
    ("profiles/dhhs.toml", "regimens.mac", "dose", '"high"', "regimens.mac (1).dose: expected one of source"),
    ("profiles/who.toml", "switches", "cotrimoxasole", "true", "switches.cotrimoxasole: expected one of cotrimoxazole"),
    ("profiles/who.toml", "switches", "cotrimoxazole", '"yes"', "switches.cotrimoxazole: expected true or false"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "name", "field", "value", "said"), FIELDS)
def test_a_wrong_field_is_refused(
    folder: Path, *, file: str, name: str, field: str, value: str | None, said: str
) -> None:
    spoil_field(folder / file, name, field, value)
    refusal = fault(folder)
    assert refusal.startswith(f"{file}: ")
    assert said in refusal


# file, text there, text put in its place (without the first: put at the end), and what the refusal must say
TEXTS = [
    ("sources.toml", 'version = "2026.11', 'version = "2026.13', "version: expected the calendar version"),
    ("sources.toml", 'version = "2026.11.', 'version = "2026.', "version: expected the calendar version"),
    ("sources.toml", "version = ", "edition = ", "version: expected the calendar version"),
    ("sources.toml", "", "[VF-DHHS]\n", "cannot be read as TOML"),
    ("thresholds.toml", "", "cmv-cd5 = 100\n[", "cannot be read as TOML"),
    ("statements.toml", "", '\n[cmv-cd4]\nsource = "SEED-1"\nlocator = "x"\nchecked = 2026-11-20\n',
     "cmv-cd4: expected the key of a threshold or of a statement"),
    ("regimens.toml", "[tests.crag]", "[lab.crag]", "lab: expected one of regimens, tests"),
    ("regimens.toml", 'code = "{tbl}"', 'code = "{tab}"', "dose.code: expected one of {tbl}"),
    ("regimens.toml", 'unit = "tablet"', 'unit = "capsule"', "dose.unit: expected tablet for {tbl}, not capsule"),
    ("regimens.toml", 'period_unit = "d"', 'period_unit = "day"', "dose.period_unit: expected one of h, d, wk, mo"),
    ("regimens.toml", "frequency = 1", "frequency = 0", "dose.frequency: expected a whole number above 0"),
    ("regimens.toml", "dose = { value = 1,", "dose = { value = 0,", "dose.value: expected a number above 0"),
    ("profiles/who.toml", 'title = "WHO"', "", ": expected a field 'title'"),
    ("profiles/who.toml", 'title = "WHO"', 'title = "WHO"\nlanguage = "fr"', "language: expected one of title, based_on"),
    ("profiles/who.toml", 'title = "WHO"', 'title = "WHO"\nbased_on = "eacs"', "based_on: expected a profile by itself"),
    ("profiles/who.toml", 'title = "WHO"', 'title = "WHO"\nbased_on = "who"', "based_on: expected a profile by itself"),
    ("profiles/who.toml", 'title = "WHO"', 'title = "WHO"\nendemic = ["malaria"]', "endemic: expected one of coccidioid"),
    ("profiles/who.toml", '"mac-start",', '"mac-stop",', "left_out: mac-stop: expected no duplicate"),
    ("profiles/who.toml", "[[regimens.tuberculosis]]", "[[regimens.tb]]", "regimens.tb: expected one of coccidioid"),
    ("profiles/who.toml", "[[regimens.tuberculosis]]", "[regimens.tuberculosis]", "expected an array of tables"),
    ("value_sets/lab_codes.csv", "system,code,display", "system,code,name", "first line: expected system,code,display"),
    ("value_sets/lab_codes.csv", "", "http://loinc.org,24467-3,CD4,cd4-count,\n", "24467-3: expected no duplicate"),
    ("value_sets/lab_codes.csv", "", "http://loinc.org,8039-1,IgG,toxoplasma-igg,\n", "8039-1: expected a LOINC code whose"),
    ("value_sets/lab_codes.csv", "", "http://loinc.org,8039-14,IgG,toxoplasma-igg,\n", "8039-14: expected a code in the"),
    ("value_sets/lab_codes.csv", "", "http://loinc.org,2160-0,CD4,cd4-cuont,\n", "2160-0: expected a measure of"),
    ("value_sets/lab_codes.csv", "", "http://loinc.org,2160-0,CD4,,\n", "2160-0: expected a measure of"),
    ("value_sets/lab_codes.csv", "", "http://loinc.org,2160-0,CD4,cd4-count,unsure\n", "2160-0: expected a note of"),
    ("value_sets/lab_codes.csv", "", "http://loinc.org,2160-0,CD4,cd4-count\n", ": expected one value a column"),
    ("value_sets/lab_codes.csv", "", "http://example.org,1,CD4,cd4-count,\n", "1: expected a code system of which"),
    ("value_sets/lab_codes.csv", "", 'http://loinc.org,"2160-0\n', "cannot be read as CSV"),
    ("value_sets/conditions.csv", "", f"{ROW}hiv-infection\n", "86406008 hiv-infection: expected no duplicate"),
    ("value_sets/conditions.csv", "", "http://snomed.info/sct,86406009,HIV,hiv-infection\n", "86406009: expected a SNOMED"),
    ("value_sets/conditions.csv", "", "http://snomed.info/sct,8640608,HIV,hiv-infection\n", "8640608: expected a code in"),
    ("value_sets/conditions.csv", "", f"{ROW}hiv-infecton\n", "86406008: expected a concept of"),
    ("value_sets/conditions.csv", "", "http://hl7.org/fhir/sid/icd-10-cm,B2O,HIV,hiv-infection\n", "B2O: expected a code in"),
    ("value_sets/conditions.csv", "", "http://hl7.org/fhir/sid/icd-10,B20.12,HIV,hiv-infection\n", "B20.12: expected a code"),
    ("value_sets/allergens.csv", "", "http://snomed.info/sct,86406008,Sulfa,sulpha\n", "86406008: expected a concept of"),
    ("value_sets/result_words.csv", "", "http://snomed.info/sct,86406008,HIV,perhaps\n", "86406008: expected a result of"),
    ("value_sets/units.csv", "", "Cells/uL,cells-per-ul,1,\n", "Cells/uL: expected a folded spelling: cells/ul"),
    ("value_sets/units.csv", "", "lots,cells-per-ul,many,\n", "lots: expected a number as factor"),
    ("value_sets/units.csv", "", "lots,cells-per-ul,0,\n", "lots: expected a factor above 0"),
    ("value_sets/units.csv", "", "lots,cells-per-ul,NaN,\n", "lots: expected a factor above 0"),
    ("value_sets/units.csv", "", "lots,cells,1,\n", "lots: expected a measure of"),
    ("value_sets/ingredients.csv", "", "12X,water,\n", "12X: expected a code in the shape of"),
    ("value_sets/ingredients.csv", "", "9999999,water,arv\n", "9999999: expected a roles of"),
    ("value_sets/rxnorm_products.csv", "", "9999999,9999998,oral,,,water\n", "9999999: expected drugs of ingredients.csv"),
    ("value_sets/rxnorm_products.csv", "", "9999999,,oral,,,water\n", "9999999: expected drugs of ingredients.csv"),
    ("value_sets/rxnorm_products.csv", "", "9999999,3108,oral,weak,,dapsone\n", "9999999: expected a flags of"),
    ("value_sets/rxnorm_products.csv", "", "0197557,3108,oral,,,dapsone\n", "0197557: expected a code in the shape of"),
    ("value_sets/rxnorm_products.csv", "", "197557,3108,oral,,,dapsone\n", "197557: expected no duplicate"),
    ("value_sets/atc_ingredients.csv", "", "J04BA2,3108,,dapsone\n", "J04BA2: expected a code in the shape of"),
    ("value_sets/atc_ingredients.csv", "", "J04BA99,31080,,dapsone\n", "J04BA99: expected drugs of ingredients.csv"),
    ("value_sets/drug_names.csv", "", "Dapsone!,3108,ingredient\n", "Dapsone!: expected a folded name: dapsone"),
    ("value_sets/drug_names.csv", "", "dapson,31080,synonym\n", "dapson: expected drugs of ingredients.csv"),
    ("value_sets/drug_names.csv", "", "dapson,3108,spelling\n", "dapson: expected a kind of"),
    ("value_sets/nonsystemic_words.csv", "", "Nose\n", "Nose: expected a folded word: nose"),
    ("value_sets/code_systems.csv", "http://loinc.org,http://loinc.org\n", "", "http://loinc.org: expected the system itself"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "said"), TEXTS)
def test_a_wrong_text_is_refused(folder: Path, file: str, old: str, new: str, said: str) -> None:
    spoil(folder / file, old, new)
    refusal = fault(folder)
    assert refusal.startswith(f"{file.removeprefix('value_sets/')}: ")
    assert said in refusal


@pytest.mark.parametrize("file", ["sources.toml", "regimens.toml", "value_sets/units.csv", "value_sets/conditions.csv"])
def test_a_file_that_is_missing_or_no_text_is_refused(folder: Path, file: str) -> None:
    (folder / file).write_bytes(b"\xff\xfe\x00")
    assert f"{Path(file).name}: cannot be read as" in fault(folder)
    (folder / file).unlink()
    assert f"{Path(file).name}: cannot be read as" in fault(folder)


def test_a_threshold_with_a_time_in_years_or_as_a_mere_number_is_known() -> None:
    assert LOADED.thresholds["adult-age"].amount == "13 a"
    assert load_profiles(LOADED)["dhhs"].thresholds["low-level-results"].amount == "2"


def test_what_has_no_day_of_its_own_was_checked_with_its_source() -> None:
    cite = LOADED.statements["iris-window"]
    check_days({"first": replace(cite, checked=None)}, "statements.toml", LOADED.version)
    early = replace(cite, checked=cite.source.date.replace(year=2009))
    with pytest.raises(KnowledgeFault, match=r"second\.checked"):
        check_days({"second": early}, "statements.toml", LOADED.version)
