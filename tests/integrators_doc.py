"""Templates, override reasons, metrics and demo patients in; the parts of `docs/integrators-guide.md` that hold them out.

python -m tests.integrators_doc      writes those parts anew
"""

import re
from collections.abc import Iterable
from pathlib import Path

from cds_service.chart.templates import DATA, prefetch_templates
from cds_service.dates import ANCHOR
from cds_service.demo.store import open_charts
from cds_service.web.metrics import Metrics
from cds_service.wire.override_reasons import OVERRIDE_REASONS
from hooks.knowledge import QuietPeriods, load
from hooks.wording import listed, name

PAGE = Path(__file__).parents[1] / "docs" / "integrators-guide.md"
COMMAND = "python -m tests.integrators_doc"
_WHOLE_LABORATORY = "Observation?patient={{context.patientId}}&category=laboratory&_sort=-date&_count=200"
_SCOPES = {
    "patient": "Patient",
    "cd4": "Observation",
    "viralLoads": "Observation",
    "conditions": "Condition",
    "allergies": "AllergyIntolerance",
    "medications": "MedicationRequest, Medication",
    "labs": "Observation",
    "medicationStatements": "MedicationStatement",
    "orders": "ServiceRequest",
}
_REQUIRED = {"patient": "required", "cd4": "one of these two", "viralLoads": "one of these two"}
_SUPPLEMENTARY = ("medicationStatements", "orders")


def part(title: str) -> str:
    """What stands between the marks of one part."""
    return {"prefetch": _prefetch, "reasons": _reasons, "metrics": _metrics, "patients": _patients}[title]()


def page() -> str:
    """The whole page, with every such part as it must be."""
    text = PAGE.read_text("utf-8")
    for title in ("prefetch", "reasons", "metrics", "patients"):
        mark = f"<!-- {title}: written by {COMMAND} -->"
        pattern = re.compile(rf"{re.escape(mark)}.*?<!-- /{title} -->", re.DOTALL)
        text, found = pattern.subn(lambda _: f"{mark}\n\n{part(title)}\n\n<!-- /{title} -->", text)  # noqa: B023
        assert found == 1, title
    return text


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _prefetch() -> str:
    templates = prefetch_templates(load())
    table = _table(["key", "", "scopes"], [[f"`{key}`", _weight(key), _scopes(key)] for key in templates])
    queries = "\n\n".join(f"{key}\n    {template}" for key, template in templates.items())
    by_code = {key: _by_code(template) for key, template in templates.items() if "&code=" in template}
    short = "\n\n".join(f"{key}\n    {template}" for key, template in by_code.items())
    return (
        f"{table}\n\nScopes are those of SMART 1; in SMART 2 write `.rs` for `.read`.\n\n```text\n{queries}\n```\n\n"
        "Short variants: `cd4`, `viralLoads` and `labs` by codes alone; or one key, whichever, for the whole laboratory."
        f"\n\n```text\n{short}\n\nlabs, in place of all three\n    {_WHOLE_LABORATORY}\n```"
    )


def _weight(key: str) -> str:
    without = listed([name(one) for one in DATA.get(key, ())])
    return _REQUIRED.get(key) or ("supplementary" if key in _SUPPLEMENTARY else f"without it: no {without}")


def _scopes(key: str) -> str:
    return ", ".join(f"`user/{kind.strip()}.read`" for kind in _SCOPES[key].split(","))


def _by_code(template: str) -> str:
    return template.replace("http://loinc.org|", "")


def _reasons() -> str:
    """Each reason with the days for which what it overrides is silent."""
    quiet = load().quiet
    codes = [(f"`{one.code}`", f"`{one.system}`", one.display, one.code) for one in OVERRIDE_REASONS]
    codes += [
        ("", "", "No reason, or none of these", "none"),
        ("", "", "The suggested tests were then ordered", "ordered"),
    ]
    return _table(
        ["code", "system", "display", "silent: information", "warning", "where a rule has its own"],
        [[*told, *_silent(quiet, reason)] for *told, reason in codes],
    )


def _silent(quiet: QuietPeriods, reason: str) -> list[str]:
    days = quiet.reasons[reason]
    own = (f"`{rule}` {found[reason]}" for rule, found in quiet.rules.items() if reason in found)
    return [f"{days['info']} days", f"{days['warning']} days", ", ".join(own)]


def _metrics() -> str:
    lines = re.findall(r"^# HELP (\S+) (.*)$", Metrics().text().decode(), re.MULTILINE)
    kept = [(key, about) for key, about in lines if not key.endswith("_created")]
    return _table(["metric", ""], [[f"`{key}`", about] for key, about in kept])


def _patients() -> str:
    rows = [
        [f"`{one.patient_id}`", one.title, ", ".join(play.hook for play in one.plays)]
        for one in open_charts(ANCHOR).stories
    ]
    return _table(["demo patient", "", "played at"], rows)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print("written: docs/integrators-guide.md")
