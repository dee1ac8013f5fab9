"""`source_facts.toml` in; the page `docs/source-facts.md`, where each fact of the two first texts stands in the product, out.

python -m tests.source_facts_doc      writes the page anew
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "source_facts.toml"
PAGE = Path(__file__).parents[1] / "docs" / "source-facts.md"
COMMAND = "python -m tests.source_facts_doc"
TEXTS = {
    "SEED-1": "the fact sheet on immune reconstitution",
    "SEED-2": "the overview of CD4 counts that do not recover",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFact:
    """One fact in our words. `tests`: what proves it, as `tests/test_x.py::test_name` or `spec:<rule>: <sentence>`."""

    fact: str
    source: str
    rules: tuple[str, ...]
    keys: tuple[str, ...]
    product: str
    tests: tuple[str, ...]


def facts() -> list[SourceFact]:
    """Every fact of the file, in its order."""
    rows = tomllib.loads(FILE.read_text("utf-8"))["fact"]
    return [
        SourceFact(**{key: tuple(one) if isinstance(one, list) else one for key, one in row.items()}) for row in rows
    ]


def page() -> str:
    """The whole page in Markdown."""
    found = facts()
    parts = [
        _INTRODUCTION.strip(),
        "",
        f"{len(found)} facts, {len({one for each in found for one in each.tests})} tests.",
    ]
    for source, title in TEXTS.items():
        parts += ["", f"## {source}: {title}", "", "| | fact | where it stands | proven by |", "|---|---|---|---|"]
        parts += _rows([one for one in found if one.source == source])
    return "\n".join(parts) + "\n"


def _rows(found: list[SourceFact]) -> Iterator[str]:
    for number, one in enumerate(found, 1):
        where = f"{_coded(one.rules)}: {one.product} Carried by {_coded(one.keys)}."
        yield f"| {number} | {one.fact} | {where} | {'<br>'.join(map(_test, one.tests))} |"


def _coded(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _test(named: str) -> str:
    """A case by its sentence, a test by its file and name."""
    if named.startswith("spec:"):
        rule, _, says = named.removeprefix("spec:").partition(": ")
        return f"spec/{rule}: “{says}”"
    return f"`{named}`"


_INTRODUCTION = f"""
# Facts of the first two texts

The rules began from two texts on immune status in HIV. Here stands each fact of theirs that can decide something, in our own words,
with the rules and the keys in [hooks/knowledge](../hooks/knowledge) that carry it, and the clinical cases that prove it. Where a
guideline has decided otherwise since, the guideline is followed, and the row says so.

Written from `tests/source_facts.toml` by `{COMMAND}`; the tests hold it to the rules, the knowledge and the
sentences in `tests/spec`.
"""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"wrote {PAGE.name}")
