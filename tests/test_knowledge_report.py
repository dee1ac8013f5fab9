"""The knowledge and a day in; out comes what rests on which source, what awaits review, what is overdue, as data and in print."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from cds_service.cli import main
from hooks.knowledge import load, load_profiles
from hooks.knowledge.load import FOLDER
from hooks.knowledge.report import Report, report

KNOWLEDGE = load()
PROFILES = load_profiles(KNOWLEDGE)
CHECKED = date(2026, 11, 20)


def at(days: int, overdue_after: int = 365) -> Report:
    return report(KNOWLEDGE, PROFILES, CHECKED + timedelta(days=days), overdue_after)


def test_each_source_is_listed_with_what_rests_on_it() -> None:
    found = {one.source.key: one for one in at(0).sources}
    assert list(found) == sorted(KNOWLEDGE.sources)
    assert found["WHO-TPT-2020"].counts == {"who": {"statement": 1, "regimen": 1}}
    assert found["GRANT-2010"].counts == {"dhhs": {"statement": 1}, "who": {"statement": 1}}
    for name, profile in PROFILES.items():
        counted = sum(sum(one.counts.get(name, {}).values()) for one in found.values())
        held = len(profile.statements) + len(profile.thresholds) + sum(map(len, profile.regimens.values()))
        assert counted == held


def test_marks_are_read_from_the_sources() -> None:
    marks = {one.source.key: (one.source.secondary, one.source.undated) for one in at(0).sources}
    assert marks["SA-CRAG"] == (True, True)
    assert marks["EACS-OI"] == (False, True)
    assert marks["BMJ-899"] == (True, False)
    assert marks["VF-DHHS"] == (False, False)


def test_choices_of_this_service_await_review() -> None:
    found = {one.key: one for one in at(0).choices}
    assert found["viral-load-fresh"].profiles == ("dhhs", "who")
    assert found["mac-on-art"].profiles == ("dhhs",)
    assert "failure-viral-load" not in found
    assert all(one.threshold and one.threshold.design for one in found.values())
    assert len({one.threshold for one in found.values()}) == len(found)


def test_quiet_periods_stand_among_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knowledge", "report"]) == 0
    printed = capsys.readouterr().out
    assert "not-now: information 7, a warning 7; every rule alike" in printed
    assert "action-completed: information 90, a warning 30; toxoplasma-test 365, tuberculosis-prevention 365" in printed
    assert "borders of viral-load: 50, 200, 1000, 10000, 100000" in printed


def test_what_was_checked_a_year_ago_is_overdue_the_day_after() -> None:
    assert at(365).overdue == ()
    late = at(366).overdue
    assert {one.kind for one in late} == {"source", "statement", "threshold", "regimen"}
    assert {one.days for one in late} == {366}
    assert {one.key for one in late if one.kind == "source"} == set(KNOWLEDGE.sources)
    assert at(8, overdue_after=7).overdue


def test_the_longest_overdue_comes_first() -> None:
    aged = KNOWLEDGE.sources["WHO-2021"]
    older = replace(KNOWLEDGE, sources={**KNOWLEDGE.sources, aged.key: replace(aged, checked=date(2025, 1, 1))})
    (first, *rest) = report(older, PROFILES, CHECKED, 365).overdue
    assert (first.kind, first.key, first.checked) == ("source", "WHO-2021", date(2025, 1, 1))
    assert not rest


def test_the_report_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knowledge", "report", "--as-of", "2026-11-26"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"Knowledge {KNOWLEDGE.version} on 26 Nov 2026; profiles: dhhs, who\n")
    assert all(f"\n{key}: " in printed for key in KNOWLEDGE.sources)
    assert "undated, read 20 Nov 2026; checked 20 Nov 2026; secondary: read through another's report" in printed
    assert "\nviral-load-fresh: 180 d; ISC-DESIGN, viral load to show suppression [every profile]\n" in printed
    assert printed.endswith("OVERDUE: LAST CHECKED MORE THAN 365 DAYS AGO\nnone\n")


def test_what_is_overdue_is_printed_and_fails_where_it_should(capsys: pytest.CaptureFixture[str]) -> None:
    late = ["knowledge", "report", "--as-of", "2026-11-26", "--overdue-after", "5"]
    assert main(late) == 0
    printed = capsys.readouterr().out
    assert "source VF-DHHS: checked 20 Nov 2026, 6 days ago\n" in printed
    assert "threshold mac-on-art (ISC-DESIGN): checked 20 Nov 2026, 6 days ago [dhhs]\n" in printed
    assert "checked 20 Nov 2026; overdue\n" in printed
    assert main([*late, "--strict"]) == 1
    assert main(["knowledge", "report", "--as-of", "2026-11-26", "--strict"]) == 0


@pytest.mark.parametrize("wrong", [["--overdue-after", "soon"], ["--overdue-after", "-1"], ["--as-of", "26.11.2026"]])
def test_a_report_asked_for_wrongly_is_refused(capsys: pytest.CaptureFixture[str], wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["knowledge", "report", *wrong])
    assert end.value.code == 2
    assert wrong[0] in capsys.readouterr().err


def test_the_change_log_of_the_knowledge_begins_with_its_version() -> None:
    versions = re.findall(r"^## (\S+)", (FOLDER / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert versions[0] == KNOWLEDGE.version
    parts = [tuple(map(int, version.split("."))) for version in versions]
    assert parts == sorted(set(parts), reverse=True)
