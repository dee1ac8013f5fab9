"""The cases in, the issuers that the service under attack trusts out: two of everyday, and one for each case that has its own."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from tests.attack.keys import jwks
from tests.attack.tables import Case

PAGE = "https://ehr.example.org"
HOSPITAL_KEYS = [{"name": "hospital"}, {"name": "hospital-rsa"}]
SPARE = {"name": "spare"}  # so that a file whose other keys are unusable is still a file of keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """One [[issuer]] of the file, its keys, and what the address of its keys answers if it has one."""

    iss: str
    settings: dict[str, Any] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=lambda: HOSPITAL_KEYS)
    published: list[str] | None = None


def issuers_for(cases: Iterable[Case], servers: list[str]) -> dict[str, Issuer]:
    """By the name a case's token is of: hospital, clinic, or the case's sentence. `servers`: those the hospital lends to."""
    near = {"fhir_servers": [*servers, "https://fhir.ehr.test/r4"], "allow_private_addresses": True}
    everyday = {
        "hospital": Issuer(iss=PAGE, settings=near | {"origins": [PAGE]}),
        "clinic": Issuer(iss="https://clinic.example.org", settings={}, keys=[{"name": "clinic"}]),
    }
    own = {case.says: _own(case, number) for number, case in enumerate(cases) if _has_own(case)}
    return everyday | own


def _has_own(case: Case) -> bool:
    return not (case.trusted is None and case.keys is None and case.published is None)


def _own(case: Case, number: int) -> Issuer:
    near = {"allow_private_addresses": True} if case.published is not None else {}
    return Issuer(
        iss=f"https://case-{number}.example.org",
        settings=near | dict(case.trusted or {}),
        keys=[*(case.keys or HOSPITAL_KEYS), *([] if case.published else [SPARE])],
        published=case.published,
    )


def name_of(case: Case) -> str:
    """Under which name the issuer of a case's token is known."""
    return case.says if _has_own(case) else case.issuer


def write(issuers: dict[str, Issuer], folder: Path, places: dict[str, str]) -> Path:
    """The issuers file, and beside it the keys of those who publish none."""
    parts = []
    for number, one in enumerate(issuers.values()):
        path = folder / f"keys-{number}.json"
        if one.published is None:
            path.write_text(json.dumps(jwks(one.keys)), "utf-8")
        stated = {"iss": one.iss, "jwks": keys_url(one, places) if one.published is not None else str(path)}
        parts.append(_table(stated | one.settings, places))
    found = folder / "issuers.toml"
    found.write_text("\n".join(parts), "utf-8")
    return found


def keys_url(one: Issuer, places: dict[str, str]) -> str:
    """Where an issuer publishes its keys."""
    return f"{places['publisher']}/{one.iss.removeprefix('https://')}/keys"


def _table(settings: dict[str, Any], places: dict[str, str]) -> str:
    lines = (f"{name} = {json.dumps(value)}" for name, value in settings.items())  # what JSON has here, TOML has too
    return Template("\n".join(("[[issuer]]", *lines, ""))).safe_substitute(places)
