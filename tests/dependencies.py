"""`requirements.lock` and what the installed packages say of themselves in; every dependency of the service out.

python -m tests.dependencies      writes docs/dependencies.md anew
"""

import re
import tomllib
from collections.abc import Iterable
from configparser import ConfigParser
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "dependencies.md"
COMMAND = "python -m tests.dependencies"
OURS = "immune-status-cds"

# What the image runs on; it decides which of the locked packages are part of it.
IMAGE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.13.5",
    "python_version": "3.13",
    "sys_platform": "linux",
}

# Why each is here that we ask for ourselves; the others are here because of these.
PURPOSES = {
    "alembic": "brings an older database to the tables of today",
    "babel": "catalogues of translated messages, and how a language writes numerals",
    "fhir-resources": "checks the shape of every FHIR resource we write, when the service starts",
    "flask": "HTTP: routes, requests, answers",
    "gunicorn": "the server: processes, threads, limits on what is read",
    "jiter": "finds members that stand twice in a JSON object",
    "jsonschema": "checks what calls and feedback look like",
    "msgspec": "reads the FHIR elements that matter, writes JSON",
    "prometheus-client": "metrics",
    "psycopg": "PostgreSQL's driver, where the ledger is there",
    "pyjwt": "verifies the tokens of clients",
    "requests": "asks FHIR servers and fetches key sets",
    "rich": "colours and tables on a terminal",
    "sqlalchemy": "the ledger: SQLite or PostgreSQL",
    "structlog": "logs with closed fields",
}

# SPDX identifiers. Weak copyleft binds changes to the package itself, and we make none. BSD: the package does not say which.
ALLOWED = frozenset(
    [
        "0BSD",
        "Apache-2.0",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "LGPL-3.0-only",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PSF-2.0",
        "Unlicense",
        "Zlib",
    ]
)
_WORDS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One package of the service as it runs."""

    name: str
    version: str
    licence: str
    needs: tuple[str, ...]


def dependencies() -> list[Dependency]:
    """Those of the image, by name: all that is locked but for other platforms, and for building."""
    locked = re.findall(r"^([^ ]+==.+?) \\$", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    found = {canonicalize_name(one.name): one for one in map(Requirement, locked) if _holds(one.marker)}
    return [
        Dependency(
            name=name,
            version=str(one.specifier).removeprefix("=="),
            licence=licence(name),
            needs=tuple(sorted(needs()[name])),
        )
        for name, one in sorted(found.items())
        if name not in _builders()
    ]


def asked_for() -> list[Requirement]:
    """What setup.cfg names, PostgreSQL's driver included, since the image has it."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = settings["options"]["install_requires"].split() + settings["options.extras_require"]["postgresql"].split()
    return [Requirement(one) for one in lines]


@cache
def needs() -> dict[str, set[str]]:
    """Every package by name, with those that it asks for: the extras that somebody wants, and no others."""
    found: dict[str, set[str]] = {}
    todo = [(canonicalize_name(one.name), frozenset(one.extras)) for one in asked_for()]
    done = set()
    while todo:
        name, extras = one = todo.pop()
        if one in done:
            continue
        done.add(one)
        wanted = [each for each in map(Requirement, metadata.requires(name) or ()) if _holds(each.marker, extras)]
        found.setdefault(name, set()).update(canonicalize_name(each.name) for each in wanted)
        todo += [(canonicalize_name(each.name), frozenset(each.extras)) for each in wanted]
    return found


def licence(name: str) -> str:
    """SPDX, as the package words it: an expression, else its classifiers, else the word it has."""
    said = metadata.metadata(name)
    if expression := said.get("License-Expression"):
        return str(expression)
    classifiers = [
        one.rpartition(" :: ")[2] for one in said.get_all("Classifier") or () if one.startswith("License ::")
    ]
    return " OR ".join(_WORDS.get(one, one) for one in classifiers) or str(said.get("License") or "none stated")


def allowed(expression: str) -> bool:
    """Whether one may use it: of alternatives one is enough, of what counts together all must be fine."""
    return any(
        all(part.strip(" ()") in ALLOWED for part in choice.split(" AND ")) for choice in expression.split(" OR ")
    )


def _builders() -> set[str]:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    return {canonicalize_name(Requirement(one).name) for one in asked}


def _holds(marker: Marker | None, extras: Iterable[str] = ()) -> bool:
    return marker is None or any(marker.evaluate(IMAGE | {"extra": name}) for name in ["", *extras])


def page() -> str:
    """The whole page in Markdown."""
    found = dependencies()
    askers = {one.name: [other.name for other in found if one.name in other.needs] for one in found}
    rows = [
        f"| {one.name} | {one.version} | {one.licence} | {PURPOSES.get(one.name) or 'of ' + ', '.join(askers[one.name])} |"
        for one in found
    ]
    return "\n".join(
        [_INTRODUCTION.strip(), "", "| package | version | licence | for |", "|---|---|---|---|", *rows, ""]
    )


_INTRODUCTION = f"""
# Dependencies

What the service runs on besides Python: each package of the image, pinned and hashed in
[requirements.lock](../requirements.lock), with the licence that the package itself states. The tests hold this page true and let in
no licence that is not on their list. `make sbom` writes the same as a CycloneDX file, `make audit` asks which versions have known
vulnerabilities.

Written by `{COMMAND}`.
"""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
