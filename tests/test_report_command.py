"""`cds-service report` as somebody of a site's team runs it: what it prints in each form, and how it ends."""

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from cds_service import app
from cds_service.cli import main
from cds_service.ledger import Ledger
from cds_service.wire.validation import validator
from tests.feedback_history import HOSTILE, A, at, card, hear, say, tell

ROOT = Path(__file__).parents[1]
NOVEMBER = ("--from", "2026-11-01", "--to", "2026-11-30")
UNSAFE = "=cmd|'/c calc'!A1,\"x\""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with the history; made once."""
    file = tmp_path_factory.mktemp("told") / "ledger.sqlite3"
    ledger = Ledger(f"sqlite:///{file}")
    tell(ledger)
    say(ledger, 50, at(11, 22), "p9", "f9", UNSAFE)  # no rule has such a name; a table must bear it all the same
    ledger.database.close()
    return file


@pytest.fixture(autouse=True)
def database(told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, named by the environment; it is the end of November."""
    for name in os.environ:
        if name.startswith("CDS_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(app, "system_clock", lambda: datetime(2026, 11, 30, 12, tzinfo=UTC))
    file = Path(shutil.copy(told, tmp_path / "ledger.sqlite3"))
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{file}")
    return file


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["report", *arguments]) == 0
    return capsys.readouterr().out


def rows(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(printed(capsys, "--format", "csv", *arguments), newline="")))


def refused(capsys: pytest.CaptureFixture[str], status: int, *arguments: str) -> str:
    try:
        ended = main(["report", *arguments])
    except SystemExit as end:  # argparse's own way
        ended = int(str(end.code))
    said = capsys.readouterr()
    assert ended == status
    assert not said.out
    assert "Traceback" not in said.err
    return said.err


# --- what it prints --------------------------------------------------------------------------------------------------


def test_a_terminal_gets_the_figures_and_how_to_read_them(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, *NOVEMBER)
    assert "1 Nov 2026 to 30 Nov 2026" in said
    assert "Accepted: 43% (3 of 7) of what there is feedback on, 23% (3 of 13) of what was shown" in said
    line = next(line for line in said.splitlines() if line.startswith(" art-start"))
    assert line.split() == ["art-start", "8", "2", "3", "3", "1", "40%", "25%", "3", "0.60"]
    assert "never what was ignored" in " ".join(said.split())
    assert "quiet period 5; no room 1; shadow 1; no HIV viral load 4; no CD4 count 3; (switched off) 2" in " ".join(
        said.split()
    )
    assert max(map(len, said.splitlines())) <= 120


def test_the_last_ninety_days_are_the_usual_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert "2 Sep 2026 to 30 Nov 2026" in printed(capsys)


def test_a_csv_has_a_row_a_rule_and_names_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, *NOVEMBER, "--issuer", A, "--rule", "art-start")
    assert found == [
        {
            "from": "2026-11-01", "to": "2026-11-30", "rule": "art-start", "issuer": A, "service": "", "answers": "30",
            "shown": "7", "would_have_been_shown": "1", "accepted": "2", "overridden": "2",
            "overridden_action_completed": "0", "overridden_patient_refuses": "0",
            "overridden_patient_contraindication": "0", "overridden_not_now": "0", "overridden_data_wrong": "0",
            "overridden_disagree": "1", "overridden_none": "1", "no_feedback": "3", "ordered_afterwards": "1",
            "with_feedback": "4", "accepted_of_feedback": "0.5", "accepted_of_shown": "0.2857", "repeats": "3",
            "held": "7", "held_quiet_period": "5", "held_no_room": "1", "held_unrelated_order": "0", "held_shadow": "1",
            "not_assessed": "6", "not_assessed_for_want_of": "viral-load 4; cd4-count 3", "switched_off": "2",
            "silent": "0", "patients": "4", "repeats_per_patient": "0.75",
        }
    ]  # fmt: skip


def test_a_csv_by_week_has_a_row_a_rule_and_week(capsys: pytest.CaptureFixture[str]) -> None:
    found = [one for one in rows(capsys, *NOVEMBER, "--by", "week") if one["rule"] == "art-start"]
    assert [one["shown"] for one in found] == ["0", "4", "2", "2", "0", "0"]
    assert [one["from"] for one in found][:2] == ["2026-11-01", "2026-11-02"]
    assert [one["answers"] for one in found] == ["0", "30", "0", "10", "0", "0"]
    assert {one["patients"] for one in found} == {""}  # who is seen in two weeks would count twice in their sum


def test_no_cell_of_a_csv_is_a_formula(capsys: pytest.CaptureFixture[str]) -> None:
    found = {one["rule"]: one for one in rows(capsys, *NOVEMBER)}
    assert f"'{UNSAFE}" in found
    assert UNSAFE not in found
    (only,) = rows(capsys, *NOVEMBER, "--rule", UNSAFE, "--issuer", A)
    assert (only["shown"], only["rule"]) == ("1", f"'{UNSAFE}")
    comments = rows(capsys, *NOVEMBER, "--comments")
    assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in comments for cell in row.values())
    assert f"'{HOSTILE}" in [one["words"] for one in comments]


@pytest.mark.parametrize("by", [None, "day", "month"])
def test_json_has_the_shape_that_is_published(capsys: pytest.CaptureFixture[str], by: str | None) -> None:
    found = json.loads(printed(capsys, *NOVEMBER, "--format", "json", *(["--by", by] if by else [])))
    validator("report").validate(found)
    assert found["period"] == {"from": "2026-11-01", "to": "2026-11-30", "by": by}
    assert (found["answers"], found["unmatchedFeedback"], found["total"]["shown"]) == (40, 3, 13)
    assert found["total"]["acceptedOfFeedback"] == {"number": 3, "of": 7, "share": 0.4286}
    assert len(found["series"]) == {None: 0, "day": 30, "month": 1}[by]
    assert sum(one["answers"] for one in found["series"]) == (40 if by else 0)


@pytest.mark.parametrize("form", ["terminal", "csv", "json"])
@pytest.mark.parametrize("more", [[], ["--by", "day"], ["--comments"]])
def test_nothing_of_a_patient_a_card_or_a_hash_is_printed(
    capsys: pytest.CaptureFixture[str], database: Path, form: str, more: list[str]
) -> None:
    ledger = Ledger(f"sqlite:///{database}")
    patient, doctor = (ledger.pseudonyms.of(A, name) for name in ("patient", "doctor"))
    facts = "0123456789abcdef" * 2
    say(ledger, 60, at(11, 23), patient, facts)
    hear(ledger, card(60), at(11, 23), "disagree", comment="words")
    ledger.database.close()
    with closing(sqlite3.connect(database)) as connection:
        kept = [one for row in connection.execute("SELECT digest, comment, card FROM feedback") for one in row if one]
    said = printed(capsys, *NOVEMBER, "--format", form, *more)
    assert not [one for one in (patient, doctor, facts, card(60), *kept) if one in said]


@pytest.mark.parametrize("form", ["terminal", "csv", "json"])
def test_an_empty_ledger_is_told_as_such(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any, form: str
) -> None:
    Ledger(f"sqlite:///{tmp_path / 'new.sqlite3'}").database.close()
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path / 'new.sqlite3'}")
    said = printed(capsys, "--format", form, "--by", "week")
    assert {"terminal": "Accepted: – (0 of 0)", "csv": "from,to,rule,", "json": '"rules": []'}[form] in said


# --- what clinicians wrote -------------------------------------------------------------------------------------------


def test_comments_are_printed_with_their_day_rules_and_reason_and_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, *NOVEMBER, "--comments")
    assert "They may name a patient" in said
    assert "20 Nov 2026  art-start, monitoring-due  overridden: I disagree with the recommendation" in said
    assert "3 Nov 2026  art-start  overridden: Not now, will review\n  seen on Thursday" in said
    assert (
        "15 Nov 2026  of no card that was shown here  overridden: The data are wrong or outdated\n  of no card" in said
    )
    assert "seen on Thursday" not in printed(capsys, *NOVEMBER, "--comments", "--rule", "monitoring-due")


def test_a_comment_moves_no_cursor_and_turns_no_writing(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, *NOVEMBER, "--comments")
    assert "\\u001b[31m \\u202e Jane" in said
    assert not {"\x1b", "\u202e", "\x07"} & set(said)


def test_comments_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, *NOVEMBER, "--comments", "--format", "json"))
    assert "may name a patient" in found["warning"]
    assert found["comments"][0] == {
        "day": "2026-11-20", "rules": ["art-start", "monitoring-due"], "outcome": "overridden", "reason": "disagree",
        "words": HOSTILE,
    }  # fmt: skip


def test_a_csv_of_comments_warns_beside_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", *NOVEMBER, "--comments", "--format", "csv"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("day,rules,outcome,reason,words\r\n")
    assert "may name a patient" in said.err


def test_with_another_key_no_comment_is_opened(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_bytes(b"k" * 32)
    monkeypatch.setenv("CDS_PATIENT_KEY_FILE", str(tmp_path / "key"))
    said = printed(capsys, *NOVEMBER, "--comments")
    assert "cannot be opened" in said
    assert "Thursday" not in said


def test_no_comment_is_printed_unless_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("terminal", "csv", "json"):
        assert "Thursday" not in printed(capsys, *NOVEMBER, "--format", form)


# --- how it ends -----------------------------------------------------------------------------------------------------


def test_a_database_that_is_not_there_is_said_and_not_made(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in (
        f"sqlite:///{tmp_path / 'none.sqlite3'}",
        f"sqlite:///{tmp_path / 'no-folder' / 'none.sqlite3'}",
        "sqlite://",
        "no address",
        "oracle://127.0.0.1:1/none",
        "postgresql+psycopg://tester:ZZCANARY@127.0.0.1:1/none",
    ):
        monkeypatch.setenv("CDS_DATABASE_URL", address)
        said = refused(capsys, 1)
        assert "CDS_DATABASE_URL" in said
        assert "ZZCANARY" not in said
    assert not (tmp_path / "none.sqlite3").exists()
    assert not (tmp_path / "no-folder").exists()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_file_that_is_no_ledger_is_said_and_left_as_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    (tmp_path / "other").write_bytes(content)
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path / 'other'}")
    assert "CDS_DATABASE_URL" in refused(capsys, 1)
    assert (tmp_path / "other").read_bytes() == content


def test_a_report_changes_nothing_in_the_ledger(capsys: pytest.CaptureFixture[str], database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        before = list(connection.iterdump())
        for form in ("terminal", "csv", "json"):
            printed(capsys, "--format", form)
            printed(capsys, "--format", form, "--comments")
        assert list(connection.iterdump()) == before


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--from", "yesterday"], "--from"),
        (["--to", "2026-02-30"], "--to"),
        (["--from", "2026-12-01"], "--from"),
        (["--by", "year"], "--by"),
        (["--format", "pdf"], "--format"),
        (["--rule", "x" * 65], "--rule"),
    ],
)
def test_what_is_not_clear_is_refused_by_its_name(
    capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    assert named in refused(capsys, 2, *arguments)


def test_whoever_has_read_enough_may_stop_reading() -> None:
    long_since = str(datetime.now(UTC).date() - timedelta(days=600))
    command = [sys.executable, "-m", "cds_service", "report", "--format", "json", "--by", "day", "--from", long_since]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.read(1)
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 1


def test_the_guide_explains_every_column_and_member(capsys: pytest.CaptureFixture[str]) -> None:
    guide = (ROOT / "docs" / "report.md").read_text("utf-8")
    columns = rows(capsys, *NOVEMBER)[0].keys()
    members = json.loads(printed(capsys, *NOVEMBER, "--format", "json"))
    named = set(re.findall(r"`([A-Za-z_]+)`", guide))
    assert {one for one in columns if not one.startswith(("overridden_", "held_"))} <= named
    assert members.keys() | members["total"].keys() | members["rules"][0].keys() <= named
