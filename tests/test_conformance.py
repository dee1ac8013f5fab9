"""The running service asked by a tool that knows nothing but the published document, and by bytes that are hardly HTTP."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from cds_service.fixtures import fixture, fixture_names
from tests.openapi_document import Published
from tests.test_web import ROOT, free_port, send, talk, wait_for

SETUP = ROOT / "tests" / "conformance" / "schemathesis.toml"
SERVE = """
import sys
from cds_service.demo.run import demo_app
from cds_service.server import Server
from cds_service.settings import Settings
settings = Settings(open_access=True, explain="full", database_url=sys.argv[2])
Server(lambda: demo_app(settings, None), sys.argv[1], workers=1).run()
"""
FEWEST, MOST = 400, 2500  # requests; the tool decides how many, from the document


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The demo's server, without its EHR."""
    found, database = free_port(), f"sqlite:///{tmp_path_factory.mktemp('server') / 'ledger.sqlite3'}"
    with subprocess.Popen([sys.executable, "-c", SERVE, f"127.0.0.1:{found}", database], cwd=ROOT) as server:
        try:
            wait_for(found, server)
            yield found
        finally:
            server.terminate()
            server.wait(20)


def document(port: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(send(port, "GET", "/openapi.json").body)
    return found


def with_fixtures(published: dict[str, Any]) -> dict[str, Any]:
    """Each fixture as one more example: what is generated rarely has a chart that is worth a card."""
    content = published["paths"]["/cds-services/{id}"]["post"]["requestBody"]["content"]["application/json"]
    today = datetime.now(UTC).date()
    content["examples"] |= {name: {"value": fixture(name, today)} for name in fixture_names()}
    return published


@pytest.mark.slow
def test_what_is_generated_from_the_document_is_answered_by_the_document(port: int, tmp_path: Path) -> None:
    """All checks of schemathesis that a service without tokens can be held to, from a fixed seed: its setup says which."""
    location = tmp_path / "openapi.json"
    location.write_text(json.dumps(with_fixtures(document(port))), "utf-8")
    run = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            f"--config-file={SETUP}",
            "run",
            str(location),
            f"--url=http://127.0.0.1:{port}",
            "--no-color",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    passed = re.search(r"(\d+) generated, \1 passed", run.stdout)
    assert passed, run.stdout
    assert FEWEST < int(passed[1]) < MOST


@pytest.mark.parametrize(
    ("request_line", "more", "status"),
    [
        (f"GET /healthz?{'x' * 5000} HTTP/1.1", "", 414),
        ("GET /healthz HTTP/1.1", "Expect: miracles\r\n", 417),
        ("GET /healthz HTTP/1.1", f"X-Long: {'x' * 9000}\r\n", 431),
        ("POST /cds-services/immune-status-order-sign HTTP/1.1", "Transfer-Encoding: xchunked\r\n", 501),
        ("GET /healthz HTTP/1.1", "A header without a colon\r\n", 400),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_what_is_no_http_is_refused_as_published(port: int, request_line: str, more: str, status: int) -> None:
    said = talk(port, f"{request_line}\r\nHost: 127.0.0.1\r\n{more}\r\n".encode())
    head, _, body = said.partition(b"\r\n\r\n")
    first, _, lines = head.partition(b"\r\n")
    assert int(first.split()[1]) == status
    headers = dict(BytesParser().parsebytes(lines + b"\r\n\r\n").items())
    method, path, _ = request_line.split(" ")
    assert not Published(document(port)).faults(method, path, status, headers, body)
