"""`python -m tests.real_fhir` needs a FHIR server of somebody; here it finds one that takes transactions as such servers do."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Thread
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.serving import make_server

from cds_service.dates import ANCHOR
from cds_service.demo.fhir import fhir_endpoint
from cds_service.demo.store import Charts, open_charts
from tests.real_fhir.__main__ import main
from tests.real_fhir.charts import NotTakenError, new_id, renamed, transaction

CHARTS = open_charts(ANCHOR)


def taken(charts: Charts, sent: Any) -> Any:
    """The resources get ids, and references follow; what is answered."""
    ids = {one["fullUrl"]: f"{one['resource']['resourceType']}/new-{n}" for n, one in enumerate(sent["entry"])}
    own = [renamed(one["resource"], ids) | {"id": ids[one["fullUrl"]].partition("/")[2]} for one in sent["entry"]]
    kept: dict[str, Any] = charts.by_patient  # type: ignore[assignment]
    place = f"-of-{len(kept)}"
    own = [renamed(one, {name: f"{name}{place}" for name in ids.values()}) for one in own]
    own = [one | {"id": f"{one['id']}{place}"} for one in own]
    kept[place] = tuple(own)
    answered = [{"location": f"{one['resourceType']}/{one['id']}/_history/1", "status": "201"} for one in own]
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": one} for one in answered]}


@pytest.fixture
def server() -> Iterator[str]:
    app, charts = Flask("fhir"), replace(CHARTS, by_patient={}, clinic=())
    app.register_blueprint(fhir_endpoint(charts))
    app.add_url_rule("/fhir", "take", lambda: taken(charts, request.get_json()), methods=["POST"])
    running = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/fhir"
    running.shutdown()
    thread.join()
    running.server_close()


def test_what_is_read_from_a_server_that_gave_its_own_ids_is_what_comes_as_prefetch(
    server: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([server]) == 0
    said = capfd.readouterr().out
    moments = sum(len(one.plays) for one in CHARTS.stories)
    assert said.count("the same as with prefetch") == moments
    assert "What this service can make of what it gets" in said


@pytest.mark.parametrize("patient", CHARTS.by_patient)
def test_within_a_transaction_every_reference_finds_its_resource(patient: str) -> None:
    sent = transaction(CHARTS, patient)
    names = {one["fullUrl"] for one in sent["entry"]}
    assert len(names) == len(sent["entry"])
    assert not [one for one in sent["entry"] if "id" in one["resource"]]
    assert all(
        one["resource"].get("subject", {"reference": next(iter(names))})["reference"] in names for one in sent["entry"]
    )


def test_a_transaction_that_was_taken_in_part_is_none() -> None:
    sent = transaction(CHARTS, "starting-art")
    answers = [{"response": {"status": "201", "location": "Patient/7/_history/1"}} for _ in sent["entry"]]
    assert new_id(sent, {"entry": answers}) == "7"
    with pytest.raises(NotTakenError, match="422"):
        new_id(sent, {"entry": [*answers[1:], {"response": {"status": "422 Unprocessable"}}]})
    with pytest.raises(NotTakenError):
        new_id(sent, {"entry": answers[1:]})
