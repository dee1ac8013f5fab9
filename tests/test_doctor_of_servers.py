"""`cds-service check` over a FHIR server: what it has, which parameters it looks at, and how it is asked."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from werkzeug.serving import make_server

from cds_service.cli import main
from cds_service.dates import ANCHOR
from cds_service.demo.fhir import fhir_endpoint
from cds_service.demo.store import open_charts
from cds_service.doctor.document import document
from cds_service.doctor.examine import Site, examine
from cds_service.doctor.findings import Report
from cds_service.doctor.server import NoServerError, charts, server_at
from hooks.knowledge import load, load_profiles
from tests import fhir_servers as fakes
from tests.fhir_chart import ADULT, HIV, cd4
from tests.fhir_servers import FakeServer, serving

KNOWLEDGE = load()
SITE = Site(knowledge=KNOWLEDGE, profile=load_profiles(KNOWLEDGE)["dhhs"], now=datetime(2026, 11, 20, 12, tzinfo=UTC))
BEARER = "invented-token-of-this-test"


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """The demo's FHIR endpoint."""
    app = Flask("ehr")
    app.register_blueprint(fhir_endpoint(open_charts(ANCHOR)))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/fhir"
    server.shutdown()
    thread.join()
    server.server_close()


def checked(base: str, *patients: str, bearer: str | None = None, private: bool = True) -> Report:
    found = charts(server_at(base, bearer, private), patients, SITE)
    return examine(found.calls, SITE, found.beside)


def parameters(report: Report) -> dict[str, str]:
    return {one.search: one.found for one in report.parameters}


def said(report: Report) -> set[str]:
    return {f"{one.where} {one.says}".strip() for one in report.remarks}


def local(name: str) -> dict[str, Any]:
    coding = {"system": "urn:oid:1.2.3", "code": "CD4ABS", "display": "CD4 absolute"}
    return cd4(name) | {"code": {"coding": [coding]}, "effectiveDateTime": "2026-10-01"}


def careless(_: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
    """Looks at the type of resource and at nothing else."""
    kind = urlsplit(asked.target).path.removeprefix("/fhir/").partition("/")[0]
    has = {"Observation": [cd4("one"), local("two")], "Condition": [HIV["entry"][0]["resource"]]}
    whole = json.dumps(ADULT).encode() if kind == "Patient" else fakes.searchset(*has.get(kind, []))
    connection.sendall(fakes.whole(whole, Date="Fri, 20 Nov 2026 11:50:00 GMT"))


def by_code(_: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
    """A laboratory with codes of its own, which searches by code as it should."""
    parts = urlsplit(asked.target)
    kind = parts.path.removeprefix("/fhir/").partition("/")[0]
    found = [local("one")] if kind == "Observation" and "code" not in parse_qs(parts.query) else []
    has = {"Observation": found, "Condition": [HIV["entry"][0]["resource"]]}
    body = json.dumps(ADULT).encode() if kind == "Patient" else fakes.searchset(*has.get(kind, []))
    connection.sendall(fakes.whole(body))


def without_codes(_: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
    """Has results in LOINC codes, and finds none by code: system and code in one are too much for it."""
    parts = urlsplit(asked.target)
    kind = parts.path.removeprefix("/fhir/").partition("/")[0]
    has = {
        "Observation": [] if "code" in parse_qs(parts.query) else [cd4("one")],
        "Condition": [HIV["entry"][0]["resource"]],
    }
    body = json.dumps(ADULT).encode() if kind == "Patient" else fakes.searchset(*has.get(kind, []))
    connection.sendall(fakes.whole(body))


def test_the_demos_server_honours_what_it_declares(demo: str) -> None:
    report = checked(demo, "suppressed-for-years", "starting-art")
    assert [one.outcome for one in report.examined] == ["answered", "answered"]
    assert set(parameters(report).values()) <= {"honoured", "cannot tell"}
    assert parameters(report)["Observation?code"] == "honoured"
    assert parameters(report)["Observation?_sort"] == "honoured"
    assert {one.declared for one in report.parameters} == {True, None}
    assert {key.key for key in report.keys if dict(key.states).get("honoured") == 2} >= {"patient", "cd4", "conditions"}
    assert not said(report)


def test_a_server_that_looks_at_nothing_is_found_out() -> None:
    with serving(careless) as server:
        found = checked(server.base, "p")
    assert parameters(found)["Observation?patient"] == "ignored"
    assert parameters(found)["Observation?code"] == "ignored"
    assert parameters(found)["Observation?_count"] == "ignored"
    assert parameters(found)["Observation?_sort"] == "ignored"
    assert parameters(found)["ServiceRequest?status"] == "cannot tell"
    dangers = [one.says for one in found.parameters if one.search == "Observation?patient"]
    assert dangers == ["DANGER: data of other patients come, and the service refuses the call (422)"]
    assert [one.says for one in found.clocks] == ["its clock is 600 seconds behind ours: tokens may be refused"]
    assert "CapabilityStatement there is none at /metadata (it is none)" in said(found)


def test_results_in_local_codes_are_found_although_no_template_brings_them() -> None:
    with serving(by_code) as server:
        report = checked(server.base, "p")
    assert dict(next(one.states for one in report.keys if one.key == "cd4")) == {"honoured": 1}  # "there is none"
    assert [(one.codes, one.ours) for one in report.codes if one.kind == "result"] == [
        (("urn:oid:1.2.3|CD4ABS",), None)
    ]
    assert any("the templates ask by code and never bring them" in one for one in said(report))
    assert '# measure = "cd4-count"' in report.lines


def test_results_that_a_search_by_code_does_not_find_are_told_as_lost() -> None:
    with serving(without_codes) as server:
        report = checked(server.base, "p")
    assert dict(next(one.states for one in report.keys if one.key == "cd4")) == {"honoured": 1}  # "there is none"
    lost = [one for one in report.remarks if "did not bring them" in one.says]
    assert [(one.weight, one.times) for one in lost] == [("loses", 1)]


def test_a_server_that_refuses_says_so_template_by_template() -> None:
    with serving(fakes.failing("403 Forbidden")) as server:
        report = checked(server.base, "p")
    assert "template cd4 it did not come whole: refused" in said(report)
    assert {one.found for one in report.parameters} <= {"honoured", "refused", "cannot tell"}
    assert report.examined[0].outcome.startswith("412")


def test_the_token_goes_to_that_server_alone_and_stands_nowhere() -> None:
    with serving(careless) as server:
        report = checked(server.base, "p", bearer=BEARER)
        assert len(server.tokens()) == len(server.asked)
        assert set(server.tokens()) == {f"Bearer {BEARER}"}
    assert BEARER not in json.dumps(document(report))
    assert BEARER not in repr(server_at("https://fhir.example.org", BEARER, False))


def test_an_address_of_this_machine_is_asked_only_where_that_is_allowed() -> None:
    with serving(careless) as server:
        report = checked(server.base, "p", private=False)
        assert server.connections == 0
    assert "template cd4 it did not come whole: not-allowed: a private address needs --allow-private" in said(report)


@pytest.mark.parametrize(
    "base", ["http://fhir.example.org/r4", "https://u@fhir.example.org", "https://x/?y=1", "ftp://x"]
)
def test_an_address_that_could_lead_astray_is_not_asked(base: str) -> None:
    with pytest.raises(NoServerError, match="an https base URL"):
        server_at(base, None, True)


def test_nothing_of_a_patient_stands_in_the_report(demo: str) -> None:
    told = json.dumps(document(checked(demo, "starting-art")))
    assert not [one for one in ('starting-art"', "Lakeshore", "Achieng", "1992-03-14") if one in told]


def test_the_command_asks_a_server(
    demo: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_OF_THE_TEST", BEARER)
    command = ["check", demo, "--patient", "starting-art", "--allow-private", "--bearer-env", "TOKEN_OF_THE_TEST"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "Search parameters of the FHIR server" in printed
    assert BEARER not in printed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["https://x.example.org"], "at least one --patient"),
        (["https://x.example.org", "https://y.example.org", "--patient", "1"], "one URL"),
        (
            ["https://x.example.org", "--patient", "1", "--bearer-env", "NOT_SET"],
            "the token of the FHIR server is empty",
        ),
        (["https://x.example.org", "--patient", "1", "--bearer-file", "absent"], "--bearer-file: it cannot be read"),
        (["http://x.example.org", "--patient", "1"], "an https base URL"),
        (["some.json", "--patient", "1"], "--patient: the base URL"),
        ([], "files with captured requests, or a URL"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_in_a_sentence(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check", *arguments]) == 2
    assert says in capsys.readouterr().err
