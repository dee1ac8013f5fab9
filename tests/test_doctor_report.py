"""The report of `cds-service check` as JSON and as a page: its shape is documented, and the page needs nothing but itself."""

import json
import re
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cds_service.cli import main
from cds_service.doctor.document import document
from cds_service.doctor.findings import CodeReport, ParameterReport, Report, TokenCheck
from cds_service.doctor.page import page
from cds_service.doctor.tables import sections
from tests import doctor_example
from tests.fixture_files import FIXTURES

DOCS = Path(__file__).parents[1] / "docs"
REPORT = doctor_example.report()
HOSTILE = "<script>alert(1)</script>\x1b[31m&\"'"
VOID = {"meta", "link", "br", "img", "input"}


def full() -> Report:
    """A report with every part."""
    parameter = ParameterReport(search="Observation?code", declared=True, found="ignored", says="declared and ignored")
    check = TokenCheck(name="audience", result="failed", says="aud is x")
    return replace(REPORT, parameters=(parameter,), token=(check,))


class Elements(HTMLParser):
    """The elements of a page; whether each that was opened is closed again."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.names.add(tag)
        self.ids += [told["id"] or ""] if "id" in told else []
        self.links += [told["href"] or ""] if "href" in told else []
        self.addresses += [one for name, one in told.items() if name in ("src", "action", "srcset", "style") and one]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_json_has_the_documented_members_and_no_others() -> None:
    text = (DOCS / "checking-a-client.md").read_text("utf-8").split("## The shape of the JSON")[1]
    rows = re.findall(r"^\| (`.+?`) \| (.*) \|$", text, re.MULTILINE)
    told = {name: about for names, about in rows for name in re.findall(r"`(\w+)`", names)}
    shown = document(full())
    assert set(told) - {"member"} == set(shown)
    assert shown["format"] == 1
    for name in ("remarks", "keys", "codes", "units", "parameters", "token", "rules", "examined"):
        members = re.sub(r"\([^()]*\)", "", told[name])
        assert set(re.findall(r"`(\w+)`", members)) - {"answered"} == set(shown[name][0]), name


def test_the_json_goes_through_json_unchanged() -> None:
    assert json.loads(json.dumps(document(full()))) == document(full())


def test_the_page_is_well_formed_and_needs_nothing_besides_itself() -> None:
    text = page(full())
    found = Elements(text)
    assert found.open == []
    assert found.names.isdisjoint({"script", "link", "img", "iframe", "form", "base"})
    assert all(one.startswith("#") for one in found.links)
    assert found.addresses == []
    assert len(set(found.ids)) == len(found.ids)
    assert {one[1:] for one in found.links} <= set(found.ids)
    assert "url(" not in text
    assert "@import" not in text
    for wanted in ("prefers-color-scheme: dark", "@media print", "default-src 'none'", 'lang="en"'):
        assert wanted in text


def test_whatever_came_from_a_client_is_escaped() -> None:
    row = CodeReport(kind="result", codes=(HOSTILE,), display=HOSTILE, ours=None, taken_for="", why=HOSTILE, times=1)
    text = page(replace(REPORT, codes=(row,), issuer=HOSTILE, lines=(f"# {HOSTILE}",)))
    assert "<script" not in text
    assert Elements(text).open == []


def test_every_part_of_a_report_has_its_table() -> None:
    titles = [one.title for one in sections(full())]
    assert len(titles) == len(set(titles))
    assert {"What was looked at", "Which advice this client can get", "Prefetch templates", "The token"} <= set(titles)
    assert "Search parameters of the FHIR server" in titles


def test_the_example_is_what_the_check_says_today() -> None:
    assert doctor_example.PAGE.read_text("utf-8") == doctor_example.text(), f"run {doctor_example.COMMAND}"


def test_the_lines_of_the_example_are_toml() -> None:
    assert REPORT.lines
    assert tomllib.loads("\n".join(REPORT.lines)) == {}


def test_the_page_is_written_to_a_file_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(FIXTURES / "requests" / "order-sign" / "cd4-120-starting-art.json")
    assert main(["check", file, "--format", "html"]) == 2
    assert "--format html: a file is expected under --out" in capsys.readouterr().err
    assert main(["check", file, "--format", "html", "--out", str(tmp_path / "report.html")]) == 0
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!doctype html>")
    assert main(["check", file, "--out", str(tmp_path / "absent" / "report.txt")]) == 2
    assert "--out: the file cannot be written" in capsys.readouterr().err
