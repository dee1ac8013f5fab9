"""A site's own code map in; the knowledge as that site codes it out, or a fault naming file, entry and what is expected.

A map adds meanings to codes of the site's own systems, and never touches what LOINC, SNOMED CT, RxNorm, ATC or ICD-10 say.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hooks.knowledge.check import check_fields
from hooks.knowledge.codes import ICD_10, ICD_10_CM, RXNORM, SNOMED
from hooks.knowledge.files import expect, read_toml
from hooks.knowledge.sets import fold_code
from hooks.knowledge.types import Code, Knowledge, Product
from hooks.knowledge.words import ALLERGENS, CONCEPTS, MEASURES

_LONGEST = 256
_NOTE = "local"  # in the place of what lab_codes.csv says about a code
_MAPPABLE = frozenset(one for one in MEASURES if not one.endswith("-unverified"))
_OF_A_PROBLEM = {"snomed": SNOMED, "icd10": ICD_10, "icd10cm": ICD_10_CM}
_FOLDED = frozenset(("conditions", "allergens"))  # tables whose codes stand there without dots
_CODED = {"system": str, "code": str}
_MEANT = {  # what an entry of each kind may say its code means, one of these
    "lab": ("measure",),
    "drug": ("rxnorm",),
    "problem": ("concept", *_OF_A_PROBLEM),
    "allergy": ("class", "rxnorm"),
}
Entry = Mapping[str, Any]


def local_knowledge(path: Path, knowledge: Knowledge) -> Knowledge:
    """The knowledge with the codes of the map at this path; the very same where it has none. Raises KnowledgeFault."""
    content, file = read_toml(path), path.name
    for kind in content:
        expect(kind in _MEANT, file, kind, f"one of {', '.join(f'[[{one}]]' for one in _MEANT)}")
    added: defaultdict[str, dict[Code, Any]] = defaultdict(dict)
    codes: set[Code] = set()
    for kind, read in _READ.items():
        entries = content.get(kind, [])
        expect(isinstance(entries, list), file, kind, f"[[{kind}]] tables")
        for place, entry in enumerate(entries, 1):
            code = _own_code(entry, file, f"{kind} {place}", kind, knowledge)
            key = f"{kind} {place} ({code[0]}|{code[1]})"
            table, meaning = read(entry, file, key, knowledge)
            where = (code[0], fold_code(code[1])) if table in _FOLDED else code
            expect(where not in added[table], file, key, "no duplicate")
            added[table][where] = meaning
            codes.add(code)
    if not codes:
        return knowledge
    tables: dict[str, Any] = {table: {**getattr(knowledge, table), **more} for table, more in added.items()}
    return replace(knowledge, local=frozenset(codes), **tables)


def _own_code(entry: Any, file: str, key: str, kind: str, knowledge: Knowledge) -> Code:
    """The code as the reader will know it. Of a system that is read anyway no entry is taken, not even one that agrees."""
    meant = _MEANT[kind]
    several = isinstance(entry, dict) and isinstance(entry.get("rxnorm"), list)
    check_fields(entry, file, key, _CODED, {name: list if name == "rxnorm" and several else str for name in meant})
    for name in _CODED:
        text = entry[name]
        fits = text.isprintable() and text == text.strip() and len(text) <= _LONGEST
        expect(fits, file, f"{key}.{name}", f"text of 1 to {_LONGEST} printable characters, no blank at either end")
    expect(entry["system"].strip("/"), file, f"{key}.system", "the address or name of a code system")
    expect(sum(name in entry for name in meant) == 1, file, key, f"one of {', '.join(meant)}, and one only")
    system = entry["system"].rstrip("/")
    folded = system.casefold()
    known = next((one for alias, one in knowledge.systems.items() if _within(folded, alias.casefold())), None)
    expect(
        known is None, file, f"{key}.system", f"a code system of the site's own: what codes of {known} mean is known"
    )
    return system, entry["code"]


def _within(system: str, known: str) -> bool:
    return system == known or system.startswith((f"{known}/", f"{known}|"))


def _lab(entry: Entry, file: str, key: str, _: Knowledge) -> tuple[str, Any]:
    measure = entry["measure"]
    expect(measure in _MAPPABLE, file, f"{key}.measure", f"one of {', '.join(sorted(_MAPPABLE))}, not {measure!r}")
    return "lab_codes", (measure, _NOTE)


def _drug(entry: Entry, file: str, key: str, knowledge: Knowledge) -> tuple[str, Any]:
    """One RxNorm code, or those of the parts where the whole has none."""
    stated = entry["rxnorm"]
    parts = stated if isinstance(stated, list) else [stated]
    known = parts and all(isinstance(one, str) and (RXNORM, one) in knowledge.products for one in parts)
    expect(known, file, f"{key}.rxnorm", f"RxNorm codes of the drugs known here, as text or in a list, not {stated!r}")
    products = [knowledge.products[RXNORM, one] for one in parts]
    union = frozenset[str]().union
    flags = union(*(one.flags for one in products))
    return "products", Product(union(*(one.ingredients for one in products)), products[0].route, flags)


def _problem(entry: Entry, file: str, key: str, knowledge: Knowledge) -> tuple[str, Any]:
    if "concept" in entry:
        return "conditions", _with_implied(entry["concept"], file, f"{key}.concept", knowledge)
    name = next(one for one in _OF_A_PROBLEM if one in entry)
    code = entry[name]
    found = knowledge.conditions.get((_OF_A_PROBLEM[name], fold_code(code)))
    expect(found, file, f"{key}.{name}", f"a code of conditions.csv in {_OF_A_PROBLEM[name]}, not {code!r}")
    return "conditions", found


def _with_implied(concept: str, file: str, key: str, knowledge: Knowledge) -> frozenset[str]:
    """The concept, and what all our codes of it mean besides: tuberculous meningitis is tuberculosis."""
    expect(concept in CONCEPTS, file, key, f"one of {', '.join(sorted(CONCEPTS))}, not {concept!r}")
    return frozenset.intersection(*(one for one in knowledge.conditions.values() if concept in one))


def _allergy(entry: Entry, file: str, key: str, knowledge: Knowledge) -> tuple[str, Any]:
    if "rxnorm" in entry:
        return _drug(entry, file, key, knowledge)
    known = ", ".join(sorted(ALLERGENS))
    expect(entry["class"] in ALLERGENS, file, f"{key}.class", f"one of {known}, not {entry['class']!r}")
    return "allergens", entry["class"]


_READ: Mapping[str, Callable[[Entry, str, str, Knowledge], tuple[str, Any]]] = {
    "lab": _lab,
    "drug": _drug,
    "problem": _problem,
    "allergy": _allergy,
}
