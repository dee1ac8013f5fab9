"""An entry or a row of a knowledge file in, nothing out where it is sound; else a fault naming file, entry and what is expected."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from hooks.knowledge.codes import ATC, RXNORM, wrong_with
from hooks.knowledge.files import Row, expect
from hooks.knowledge.types import Citation, Source, Threshold
from hooks.knowledge.words import WORDS

Entry = Mapping[str, Any]
Fields = Mapping[str, type]

# What the entries of the TOML files are made of: the fields each must have, and those it may have.
SOURCE: Fields = {"title": str, "section": str, "date": date, "checked": date, "url": str}
ABOUT_SOURCE: Fields = {"secondary": bool, "undated": bool}
CITED: Fields = {"source": str, "locator": str}
GRADE: Fields = {"strength": str, "evidence": str}
STATEMENT: Fields = {**CITED, "checked": date}
THRESHOLD: Fields = {**CITED, "value": float, "unit": str, "inclusive": bool, "since": date, "checked": date}
ABOUT_THRESHOLD: Fields = {**GRADE, "design": bool}
CHOSEN: Fields = {**CITED, "use": str}
ABOUT_CHOSEN: Fields = {**GRADE, "checked": date}
REGIMEN: Fields = {"label": str, "name": str, "drugs": list}
ABOUT_REGIMEN: Fields = {"toxo_active": bool, "against_toxoplasma": bool}
CODING: Fields = {"code": str, "display": str}
DRUG: Fields = {**CODING, "ingredient": dict, "agents": list, "dose": dict}
DOSE: Fields = {
    "value": float, "unit": str, "code": str, "frequency": int, "period": int, "period_unit": str, "text": str,
}  # fmt: skip
TEST: Fields = {**CODING, "label": str}
PROFILE: Fields = {"title": str}
ABOUT_PROFILE: Fields = {
    "based_on": str, "left_out": list, "endemic": list, "switches": dict, "regimens": dict, "statements": dict,
    "thresholds": dict,
}  # fmt: skip

# The units a threshold may have: UCUM, but for {log_copies}/mL, which stands for a difference of two logarithms.
THRESHOLD_UNITS = ("/uL", "%", "copies/mL", "{log_copies}/mL", "d", "a", "1")
WHOLE_UNITS = ("d", "a", "1")
DOSE_UNITS = {"{tbl}": "tablet", "{capsule}": "capsule", "mg": "mg", "g": "g", "mL": "mL"}  # UCUM code -> as it is said
PERIODS = ("h", "d", "wk", "mo")
GRADES = {  # strength -> the evidence it may come with
    **dict.fromkeys(("A", "B", "C"), ("I", "II", "III")),
    **dict.fromkeys(("strong", "conditional"), ("high", "moderate", "low", "very low", "")),
    "": ("",),
}
VERSION = re.compile(r"([1-9]\d{3})\.([1-9]|1[0-2])\.(0|[1-9]\d*)", re.ASCII)
_KINDS = {
    str: "text", bool: "true or false", date: "a date such as 2026-11-20", int: "a whole number above 0",
    float: "a number", list: "a list", dict: "a table",
}  # fmt: skip
_FIXED_SYSTEMS = {"ingredients.csv": RXNORM, "rxnorm_products.csv": RXNORM, "atc_ingredients.csv": ATC}


def check_fields(entry: Any, file: str, key: str, required: Fields, optional: Fields | None = None) -> None:
    """It is a table with all required fields, no unknown ones, each of its kind and none empty."""
    known = {**required, **(optional or {})}
    expect(isinstance(entry, Mapping), file, key, "a table")
    for name in entry.keys() - known.keys():
        expect(False, file, _within(key, name), f"one of {', '.join(known)}")
    for name in required:
        expect(name in entry, file, key, f"a field {name!r}")
    for name, value in entry.items():
        expect(_is(value, known[name]), file, _within(key, name), f"{_KINDS[known[name]]}, not {value!r}")


def _within(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _is(value: Any, kind: type) -> bool:
    """Exactly of the kind: true is no number, and a date with a time is no date."""
    if kind is float:
        return type(value) is int or (type(value) is float and Decimal(str(value)).is_finite())
    if kind is int:
        return type(value) is int and value > 0
    return type(value) is kind and str(value).strip() != ""


def check_texts(found: list[Any], file: str, key: str, known: frozenset[str] | None = None) -> None:
    """A list of texts, none twice, each a known one where they are known."""
    for one in found:
        expect(type(one) is str and one.strip(), file, key, f"text, not {one!r}")
        expect(known is None or one in known, file, key, f"one of {', '.join(sorted(known or ()))}, not {one}")
        expect(found.count(one) == 1, file, f"{key}: {one}", "no duplicate")


def check_grade(entry: Entry, file: str, key: str) -> None:
    """Strength and evidence as guidelines grade them: AI to CIII, or strong and conditional with or without a certainty."""
    strength, evidence = entry.get("strength", ""), entry.get("evidence", "")
    expect(strength in GRADES, file, f"{key}.strength", "A, B, C, strong or conditional")
    evidences = [one or "none" for one in GRADES[strength]]
    expect(
        evidence in GRADES[strength],
        file,
        f"{key}.evidence",
        f"with {strength or 'no strength'}: {', '.join(evidences)}",
    )


def check_threshold(entry: Entry, file: str, key: str) -> None:
    """A number in a unit we know, whole where it counts, in force no later than it was checked."""
    check_fields(entry, file, key, THRESHOLD, ABOUT_THRESHOLD)
    unit, value = entry["unit"], entry["value"]
    expect(unit in THRESHOLD_UNITS, file, f"{key}.unit", f"one of {', '.join(THRESHOLD_UNITS)}, not {unit}")
    expect(value >= 0, file, f"{key}.value", "a number not below 0")
    expect(
        unit not in WHOLE_UNITS or value == int(value), file, f"{key}.value", f"a whole number of {unit}, not {value}"
    )
    expect(unit != "%" or value <= 100, file, f"{key}.value", f"a percentage, not {value}")
    expect(entry["since"] <= entry["checked"], file, f"{key}.since", "a day not after `checked`")


def check_dose(dose: Entry, file: str, key: str) -> None:
    """A dose whose unit and period have the UCUM codes we know."""
    check_fields(dose, file, key, DOSE)
    code, period = dose["code"], dose["period_unit"]
    expect(code in DOSE_UNITS, file, f"{key}.code", f"one of {', '.join(DOSE_UNITS)}, not {code}")
    expect(dose["unit"] == DOSE_UNITS[code], file, f"{key}.unit", f"{DOSE_UNITS[code]} for {code}, not {dose['unit']}")
    expect(dose["value"] > 0, file, f"{key}.value", "a number above 0")
    expect(period in PERIODS, file, f"{key}.period_unit", f"one of {', '.join(PERIODS)}, not {period}")


def check_source(entry: Entry, file: str, key: str) -> None:
    """A text with an address, read no earlier than it was written; one without a date says so in its title."""
    check_fields(entry, file, key, SOURCE, ABOUT_SOURCE)
    expect(entry["url"].startswith("https://"), file, f"{key}.url", "an https url")
    expect(entry["date"] <= entry["checked"], file, f"{key}.date", "a day not after `checked`")
    undated = "undated" in entry["title"]
    expect(
        entry.get("undated", False) is undated, file, f"{key}.undated", "true where the title says (undated, as read)"
    )


def check_days(found: Mapping[str, Source | Threshold | Citation], file: str, version: str, prefix: str = "") -> None:
    """Nothing was checked before its source was written, or after the month of the knowledge's own version."""
    year, month, _ = map(int, version.split("."))
    for key, one in found.items():
        written = one.date if isinstance(one, Source) else (one.cite if isinstance(one, Threshold) else one).source.date
        if one.checked is not None:
            expect(written <= one.checked, file, f"{prefix}{key}.checked", f"a day not before its source, {written}")
            in_time = (one.checked.year, one.checked.month) <= (year, month)
            expect(in_time, file, f"{prefix}{key}.checked", f"a day not after the month of version {version}")


def check_code(system: str, code: str, file: str, key: str) -> None:
    """A code in the shape of its system, with the right check digit."""
    wrong = wrong_with(system, code)
    expect(not wrong, file, key, wrong)


def check_row(row: Row, file: str) -> None:
    """A row of the value sets: its code, and the words that the rules know."""
    if "code" in row:
        check_code(_FIXED_SYSTEMS.get(file) or row["system"], row["code"], file, row["code"])
    for column, words in WORDS.get(file, {}).items():
        unknown = [word or "none" for word in row[column].split(";") if word not in words]
        entry = row.get("code") or next(iter(row.values()))
        expect(not unknown, file, entry, f"a {column} of hooks/knowledge/words.py, not {', '.join(unknown)}")
