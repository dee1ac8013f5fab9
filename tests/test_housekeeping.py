"""`migrate` and `purge` as an operator runs them: what they did is printed, and the ledger is as they say."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import main
from cds_service.ledger.schema import HEAD
from tests.fixture_files import Clock, app_of, ask, legal
from tests.ledger_structure import make_first_tables
from tests.test_cli import refused

CALL = legal("cd4-120-starting-art")
PATIENT = CALL["context"]["patientId"]
TABLES = ("feedback", "quiet_periods", "issued_advice")


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the commands are set up for."""
    file = tmp_path / "ledger.sqlite3"
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{file}")
    for name in ("CDS_RETENTION_DAYS", "CDS_COMMENT_DAYS", "CDS_PATIENT_KEY_FILE", "CDS_SETTINGS"):
        monkeypatch.delenv(name, raising=False)
    return file


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert not printed.err
    return printed.out


def changed(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)


def aged(database: Path, table: str, column: str, days: int) -> None:
    """Everything in a table is so many days old."""
    moment = datetime.now(UTC) - timedelta(days=days)
    changed(database, f"UPDATE {table} SET {column} = '{moment:%Y-%m-%d %H:%M:%S.000000}'")  # noqa: S608


def counts(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(database)) as connection:
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}  # noqa: S608


def overridden_by(database: Path, **settings: Any) -> None:
    """A patient is advised about today, and all of it is overridden with a comment."""
    client = app_of(Clock(), database_url=f"sqlite:///{database}", **settings).test_client()
    cards = ask(client, CALL).get_json()["cards"]
    entries = [
        {"card": one["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-20T12:00:00Z",
         "overrideReason": {"userComment": "seen tomorrow"}} for one in cards
    ]  # fmt: skip
    path = "/cds-services/immune-status-order-sign/feedback"
    assert client.post(path, json={"feedback": entries}).status_code == 200
    aged(database, "issued_advice", "issued", 0)
    aged(database, "feedback", "received", 0)
    changed(database, "UPDATE quiet_periods SET until = date('now')")


def test_migrate_says_from_where_it_went_to_where(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"were made, at {HEAD}" in said(capsys, "migrate")
    assert f"are at {HEAD}; nothing" in said(capsys, "migrate")
    changed(database, "UPDATE alembic_version SET version_num = '9999'")
    assert f"are at 9999, of a newer version than this one ({HEAD})" in said(capsys, "migrate")


def test_migrate_says_from_which_older_version_it_went(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_first_tables(f"sqlite:///{database}")
    assert f"went from 0001 to {HEAD}" in said(capsys, "migrate")


def test_purge_prints_what_went_and_leaves_what_is_kept(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overridden_by(database)
    before = counts(database)
    assert min(before.values()) > 0
    assert set(said(capsys, "purge").split()[1::2]) == {"0"}
    assert counts(database) == before
    aged(database, "feedback", "received", 100)
    aged(database, "issued_advice", "issued", 800)
    lines = said(capsys, "purge").splitlines()
    assert f"issued_advice {before['issued_advice']}" in lines
    assert f"comments {before['feedback']}" in lines
    assert counts(database) == before | {"issued_advice": 0}


def test_purge_goes_by_the_settings(
    database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    overridden_by(database)
    before = counts(database)
    aged(database, "issued_advice", "issued", 2000)
    monkeypatch.setenv("CDS_RETENTION_DAYS", "3660")
    assert "issued_advice 0" in said(capsys, "purge")
    monkeypatch.setenv("CDS_RETENTION_DAYS", "30")
    assert f"issued_advice {before['issued_advice']}" in said(capsys, "purge")


def test_purge_of_a_patient_takes_all_about_that_one_by_the_id_that_the_client_sends(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overridden_by(database)
    before = counts(database)
    for issuer, patient in (("https://other.example.org", PATIENT), ("open-demo", "another")):
        said(capsys, "purge", "--issuer", issuer, "--patient", patient)
        assert counts(database) == before
    printed = said(capsys, "purge", "--issuer", "open-demo", "--patient", PATIENT)
    assert printed.splitlines() == [f"{name} {before[name]}" for name in TABLES]
    assert set(counts(database).values()) == {0}


def test_purge_of_a_patient_goes_by_the_key_of_the_site(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    overridden_by(database, patient_key_file=str(key))
    asked = ("purge", "--issuer", "open-demo", "--patient", PATIENT)
    said(capsys, *asked)
    assert min(counts(database).values()) > 0
    monkeypatch.setenv("CDS_PATIENT_KEY_FILE", str(key))
    said(capsys, *asked)
    assert set(counts(database).values()) == {0}


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    "given",
    [("--issuer", "x"), ("--patient", "x"), ("--issuer", "", "--patient", ""), ("--issuer", "x", "--patient", "")],
)
def test_half_a_patient_is_no_patient(given: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert "together" in refused(capsys, "purge", *given)


@pytest.mark.parametrize("command", ["migrate", "purge"])
def test_a_database_that_cannot_be_opened_is_named(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in ("sqlite:////absent/ledger.sqlite3", "postgresql+psycopg://u:ZZCANARY@127.0.0.1:1/none"):
        monkeypatch.setenv("CDS_DATABASE_URL", url)
        found = refused(capsys, command)
        assert "CDS_DATABASE_URL" in found
        assert "ZZCANARY" not in found
