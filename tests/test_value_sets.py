"""The value sets on disk in, proof out that each code, unit and drug name is well formed and refers to something."""

from __future__ import annotations

import csv
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from hooks.knowledge.codes import (
    ATC,
    ICD_10,
    ICD_10_CM,
    LOINC,
    RXNORM,
    SNOMED,
    loinc_check_digit,
    passes_verhoeff,
    wrong_with,
)
from hooks.knowledge.sets import fold_name
from hooks.knowledge.words import PRODUCT_FLAGS, UNIT_MEASURES

VALUE_SETS = Path(__file__).parents[1] / "hooks" / "knowledge" / "value_sets"

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


def rows(name: str) -> list[dict[str, str]]:
    with (VALUE_SETS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def values(name: str, column: str, /, **where: str) -> set[str]:
    return {row[column] for row in rows(name) if all(row[key] == wanted for key, wanted in where.items())}


def only(name: str, /, **where: str) -> dict[str, str]:
    (row,) = [row for row in rows(name) if all(row[key] == wanted for key, wanted in where.items())]
    return row


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


@pytest.mark.parametrize(
    ("system", "right", "wrong"),
    [
        (
            LOINC,
            "24467-3 20447-9 8123-2 2160-0 100128-8 LA6576-8",
            "24467-4 20447 8039-1 02160-0 2160-00 24467–3 LX6576-8",
        ),
        (
            SNOMED,
            "86406008 79019005 415125002 709044004 1156257007",
            "86406009 86460008 8640608 086406008 86406018 86406",
        ),
        (RXNORM, "198335 3108 1999660", "0198335 19833A 198335.0 -3108 123456789 ١٩٨"),
        (ATC, "J05AR20 J04BA02 P01BB51", "J05AR J05AR2 J5AR20 j05ar20 X05AR20 J05A120 J05AR20X"),
        (ICD_10, "B20 B20.6 A17.0", "B2 B20.61 B20. 20 b20 B2O"),
        (ICD_10_CM, "B20 Z29.81 C7A.1 T86.5XXA G35.A", "B2 B2O B20. Z29.81XAB z29.81 G3X"),
        ("http://example.org", "", "B20"),
    ],
)
def test_a_code_is_told_from_what_is_none(system: str, right: str, wrong: str) -> None:
    assert [code for code in right.split() if wrong_with(system, code)] == []
    assert [code for code in wrong.split() if not wrong_with(system, code)] == []


@pytest.mark.parametrize("name", CODED)
def test_codes_are_right_and_of_a_known_system(name: str) -> None:
    known = values("code_systems", "system")
    assert [row for row in rows(name) if row["system"] not in known or wrong_with(row["system"], row["code"])] == []


def test_every_code_system_is_an_alias_of_itself() -> None:
    assert values("code_systems", "system") <= values("code_systems", "alias")


def test_loinc_check_digits() -> None:
    published = ("24467-3", "20447-9", "2160-0", "8302-2", "4548-4")  # CD4, viral load, creatinine, height, HbA1c
    assert [loinc_check_digit(code[:-2]) for code in published] == [int(code[-1]) for code in published]
    assert loinc_check_digit("8039") == 0  # the wild 8039-1 is wrong


def test_snomed_check_digits() -> None:
    published = ("73211009", "22298006", "138875005", "404684003")  # diabetes, heart attack, the root, clinical finding
    assert all(map(passes_verhoeff, published))
    assert [passes_verhoeff(code) for code in ("86406008", "86406009", "86460008")] == [True, False, False]
    assert not any(passes_verhoeff("8640600" + str(digit)) for digit in range(8))


def test_unit_spellings_are_folded_and_factors_are_positive_numbers() -> None:
    for row in rows("units"):
        assert re.fullmatch(r"[^\sA-Z\u00b5\u03bc]+", row["spelling"])
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
    assert all(re.fullmatch(r"[a-z0-9]+( [a-z0-9]+)*", word) for word in values(name, column))


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


@pytest.mark.parametrize("code", ["29896-8", "32674-4", "100128-8", "63557-3"])
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
