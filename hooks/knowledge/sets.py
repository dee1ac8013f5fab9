"""The value sets on disk in, the tables the chart is read by out: drugs by code and by name, concepts, results, units."""

import re
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType

from hooks.knowledge.check import check_row
from hooks.knowledge.codes import ATC, RXNORM, SHAPES
from hooks.knowledge.files import KnowledgeFault, Row, expect, read_rows
from hooks.knowledge.types import Code, Ingredient, Product, UnitSpelling

_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")
_BLANK = re.compile(r"\s+")
_FILES = {  # file -> its columns, and which of them together may stand once only
    "code_systems": ("system alias", "alias"),
    "lab_codes": ("system code display measure note", "system code"),
    "conditions": ("system code display concept", "system code concept"),
    "allergens": ("system code display concept", "system code"),
    "result_words": ("system code display result", "system code"),
    "units": ("spelling measure factor note", "spelling measure"),
    "ingredients": ("code name roles", "code"),
    "rxnorm_products": ("code ingredients route flags brand name", "code"),
    "atc_ingredients": ("code ingredients flags name", "code"),
    "drug_names": ("name ingredients kind", "name"),
    "nonsystemic_words": ("word", "word"),
}


def read_set(folder: Path, name: str) -> list[Row]:
    """The rows of a value set below the folder of the knowledge, each checked."""
    columns, key = _FILES[name]
    path = folder / "value_sets" / f"{name}.csv"
    rows = read_rows(path, columns.split(), key.split())
    for row in rows:
        check_row(row, path.name)
    return rows


def fold_code(code: str) -> str:
    """A code without the dot that some systems leave out of ICD-10, and without stray blanks."""
    return code.replace(".", "").strip()


def fold_name(name: str) -> str:
    """A drug's name in lower case, with single blanks for all that is neither letter nor digit."""
    return _NOT_A_LETTER.sub(" ", name.casefold()).strip()


def systems(folder: Path) -> dict[str, str]:
    """Each spelling of a code system -> the canonical one, which is an alias of itself."""
    rows, file = read_set(folder, "code_systems"), "code_systems.csv"
    found = {row["alias"]: row["system"] for row in rows}
    for system in (*found.values(), *SHAPES):
        expect(found.get(system) == system, file, system, "the system itself among its aliases")
    return found


def lab_codes(folder: Path) -> dict[Code, tuple[str, str]]:
    """Each code of a result -> its measure and the note on it."""
    return {(row["system"], row["code"]): (row["measure"], row["note"]) for row in read_set(folder, "lab_codes")}


def ingredients(folder: Path) -> Mapping[str, Ingredient]:
    """RxNorm ingredients by code."""
    rows = read_set(folder, "ingredients")
    return MappingProxyType({row["code"]: Ingredient(row["code"], row["name"], _parts(row["roles"])) for row in rows})


def drugs(folder: Path, known: Mapping[str, Ingredient]) -> tuple[dict[Code, Product], dict[str, Product]]:
    """Drugs by code, and by the names a text may call them; a brand carries what sets all its products apart (Vemlidy …)."""
    products: dict[Code, Product] = {}
    brands: dict[str, frozenset[str]] = {}
    for row in read_set(folder, "rxnorm_products"):
        product = _product(row, "rxnorm_products.csv", known)
        products[RXNORM, row["code"]] = product
        if row["brand"]:
            brand = fold_name(row["brand"])
            brands[brand] = brands.get(brand, product.flags) & product.flags
    for row in read_set(folder, "atc_ingredients"):
        products[ATC, row["code"]] = _product(row, "atc_ingredients.csv", known)
    for code in known:
        products.setdefault((RXNORM, code), Product(frozenset((code,)), "", frozenset()))
    return products, _names(folder, known, brands)


def _names(folder: Path, known: Mapping[str, Ingredient], brands: Mapping[str, frozenset[str]]) -> dict[str, Product]:
    found = {}
    for row in read_set(folder, "drug_names"):
        name = row["name"]
        expect(name and name == fold_name(name), "drug_names.csv", name, f"a folded name: {fold_name(name)}")
        found[name] = Product(_ingredients(row, "drug_names.csv", name, known), "", brands.get(name, frozenset()))
    return found


def _product(row: Row, file: str, known: Mapping[str, Ingredient]) -> Product:
    return Product(_ingredients(row, file, row["code"], known), row.get("route", ""), _parts(row["flags"]))


def _ingredients(row: Row, file: str, entry: str, known: Mapping[str, Ingredient]) -> frozenset[str]:
    found = _parts(row["ingredients"])
    expect(found and found <= known.keys(), file, entry, "drugs of ingredients.csv as ingredients")
    return found


def concepts(folder: Path) -> dict[Code, frozenset[str]]:
    """Each code of a condition -> what it means to us, which may be several things."""
    found: defaultdict[Code, set[str]] = defaultdict(set)
    for row in read_set(folder, "conditions"):
        found[row["system"], fold_code(row["code"])].add(row["concept"])
    return {code: frozenset(meanings) for code, meanings in found.items()}


def single(folder: Path, name: str, column: str) -> dict[Code, str]:
    """Each code -> the one word of this column."""
    return {(row["system"], fold_code(row["code"])): row[column] for row in read_set(folder, name)}


def units(folder: Path) -> dict[str, tuple[UnitSpelling, ...]]:
    """Each folded spelling of a unit -> every meaning it may have."""
    found: defaultdict[str, list[UnitSpelling]] = defaultdict(list)
    for row in read_set(folder, "units"):
        spelling = row["spelling"]
        folded = _BLANK.sub("", spelling.casefold()).replace("\u00b5", "u").replace("\u03bc", "u")
        expect(spelling and spelling == folded, "units.csv", spelling, f"a folded spelling: {folded}")
        found[spelling].append(UnitSpelling(row["measure"], _factor(row["factor"], spelling), row["note"]))
    return {spelling: tuple(meanings) for spelling, meanings in found.items()}


def _factor(text: str, spelling: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise KnowledgeFault(f"units.csv: {spelling}: expected a number as factor, not {text!r}") from None
    expect(found.is_finite() and found > 0, "units.csv", spelling, f"a factor above 0, not {text}")
    return found


def nonsystemic_words(folder: Path) -> frozenset[str]:
    """Words in a drug's name that mean local use."""
    found = frozenset(row["word"] for row in read_set(folder, "nonsystemic_words"))
    for word in found:
        expect(word and word == fold_name(word), "nonsystemic_words.csv", word, f"a folded word: {fold_name(word)}")
    return found


def _parts(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(";")))
