"""Every module of the two packages in, as a syntax tree; proof out that imports go one way, and medicine reads no clock."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST = 250
# Of each room the rooms it may import, besides itself and hooks (the arrow of the architecture).
MAY_IMPORT = {
    "errors": set(),
    "dates": set(),
    "settings": {"errors", "outbound"},
    "languages": set(),
    "wire": {"errors", "languages"},
    "outbound": {"errors"},
    "chart": {"errors", "outbound", "wire"},
    "access": {"errors", "languages", "outbound", "settings", "wire"},
    "ledger": {"errors", "settings", "wire"},
    "report": {"ledger", "wire"},
    "journal": set(),
    "plots": set(),
    "canary": {"chart", "dates", "errors", "wire"},
    "simulate": {
        "access",
        "dates",
        "demo",
        "outbound",
    },  # another service's client: it knows nothing of how ours is made
    "doctor": {"access", "chart", "errors", "outbound", "wire"},
    "reasons": {"chart", "plots", "wire"},
    "workbench": {"chart", "errors", "languages", "reasons", "wire"},
    "why": {"access", "chart", "errors", "languages", "outbound", "reasons", "wire"},
    "home": set(),
    "web": {
        "access",
        "canary",
        "chart",
        "errors",
        "home",
        "languages",
        "ledger",
        "outbound",
        "reasons",
        "report",
        "settings",
        "wire",
        "why",
        "workbench",
        "journal",
    },
}
OUTERMOST = {
    "__init__",
    "__main__",
    "app",
    "checking",
    "cli",
    "demo",
    "explain",
    "fixtures",
    "housekeeping",
    "knowledge",
    "reporting",
    "serve",
    "server",
    "site",
    "switching",
    "upkeep",
}  # what wires, starts and plays the rest
CLOCK = {"now", "today", "utcnow", "time_ns", "localtime", "gmtime", "monotonic", "perf_counter"}
BACK_DOORS = {"__import__", "import_module", "eval", "exec"}


def modules(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, package
    return found


HOOKS, SHELL = modules("hooks"), modules("cds_service")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), named(path))


def imported(module: ast.Module) -> Iterator[str]:
    """Every name a module imports, wherever in it: `from a.b import c` is a.b.c, which may be a module or what is in one."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the arrow"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def spoken(module: ast.Module) -> set[str]:
    """Every name and attribute a module uses or imports under."""
    used = {node.attr for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    used |= {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    return used | {part for name in imported(module) for part in name.split(".")[1:]}


def room(path: Path) -> str:
    return path.relative_to(ROOT / "cds_service").with_suffix("").parts[0]


def rooms_imported(module: ast.Module) -> set[str]:
    parts = [name.split(".") for name in imported(module)]
    return {one[1] for one in parts if one[0] == "cds_service" and len(one) > 1} & {room(path) for path in SHELL}


@pytest.mark.parametrize("path", HOOKS, ids=named)
def test_hooks_imports_the_standard_library_and_itself_only(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(tree(path))}
    assert roots - sys.stdlib_module_names - {"hooks"} == set()
    assert spoken(tree(path)) & BACK_DOORS == set()


@pytest.mark.parametrize("path", HOOKS, ids=named)
def test_hooks_never_reads_the_clock(path: Path) -> None:
    assert spoken(tree(path)) & CLOCK == set()
    assert "time" not in set(imported(tree(path)))
    assert "time.time" not in set(imported(tree(path)))


@pytest.mark.parametrize("path", SHELL, ids=named)
def test_rooms_import_in_the_direction_of_the_arrow(path: Path) -> None:
    assert room(path) in MAY_IMPORT.keys() | OUTERMOST, "a new room: give it its place in the arrow"
    if room(path) in MAY_IMPORT:
        assert rooms_imported(tree(path)) - MAY_IMPORT[room(path)] - {room(path)} == set()


def test_the_arrow_itself_has_no_circle() -> None:
    left = {name: set(targets) for name, targets in MAY_IMPORT.items()}
    while ends := {name for name, targets in left.items() if not targets & left.keys()}:
        left = {name: targets for name, targets in left.items() if name not in ends}
    assert left == {}


@pytest.mark.parametrize("path", [path for path in SHELL if room(path) != "chart"], ids=named)
def test_only_the_chart_knows_the_fhir_elements(path: Path) -> None:
    assert not [name for name in imported(tree(path)) if name.startswith("cds_service.chart.elements")]


def test_fhir_resources_serves_outgoing_orders_and_the_doctor_only() -> None:
    users = {named(path) for path in HOOKS + SHELL if any(name.startswith("fhir.") for name in imported(tree(path)))}
    assert users == {"cds_service/wire/orders.py", "cds_service/doctor/validity.py"}


@pytest.mark.parametrize("path", HOOKS + SHELL, ids=named)
def test_a_module_says_what_it_is_and_is_short(path: Path) -> None:
    assert ast.get_docstring(tree(path))
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import flask.views", "flask.views"),
        ("from cds_service.chart import elements", "cds_service.chart.elements"),
        ("def late():\n    from cds_service import web", "cds_service.web"),
        ("if True:\n    import time as t", "time"),
    ],
)
def test_an_import_is_seen_wherever_it_hides(code: str, found: str) -> None:
    assert found in set(imported(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["import datetime as dt\ndt.date.today()", "from datetime import datetime\ndatetime.now(None)"]
)
def test_a_look_at_the_clock_is_seen(code: str) -> None:
    assert spoken(ast.parse(code)) & CLOCK
