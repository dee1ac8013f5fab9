"""What the service is made of: listed, licensed, and asked about; each list follows from the lock file."""

import json
import re
from typing import Any

import pytest

from tests import vulnerabilities
from tests.dependencies import ALLOWED, COMMAND, OURS, PAGE, PURPOSES, allowed, asked_for, dependencies, needs, page
from tests.sbom import bill, fault
from tests.test_repository import ROOT, make, read, setup_cfg

FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"]}
CLEAN: dict[str, Any] = {"name": "a", "version": "1.0", "vulns": []}


def test_the_page_of_dependencies_is_true() -> None:
    written = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    assert written == page(), f"docs/dependencies.md is not what is locked: rewrite it with `{COMMAND}`"


def test_what_is_locked_is_what_is_needed_and_nothing_else() -> None:
    assert {one.name for one in dependencies()} == needs().keys()


def test_every_package_we_ask_for_says_why() -> None:
    assert {re.sub("[_.]", "-", one.name).lower() for one in asked_for()} == PURPOSES.keys()


def test_every_licence_is_on_the_list() -> None:
    assert not [f"{one.name}: {one.licence}" for one in dependencies() if not allowed(one.licence)]


@pytest.mark.parametrize(
    "expression", ["GPL-3.0-only", "MIT AND GPL-2.0-only", "none stated", "AGPL-3.0-only OR SSPL-1.0"]
)
def test_a_licence_that_is_not_on_the_list_is_seen(expression: str) -> None:
    assert expression not in ALLOWED
    assert not allowed(expression)


def test_the_bill_of_materials_is_cyclonedx_and_always_the_same() -> None:
    first = bill()
    assert fault(first) is None
    assert first == bill()
    assert "timestamp" not in first


def test_the_bill_of_materials_lists_what_is_locked_and_who_needs_it() -> None:
    found = json.loads(bill())
    assert {(one["name"], one["version"]) for one in found["components"]} == {
        (one.name, one.version) for one in dependencies()
    }
    root = found["metadata"]["component"]
    assert (root["name"], root["version"]) == (OURS, setup_cfg()["metadata"]["version"])
    assert root["licenses"] == [{"license": {"id": setup_cfg()["metadata"]["license_expression"]}}]
    wanted = {one["ref"]: one.get("dependsOn", []) for one in found["dependencies"]}
    assert len(wanted[OURS]) == len(asked_for())
    assert {name for names in wanted.values() for name in names} | {OURS} == wanted.keys()


@pytest.mark.parametrize(
    ("found", "status", "says"),
    [
        ([CLEAN], vulnerabilities.NONE_KNOWN, "No vulnerability is known in 1 packages."),
        ([CLEAN, CLEAN | {"name": "b", "vulns": [FLAW]}], vulnerabilities.SOME, "b 1.0: PYSEC-2026-1, fixed in 2.0"),
        (
            [CLEAN, {"name": "c", "skip_reason": "not found"}],
            vulnerabilities.NOT_KNOWN,
            "Not known for 1 of 2 packages: c",
        ),
        ([], vulnerabilities.NOT_KNOWN, "Not known for 0 of 0 packages: "),
    ],
)
def test_a_package_that_nobody_was_asked_about_is_no_clean_one(found: list[Any], status: int, says: str) -> None:
    assert vulnerabilities.judge(found) == (status, [says])


def test_that_nobody_answers_is_said_and_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    status, (line,) = vulnerabilities.ask("osv")
    assert status == vulnerabilities.NOT_KNOWN
    assert "Nothing was checked" in line


def test_make_knows_how_to_write_the_bill_and_to_ask() -> None:
    assert "-m tests.sbom dist/sbom.cdx.json" in make("--dry-run", "--always-make", "sbom")
    assert "-m tests.vulnerabilities" in make("--dry-run", "--always-make", "audit")
    assert re.search(r"^ +make audit +\S", make("help"), re.MULTILINE)


def test_the_security_policy_says_how_to_report_and_names_no_address() -> None:
    policy = read("SECURITY.md")
    assert "private vulnerability reporting" in policy
    assert "@" not in policy
    for link in re.findall(r"\]\(([^)#:]+)\)", policy):
        assert (ROOT / link).exists(), link
