"""The value sets on disk in, proof out that each code, unit and drug name is well formed and refers to something."""

from __future__ import annotations

import csv
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

VALUE_SETS = Path(__file__).parents[1] / "hooks" / "knowledge" / "value_sets"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"

# Header of each file and the columns that together may occur once only.
FILES: dict[str, tuple[list[str], list[str]]] = {
    "code_systems": (["system", "alias"], ["alias"]),
    "lab_codes": (["system", "code", "display", "measure", "note"], ["system", "code"]),
    "conditions": (["system", "code", "display", "concept"], ["system", "code", "concept"]),
    "allergens": (["system", "code", "display", "concept"], ["system", "code"]),
    "result_words": (["system", "code", "display", "result"], ["system", "code"]),
    "units": (["spelling", "measure", "factor", "note"], ["spelling", "measure"]),
    "ingredients": (["code", "name", "roles"], ["code"]),
    "rxnorm_products": (["code", "ingredients", "route", "flags", "brand", "name"], ["code"]),
    "atc_ingredients": (["code", "ingredients", "flags", "name"], ["code"]),
    "drug_names": (["name", "ingredients", "kind"], ["name"]),
    "nonsystemic_words": (["word"], ["word"]),
}
CODED = ["lab_codes", "conditions", "allergens", "result_words"]
CODE_SHAPES = {
    LOINC: r"(LA)?\d+-\d",
    SNOMED: r"[1-9]\d{5,17}",
    ICD_10_CM: r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?",
    "http://hl7.org/fhir/sid/icd-10": r"[A-Z]\d\d(\.\d)?",
    "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation": r"[A-Z]{1,3}",
}
UNIT_MEASURES = {
    "cells-per-ul", "percent", "copies-per-ml", "log-copies-per-ml", "iu-per-ml", "log-iu-per-ml", "log-unspecified",
}  # fmt: skip
PRODUCT_FLAGS = {
    "nonsystemic_exclude", "malaria_combo_not_pcp", "not_hiv_regimen", "hbv_dose_not_hiv", "hbv_product_taf_alone",
    "prep_or_backbone", "prep_or_leadin", "prep_or_treatment", "inhaled_pcp_prophylaxis", "h_pylori_pack",
}  # fmt: skip

# Verhoeff's tables: the dihedral group of order ten and the position permutation SNOMED CT uses.
_PRODUCT = [
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
]  # fmt: skip
_PERMUTATION = [
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
]  # fmt: skip


def rows(name: str) -> list[dict[str, str]]:
    with (VALUE_SETS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def codes_of(system: str) -> set[str]:
    return {row["code"] for name in CODED for row in rows(name) if row["system"] == system}


def values(name: str, column: str, /, **where: str) -> set[str]:
    return {row[column] for row in rows(name) if all(row[key] == wanted for key, wanted in where.items())}


def only(name: str, /, **where: str) -> dict[str, str]:
    (row,) = [row for row in rows(name) if all(row[key] == wanted for key, wanted in where.items())]
    return row


def loinc_check_digit(number: str) -> int:
    doubled = "".join(str(int(digit) * (2 if place % 2 == 0 else 1)) for place, digit in enumerate(reversed(number)))
    return -sum(map(int, doubled)) % 10


def passes_verhoeff(number: str) -> bool:
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = int(_PRODUCT[check][int(_PERMUTATION[place % 8][int(digit)])])
    return check == 0


def fold_unit(spelling: str) -> str:
    return re.sub(r"\s+", "", spelling.casefold()).replace("\u00b5", "u").replace("\u03bc", "u")


def fold_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()


def test_every_file_is_listed_here() -> None:
    assert {path.stem for path in VALUE_SETS.glob("*.csv")} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_file_is_plain_and_sorted(name: str) -> None:
    text = (VALUE_SETS / f"{name}.csv").read_bytes().decode("utf-8")
    lines = list(csv.reader(text.splitlines()))
    assert "\r" not in text
    assert text.endswith("\n")
    assert lines[0] == FILES[name][0]
    assert [] != lines[1:] == sorted(lines[1:])
    assert all(len(line) == len(lines[0]) and [cell.strip() for cell in line] == line for line in lines)


@pytest.mark.parametrize("name", FILES)
def test_nothing_stands_twice(name: str) -> None:
    times = Counter(tuple(row[column] for column in FILES[name][1]) for row in rows(name))
    assert [key for key, count in times.items() if count > 1] == []


@pytest.mark.parametrize("name", CODED)
def test_codes_have_the_shape_of_their_known_system(name: str) -> None:
    known = values("code_systems", "system")
    assert all(row["system"] in known and re.fullmatch(CODE_SHAPES[row["system"]], row["code"]) for row in rows(name))


def test_every_code_system_is_an_alias_of_itself() -> None:
    assert values("code_systems", "system") <= values("code_systems", "alias")


def test_loinc_check_digits() -> None:
    assert loinc_check_digit("8039") == 0  # the wild 8039-1 is wrong
    numbers = [
        code.split("-") for code in codes_of(LOINC) if not code.startswith("LA")
    ]  # answers follow another scheme
    assert not [number for number, check in numbers if loinc_check_digit(number) != int(check)]


def test_snomed_check_digits() -> None:
    assert [passes_verhoeff(code) for code in ("86406008", "86406009", "86460008")] == [True, False, False]
    assert not [code for code in codes_of(SNOMED) if not passes_verhoeff(code)]


def test_unit_spellings_are_folded_and_factors_are_positive_numbers() -> None:
    for row in rows("units"):
        assert row["spelling"] == fold_unit(row["spelling"]) != ""
        assert row["measure"] in UNIT_MEASURES
        assert re.fullmatch(r"\d+(\.\d+)?", row["factor"])
        assert Decimal(row["factor"]) > 0


@pytest.mark.parametrize("name", ["rxnorm_products", "atc_ingredients", "drug_names"])
def test_every_ingredient_is_known_and_at_least_one_has_a_role(name: str) -> None:
    roles = {row["code"]: row["roles"] for row in rows("ingredients")}
    for row in rows(name):
        parts = row["ingredients"].split(";")
        assert parts == sorted(set(parts), key=int), row
        assert set(parts) <= set(roles), row
        assert name == "drug_names" or any(roles[part] for part in parts), row


@pytest.mark.parametrize("name", ["rxnorm_products", "atc_ingredients"])
def test_flags_are_the_ones_the_reader_knows(name: str) -> None:
    assert {flag for row in rows(name) for flag in row["flags"].split(";") if flag} <= PRODUCT_FLAGS


@pytest.mark.parametrize(("name", "column"), [("drug_names", "name"), ("nonsystemic_words", "word")])
def test_words_are_folded(name: str, column: str) -> None:
    assert all(word == fold_name(word) != "" for word in values(name, column))


def test_no_brand_name_of_a_local_product_stands_for_its_drug() -> None:
    local = {fold_name(row["brand"]) for row in rows("rxnorm_products") if "nonsystemic_exclude" in row["flags"]} - {""}
    assert "aczone" in local
    assert not local & values("drug_names", "name", kind="brand")


def test_a_role_is_kept_to_its_substances() -> None:
    holders = {role: with_role(role) for role in ("art-booster", "tenofovir", "g6pd-risk", "art", "art-pi")}
    assert holders["art-booster"] == {"ritonavir", "cobicistat"}
    assert holders["tenofovir"] == {"tenofovir disoproxil", "tenofovir alafenamide"}
    assert holders["g6pd-risk"] == {"dapsone", "primaquine"}
    assert holders["art-pi"] - holders["art"] == {"ritonavir"}  # it only boosts: its class stays, no agent that counts
    assert "cobicistat" not in holders["art"]
    assert {"lenacapavir", "dolutegravir", "atazanavir", "maraviroc", "efavirenz"} <= holders["art"]


def with_role(role: str) -> set[str]:
    return {row["name"] for row in rows("ingredients") if role in row["roles"].split(";")}


def test_anchor_measures() -> None:
    anchors = {
        "cd4-count": "24467-3 32515-9 92736-8 8127-3 313660005",
        "cd4-percent": "8123-2 8128-1 80223-1 313938009",
        "viral-load-copies": "20447-9 25836-8 315124004",
        "viral-load-log": "29541-0", "viral-load-iu": "62469-2 10351-5", "hiv2-viral-load": "69354-9 86547-7",
        "hbsag": "5196-1", "anti-hbs": "10900-9 16935-9", "crag": "29903-2 43228-6",
        "not-a-measure": "54218-3 17822-8 9836-8 25835-0 24013-5 80689-3 8122-4",
    }  # fmt: skip
    for measure, codes in anchors.items():
        assert {only("lab_codes", code=code)["measure"] for code in codes.split()} == {measure}


@pytest.mark.parametrize("code", ["29896-8", "32674-4", "100128-8", "63557-3", "22322-2"])
def test_spinal_fluid_panels_and_unproven_codes_are_not_read(code: str) -> None:
    assert not values("lab_codes", "measure", code=code)


def test_anchor_concepts() -> None:
    anchors = {
        "86406008": "hiv-infection", "79019005": "hiv-2-infection hiv-infection", "62479008": "aids hiv-infection",
        "B97.35": "hiv-2-infection hiv-infection", "165816005": "hiv-supporting", "R75": "hiv-inconclusive",
        "Z29.81": "hiv-not-established", "B45.1": "cryptococcal-meningitis cryptococcosis", "B59": "pneumocystis",
        "A17.0": "tb-active tb-meningitis", "271511000": "hbv-immune", "73442001": "severe-cutaneous",
        "N18.6": "kidney-disease", "709044004": "kidney-disease",
    }  # fmt: skip
    for code, concepts in anchors.items():
        assert " ".join(sorted(values("conditions", "concept", code=code))) == concepts


def test_anchor_units() -> None:
    anchors = [
        ("/ml", "cells-per-ul", "0.001"), ("/ml", "copies-per-ml", "1"), ("10*9/l", "cells-per-ul", "1000"),
        ("cells/ul", "cells-per-ul", "1"), ("/l", "cells-per-ul", "0.000001"), ("{copies}/l", "copies-per-ml", "0.001"),
        ("k[iu]/ml", "iu-per-ml", "1000"), ("log10copies/ml", "log-copies-per-ml", "1"),
        ("{log}", "log-unspecified", "1"),
    ]  # fmt: skip
    for spelling, measure, factor in anchors:
        assert only("units", spelling=spelling, measure=measure)["factor"] == factor


@pytest.mark.parametrize(
    ("name", "code", "ingredients", "flags"),
    [
        ("rxnorm_products", "198335", "10180;10829", ""),
        ("rxnorm_products", "1858267", "1721603", "hbv_product_taf_alone"),  # Vemlidy
        ("rxnorm_products", "2587899", "85762;2587892", "not_hiv_regimen"),  # Paxlovid
        ("rxnorm_products", "639888", "276237;300195", "prep_or_backbone"),  # Truvada
        ("rxnorm_products", "861599", "7994", "inhaled_pcp_prophylaxis"),  # NebuPent
        ("atc_ingredients", "D10AX05", "3108", "nonsystemic_exclude"),
        ("atc_ingredients", "J04BA02", "3108", ""),
        ("atc_ingredients", "P01BB51", "2382;60212", "malaria_combo_not_pcp"),
        ("atc_ingredients", "J04AM08", "6038;10180;10829", ""),
        ("atc_ingredients", "J05AR27", "68244;300195;1433868", ""),
        ("atc_ingredients", "J05AR10", "85762;195088", ""),
    ],
)
def test_anchor_drug_codes(name: str, code: str, ingredients: str, flags: str) -> None:
    row = only(name, code=code)
    assert (row["ingredients"], row["flags"]) == (ingredients, flags)


def test_nirmatrelvir_is_never_a_regimen() -> None:
    packs = [row for row in rows("rxnorm_products") if {"2587892", "85762"} <= set(row["ingredients"].split(";"))]
    assert packs
    assert all("not_hiv_regimen" in row["flags"] for row in packs)


def test_anchor_names() -> None:
    anchors = {
        "co trimoxazole": "10180;10829", "bactrim": "10180;10829", "rifampicin": "9384", "paxlovid": "85762;2587892",
        "tld": "68244;300195;1433868", "biktarvy": "276237;1721603;1999660", "tenofovir alafenamide": "1721603",
    }  # fmt: skip
    for name, ingredients in anchors.items():
        assert only("drug_names", name=name)["ingredients"] == ingredients
