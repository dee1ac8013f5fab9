"""The commands as a user runs them: what they print, how they end, and that they leave no process behind."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from threading import Timer

import pytest

from cds_service import __version__
from cds_service.cli import main

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-m", "cds_service"]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
SECONDS = 120  # before a command counts as hanging, on a machine with much else to do


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=CLEAN | environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command says that was called or set up wrongly."""
    try:
        status = main(arguments)
    except SystemExit as end:  # argparse's own way
        status = int(str(end.code))
    printed = capsys.readouterr()
    assert status == 2
    assert not printed.out
    assert "Traceback" not in printed.err
    return printed.err


# --- the demo --------------------------------------------------------------------------------------------------------


@contextmanager
def demo(port: int) -> Iterator[subprocess.Popen[str]]:
    """A running demo in a process group of its own, up to the point where it waits for Ctrl-C."""
    with subprocess.Popen(
        [*COMMAND, "demo", "--port", str(port)],
        cwd=ROOT,
        env=CLEAN,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        too_long = Timer(SECONDS, running.kill)
        too_long.start()
        try:
            assert running.stdout
            printed = "".join(
                iter(lambda: running.stdout.readline() if running.stdout else "", "Serving until Ctrl-C.\n")
            )
            assert "Addresses to try" in printed
            yield running
        finally:
            too_long.cancel()
            with suppress(ProcessLookupError):  # what a failed test left of its group
                os.killpg(running.pid, signal.SIGKILL)


def status_of(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def group_lives(leader: int, within: float = 5.0) -> bool:
    """Whether any process of the group is left after a moment: what is killed beside its parent may end a little later."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


def test_the_demo_plays_once_and_prints_cards() -> None:
    port = free_port()
    played = run("demo", "--once", "--port", str(port))
    assert played.returncode == 0, played.stderr
    assert not played.stderr
    for expected in (
        "Pneumocystis prophylaxis is due",
        "WARNING",
        "Order TMP-SMX double strength",
        "No cards: nothing to say.",
        "Stevens-Johnson",
        f"http://127.0.0.1:{port}/cds-services",
        "cds-service fixture cd4-120-starting-art",
    ):
        assert expected in played.stdout
    assert "The call failed" not in played.stdout
    with pytest.raises(ConnectionRefusedError):
        status_of(port, "/healthz")


def test_the_demo_can_be_played_as_of_a_day() -> None:
    played = run("demo", "--once", "--port", str(free_port()), "--as-of", "2031-03-08")
    assert played.returncode == 0, played.stderr
    assert "28 Feb 2031 (8 days ago)" in played.stdout
    assert set(re.findall(r"\d \w{3} (\d{4}) \(\d+ days ago\)", played.stdout)) == {"2031"}
    assert "The call failed" not in played.stdout


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_running_demo_is_stopped_cleanly(sign: signal.Signals) -> None:
    port = free_port()
    with demo(port) as running:
        assert [status_of(port, path) for path in ("/readyz", "/", "/fhir/metadata")] == [200, 200, 200]
        if sign == signal.SIGINT:
            os.killpg(running.pid, sign)  # as a terminal sends Ctrl-C: to the whole group
        else:
            running.send_signal(sign)
        printed, complained = running.communicate(timeout=SECONDS)
    assert running.returncode == 0
    assert "Traceback" not in printed + complained
    assert not group_lives(running.pid)
    with pytest.raises(ConnectionRefusedError):
        status_of(port, "/healthz")


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(capsys, "demo", "--once", "--port", str(port))
    assert str(port) in said
    assert "--port" in said


@pytest.mark.parametrize("port", ["99999", "-1", "0", "http"])
def test_a_port_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], port: str) -> None:
    assert "--port" in refused(capsys, "demo", "--once", f"--port={port}")


@pytest.mark.parametrize("day", ["2026-13-01", "today", "20.11.2026"])
def test_a_day_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], day: str) -> None:
    assert "--as-of" in refused(capsys, "demo", "--once", "--as-of", day)


def test_the_demo_refuses_a_setting_that_is_nonsense(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDS_EXPLAIN", "nonsense")
    assert "CDS_EXPLAIN" in refused(capsys, "demo", "--once")


# --- the production service ------------------------------------------------------------------------------------------


@pytest.fixture
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("CDS_"):
            monkeypatch.delenv(name)


@pytest.mark.usefixtures("_no_settings")
def test_serving_needs_trusted_issuers_and_a_public_address(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert re.search(r"CDS_ISSUERS|CDS_PUBLIC_URL", refused(capsys, "serve"))
    monkeypatch.setenv("CDS_PUBLIC_URL", "https://cds.example.org")
    assert "CDS_ISSUERS" in refused(capsys, "serve")
    monkeypatch.delenv("CDS_PUBLIC_URL")
    issuers = tmp_path / "issuers.toml"
    issuers.write_text(
        '[[issuer]]\niss = "https://ehr.example.org"\njwks = "https://ehr.example.org/.well-known/jwks.json"\n', "utf-8"
    )
    monkeypatch.setenv("CDS_ISSUERS", str(issuers))
    assert "CDS_PUBLIC_URL" in refused(capsys, "serve")


@pytest.mark.usefixtures("_no_settings")
@pytest.mark.parametrize(
    ("name", "value"),
    [("CDS_PROFILE", "x"), ("CDS_MAX_BODY_BYTES", "x"), ("CDS_IU_PER_COPY", "x"), ("CDS_SETTINGS", "none.toml")],
)
def test_serving_refuses_to_start_naming_the_setting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert refused(capsys, "serve").startswith(f"cds-service: {name}: ")


# --- the commands themselves -----------------------------------------------------------------------------------------


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"cds-service {__version__}\n"


def test_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    listed = capsys.readouterr().out
    assert all(command in listed for command in ("demo", "fixture", "serve"))


@pytest.mark.parametrize("arguments", [[], ["dance"], ["demo", "--dance"], ["fixture"]])
def test_a_command_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert "usage: cds-service" in refused(capsys, *arguments)


def test_the_module_is_the_command() -> None:
    as_module = run("--version")
    script = Path(sys.executable).with_name("cds-service")
    assert as_module.stdout == f"cds-service {__version__}\n"
    if script.exists():
        assert (
            subprocess.run([script, "--version"], check=True, capture_output=True, text=True).stdout == as_module.stdout
        )


def test_a_fixture_is_found_from_any_folder(tmp_path: Path) -> None:
    found = subprocess.run(
        [*COMMAND, "fixture", "cd4-120-starting-art"],
        cwd=tmp_path,
        env=CLEAN | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.startswith('{"hook": "order-sign"')
    assert not found.stderr


@pytest.mark.usefixtures("_no_settings")
def test_the_tables_are_made_before_the_service_starts_and_left_as_they_are_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database = tmp_path / "ledger.sqlite3"
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{database}")
    for _ in range(2):
        assert main(["migrate"]) == 0
        assert "tables" in capsys.readouterr().out
    with closing(sqlite3.connect(database)) as found:
        names = {name for (name,) in found.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"feedback", "seen_tokens", "site_keys"} <= names
    monkeypatch.setenv("CDS_DATABASE_URL", "sqlite:////absent/ledger.sqlite3")
    assert "CDS_DATABASE_URL" in refused(capsys, "migrate")
