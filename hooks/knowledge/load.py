"""The knowledge files in, a validated Knowledge and its Profiles out; a fault names the file and the entry, and nothing starts."""

import csv
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hooks.knowledge.types import (
    Citation,
    Code,
    Dose,
    Ingredient,
    Knowledge,
    LabTest,
    Product,
    Profile,
    Regimen,
    Source,
    Threshold,
    UnitSpelling,
)

FOLDER = Path(__file__).parent
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")


class KnowledgeFault(Exception):
    """A knowledge file is wrong: which file, which entry, what is expected."""


def load(folder: Path = FOLDER) -> Knowledge:
    """Reads and checks every knowledge file below the folder. Raises KnowledgeFault."""
    sources, version = _sources(folder)
    sets = folder / "value_sets"
    ingredients = {
        row["code"]: Ingredient(row["code"], row["name"], _set(row["roles"])) for row in _rows(sets / "ingredients.csv")
    }
    products = _products(sets, ingredients)
    labs = {(row["system"], row["code"]): row for row in _rows(sets / "lab_codes.csv", key=("system", "code"))}
    ordered = _toml(folder / "regimens.toml")
    return Knowledge(
        version=version,
        sources=sources,
        drugs=_regimens(ordered, sources, products),
        tests=_tests(ordered, labs),
        ingredients=MappingProxyType(ingredients),
        systems={row["alias"]: row["system"] for row in _rows(sets / "code_systems.csv", key=("alias",))},
        lab_codes={code: (row["measure"], row["note"]) for code, row in labs.items()},
        conditions=_concepts(sets / "conditions.csv"),
        allergens=_single(sets / "allergens.csv", "concept"),
        results=_single(sets / "result_words.csv", "result"),
        units=_units(sets / "units.csv"),
        products=products,
        drug_names=_drug_names(sets),
        nonsystemic_words=frozenset(row["word"] for row in _rows(sets / "nonsystemic_words.csv")),
        thresholds=_thresholds(_toml(folder / "thresholds.toml"), "thresholds.toml", sources),
    )


def load_profiles(knowledge: Knowledge, folder: Path = FOLDER) -> Mapping[str, Profile]:
    """Every profile of the folder by name, over this knowledge. Raises KnowledgeFault."""
    return {path.stem: _profile(path, knowledge) for path in sorted((folder / "profiles").glob("*.toml"))}


def _profile(path: Path, knowledge: Knowledge) -> Profile:
    content = _toml(path)
    chosen = {}
    for purpose, names in content.get("regimens", {}).items():
        unknown = [name for name in names if name not in knowledge.drugs]
        _expect(not unknown, path.name, purpose, f"regimens of regimens.toml, not {unknown}")
        chosen[purpose] = tuple(knowledge.drugs[name] for name in names)
    own = _thresholds(content.get("thresholds", {}), path.name, knowledge.sources)
    said = {
        key: _citation(entry, path.name, key, knowledge.sources) for key, entry in content.get("statements", {}).items()
    }
    return Profile(
        name=path.stem,
        title=content["title"],
        thresholds={**knowledge.thresholds, **own},
        statements=said,
        regimens=chosen,
        knowledge=knowledge,
    )


def _expect(condition: object, file: str, entry: str, expected: str) -> None:
    if not condition:
        raise KnowledgeFault(f"{file}: {entry}: expected {expected}")


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as fault:
        raise KnowledgeFault(f"{path.name}: cannot be read as TOML: {fault}") from fault


def _rows(path: Path, key: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """The rows of a CSV file; with `key`, refuses two rows that agree in these columns."""
    seen = set()
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            _expect(None not in row and None not in row.values(), path.name, str(row), "one value a column")
            ident = tuple(row[column] for column in key)
            _expect(not key or ident not in seen, path.name, " ".join(ident), "no duplicate")
            seen.add(ident)
            yield row


def _set(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(";")))


def _sources(folder: Path) -> tuple[dict[str, Source], str]:
    content = _toml(folder / "sources.toml")
    version = content.pop("version", None)
    _expect(isinstance(version, str), "sources.toml", "version", "the calendar version of the knowledge")
    found = {}
    for key, entry in content.items():
        for field in ("title", "section", "date", "checked", "url"):
            _expect(entry.get(field), "sources.toml", key, f"a {field}")
        _expect(entry["url"].startswith("https://"), "sources.toml", key, "an https url")
        found[key] = Source(key, **{name: entry[name] for name in ("title", "section", "date", "checked", "url")})
    return found, str(version)


def _citation(entry: Mapping[str, Any], file: str, key: str, sources: Mapping[str, Source]) -> Citation:
    _expect(entry.get("source") in sources, file, key, f"a source of sources.toml, not {entry.get('source')!r}")
    _expect(entry.get("locator"), file, key, "a locator")
    return Citation(sources[entry["source"]], entry["locator"], entry.get("strength", ""), entry.get("evidence", ""))


def _thresholds(entries: Mapping[str, Any], file: str, sources: Mapping[str, Source]) -> dict[str, Threshold]:
    found = {}
    for key, entry in entries.items():
        for field in ("value", "unit", "inclusive", "since", "checked"):
            _expect(field in entry, file, key, f"a field {field!r}")
        cite = _citation(entry, file, key, sources)
        found[key] = Threshold(
            key,
            Decimal(str(entry["value"])),
            entry["unit"],
            entry["inclusive"],
            cite,
            entry["since"],
            entry["checked"],
            entry.get("design", False),
        )
    return found


def _products(sets: Path, ingredients: Mapping[str, Ingredient]) -> dict[Code, Product]:
    found = {}
    for system, file in ((RXNORM, "rxnorm_products.csv"), (ATC, "atc_ingredients.csv")):
        for row in _rows(sets / file, key=("code",)):
            content = _set(row["ingredients"])
            _expect(content, file, row["code"], "ingredients")
            found[system, row["code"]] = Product(content, row.get("route", ""), _set(row["flags"]))
    for code in ingredients:
        found.setdefault((RXNORM, code), Product(frozenset((code,)), "", frozenset()))
    return found


def _drug_names(sets: Path) -> dict[str, Product]:
    """Names a text may call a drug by; a brand carries what sets all its products apart (Vemlidy, Malarone …)."""
    flags: dict[str, frozenset[str]] = {}
    for row in _rows(sets / "rxnorm_products.csv"):
        if row["brand"]:
            own = _set(row["flags"])
            flags[fold_name(row["brand"])] = flags.get(fold_name(row["brand"]), own) & own
    names = _rows(sets / "drug_names.csv", key=("name",))
    return {row["name"]: Product(_set(row["ingredients"]), "", flags.get(row["name"], frozenset())) for row in names}


def _regimens(
    content: Mapping[str, Any], sources: Mapping[str, Source], products: Mapping[Code, Product]
) -> dict[str, Regimen]:
    found = {}
    for key, entry in content["drugs"].items():
        agents = frozenset(entry["agents"])
        for code in (entry["code"], entry["ingredient"]["code"]):
            product = products.get((RXNORM, code))
            _expect(product, "regimens.toml", key, f"a known RxNorm code, not {code}")
            _expect(product and product.ingredients == agents, "regimens.toml", key, f"agents that are those of {code}")
        dose = {**entry["dose"], "value": Decimal(str(entry["dose"]["value"]))}
        found[key] = Regimen(
            key=key,
            label=entry["label"],
            name=entry["name"],
            code=entry["code"],
            display=entry["display"],
            ingredient_code=entry["ingredient"]["code"],
            ingredient_display=entry["ingredient"]["display"],
            agents=agents,
            dose=Dose(**dose),
            cite=_citation(entry, "regimens.toml", key, sources),
            toxo_active=entry["toxo_active"],
        )
    return found


def _tests(content: Mapping[str, Any], labs: Mapping[Code, object]) -> dict[str, LabTest]:
    for key, entry in content["tests"].items():
        _expect(
            (LOINC, entry["code"]) in labs, "regimens.toml", key, f"a LOINC code of lab_codes.csv, not {entry['code']}"
        )
    return {key: LabTest(key, **entry) for key, entry in content["tests"].items()}


def _concepts(path: Path) -> dict[Code, frozenset[str]]:
    found: defaultdict[Code, set[str]] = defaultdict(set)
    for row in _rows(path, key=("system", "code", "concept")):
        found[row["system"], fold_code(row["code"])].add(row["concept"])
    return {code: frozenset(concepts) for code, concepts in found.items()}


def _single(path: Path, column: str) -> dict[Code, str]:
    rows: Iterable[dict[str, str]] = _rows(path, key=("system", "code"))
    return {(row["system"], fold_code(row["code"])): row[column] for row in rows}


def _units(path: Path) -> dict[str, tuple[UnitSpelling, ...]]:
    found: defaultdict[str, list[UnitSpelling]] = defaultdict(list)
    for row in _rows(path, key=("spelling", "measure")):
        try:
            factor = Decimal(row["factor"])
        except InvalidOperation:
            raise KnowledgeFault(f"{path.name}: {row['spelling']}: expected a number as factor") from None
        found[row["spelling"]].append(UnitSpelling(row["measure"], factor, row["note"]))
    return {spelling: tuple(meanings) for spelling, meanings in found.items()}


def fold_code(code: str) -> str:
    """A code without the dot that some systems leave out of ICD-10, and without stray blanks."""
    return code.replace(".", "").strip()


def fold_name(name: str) -> str:
    """A drug's name in lower case, with single blanks for all that is neither letter nor digit."""
    return _NOT_A_LETTER.sub(" ", name.casefold()).strip()
