"""What a client did not send is read from its FHIR server: asked for what is lacking, and nothing else."""

import json
import socket
from collections.abc import Mapping
from dataclasses import replace
from time import monotonic
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from cds_service.chart.gather import filled, gather
from cds_service.chart.intake import take_in
from cds_service.chart.prefetch import KEYS
from cds_service.wire.request import Authorization, HookRequest
from tests import fhir_servers as fakes
from tests.fhir_chart import CLIENT, ERROR, FULL, HERE, HINT, LABS, TEMPLATES, TOKEN, cd4, chart, page, without
from tests.fhir_servers import FakeServer, serving


def request(base: str | None, prefetch: Mapping[str, Any], lent: Authorization | None = None) -> HookRequest:
    return HookRequest(
        hook="patient-view",
        hook_instance="1",
        patient_id="p",
        prefetch={key: Raw(json.dumps(value).encode()) for key, value in prefetch.items()},
        fhir_server=base,
        authorization=lent,
    )


def gathered(asked: HookRequest, seconds: float = 2.0) -> HookRequest:
    return gather(asked, TEMPLATES, CLIENT, HERE, deadline=monotonic() + seconds, labs=LABS)


def keys_asked(server: FakeServer) -> set[str]:
    """Which templates the requests came from."""
    kinds = {TEMPLATES[key].partition("?")[0].partition("/")[0]: key for key in KEYS}
    codes = {"24467-3": "cd4", "20447-9": "viralLoads", "5388-0": "labs", "33914-3": "labs"}
    found = set()
    for one in server.asked:
        kind = one.target.removeprefix("/fhir/").partition("?")[0].partition("/")[0]
        named = next((key for code, key in codes.items() if code in one.target), kinds[kind])
        found.add(named if kind == "Observation" else kinds[kind])
    return found


# --- what is asked for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefetch", "lacking"),
    [
        (FULL, set()),
        (FULL | {"cd4": None, "allergies": None}, set()),
        (FULL | {"conditions": HINT, "allergies": page(HINT)}, set()),
        (FULL | {"cd4": page(cd4("a"), total=7)}, set()),
        (FULL | {"conditions": page(ERROR, {"resourceType": "Condition", "id": "c"})}, set()),
        ({}, set(KEYS)),
        (without("conditions"), {"conditions"}),
        (FULL | {"patient": None}, {"patient"}),
        (FULL | {"patient": HINT}, {"patient"}),
        (FULL | {"patient": {"resourceType": "Patient"}}, {"patient"}),
        (FULL | {"allergies": ERROR}, {"allergies"}),
        (FULL | {"allergies": page(ERROR)}, {"allergies"}),
        (FULL | {"cd4": "<html>"}, {"cd4"}),
        (FULL | {"cd4": {}, "orders": 5, "medications": []}, {"cd4", "orders", "medications"}),
        (without("cd4", results=page(cd4("a"))), set()),  # under a key of the site's own
        (without("cd4", labs=page(cd4("a"))), set()),
        (without("medicationStatements", "orders"), {"medicationStatements", "orders"}),
    ],
)
def test_what_is_lacking_is_asked_for_and_nothing_else(prefetch: dict[str, Any], lacking: set[str]) -> None:
    with serving(chart) as server:
        gathered(request(server.base, prefetch))
        assert keys_asked(server) == lacking
        assert len(server.asked) == len(lacking)


def test_what_was_fetched_stands_beside_what_was_sent() -> None:
    with serving(chart) as server:
        asked = request(server.base, without("cd4", conditions=page({"resourceType": "Condition", "id": "own"})))
        found = gathered(asked)
    assert {key: found.prefetch[key] for key in asked.prefetch} == asked.prefetch
    assert json.loads(bytes(found.prefetch["cd4"])) == page(cd4("fetched"))
    assert take_in(found, LABS).partial == frozenset()


def test_the_template_is_filled_and_quoted() -> None:
    asked = replace(request(None, {}), patient_id="a.b-1", user_id="Practitioner/1 &x=%", encounter_id="e")
    assert filled("Patient/{{context.patientId}}", asked) == "Patient/a.b-1"
    assert (
        filled("X?a={{ context.userId }}&b={{context.encounterId}}", asked) == "X?a=Practitioner%2F1%20%26x%3D%25&b=e"
    )
    assert filled("X?a={{context.nobody}}", asked) is None
    assert filled("X?a={{context.encounterId}}", request(None, {})) is None


def test_an_id_that_climbs_is_not_asked_for() -> None:
    with serving(chart) as server:
        found = gathered(replace(request(server.base, without("patient")), patient_id=".."))
        assert not server.asked
    assert "patient" not in found.prefetch


@pytest.mark.parametrize(
    ("lent", "sent"),
    [
        (None, []),
        (Authorization(access_token=""), []),
        (Authorization(access_token=TOKEN), [f"Bearer {TOKEN}"]),
        (Authorization(access_token=TOKEN, expires_in=300), [f"Bearer {TOKEN}"]),
    ],
)
def test_the_token_goes_along_if_there_is_one(lent: Authorization | None, sent: list[str]) -> None:
    with serving(chart) as server:
        assert "cd4" in gathered(request(server.base, without("cd4"), lent)).prefetch
        assert server.tokens() == sent


@pytest.mark.parametrize("expires_in", [0, -1])
def test_an_expired_token_is_no_reason_to_call(expires_in: int) -> None:
    with serving(chart) as server:
        asked = request(server.base, {}, Authorization(access_token=TOKEN, expires_in=expires_in))
        assert gathered(asked) is asked
        assert not server.connections


def test_nobody_is_asked_without_a_server_or_a_client() -> None:
    asked = request(None, {})
    assert gathered(asked) is asked
    with serving(chart) as server:
        asked = request(server.base, {})
        assert gather(asked, TEMPLATES, CLIENT, None, deadline=monotonic() + 2, labs=LABS) is asked
        assert gathered(request("https://fhir.ehr.test/r4", {})).prefetch == {}
        assert not server.connections


# --- pages -----------------------------------------------------------------------------------------------------------


def paged(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
    """Two more pages of CD4 results after the first."""
    number = int(asked.target.rpartition("page=")[2]) if "page=" in asked.target else 1
    following = f"{server.base}/Observation?page={number + 1}" if number < 3 else None
    connection.sendall(fakes.whole(fakes.searchset(cd4(f"o{number}"), following=following, total=3)))


def ids(found: HookRequest) -> list[str]:
    return [entry["resource"]["id"] for entry in json.loads(bytes(found.prefetch["cd4"]))["entry"]]


def partial(found: HookRequest) -> frozenset[str]:
    return take_in(found, LABS).partial


def test_several_pages_become_one_bundle() -> None:
    with serving(paged) as server:
        found = gathered(request(server.base, without("cd4")))
    assert ids(found) == ["o1", "o2", "o3"]
    assert partial(found) == frozenset()


def test_a_bundle_that_was_sent_in_part_is_read_on() -> None:
    with serving(paged) as server:
        sent = page(cd4("sent"), following=f"{server.base}/Observation?page=2", total=3)
        found = gathered(request(server.base, FULL | {"cd4": sent}))
        assert [one.target for one in server.asked] == ["/fhir/Observation?page=2", "/fhir/Observation?page=3"]
    assert ids(found) == ["sent", "o2", "o3"]
    assert partial(found) == frozenset()


@pytest.mark.parametrize("behaviour", [fakes.paging, fakes.looping])
def test_what_does_not_end_stays_partial(behaviour: fakes.Behaviour) -> None:
    def endless(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        (chart if "Patient" in asked.target else behaviour)(server, connection, asked)

    with serving(endless) as server:
        found = gathered(request(server.base, without("cd4", labs=page(cd4("a")))))
        assert keys_asked(server) == set()
        found = gathered(request(server.base, without("conditions")))
    assert partial(found) == {"conditions"}


@pytest.mark.parametrize("link", ["http://169.254.169.254/x", "https://evil.test/fhir/Observation", "?page=2", "x:y"])
def test_a_link_that_cannot_be_followed_leaves_what_was_sent_as_it_is(link: str) -> None:
    with serving(paged) as server:
        asked = request(server.base, FULL | {"cd4": page(cd4("sent"), following=link)})
        found = gathered(asked)
        assert not server.asked
    assert found.prefetch == asked.prefetch
    assert partial(found) == {"cd4"}


def test_a_page_that_does_not_come_leaves_the_answer_partial() -> None:
    def then_nothing(server: FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        (fakes.silent if "page=3" in asked.target else paged)(server, connection, asked)

    with serving(then_nothing) as server:
        found = gathered(request(server.base, without("cd4")), 0.3)
    assert ids(found) == ["o1", "o2"]
    assert partial(found) == {"cd4"}


def test_many_unfinished_bundles_do_not_become_many_requests() -> None:
    with serving(chart) as server:
        more = {f"own{place}": page(following=f"{server.base}/Observation?page={place}") for place in range(200)}
        gathered(request(server.base, more))
        assert len(server.asked) <= 16


def test_a_joined_bundle_is_json_that_the_reader_knows() -> None:
    with serving(paged) as server:
        found = gathered(request(server.base, without("cd4")))
    assert msgspec.json.decode(bytes(found.prefetch["cd4"]))["total"] == 3
