"""Both packages in, as syntax trees; proof out that all they ask the knowledge for is there, and that all of it is asked for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from hooks.knowledge import load, load_profiles
from hooks.knowledge.files import read_toml
from hooks.knowledge.sets import read_set
from hooks.knowledge.words import CONCEPTS, MEASURES, PRODUCT_FLAGS, PURPOSES, ROLES, SWITCHES, WORDS

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "hooks" / "knowledge"
PYTHON = [path for package in ("hooks", "cds_service") for path in sorted((ROOT / package).rglob("*.py"))]
KNOWLEDGE = load()
PROFILES = load_profiles(KNOWLEDGE)
OTHER_GUIDELINE = read_toml(ROOT / "tests" / "data" / "eacs.toml")  # a rule may know what only another guideline says
THRESHOLDS = {key for one in PROFILES.values() for key in one.thresholds} | OTHER_GUIDELINE["thresholds"].keys()
STATEMENTS = {key for one in PROFILES.values() for key in one.statements} | OTHER_GUIDELINE["statements"].keys()

# What is called -> the place of the argument that names something, and all that it may name
NUMBERS = ("limit", "days", "under", "not_under", "reaches", "short_of")
ASKS = {
    "has_problem": (0, CONCEPTS),
    "problems_of": (0, CONCEPTS),
    "with_role": (1, ROLES),
    "others": (0, MEASURES),
    "choose": (2, PURPOSES),
    "switch": (0, SWITCHES),
    "cite": (0, THRESHOLDS | STATEMENTS),
    "knows": (0, THRESHOLDS | STATEMENTS),
    **dict.fromkeys(NUMBERS, (0, THRESHOLDS)),
}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def texts(node: ast.AST) -> list[str]:
    """The whole texts in an expression; not the pieces of one that is put together."""
    pieces = {id(piece) for one in ast.walk(node) if isinstance(one, ast.JoinedStr) for piece in ast.walk(one)}
    found = [one for one in ast.walk(node) if isinstance(one, ast.Constant) and id(one) not in pieces]
    return [one.value for one in found if isinstance(one.value, str)]


def unknown(module: ast.Module) -> list[str]:
    """What a module asks for by name that the knowledge does not have."""
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place, known = ASKS.get(called, (len(node.args), frozenset()))
            found += [text for arg in node.args[place : place + 1] for text in texts(arg) if text not in known]
            cited = [one.value for one in node.keywords if called == "rule" and one.arg in ("cites", "may_cite")]
            found += [text for value in cited for text in texts(value) if text not in THRESHOLDS | STATEMENTS]
    return found + [text for group in groups(module) for text in strangers(group)]


def groups(module: ast.Module) -> Iterator[list[str]]:
    """The named groups of words of a module: what is assigned at its top, a tuple or a set."""
    for node in module.body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        inner = value.args[0] if isinstance(value, ast.Call) and len(value.args) == 1 else value
        if isinstance(inner, ast.Tuple | ast.Set):
            yield [one.value for one in inner.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def strangers(group: list[str]) -> list[str]:
    """Those who do not belong: two words or more are of one kind, and the rest of the group is not."""
    kinds = [kind for kind in (CONCEPTS, ROLES, PRODUCT_FLAGS) if len(kind & set(group)) >= 2]
    return [text for text in group if kinds and not any(text in kind for kind in kinds)]


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_asked_for_is_there(path: Path) -> None:
    assert unknown(tree(path)) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('record.has_problem("kryptococcosis")', ["kryptococcosis"]),
        ('record.problems_of("tb_active", ("active",))', ["tb_active"]),
        ('known.with_role(drugs, "arv")', ["arv"]),
        ('record.others("g6pt")', ["g6pt"]),
        ('choose(record, profile, "pcp")', ["pcp"]),
        ('profile.switch("cotrimoxasole")', ["cotrimoxasole"]),
        ('profile.limit("mac-cd5" if old else "mac-cd4")', ["mac-cd5"]),
        ('profile.limit("art-for-all")', ["art-for-all"]),
        ('profile.cite("art-for-some")', ["art-for-some"]),
        ('@rule(cites=("mac-cd4", "mac-cd5"), needs=())\ndef one(): ...', ["mac-cd5"]),
        ('ILL = ("mac", "pml", "kapposi")', ["kapposi"]),
        ('CARE = frozenset(("art", "oi", "tbc"))', ["tbc"]),
        ('OPEN = ("active", "unknown")', []),
        ('profile.cite(f"{disease}-cd4")', []),
    ],
)
def test_what_is_not_there_would_be_found(code: str, found: list[str]) -> None:
    assert unknown(ast.parse(code)) == found


def test_every_known_word_stands_in_a_row() -> None:
    for file, columns in WORDS.items():
        rows = read_set(FOLDER, file.removesuffix(".csv"))
        for column, words in columns.items():
            used = {word for row in rows for word in row[column].split(";")}
            spare = PRODUCT_FLAGS if file == "atc_ingredients.csv" else frozenset()  # a flag may be of products only
            assert words - used - spare == set(), f"{file}: {column}"


def test_every_number_and_statement_is_asked_for() -> None:
    said = {text for path in PYTHON for text in texts(tree(path))}
    built = {f"{region}-cd4" for region in ("histoplasmosis", "coccidioidomycosis", "talaromycosis")}
    assert sorted((THRESHOLDS | STATEMENTS) - said - built) == []


def test_every_regimen_and_every_test_serves_a_profile_or_a_rule() -> None:
    used = {one.key for profile in PROFILES.values() for chosen in profile.regimens.values() for one in chosen}
    assert KNOWLEDGE.regimens.keys() == used
