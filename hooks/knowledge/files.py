"""A knowledge file in, its entries or rows out; what cannot be read is refused, naming the file and what is expected."""

import csv
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, str]


class KnowledgeFault(Exception):
    """A knowledge file is wrong: which file, which entry, what is expected."""


def expect(condition: object, file: str, entry: str, expected: str) -> None:
    """Raises KnowledgeFault where the condition does not hold."""
    if not condition:
        raise KnowledgeFault(f"{file}: {entry}: expected {expected}")


def read_toml(path: Path, file: str = "") -> dict[str, Any]:
    """The content of a TOML file; `file` is what to call it in a fault, where its name alone does not tell."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:  # not there; neither UTF-8 nor TOML
        raise KnowledgeFault(f"{file or path.name}: cannot be read as TOML: {fault}") from fault


def read_rows(path: Path, columns: Sequence[str], key: Sequence[str]) -> list[Row]:
    """The rows of a CSV file with exactly these columns; no two rows may agree in the key columns."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            expect(list(reader.fieldnames or ()) == list(columns), path.name, "first line", ",".join(columns))
            return _distinct(reader, path.name, key)
    except (OSError, ValueError, csv.Error) as fault:
        raise KnowledgeFault(f"{path.name}: cannot be read as CSV: {fault}") from fault


def _distinct(reader: "csv.DictReader[str]", file: str, key: Sequence[str]) -> list[Row]:
    rows, seen = [], set()
    for row in reader:
        expect(None not in row and None not in row.values(), file, f"line {reader.line_num}", "one value a column")
        ident = tuple(row[column] for column in key)
        expect(ident not in seen, file, " ".join(ident), "no duplicate")
        seen.add(ident)
        rows.append(row)
    return rows
