"""Codes that were not recognised in; lines for a map of local codes out, each a suggestion that somebody has to confirm."""

import json
from collections.abc import Iterable, Iterator

from cds_service.chart.drug_codes import names_in
from cds_service.doctor.findings import CodeReport
from hooks.knowledge import Knowledge

_MOST = 100
_TABLES = {"result": "lab", "order": "lab", "drug": "drug", "problem": "problem", "allergy": "allergy"}
# Words of a display, all of them in lower case, and what they may mean: the first that fits is suggested.
_MEASURES = (
    (("cd4", "cd8"), ""),
    (("cd4", "ratio"), ""),
    (("cd4", "%"), "cd4-percent"),
    (("cd4", "percent"), "cd4-percent"),
    (("cd4",), "cd4-count"),
    (("hiv", "rna", "log"), "viral-load-log"),
    (("hiv", "viral load", "log"), "viral-load-log"),
    (("hiv", "rna"), "viral-load-copies"),
    (("hiv", "viral load"), "viral-load-copies"),
    (("toxo", "igg"), "toxoplasma-igg"),
    (("crypto", "ag"), "crag"),
    (("g6pd",), "g6pd"),
    (("hbsag",), "hbsag"),
    (("hepatitis b", "surface a", "g"), "hbsag"),
    (("quantiferon",), "tb-test"),
)
_CONCEPTS = (
    (("cryptococc", "mening"), "cryptococcal-meningitis"),
    (("tubercul", "mening"), "tb-meningitis"),
    (("hiv",), "hiv-infection"),
    (("human immunodeficiency virus",), "hiv-infection"),
    (("pneumocystis",), "pneumocystis"),
    (("toxoplasm",), "toxoplasmosis"),
    (("cryptococc",), "cryptococcosis"),
    (("latent", "tubercul"), "tb-latent"),
    (("tubercul",), "tb-active"),
    (("g6pd",), "g6pd-deficiency"),
    (("hepatitis b",), "hbv"),
    (("stevens",), "severe-cutaneous"),
    (("pregnan",), "pregnancy"),
)
_SULFA = ("sulfa", "sulpha", "sulfonamide", "sulphonamide")


def lines(codes: Iterable[CodeReport], knowledge: Knowledge) -> tuple[str, ...]:
    """All commented out: a display is no proof. None where every code was recognised, or none has a system of its own."""
    found = [one for row in codes if row.ours is None or row.why.startswith("by ") for one in _entries(row, knowledge)]
    if not found:
        return ()
    shown = list(dict.fromkeys(found))
    more = [f"# and {len(shown) - _MOST} more"] if len(shown) > _MOST else []
    head = (
        "# Codes of this client that were not recognised. What stands here was guessed from displays and is in force for nobody:",
        "# have laboratory and pharmacy confirm each entry, then take the # away and name the file under `codes`.",
    )
    return (*head, *(line for entry in shown[:_MOST] for line in ("", *entry)), *more)


def _entries(row: CodeReport, knowledge: Knowledge) -> Iterator[tuple[str, ...]]:
    for named in row.codes:
        system, _, code = named.rpartition("|")
        if system == "no system" or "…" in named or knowledge.systems.get(system.rstrip("/")):
            continue
        meaning = _meaning(row, knowledge)
        shown = f", {row.display}" if row.display else ""
        head = f"# seen {row.times}×{shown}"
        entry = (f"# [[{_TABLES[row.kind]}]]", f"# system = {_toml(system)}", f"# code = {_toml(code)}")
        yield (head, *entry, f"# {meaning}") if meaning else (f"{head}: no suggestion", *entry)


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _meaning(row: CodeReport, knowledge: Knowledge) -> str:
    """A line such as `measure = "cd4-count"`; empty where the display suggests nothing."""
    display = row.display.casefold()
    if row.kind in ("result", "order"):
        found = _first(_MEASURES, display)
        return f"measure = {_toml(found)}" if found else ""
    if row.kind == "problem":
        found = _first(_CONCEPTS, display)
        return f"concept = {_toml(found)}" if found else ""
    ingredients = [one for name in names_in([display], knowledge) for one in knowledge.drug_names[name].ingredients]
    parts = sorted(dict.fromkeys(ingredients))
    if parts:
        return f"rxnorm = {_toml(parts[0]) if len(parts) == 1 else json.dumps(parts)}"
    return 'class = "sulfonamide"' if row.kind == "allergy" and any(one in display for one in _SULFA) else ""


def _first(table: Iterable[tuple[tuple[str, ...], str]], display: str) -> str:
    return next((meaning for words, meaning in table if all(word in display for word in words)), "")
