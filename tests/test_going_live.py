"""The running server and the commands of its operator in; out comes that a switch is gone by without a restart, and who watches."""

import json
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from cds_service.settings import PREFIX
from tests.fixture_files import EVALUATION
from tests.test_serve import ROOT, SANDBOX, call, serving, token_of, trust_file
from tests.test_web import send

pytestmark = pytest.mark.slow
PCP = "pneumocystis-start"
WITHIN = 60  # seconds, as it is promised


def switch(folder: Path, *arguments: str) -> str:
    """The command, as an operator types it."""
    own = {"CDS_DATABASE_URL": f"sqlite:///{folder}/l.sqlite3"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | own
    command = [sys.executable, "-m", "cds_service", "switch", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def finding(port: int) -> Any:
    answer = call(port, token_of(SANDBOX))
    assert answer.status == 200
    return next(one for one in json.loads(answer.body)["extension"][EVALUATION]["findings"] if one["rule"] == PCP)


def wait_for(port: int, **expected: str | None) -> float:
    """Seconds until both workers go by it, as far as a row of answers can tell."""
    began, in_a_row = monotonic(), 0
    while in_a_row < 6:
        found = finding(port)
        in_a_row = in_a_row + 1 if {name: found.get(name) for name in expected} == expected else 0
        assert monotonic() - began < WITHIN, found
        sleep(0.2)
    return monotonic() - began


def test_a_rule_is_stopped_and_brought_back_in_a_running_server(tmp_path: Path) -> None:
    with trust_file(tmp_path) as issuers, serving(tmp_path, issuers) as (port, _):
        assert finding(port)["outcome"] == "recommended"
        assert "Off: not judged: none." in switch(tmp_path)
        assert "within a minute" in switch(tmp_path, PCP, "off", "--because", "a wrong card was reported")
        wait_for(port, outcome="not-assessed", why="switched-off")
        assert f"{PCP} off" in switch(tmp_path)
        switch(tmp_path, PCP, "live")
        wait_for(port, outcome="recommended", why=None)


def test_a_server_that_is_ready_has_given_every_canary_its_answer(tmp_path: Path) -> None:
    with trust_file(tmp_path) as issuers, serving(tmp_path, issuers) as (port, _):
        told = json.loads(send(port, "GET", "/readyz").body)
        assert told == {"status": "ready", "canaries": {"checked": 28, "failed": []}}
        assert 'cds_canary_passed{rule="scope"} 1.0' in send(port, "GET", "/metrics").body.decode()


def test_what_a_server_has_counted_is_there_when_it_has_ended(tmp_path: Path) -> None:
    with trust_file(tmp_path) as issuers, serving(tmp_path, issuers) as (port, _):
        for _ in range(5):
            finding(port)
    own = {"CDS_DATABASE_URL": f"sqlite:///{tmp_path}/l.sqlite3"}
    command = [sys.executable, "-m", "cds_service", "report", "--format", "json"]
    told = json.loads(subprocess.run(command, cwd=ROOT, env=os.environ | own, capture_output=True, check=True).stdout)
    assert told["answers"] == 5
