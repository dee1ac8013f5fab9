"""`cds-service serve` as an operator starts it: the clients of the documented trust file are served, each token counts once."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import main
from cds_service.serve import check
from cds_service.settings import Settings
from tests import fhir_servers as fakes
from tests.clients import BASE, SIGN, CdsClient, key_set
from tests.fixture_files import EVALUATION, legal
from tests.test_web import free_port, send, wait_for

ROOT = Path(__file__).resolve().parents[1]
BODY = json.dumps(legal("cd4-120-starting-art")).encode()
EPIC = CdsClient(
    iss="https://epic.example.org/interconnect/api/FHIR/R4",
    algorithm="RS384",
    kid="mK3/8+Zp1q0w5w2u6v7x8y9zA==",
    name="epic",
)
SANDBOX = CdsClient(
    iss="https://sandbox.cds-hooks.org",
    kid="1a2b3c4d5e6f708192a3b4c5d6e7f80910203040",
    name="sandbox",
    header={"jku": "https://sandbox.cds-hooks.org/.well-known/jwks.json"},
)
BACKEND = CdsClient(iss="https://ehr.example.org", algorithm="RS384", kid="b41528b6f37a9500", name="backend")
MELD = CdsClient(iss="https://meld.example.org", algorithm="RS384", kid="meld", name="meld")
# As each of them writes its tokens, besides what all have
CLAIMS: dict[str, Any] = {
    "epic": lambda now: {"sub": "9f0c", "exp": now + 900, "nbf": now - 300, "aud": f"{BASE}/cds-services"},
    "sandbox": lambda _: {},
    "backend": lambda now: {"sub": "https://ehr.example.org", "exp": now + 300, "tenant": "north-clinic"},
    "meld": lambda _: {"aud": "sand_man"},
}


@contextmanager
def trust_file(folder: Path) -> Iterator[Path]:
    """The documented trust file, with the addresses of key sets led to this machine."""
    published = {"epic": EPIC, "ehr": BACKEND, "meld": MELD}

    def publish(_: fakes.FakeServer, connection: Any, asked: fakes.Asked) -> None:
        client = published[asked.target.rpartition("/")[2]]
        connection.sendall(fakes.whole(key_set(client.jwk(use="sig")), Content_Type="application/json"))

    (folder / "sandbox-keys.json").write_bytes(key_set(SANDBOX.jwk(use="sig", alg="ES384")))
    lines = (ROOT / "docs" / "issuers.example.toml").read_text("utf-8").splitlines()
    with fakes.serving(publish) as server:
        for place, line in enumerate(lines):
            if line.startswith('jwks = "https://'):
                name = line.removeprefix('jwks = "https://').partition(".")[0]
                lines[place] = f'jwks = "{server.base}/{name}"\nallow_private_addresses = true'
        shutil.copy(ROOT / "docs" / "local-codes.example.toml", folder)
        file = folder / "issuers.toml"
        file.write_text("\n".join(lines), "utf-8")
        yield file


@contextmanager
def serving(
    folder: Path, issuers: Path, ready: int = 200, **settings: str
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The command in a process of its own, once /readyz says so."""
    port = free_port()
    own = {
        "CDS_ISSUERS": str(issuers),
        "CDS_PUBLIC_URL": f"{BASE}/",
        "CDS_DATABASE_URL": f"sqlite:///{folder}/l.sqlite3",
        "CDS_DRAIN_SECONDS": "0",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")} | own | settings
    command = [sys.executable, "-m", "cds_service", "serve", "--port", str(port), "--workers", "2"]
    with (
        (folder / "written").open("ab") as written,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=written, stderr=written) as server,
    ):
        try:
            wait_for(port, server, ready)
            yield port, server
        finally:
            server.terminate()
            assert server.wait(20) in (0, -signal.SIGTERM)


def call(port: int, token: str, path: str = SIGN, body: bytes = BODY) -> Any:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return send(port, "POST", path, body, headers)


def token_of(client: CdsClient, path: str = SIGN, **more: Any) -> str:
    usual = client.claims(path)
    return client.token(path, usual["iat"], **(usual | CLAIMS[client.name](usual["iat"]) | more))


def test_the_clients_of_the_documented_trust_file_are_served_and_each_token_counts_once(tmp_path: Path) -> None:
    with trust_file(tmp_path) as issuers, serving(tmp_path, issuers) as (port, _):
        for client in (EPIC, SANDBOX, BACKEND, MELD):
            answer = call(port, token_of(client))
            assert answer.status == 200, client.name
            assert json.loads(answer.body)["cards"]
            assert EVALUATION in json.loads(answer.body)["extension"]
            feedback = {
                "feedback": [{"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-11-20T10:00:00Z"}]
            }
            path = f"{SIGN}/feedback"
            assert call(port, token_of(client, path), path, json.dumps(feedback).encode()).status == 200
        assert call(port, token_of(BACKEND, tenant="east-clinic")).status == 401
        assert call(port, token_of(EPIC, exp=EPIC.claims()["iat"] + 901)).status == 401

        token = token_of(SANDBOX)  # two processes, one database
        with ThreadPoolExecutor(16) as pool:
            assert sorted(pool.map(lambda _: call(port, token).status, range(32))) == [200] + [401] * 31
        with serving(tmp_path, issuers) as (other, _):  # another server on the same database
            assert call(other, token).status == 401
    with trust_file(tmp_path) as issuers, serving(tmp_path, issuers) as (port, _):  # after a new start
        assert call(port, token).status == 401
    written = (tmp_path / "written").read_text()
    assert "its private key is public" in written
    assert "Traceback" not in written


def refused(folder: Path, **settings: str) -> str:
    """What is written when the service does not start."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    environment |= {"CDS_DATABASE_URL": f"sqlite:///{folder}/l.sqlite3"} | settings
    command = [sys.executable, "-m", "cds_service", "serve", "--port", str(free_port())]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_what_keeps_it_from_starting_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unstarted(**settings: str) -> str:
        """As `refused`, in this process: a start takes a second or two."""
        with monkeypatch.context() as environment:
            environment.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path}/l.sqlite3")
            for name, value in settings.items():
                environment.setenv(name, value)
            mask = os.umask(0)
            try:
                assert main(["serve", "--port", str(free_port())]) == 2
            finally:
                os.umask(mask)
        return capsys.readouterr().err

    good = tmp_path / "issuers.toml"
    (tmp_path / "keys.json").write_bytes(key_set(SANDBOX.jwk()))
    good.write_text('[[issuer]]\niss = "https://ehr.example.org"\njwks = "keys.json"\n', "utf-8")
    bad = tmp_path / "bad.toml"
    bad.write_text('[[issuer]]\niss = "https://ehr.example.org"\njwks = "absent.json"\n', "utf-8")
    issuers, public = {"CDS_ISSUERS": str(good)}, {"CDS_PUBLIC_URL": BASE}
    assert "CDS_ISSUERS" in refused(tmp_path, **public)
    assert "CDS_PUBLIC_URL" in refused(tmp_path, **issuers)
    assert "jwks" in refused(tmp_path, CDS_ISSUERS=str(bad), **public)
    for address in (
        "cds.example.org",
        "http://cds.example.org",
        "https://cds.example.org/?x",
        "https://u@cds.example.org",
    ):
        assert "CDS_PUBLIC_URL" in unstarted(CDS_PUBLIC_URL=address, **issuers)
    for database in ("sqlite:////absent/x.sqlite3", "sqlite://", "sqlite:///:memory:"):
        assert "CDS_DATABASE_URL" in unstarted(CDS_DATABASE_URL=database, **issuers, **public)
    for networks in ("0.0.0.0/0", "192.0.2.1,::/0", "128.0.0.0/1"):
        assert "CDS_METRICS_ALLOW" in unstarted(CDS_METRICS_ALLOW=networks, **issuers, **public)
    assert "CDS_DRAIN_SECONDS" in unstarted(CDS_DRAIN_SECONDS="soon", **issuers, **public)


def test_what_an_operator_should_know_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys.json").write_bytes(key_set(SANDBOX.jwk()))
    issuers = tmp_path / "issuers.toml"
    issuers.write_text('[[issuer]]\niss = "https://ehr.example.org"\njwks = "keys.json"\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "open.sqlite3").touch(0o644)
    (tmp_path / "open.sqlite3").chmod(0o644)
    fixed = {"issuers": str(issuers), "public_url": BASE}
    said = "\n".join(check(Settings(database_url="sqlite:///open.sqlite3", **fixed), "0.0.0.0"))  # noqa: S104
    assert "is relative" in said
    assert "every user of this machine" in said
    assert "plain HTTP beyond this machine" in said
    (tmp_path / "own.sqlite3").touch(0o600)
    for host in ("127.0.0.1", "::1", "localhost"):
        said = "\n".join(check(Settings(database_url=f"sqlite:///{tmp_path}/own.sqlite3", **fixed), host))
        assert "CDS_DATABASE_URL" not in said
        assert "plain HTTP" not in said


def test_nobody_else_can_read_the_database_that_it_makes(tmp_path: Path) -> None:
    with trust_file(tmp_path) as issuers, serving(tmp_path, issuers):
        assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("l.sqlite3*")} == {0}


@pytest.mark.parametrize("number", ["0", "65", "two", "-1"])
def test_a_number_of_workers_is_a_number(number: str) -> None:
    command = [sys.executable, "-m", "cds_service", "serve", "--workers", number]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert "--workers" in ended.stderr
