"""`docs/clinical-safety/hazards.toml` and the matrix of its plan in; the hazard log, `docs/clinical-safety/hazard-log.md`, out.

python -m tests.clinical_safety_doc      writes the log anew
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "docs" / "clinical-safety"
HAZARDS, PLAN, PAGE = FOLDER / "hazards.toml", FOLDER / "risk-management-plan.md", FOLDER / "hazard-log.md"
COMMAND = "python -m tests.clinical_safety_doc"
EVERY_RULE = "every rule"
SEVERITY = ("", "minor", "significant", "considerable", "major", "catastrophic")
LIKELIHOOD = ("", "very low", "low", "medium", "high", "very high")
KINDS = ("design", "test", "business")
IN_PLACE, PLANNED, TRANSFERRED = STATUSES = ("in place", "planned", "transferred to the site")


@dataclass(frozen=True, slots=True)
class Score:
    severity: int
    likelihood: int
    risk: int


@dataclass(frozen=True, slots=True)
class Control:
    """What lowers the risk. `tests`: what proves it, as `tests/test_x.py::test_name` or `spec:<rule>: <sentence>`."""

    text: str
    kind: str
    status: str = IN_PLACE
    tests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """One row of the log. `rules` is empty where it concerns every rule."""

    id: str
    name: str
    causes: tuple[str, ...]
    effect: str
    harm: str
    rules: tuple[str, ...]
    controls: tuple[Control, ...]
    initial: Score
    residual: Score
    status: str
    reviewed: str


def hazards() -> list[Hazard]:
    """Every hazard of the file, in its order."""
    return [_hazard(one) for one in tomllib.loads(HAZARDS.read_text("utf-8"))["hazard"]]


def _hazard(row: dict[str, Any]) -> Hazard:
    rules = () if row["rules"] == EVERY_RULE else tuple(row["rules"])
    made = (Control(**{**one, "tests": tuple(one.get("tests", ()))}) for one in row["control"])
    scores = {name: Score(**row[name]) for name in ("initial", "residual")}
    plain = {name: row[name] for name in ("id", "name", "effect", "harm", "status", "reviewed")}
    return Hazard(**plain, **scores, causes=tuple(row["causes"]), rules=rules, controls=tuple(made))


def matrix() -> dict[tuple[int, int], int]:
    """(severity, likelihood) -> risk, as the table of the plan has it."""
    rows = re.findall(r"^\|((?: \d \|){6})$", PLAN.read_text("utf-8"), re.MULTILINE)
    numbers = [[int(cell) for cell in row.split("|")[:-1]] for row in rows]
    return {(severity, likelihood): risk for likelihood, *risks in numbers for severity, risk in enumerate(risks, 1)}


def page() -> str:
    """The whole log in Markdown."""
    found = hazards()
    parts = [_INTRODUCTION.strip(), *_counts(found), *_overview(found), *_by_rule(found)]
    return "\n".join([*parts, *(line for one in found for line in _section(one))]).rstrip() + "\n"


def _counts(found: list[Hazard]) -> Iterator[str]:
    controls = [control for one in found for control in one.controls]
    tests = {test for control in controls for test in control.tests}
    by_status = ", ".join(f"{sum(one.status == status for one in controls)} {status}" for status in STATUSES)
    by_risk = (f"{sum(one.residual.risk == risk for one in found)} of {risk}" for risk in range(5, 0, -1))
    yield from ("", f"{len(found)} hazards; {len(controls)} controls ({by_status}); {len(tests)} tests named.")
    yield from ("", f"Residual risk, as proposed: {', '.join(by_risk)}.")


def _overview(found: Iterable[Hazard]) -> Iterator[str]:
    yield from ("", "## All hazards", "", "| | hazard | initial | residual | status |", "|---|---|---|---|---|")
    for one in found:
        cells = (f"[{one.id}](#{one.id.lower()})", one.name, str(one.initial.risk), str(one.residual.risk), one.status)
        yield f"| {' | '.join(cells)} |"


def _by_rule(found: Iterable[Hazard]) -> Iterator[str]:
    """Which hazards of its own each rule has, besides those of every rule."""
    rules: dict[str, list[str]] = {}
    for one in found:
        for rule in one.rules:
            rules.setdefault(rule, []).append(one.id)
    yield from (
        "",
        "## By rule",
        "",
        "Those that concern every rule are not repeated.",
        "",
        "| rule | hazards |",
        "|---|---|",
    )
    yield from (f"| `{rule}` | {', '.join(rules[rule])} |" for rule in sorted(rules))


def _section(one: Hazard) -> Iterator[str]:
    yield from ("", f"## {one.id}", "", f"**{one.name}**", "")
    yield from (f"{place}. {cause}" for place, cause in enumerate(one.causes, 1))
    yield from ("", f"*Effect:* {one.effect}", "", f"*Harm:* {one.harm}", "", f"*Rules:* {_rules(one)}", "")
    yield from ("| control | kind | state | proven by |", "|---|---|---|---|")
    yield from (_control(control) for control in one.controls)
    yield from ("", f"*Initial:* {_score(one.initial)}. *Residual:* {_score(one.residual)}.", "")
    yield f"*Status:* {one.status}. *Review:* {one.reviewed}."


def _rules(one: Hazard) -> str:
    return ", ".join(f"`{rule}`" for rule in one.rules) or EVERY_RULE


def _control(one: Control) -> str:
    proof = "<br>".join(_test(test) for test in one.tests)
    return f"| {one.text} | {one.kind} | {one.status} | {proof} |"


def _test(named: str) -> str:
    """A case by its sentence, a test by its name and file."""
    if named.startswith("spec:"):
        rule, _, says = named.removeprefix("spec:").partition(": ")
        return f"{rule}: “{says}”"
    path, _, name = named.partition("::")
    return f"`{Path(path).stem}::{name}`"


def _score(one: Score) -> str:
    severity, likelihood = SEVERITY[one.severity], LIKELIHOOD[one.likelihood]
    return f"severity {one.severity} ({severity}), likelihood {one.likelihood} ({likelihood}), risk {one.risk}"


_INTRODUCTION = f"""
# Hazard log

**Not yet clinically reviewed.** Every score is a proposal of the makers; no clinical safety officer is appointed. What the figures
mean stands in [risk-management-plan.md](risk-management-plan.md), what the service is for in [intended-use.md](intended-use.md).

Written from [hazards.toml](hazards.toml) by `{COMMAND}`. The tests check that every control in place that
can be tested names a test or a clinical case, and that each of these exists and is not skipped. A case is quoted by its sentence in
`tests/spec`. Only controls in place lower a residual figure; what is planned or transferred to the site does not.
"""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
