"""The knowledge files in, a validated Knowledge and its Profiles out; a fault names the file and the entry, and nothing starts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hooks.knowledge import check, entries, sets
from hooks.knowledge.files import expect, read_toml
from hooks.knowledge.profile import Profile
from hooks.knowledge.quiet import quiet_periods
from hooks.knowledge.types import Knowledge, QuietPeriods, Regimen
from hooks.knowledge.words import PURPOSES, REGIONS, SWITCHES

FOLDER = Path(__file__).parent


def load(folder: Path = FOLDER) -> Knowledge:
    """Reads and checks every knowledge file below the folder. Raises KnowledgeFault."""
    sources, version = entries.sources(read_toml(folder / "sources.toml"))
    thresholds = entries.thresholds(read_toml(folder / "thresholds.toml"), "thresholds.toml", sources)
    statements = entries.statements(read_toml(folder / "statements.toml"), "statements.toml", sources)
    check.check_days(thresholds, "thresholds.toml", version)
    check.check_days(statements, "statements.toml", version)
    _no_key_twice(thresholds.keys(), statements.keys(), "statements.toml")
    ingredients, labs = sets.ingredients(folder), sets.lab_codes(folder)
    products, drug_names = sets.drugs(folder, ingredients)
    ordered = read_toml(folder / "regimens.toml")
    check.check_fields(ordered, "regimens.toml", "", {"regimens": dict, "tests": dict})
    return Knowledge(
        version=version,
        sources=sources,
        regimens=entries.regimens(ordered["regimens"], products),
        tests=entries.lab_tests(ordered["tests"], labs),
        ingredients=ingredients,
        systems=sets.systems(folder),
        lab_codes=labs,
        conditions=sets.concepts(folder),
        allergens=sets.single(folder, "allergens", "concept"),
        results=sets.single(folder, "result_words", "result"),
        units=sets.units(folder),
        products=products,
        drug_names=drug_names,
        nonsystemic_words=sets.nonsystemic_words(folder),
        thresholds=thresholds,
        statements=statements,
        quiet=load_quiet_periods(folder),
    )


def load_quiet_periods(folder: Path = FOLDER) -> QuietPeriods:
    """The quiet periods alone. Raises KnowledgeFault."""
    return quiet_periods(read_toml(folder / "quiet_periods.toml"))


def load_profiles(knowledge: Knowledge, folder: Path = FOLDER) -> Mapping[str, Profile]:
    """Every profile of the folder by name, over this knowledge. Raises KnowledgeFault."""
    paths = sorted((folder / "profiles").glob("*.toml"))
    files = {path.stem: read_toml(path, _file(path.stem)) for path in paths}
    for name, content in files.items():
        _check_profile(content, _file(name))
    return {name: _profile(name, files, knowledge) for name in files}


def _file(profile: str) -> str:
    return f"profiles/{profile}.toml"


def _check_profile(content: Mapping[str, Any], file: str) -> None:
    check.check_fields(content, file, "", check.PROFILE, check.ABOUT_PROFILE)
    check.check_texts(content.get("left_out", []), file, "left_out")  # ids of rules, which are known elsewhere
    check.check_texts(content.get("endemic", []), file, "endemic", REGIONS)
    check.check_fields(content.get("switches", {}), file, "switches", {}, dict.fromkeys(sorted(SWITCHES), bool))
    for purpose in content.get("regimens", {}):
        expect(purpose in PURPOSES, file, f"regimens.{purpose}", f"one of {', '.join(sorted(PURPOSES))}")


def _profile(name: str, files: Mapping[str, Mapping[str, Any]], knowledge: Knowledge) -> Profile:
    """A profile over the common knowledge, or over the one profile it is `based_on`."""
    content, file = files[name], _file(name)
    base = content.get("based_on")
    expect(base is None or "based_on" not in files.get(base, {"based_on": ""}), file, "based_on", "a profile by itself")
    below = _profile(base, files, knowledge) if base else _bare(knowledge)
    own = entries.thresholds(content.get("thresholds", {}), file, knowledge.sources, "thresholds.")
    said = entries.statements(content.get("statements", {}), file, knowledge.sources, "statements.")
    check.check_days(own, file, knowledge.version, "thresholds.")
    check.check_days(said, file, knowledge.version, "statements.")
    _no_key_twice({**below.thresholds, **own}.keys(), {**below.statements, **said}.keys(), file)
    return Profile(
        name=name,
        title=content["title"],
        thresholds={**below.thresholds, **own},
        statements={**below.statements, **said},
        regimens={**below.regimens, **_regimens(content.get("regimens", {}), file, knowledge)},
        knowledge=knowledge,
        switches={**below.switches, **content.get("switches", {})},
        left_out=frozenset(content.get("left_out", below.left_out)),
        endemic=frozenset(content.get("endemic", below.endemic)),
    )


def _bare(knowledge: Knowledge) -> Profile:
    """What every profile is based on: what holds under all of them."""
    return Profile(
        name="",
        title="",
        thresholds=knowledge.thresholds,
        statements=knowledge.statements,
        regimens={},
        knowledge=knowledge,
    )


def _regimens(content: Mapping[str, Any], file: str, knowledge: Knowledge) -> dict[str, tuple[Regimen, ...]]:
    known = knowledge.regimens, knowledge.sources
    return {purpose: entries.chosen(purpose, chosen, file, *known) for purpose, chosen in content.items()}


def _no_key_twice(thresholds: Any, statements: Any, file: str) -> None:
    """A key names a threshold or a statement: a rule that cites it must not get the other's source."""
    twice = sorted(thresholds & statements)
    expect(not twice, file, ", ".join(twice), "the key of a threshold or of a statement, not of both")
