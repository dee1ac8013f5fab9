"""The committed table of result shapes in; what the reader says of each, and the page `docs/results-read.md`, out.

python -m tests.reading_doc      writes the page anew
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Raw
from msgspec.json import decode, encode

from cds_service.chart import amounts
from cds_service.chart.elements import Observation
from cds_service.chart.lab_values import NEVER, LabReader
from cds_service.chart.quantities import Units
from cds_service.chart.read import read_chart
from cds_service.wire.request import HookRequest
from hooks.knowledge import Knowledge, load
from hooks.record import LabResult, PatientRecord, Pending, Unreadable

FOLDER = Path(__file__).parent / "reading"
PAGE = Path(__file__).parents[1] / "docs" / "results-read.md"
COMMAND = "python -m tests.reading_doc"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = date(2026, 11, 10)  # what every result is dated by, unless its row says otherwise
LOINC = "http://loinc.org"
_STANDARD: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "result",
    "status": "final",
    "subject": {"reference": "Patient/invented"},
    "effectiveDateTime": DAY.isoformat(),
}
_HIV = {
    "resourceType": "Condition",
    "id": "hiv",
    "subject": {"reference": "Patient/invented"},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "86406008"}]},
}
_KINDS = {
    "24467-3": "CD4 count",
    "8123-2": "CD4 percent",
    "20447-9": "viral load",
    "29541-0": "viral load, log",
    "62469-2": "viral load, IU",
}
_NAMES = {"cd4-count": "CD4 count", "cd4-percent": "CD4 percentage", "viral-load": "viral load"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row: the results that came, and what each of them is read as (`read`, with the reader's `notes`)."""

    label: str
    results: tuple[dict[str, Any], ...]
    read: tuple[str, ...]
    notes: tuple[str, ...] = ()
    key: str = "labs"
    iu_per_copy: Decimal | None = None
    seen: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table of the page. `across`: the columns of a matrix, whose rows are the cases' labels in turn."""

    title: str
    says: str
    cases: tuple[Case, ...]
    across: tuple[str, ...] = field(default=())


@cache
def knowledge() -> Knowledge:
    return load()


def sections() -> list[Section]:
    """Every section of every file, in the order of the file names."""
    return [
        made for path in sorted(FOLDER.glob("*.toml")) for made in _sections(tomllib.loads(path.read_text("utf-8")))
    ]


def _sections(content: dict[str, Any]) -> Iterator[Section]:
    for section in content["section"]:
        across = tuple(section.get("columns", {}))
        rows = list(_crossed(section)) if across else list(_listed(section))
        yield Section(
            title=section["title"], says=section["says"].strip(), cases=tuple(map(_case, rows)), across=across
        )


def _listed(section: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a list; one that names its own code says in its label what that is."""
    for row in section["cases"]:
        yield {"kind": _KINDS.get(row.get("loinc", "")), **section.get("all", {}), **row}


def _crossed(section: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a matrix: each case once under every column."""
    for row in section["cases"]:
        shared = {name: value for name, value in row.items() if name not in section["columns"]}
        for column, own in section["columns"].items():
            yield {**section.get("all", {}), **own, **shared, **_expected(row[column])}


def _expected(cell: str | dict[str, Any]) -> dict[str, Any]:
    return cell if isinstance(cell, dict) else {"read": cell}


def _case(row: dict[str, Any]) -> Case:
    several = row.get("results")
    results = [_observation({**row, **one}) for one in several] if several else [_observation(row)]
    read = row["read"]
    return Case(
        label=row.get("name") or _label(row),
        results=tuple(results),
        read=tuple(read) if isinstance(read, list) else (read,),
        notes=tuple(row.get("notes", ())),
        key=row.get("key", "labs"),
        iu_per_copy=Decimal(row["iu_per_copy"]) if "iu_per_copy" in row else None,
        seen=row.get("seen", ""),
        why=row.get("why", ""),
    )


def _observation(row: dict[str, Any]) -> dict[str, Any]:
    """The Observation of a row; numbers stay as written, whatever a float would make of them."""
    found = dict(_STANDARD)
    if "loinc" in row:
        found["code"] = {"coding": [{"system": LOINC, "code": row["loinc"]}]}
    if "text" in row:
        found["valueString"] = row["text"]
    if "quantity" in row:
        number, _, unit = row["quantity"].partition(" ")
        found["valueQuantity"] = {"value": Raw(number.encode()), **({"unit": unit} if unit else {})}
    found |= {"status": row["status"]} if "status" in row else {}
    found |= {"effectiveDateTime": row["date"]} if "date" in row else {}
    found |= decode(row.get("shape", "{}"), type=dict[str, Raw])
    return {name: value for name, value in found.items() if name not in row.get("without", ())}


def _label(row: dict[str, Any]) -> str:
    """How a row without a name shows what came."""
    came = f"`{row['text'] if 'text' in row else row['quantity']}`"
    return f"{row['kind']} {came}" if row.get("kind") else came


def chart_of(case: Case) -> PatientRecord:
    """The record of an invented adult with HIV whose only results are those of the case."""
    entries = [{"resource": one} for one in case.results]
    prefetch: dict[str, Any] = {
        "patient": {"resourceType": "Patient", "id": "invented", "birthDate": "1980-05-05"},
        "conditions": {"resourceType": "Bundle", "entry": [{"resource": _HIV}]},
        "cd4": None,
        "viralLoads": None,
        case.key: {"resourceType": "Bundle", "entry": entries},
    }
    request = HookRequest(
        hook="patient-view",
        hook_instance="1",
        patient_id="invented",
        prefetch={key: Raw(encode(value)) for key, value in prefetch.items()},
    )
    return read_chart(request, NOW, knowledge(), case.iu_per_copy)


def told(case: Case) -> tuple[str, ...]:
    """What the reader says of a case, one line a fact; "no result" and "ignored" where it rightly says nothing."""
    record = chart_of(case)
    usable = (*record.cd4_counts, *record.cd4_percents, *record.viral_loads)
    said = [_usable(one) for one in usable]
    said += [_pending(one) for one in record.pending] + [_unreadable(one) for one in record.unreadable]
    return tuple(said) or (_nothing(case),)


def notes_of(case: Case) -> tuple[str, ...]:
    record = chart_of(case)
    results = (*record.cd4_counts, *record.cd4_percents, *record.viral_loads)
    return tuple(note for one in results for note in one.notes)


def _usable(one: LabResult) -> str:
    said = [] if one.number is None else [f"{one.comparator or '='} {one.number.normalize():f} {one.unit}"]
    said += [] if one.detected is None else ["detected" if one.detected else "not detected"]
    return f"{one.measure} {', '.join(said)}{_on(one.date)}"


def _pending(one: Pending) -> str:
    return f"pending {one.datum}{_on(one.date)}"


def _unreadable(one: Unreadable) -> str:
    return f"unreadable {one.datum}: {one.why}{_on(one.latest)}"


def _on(day: date | None) -> str:
    return "" if day == DAY else f" [{day or 'no day'}]"


def _nothing(case: Case) -> str:
    """A part that is ours and says that it has no result; else the reader passed over the whole."""
    reader = LabReader(NOW, knowledge(), Units(knowledge()))
    for result in case.results:
        whole = decode(encode(result), type=Observation)
        ours = [part for part in (whole, *(whole.component or ())) if reader.family(part, case.key)]
        given = [amounts.given(part, knowledge()) for part in ours if whole.status not in NEVER]
        if any(isinstance(one, amounts.NoResult) for one in given):
            return "no result"
    return "ignored"


def page() -> str:
    """The page in Markdown, every "read as" from the reader itself."""
    return (
        "\n".join([_INTRODUCTION.strip(), "", *(line for one in sections() for line in _section(one))]).rstrip() + "\n"
    )


def _section(section: Section) -> Iterator[str]:
    yield from (f"## {section.title}", "", section.says, "")
    yield from _matrix(section) if section.across else _list(section)
    yield ""


def _list(section: Section) -> Iterator[str]:
    sourced = any(one.seen for one in section.cases)
    yield from _row("What came", "Read as", "Why, notes", *(["Seen in"] if sourced else []), head=True)
    for one in section.cases:
        why = "; ".join(dict.fromkeys((*([one.why] if one.why else []), *notes_of(one))))
        yield from _row(one.label, _plain(told(one)), why, *([one.seen] if sourced else []))


def _matrix(section: Section) -> Iterator[str]:
    yield from _row("", *section.across, head=True)
    width = len(section.across)
    for place in range(0, len(section.cases), width):
        row = section.cases[place : place + width]
        yield from _row(row[0].label, *(_plain(told(one)) for one in row))


def _row(*cells: str, head: bool = False) -> Iterator[str]:
    yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    if head:
        yield "|" + "---|" * len(cells)


def _plain(said: tuple[str, ...]) -> str:
    """The reader's lines for people: **bold** where the result counts; one line where several data share a fault."""
    lines: dict[str, list[str]] = {}
    for one in said:
        datum, _, reason = one.removeprefix("unreadable ").partition(": ")
        lines.setdefault(f"Unreadable {{}}: {reason}" if reason else _line(one), []).append(_NAMES.get(datum, datum))
    return "<br>".join(line.replace("{}", " and ".join(names)) for line, names in lines.items())


def _line(said: str) -> str:
    for datum, name in _NAMES.items():
        if said.startswith(f"{datum} "):
            return f"**{name} {said.removeprefix(f'{datum} ').removeprefix('= ')}**"
        said = said.replace(datum, name)
    return said[:1].upper() + said[1:]


_INTRODUCTION = f"""
# How results are read

Laboratory results reach a CDS service in many shapes. This page shows what each shape is read as, and why. It is written by the
reader itself from the table in `tests/reading`, which the tests check row by row; `{COMMAND}` writes it anew.
Where a shape or a string was seen in a public project, the project is named; patients and values are invented.

The principles:

- **Nothing is guessed.** What cannot be trusted is *unreadable*, with the reason. An unreadable result that could be newer than
  everything readable makes the advice that needs it "Not assessed"; it never reads as "there is no result".
- **The code says what was measured; the unit says how.** When they disagree the unit decides, if the value fits it. A display or
  a text never makes a result usable, it can only raise a doubt.
- **A bound is a bound.** `<20` is not 20, and `<839` proves nothing about 200. "Not detected" is read as such; "below the limit"
  without the limit is taken as below 200.
- **IU are not copies.** They are converted only by the factor that a site sets for its assay.
- **Numbers are exact.** They are decimals as written, and a value beyond its range is unreadable.

How to read the tables: **bold** is a result that counts. *Unreadable* names the datum that the result could have been. *Pending* is
a result on its way. *No result*: the laboratory says that there is none. *Ignored*: not one of our tests, or withdrawn. A day
in brackets is the day read, where it is not 10 November 2026, the date of every result here unless its row says otherwise.
"""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
