"""The service over HTTP with a FHIR server to ask: the same cards as with full prefetch, or, in time, what is missing."""

import json
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from werkzeug.serving import make_server

from cds_service.app import create_app
from cds_service.chart.prefetch import KEYS
from cds_service.dates import ANCHOR
from cds_service.demo.ehr import DemoEhr, plain_session
from cds_service.demo.run import demo_app
from cds_service.demo.store import open_charts
from cds_service.settings import SettingFault, Settings, read_settings
from tests import fhir_servers as fakes
from tests.fhir_chart import ADULT, ERROR, FULL, HIV, LABS, UUID, cd4, page, without
from tests.fhir_servers import FakeServer, serving


def one_slash_of_two(environ: dict[str, Any]) -> None:
    """As proxies in front of FHIR servers do, that of the SMART launcher among them, in the search too."""
    environ["QUERY_STRING"] = re.sub("/+", "/", environ["QUERY_STRING"])


@contextmanager
def running(in_between: Callable[[dict[str, Any]], None] = lambda _: None, **settings: Any) -> Iterator[str]:
    """The demo, with its FHIR endpoint, on a real server; `in_between` may change what comes in."""
    app = demo_app(Settings(**{"open_access": True, "explain": "full", "database_url": "sqlite://"} | settings), ANCHOR)

    def reached(environ: dict[str, Any], respond: Any) -> Iterable[bytes]:
        in_between(environ)
        return app(environ, respond)

    server = make_server("127.0.0.1", 0, reached, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    with running() as url:
        yield url


def numbered(answer: Any) -> Any:
    """The same answer with its UUIDs in order of appearance."""
    names: dict[str, str] = {}
    return json.loads(UUID.sub(lambda one: names.setdefault(one[0], f"uuid-{len(names)}"), json.dumps(answer)))


@pytest.mark.parametrize("story", open_charts(ANCHOR).stories, ids=lambda one: one.patient_id)
def test_without_any_prefetch_the_answer_is_the_same_as_with_all_of_it(demo: str, story: Any) -> None:
    with plain_session() as session:
        ehr = DemoEhr(demo, ANCHOR, session)
        services = {one.hook: one for one in ehr.discover()}
        for play in story.plays:
            exchange = ehr.call(services[play.hook], story.patient_id, play)
            assert exchange.answered
            assert set(exchange.request["prefetch"]) == set(KEYS)
            for prefetch in ({}, {"patient": None}, {"patient": ERROR, "cd4": "broken"}):
                sent = {**exchange.request, "prefetch": prefetch}
                status, answer = ehr.fetch("POST", f"cds-services/{exchange.service.id}", sent)
                assert status == 200
                assert numbered(answer) == numbered(exchange.response)


def test_results_are_found_through_a_proxy_that_makes_one_slash_of_two() -> None:
    with running(one_slash_of_two) as demo, plain_session() as session:
        found = session.get(f"{demo}/fhir/Observation?patient=starting-art&code=http://loinc.org|24467-3", timeout=5)
        assert found.json()["total"] == 0  # so it would be, and nobody could tell that from a patient without results
        ehr = DemoEhr(demo, ANCHOR, session)
        sent = {"hook": "patient-view", "hookInstance": "1", "fhirServer": f"{demo}/fhir"}
        _, answer = ehr.fetch(
            "POST",
            "cds-services/immune-status-patient-view",
            sent | {"context": {"patientId": "starting-art", "userId": "Practitioner/u"}},
        )
    assert answer
    assert any("CD4 120/µL" in one["summary"] for one in answer["cards"])


def test_the_outcomes_of_the_fetches_are_counted(demo: str) -> None:
    with plain_session() as session:
        text = session.get(f"{demo}/metrics", timeout=5).text
    assert 'cds_fhir_fetches_total{outcome="complete"}' in text


def call(base: str | None, prefetch: Mapping[str, Any], seconds: float = 0.4) -> tuple[int, Any, float]:
    """Status, answer and time of a patient-view of the demo service with that deadline."""
    settings = Settings(open_access=True, explain="full", database_url="sqlite://", deadline_ms=int(seconds * 1000))
    client = create_app(settings, lambda: LABS.now).test_client()
    body = {"hook": "patient-view", "hookInstance": "1", "context": {"patientId": "p", "userId": "Practitioner/u"}}
    body |= {"prefetch": prefetch} | ({"fhirServer": base} if base else {})
    began = monotonic()
    answer = client.post("/cds-services/immune-status-patient-view", json=body)
    took = monotonic() - began
    print(f"{(took - seconds) * 1000:+.1f} ms against the deadline")
    return answer.status_code, answer.get_json(force=True), took


@pytest.mark.parametrize(
    "behaviour",
    [
        fakes.silent,
        fakes.dripping(fakes.whole(fakes.searchset()), 0.05),
        fakes.failing("500 x"),
        fakes.half(fakes.searchset()),
        fakes.closing_at_once,
        fakes.answering(fakes.whole(b"<html>", Content_Type="text/html")),
        fakes.redirecting("/fhir/x"),
    ],
    ids=["silent", "drip", "500", "half", "closes", "html", "redirect"],
)
def test_a_server_that_fails_costs_the_deadline_at_most_and_the_answer_says_what_is_missing(
    behaviour: fakes.Behaviour,
) -> None:
    sent = {"patient": ADULT, "conditions": HIV, "cd4": page(cd4("a")), "viralLoads": None, "allergies": None}
    with serving(behaviour) as server:
        status, answer, took = call(server.base, sent)
        assert took < 1.5
        assert status == 200
        assert answer["extension"]["org.immune-status-cds.evaluation"]["complete"] is False
        assert any(card["summary"].startswith("Not assessed") for card in answer["cards"])
        status, answer, took = call(server.base, {})
        assert took < 1.5
        assert status == 412
        assert "patient, cd4, viralLoads" in json.dumps(answer)


def test_a_server_that_may_not_be_asked_is_the_same_as_none() -> None:
    for base in ("https://fhir.ehr.test/r4", "http://169.254.169.254/fhir", "file:///etc/passwd", "//evil.test"):
        assert call(base, {})[0] == 412
        assert call(base, FULL)[0] == 200


def test_another_patients_data_from_the_server_are_refused() -> None:
    def mixed(_: FakeServer, connection: socket.socket, __: fakes.Asked) -> None:
        other = cd4("x") | {"subject": {"reference": "Patient/somebody-else"}}
        connection.sendall(fakes.whole(fakes.searchset(other)))

    with serving(mixed) as server:
        assert call(server.base, without("cd4"))[0] == 422


def test_supplementary_keys_that_do_not_come_cost_nothing_of_the_answer() -> None:
    with serving(fakes.failing("500 x")) as server:
        _, answer, _ = call(server.base, without("medicationStatements", "orders"))
    assert answer == call(None, FULL)[1]
    assert answer["extension"]["org.immune-status-cds.evaluation"]["complete"] is True


@pytest.mark.parametrize("stated", ["199", "8001", "2e3", "-200", "two", "02000", 1.5, True])
def test_a_deadline_out_of_bounds_is_refused_by_name(stated: Any) -> None:
    with pytest.raises(SettingFault, match="CDS_DEADLINE_MS"):
        read_settings({"CDS_DEADLINE_MS": str(stated)})


def test_the_deadline_is_two_seconds_unless_set() -> None:
    assert read_settings({}).deadline_ms == 2000
    assert read_settings({"CDS_DEADLINE_MS": "200"}).deadline_ms == 200
    assert read_settings({"CDS_DEADLINE_MS": "8000"}).deadline_ms == 8000
