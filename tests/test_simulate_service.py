"""`cds-service simulate` against this service as an operator starts it, with a trust file that holds the simulator's own key."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cds_service.cli import main
from cds_service.demo.store import open_charts
from tests.clients import BASE
from tests.fixture_files import ANCHOR, REQUESTS
from tests.test_serve import ROOT, free_port, serving
from tests.test_simulate import faults, simulated
from tests.test_web import serving as open_access

ISS = "https://simulated.example.org"
WRONG = ("expired", "future", "wrong-audience", "used-twice", "no-jti", "wrong-key", "none-algorithm")
STORIES = open_charts(ANCHOR).stories
ONE = ("--patient", "starting-art", "--hook", "order-sign")


class Site(NamedTuple):
    url: str
    options: tuple[str, ...]  # key, issuer, and the address that the service knows itself by
    fhir_port: int


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The key is made as the guide says, its public half handed over, and the service started with it."""
    folder, fhir_port = tmp_path_factory.mktemp("site"), free_port()
    command = [sys.executable, "-m", "cds_service", "simulate", "--make-key", str(folder / "key.json")]
    (folder / "keys.json").write_text(subprocess.check_output(command, cwd=ROOT, text=True), "utf-8")
    entry = f"""[[issuer]]
iss = "{ISS}"
jwks = "keys.json"
fhir_servers = ["http://127.0.0.1:{fhir_port}/fhir"]
allow_private_addresses = true
origins = ["https://ehr.example.org"]
deadline_ms = 1000
"""
    (folder / "issuers.toml").write_text(entry, "utf-8")
    with serving(folder, folder / "issuers.toml") as (port, _):
        options = ("--key", str(folder / "key.json"), "--iss", ISS, "--public-url", BASE)
        yield Site(f"http://127.0.0.1:{port}", options, fhir_port)


def test_every_demo_patient_is_answered_at_every_hook(capsys: pytest.CaptureFixture[str], site: Site) -> None:
    options = (*site.options, "--at-once", "4", "--feedback", "both", "--origin", "https://ehr.example.org")
    status, document = simulated(capsys, site.url, *options)
    assert (status, faults(document)) == (0, set())
    assert document["figures"]["answered"] == 3 * len(STORIES) == len(document["calls"])
    assert [one["found"] for one in document["probes"]] == [
        "404",
        "refused (401): a token is required",
        "pages of https://ehr.example.org may call (204)",
    ]
    assert any(one["cards"] for one in document["calls"])
    told = [one["feedback"] for one in document["calls"] if one["feedback"]]
    assert {(one["status"], one["again"]) for one in told} == {(200, 200)}
    assert all(one["accepted"] for one in told) is False
    assert all(one["evaluation"] for one in document["calls"])
    notes = {one["text"] for call in document["calls"] for one in call["remarks"]}
    assert notes <= {"an answer should come within about half a second"}  # which a busy machine may not keep


def test_every_wrong_token_is_refused_and_every_right_one_is_not(
    capsys: pytest.CaptureFixture[str], site: Site
) -> None:
    status, document = simulated(capsys, site.url, *site.options, *ONE, "--token-fault", "all")
    assert (status, faults(document)) == (0, set())
    assert [one["status"] for one in document["calls"]] == [200] + [401] * len(WRONG)
    assert document["figures"]["refused"] == len(WRONG)
    assert [(one["tokenFault"], one["tokenRefused"]) for one in document["calls"]] == [
        (None, None),
        *((wrong, True) for wrong in WRONG),
    ]


def test_a_client_that_is_not_in_the_trust_file_is_told_so(capsys: pytest.CaptureFixture[str], site: Site) -> None:
    for options in ((), (*site.options[:2], "--iss", f"{ISS}/"), site.options[:4]):
        status, document = simulated(capsys, site.url, *ONE, *options)
        assert status == 1
        assert document["calls"][0]["status"] == 401
        assert any("the caller is not believed" in one for one in faults(document))


def test_a_key_that_is_left_out_is_asked_of_the_fhir_server_with_its_token(
    capsys: pytest.CaptureFixture[str], site: Site
) -> None:
    options = (*site.options, *ONE, "--prefetch", "partial", "--fhir", "fast", "--fhir-port", str(site.fhir_port))
    status, document = simulated(capsys, site.url, *options)
    assert (status, faults(document)) == (0, set())
    assert [one["fhirAsked"] for one in document["calls"]] == [
        [kind]
        for kind in (
            "Patient",
            "Observation",
            "Observation",
            "Condition",
            "AllergyIntolerance",
            "MedicationRequest",
            "Observation",
            "MedicationStatement",
            "ServiceRequest",
        )
    ]
    assert all(one["evaluation"]["complete"] for one in document["calls"])


@pytest.mark.parametrize("behaviour", ["none", "slow", "hang", "error", "gone"])
def test_without_data_and_with_a_bad_fhir_server_it_answers_in_time_and_says_that_data_are_missing(
    capsys: pytest.CaptureFixture[str], site: Site, behaviour: str
) -> None:
    port = () if behaviour == "none" else ("--fhir-port", str(site.fhir_port))
    options = (*site.options, *ONE, "--prefetch", "none", "--fhir", behaviour, *port)
    status, document = simulated(capsys, site.url, *options)
    assert (status, faults(document)) == (0, set())
    (call,) = document["calls"]
    assert call["status"] == 412
    assert call["ms"] < 3000


def test_broken_prefetch_is_answered_or_said_to_be_missing(capsys: pytest.CaptureFixture[str], site: Site) -> None:
    one = ("--patient", "cd4-150-suppressed", "--hook", "order-sign")
    options = (*site.options, *one, "--prefetch", "broken", "--at-once", "2")
    status, document = simulated(capsys, site.url, *options)
    assert (status, faults(document)) == (0, set())
    found = {one["sent"][0].removeprefix("prefetch with "): one for one in document["calls"]}
    assert found["patient an OperationOutcome"]["status"] == 412
    cut = found["cd4 cut after its first entry, with a next link"]
    assert cut["evaluation"]["complete"] is False


def test_captured_requests_are_answered_as_on_the_day_they_were_captured(
    capsys: pytest.CaptureFixture[str], site: Site
) -> None:
    files = sorted(REQUESTS.glob("patient-view/*.json"))
    given = [word for file in files for word in ("--request", str(file))]
    status, document = simulated(capsys, site.url, *site.options, *given)
    assert (status, faults(document)) == (0, set())
    assert [one["patient"] for one in document["calls"]] == [one.name for one in files]


def test_ctrl_c_prints_the_table_so_far(tmp_path: Path) -> None:
    with open_access(tmp_path) as port:
        command = [sys.executable, "-m", "cds_service", "simulate", f"http://127.0.0.1:{port}", "--times", "1000"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
        with subprocess.Popen(
            [*command, "--at-once", "4"],
            cwd=ROOT,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            assert running.stdout
            printed = ""
            while "  3  " not in printed and (line := running.stdout.readline()):
                printed += line
            running.send_signal(signal.SIGINT)
            rest, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (1, "")
    assert " of 30000" in rest
    assert rest.rstrip().endswith("Interrupted: not every call was made.")


def test_nothing_that_signs_or_opens_a_chart_is_printed(capsys: pytest.CaptureFixture[str], site: Site) -> None:
    main(
        [
            "simulate",
            site.url,
            *site.options,
            *ONE,
            "--token-fault",
            "expired",
            "--fhir",
            "fast",
            "--fhir-port",
            str(site.fhir_port),
        ]
    )
    printed = capsys.readouterr()
    key: dict[str, Any] = json.loads(Path(site.options[1]).read_text("utf-8"))
    assert "the wrong token was refused" in printed.out
    for secret in ("eyJ", "Bearer", key["d"]):
        assert secret not in printed.out + printed.err
