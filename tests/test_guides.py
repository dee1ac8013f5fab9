"""The guides in docs/: what could drift from the code is held against it."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from cds_service.access.tokens import REASONS
from cds_service.access.trust_file import _LINES, _SHAPE_LINES, presets
from cds_service.home.connect import connection
from cds_service.settings import PREFIX, Settings
from tests import integrators_doc, shapes_doc

DOCS = Path(__file__).parents[1] / "docs"
NEVER_SET = {"open_access"}  # only the demo sets it


def rows(file: str) -> dict[str, list[str]]:
    """The rows of a page's tables by their first cell, when that is code."""
    lines = re.findall(r"^\| `([^`]+)` \|(.*)\|$", (DOCS / file).read_text("utf-8"), re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split(" | ")] for name, rest in lines}


def test_every_setting_stands_in_the_table_with_its_default() -> None:
    table = rows("settings.md")
    assert set(table) == {f"{PREFIX}{one.name.upper()}" for one in fields(Settings) if one.name not in NEVER_SET}
    for one in fields(Settings):
        if one.name in NEVER_SET:
            continue
        shown = table[f"{PREFIX}{one.name.upper()}"][0].strip("`")
        default = "" if one.default in (None, (), frozenset()) else str(one.default).replace("False", "false")
        assert shown == default, one.name


def test_every_line_and_preset_of_the_trust_file_is_explained() -> None:
    table = rows("connecting-a-client.md")
    assert set(table) >= (_LINES - {"about"}) | set(presets())
    for name, preset in presets().items():
        assert table[name][0] == ", ".join(preset["algorithms"])
        assert table[name][1] == f"{preset['max_lifetime_seconds']} s"


def test_the_addresses_of_the_sandbox_are_those_that_the_page_at_the_root_gives() -> None:
    text = (DOCS / "connecting-a-client.md").read_text("utf-8")
    shown = re.findall(r"^ {4}(\S+serviceDiscoveryURL=\S+)$", text, re.MULTILINE)
    demo, site = ("http://127.0.0.1:8080", True), ("https://cds.example.org/hiv", False)
    assert shown == [connection(base, demo=one).sandbox for base, one in (demo, site)]


def test_the_table_of_shapes_is_what_the_presets_say() -> None:
    assert shapes_doc.PAGE.read_text("utf-8") == shapes_doc.page(), f"run {shapes_doc.COMMAND}"
    assert set(shapes_doc.WHAT) == _SHAPE_LINES - {"discreet"}


def test_every_reason_for_refusing_a_token_is_explained() -> None:
    text = (DOCS / "connecting-a-client.md").read_text("utf-8")
    assert not [one for one in REASONS if f"`{one}`" not in text]


def test_the_integrators_guide_says_what_is_live() -> None:
    assert integrators_doc.PAGE.read_text("utf-8") == integrators_doc.page(), f"run {integrators_doc.COMMAND}"


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda one: one.name)
def test_no_link_of_a_page_leads_nowhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert not [one for one in links if "://" not in one and not (page.parent / one).exists()]
