"""The tables of a TOML file in; sources, citations, thresholds, regimens and tests out, each checked."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hooks.knowledge import check
from hooks.knowledge.check import check_code, check_fields, check_grade, check_texts
from hooks.knowledge.codes import LOINC, RXNORM
from hooks.knowledge.files import expect
from hooks.knowledge.types import Citation, Code, Dose, Drug, LabTest, Product, Regimen, Source, Threshold

Entries = Mapping[str, Any]
_ORDERS = "regimens.toml"


def sources(content: Entries) -> tuple[dict[str, Source], str]:
    """The sources by key, and the version of the knowledge."""
    version = content.get("version")
    good = isinstance(version, str) and check.VERSION.fullmatch(version)
    expect(good, "sources.toml", "version", "the calendar version of the knowledge, such as 2026.11.0")
    found = {}
    for key, entry in content.items():
        if key != "version":
            check.check_source(entry, "sources.toml", key)
            found[key] = Source(key, **entry)
    check.check_days(found, "sources.toml", str(version))
    return found, str(version)


def _citation(entry: Entries, file: str, key: str, known: Mapping[str, Source]) -> Citation:
    expect(entry["source"] in known, file, key, f"a source of sources.toml, not {entry['source']!r}")
    check_grade(entry, file, key)
    grade = entry.get("strength", ""), entry.get("evidence", "")
    return Citation(known[entry["source"]], entry["locator"], *grade, checked=entry.get("checked"))


def statements(entries: Entries, file: str, known: Mapping[str, Source], prefix: str = "") -> dict[str, Citation]:
    """What is said and where it stands; `prefix` is what an entry's name begins with in this file."""
    found = {}
    for key, entry in entries.items():
        check_fields(entry, file, prefix + key, check.STATEMENT, check.GRADE)
        found[key] = _citation(entry, file, prefix + key, known)
    return found


def thresholds(entries: Entries, file: str, known: Mapping[str, Source], prefix: str = "") -> dict[str, Threshold]:
    """The numbers that decide; `prefix` is what an entry's name begins with in this file."""
    found = {}
    for key, entry in entries.items():
        check.check_threshold(entry, file, prefix + key)
        found[key] = Threshold(
            key,
            Decimal(str(entry["value"])),
            entry["unit"],
            entry["inclusive"],
            _citation(entry, file, prefix + key, known),
            entry["since"],
            entry["checked"],
            entry.get("design", False),
        )
    return found


def chosen(
    purpose: str, entries: Any, file: str, regimens: Mapping[str, Regimen], known: Mapping[str, Source]
) -> tuple[Regimen, ...]:
    """The regimens of a purpose, preferred first, each cited as this guideline grades it for this purpose."""
    expect(isinstance(entries, list), file, f"regimens.{purpose}", "an array of tables")
    found: list[Regimen] = []
    for place, entry in enumerate(entries, 1):
        check_fields(entry, file, f"regimens.{purpose} ({place})", check.CHOSEN, check.ABOUT_CHOSEN)
        key = f"regimens.{purpose}.{entry['use']}"
        expect(entry["use"] in regimens, file, key, "a regimen of regimens.toml")
        expect(entry["use"] not in [one.key for one in found], file, key, "no duplicate")
        found.append(replace(regimens[entry["use"]], cite=_citation(entry, file, key, known)))
    return tuple(found)


def regimens(content: Entries, products: Mapping[Code, Product]) -> dict[str, Regimen]:
    """What can be ordered, by key."""
    found = {}
    for key, entry in content.items():
        name = f"regimens.{key}"
        check_fields(entry, _ORDERS, name, check.REGIMEN, check.ABOUT_REGIMEN)
        expect(entry["drugs"], _ORDERS, name, "a drug or more")
        found[key] = Regimen(**{**entry, "key": key, "drugs": tuple(_drugs(entry["drugs"], name, products))})
    return found


def _drugs(entries: Iterable[Any], regimen: str, products: Mapping[Code, Product]) -> Iterable[Drug]:
    for place, entry in enumerate(entries, 1):
        key = f"{regimen}.drugs ({place})"
        check_fields(entry, _ORDERS, key, check.DRUG)
        check_fields(entry["ingredient"], _ORDERS, f"{key}.ingredient", check.CODING)
        check_texts(entry["agents"], _ORDERS, f"{key}.agents")
        check.check_dose(entry["dose"], _ORDERS, f"{key}.dose")
        yield _drug(entry, key, products)


def _drug(entry: Entries, key: str, products: Mapping[Code, Product]) -> Drug:
    agents, ingredient = frozenset(entry["agents"]), entry["ingredient"]
    for code in (entry["code"], ingredient["code"]):
        check_code(RXNORM, code, _ORDERS, key)
        product = products.get((RXNORM, code))
        expect(product, _ORDERS, key, f"a known RxNorm code, not {code}")
        expect(product and product.ingredients == agents, _ORDERS, key, f"agents that are those of {code}")
    return Drug(
        code=entry["code"],
        display=entry["display"],
        ingredient_code=ingredient["code"],
        ingredient_display=ingredient["display"],
        agents=agents,
        dose=Dose(**{**entry["dose"], "value": Decimal(str(entry["dose"]["value"]))}),
    )


def lab_tests(content: Entries, labs: Mapping[Code, object]) -> dict[str, LabTest]:
    """Tests that can be ordered, by key."""
    found = {}
    for key, entry in content.items():
        check_fields(entry, _ORDERS, f"tests.{key}", check.TEST)
        check_code(LOINC, entry["code"], _ORDERS, f"tests.{key}")
        known = (LOINC, entry["code"]) in labs
        expect(known, _ORDERS, f"tests.{key}", f"a LOINC code of lab_codes.csv, not {entry['code']}")
        found[key] = LabTest(key, **entry)
    return found
