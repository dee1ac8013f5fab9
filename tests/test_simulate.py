"""`cds-service simulate` against a peer that answers well, badly in one way each, or not at all."""

import json
import re
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
import requests
from flask import Response

from cds_service.cli import main
from cds_service.demo.store import open_charts
from cds_service.simulate.keys import make_key
from tests import fhir_servers as fakes
from tests.fixture_files import legal
from tests.simulated_peer import CARD, SERVICE, SimulatedPeer, peering
from tests.test_fhir_connection import certified  # noqa: F401  (a fixture)

TODAY = datetime.now(UTC).date()
PATIENTS = [one.patient_id for one in open_charts(TODAY).stories]
ONE = ("--patient", "starting-art")


def simulated(capsys: pytest.CaptureFixture[str], url: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON document."""
    capsys.readouterr()
    status = main(["simulate", url, "--format", "json", *map(str, options)])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, document


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said to somebody who called it wrongly."""
    try:
        status = main(["simulate", *arguments])
    except SystemExit as end:  # argparse's own way
        status = int(str(end.code))
    printed = capsys.readouterr()
    assert status == 2
    assert not printed.out
    assert "Traceback" not in printed.err
    return printed.err


def faults(document: dict[str, Any]) -> set[str]:
    """Every fault, wherever it was found."""
    places = [document["discovery"], document["remarks"]]
    places += [one["remarks"] for one in (*document["probes"], *document["calls"])]
    return {one["text"] for place in places for one in place if one["level"] == "fault"}


def keyed(folder: Path) -> tuple[str, ...]:
    make_key(folder / "key.json", "ES384")
    return ("--key", str(folder / "key.json"), "--iss", "https://ehr.example.org")


# --- a peer that is right --------------------------------------------------------------------------------------------


def test_every_demo_patient_is_sent_to_a_service_of_the_hook_and_right_answers_end_with_0(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with peering(cards=[]) as peer:
        status, document = simulated(capsys, peer.base)
    assert (status, faults(document), document["right"]) == (0, set(), True)
    assert [one["patient"] for one in document["calls"]] == PATIENTS
    assert document["sent"] == "Invented patients only, to a service on this machine."
    assert document["figures"] | {"calls": 10, "answered": 10, "refused": 0, "failed": 0} == document["figures"]
    calls = [one for one in peer.sent if "prefetch" in one]
    assert [one["context"]["patientId"] for one in calls] == PATIENTS
    assert all(one["prefetch"]["patient"]["id"] == one["context"]["patientId"] for one in calls)
    assert len({one["hookInstance"] for one in peer.sent}) == len(peer.sent)
    assert not any("fhirServer" in one for one in peer.sent)


@pytest.mark.parametrize("ending", ["", "/", "/cds-services", "/cds-services/"])
def test_the_base_address_and_that_of_discovery_are_both_understood(
    capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    with peering(cards=[]) as peer:
        assert simulated(capsys, peer.base + ending, *ONE)[0] == 0


def test_each_hook_is_played_with_what_its_context_needs(capsys: pytest.CaptureFixture[str]) -> None:
    hooks = ["order-sign", "order-select", "patient-view", "encounter-start", "encounter-discharge"]
    played = {}

    def answer(request: dict[str, Any]) -> Any:
        played[request["hook"]] = request["context"]
        return {"cards": []}

    with peering(services=[SERVICE | {"hook": one} for one in [*hooks, "appointment-book"]], answer=answer) as peer:
        status, document = simulated(capsys, peer.base, "--patient", "results-not-trusted")
    assert status == 0
    assert list(played) == hooks
    assert document["remarks"] == [{"level": "note", "text": "the hook appointment-book is not played by this EHR"}]
    assert all(one["userId"] == "Practitioner/demo-clinician" for one in played.values())
    assert played["order-sign"]["draftOrders"]["entry"]
    assert played["order-select"]["selections"] == ["ServiceRequest/draft-1"]
    assert "encounterId" in played["encounter-start"]
    assert "draftOrders" not in played["patient-view"]


def test_calls_are_made_so_often_and_so_many_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    lock, under_way, most = Lock(), 0, 0

    def answer(_: object) -> Any:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.02)
        with lock:
            under_way -= 1
        return {"cards": []}

    with peering(answer=answer) as peer:
        status, document = simulated(capsys, peer.base, "--times", "3", "--at-once", "4")
    assert status == 0
    assert [one["number"] for one in document["calls"]] == list(range(1, 31))
    assert 1 < most <= 4
    assert 0 < document["figures"]["p50Ms"] <= document["figures"]["p95Ms"] <= document["figures"]["slowestMs"]


def test_the_terminal_shows_cards_what_was_sent_and_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    evaluation = {
        "complete": False,
        "findings": [
            {"rule": "mac-start", "outcome": "held", "why": "quiet-period", "until": "2026-12-01"},
            {"rule": "art-start", "outcome": "not-assessed", "missing": ["medications"]},
        ],
    }
    answer = {
        "cards": [CARD | {"summary": "Due\x1b[2J"}],
        "extension": {"org.immune-status-cds.evaluation": evaluation},
    }
    with peering(answer=lambda _: answer) as peer:
        assert main(["simulate", peer.base, *ONE]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Invented patients only")
    assert "\x1b" not in printed
    assert "warning  Due\ufffd[2J" in printed
    assert "prefetch of all 1 keys · no token" in printed
    assert (
        "not complete; held: mac-start (quiet-period until 2026-12-01); not assessed: art-start (lacks medications)"
        in printed
    )
    assert re.search(r"^calls +1 *$", printed, re.MULTILINE)
    assert re.search(r"^p50 · p95 +\d+ ms · \d+ ms *$", printed, re.MULTILINE)
    assert printed.rstrip().endswith("Every call was answered as CDS Hooks asks.")


def test_of_many_calls_only_those_with_faults_are_printed_at_length(capsys: pytest.CaptureFixture[str]) -> None:
    with peering(cards=[]) as peer:
        assert main(["simulate", peer.base, *ONE, "--times", "70", "--at-once", "8"]) == 0
    assert capsys.readouterr().out.count("no cards") == 60
    with peering(answer=lambda _: Response(status=500)) as peer:
        assert main(["simulate", peer.base, *ONE, "--times", "70", "--at-once", "8"]) == 1
    printed = capsys.readouterr().out
    assert "70 × fault: a status that is no answer to this call (500)" in printed
    assert " 70  patient-view" in printed


# --- peers that are not ----------------------------------------------------------------------------------------------


def redirecting(_: object) -> Response:
    return Response(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"})


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a card": ({"cards": [CARD | {"indicator": "success"}]}, "indicator must be one of"),
    "500": ({"answer": lambda _: Response(status=500)}, r"no answer to this call \(500\)"),
    "204": ({"answer": lambda _: Response(status=204)}, r"no answer to this call \(204\)"),
    "redirect": ({"answer": redirecting}, "redirects are not followed"),
    "html": ({"answer": lambda _: "<html>"}, "Content-Type must be application/json; it is text/html"),
    "412 on whole data": ({"answer": lambda _: Response(status=412)}, "though all that its templates ask for was sent"),
    "half JSON": (
        {"answer": lambda _: Response('{"cards": [', content_type="application/json")},
        "a JSON object with cards",
    ),
    "too deep": (
        {"answer": lambda _: Response("[" * 100_000, content_type="application/json")},
        "a JSON object with cards",
    ),
    "NaN": (
        {"answer": lambda _: Response('{"cards": [], "x": NaN}', content_type="application/json")},
        "a JSON object with cards",
    ),
    "compressed": (
        {"answer": lambda _: Response(b"\x1f\x8b", 200, {"Content-Encoding": "gzip"}, content_type="application/json")},
        "compressed, which was not asked for",
    ),
    "too large": ({"answer": lambda _: {"cards": [], "x": "x" * (9 << 20)}}, "the answer is too large"),
    "too late": ({"answer": lambda _: time.sleep(1.5) or {"cards": []}}, "no answer in time"),
    "an unlisted service answers": ({"unlisted": 200}, r"not listed must be answered with 404 \(200\)"),
    "discovery fails": ({"discover": lambda: Response(status=500)}, "discovery must be answered with 200"),
    "discovery redirects": ({"discover": lambda: redirecting(0)}, "the status is 302"),
    "discovery lists no services": ({"discover": dict}, "services, a list"),
    "a nameless service": ({"services": [SERVICE, {"hook": "patient-view"}]}, "service 2: id is required"),
    "an id that leaves the service": ({"services": [SERVICE | {"id": "../../admin"}]}, "an address that is not called"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_peer_that_answers_badly_ends_with_1_and_is_told_why(capsys: pytest.CaptureFixture[str], name: str) -> None:
    how, says = BAD[name]
    with peering(**how) as peer:
        status, document = simulated(capsys, peer.base, *ONE, "--timeout", "1")
    assert (status, document["right"]) == (1, False)
    assert [one for one in faults(document) if re.search(says, one)], faults(document)


def test_a_peer_that_drips_is_left_at_the_deadline(capsys: pytest.CaptureFixture[str]) -> None:
    with fakes.serving(fakes.dripping(fakes.whole(b'{"services": []}' + b" " * 200))) as server:
        began = time.monotonic()
        status, document = simulated(capsys, f"http://127.0.0.1:{server.port}", *ONE, "--timeout", "1")
    assert (status, faults(document)) == (1, {"no answer came: no answer in time"})
    assert time.monotonic() - began < 3


def test_a_certificate_must_be_one_that_is_trusted(
    capsys: pytest.CaptureFixture[str],
    certified: tuple[ssl.SSLContext, str],  # noqa: F811
) -> None:
    context, authority = certified
    with fakes.serving(
        fakes.answering(fakes.whole(b'{"services": []}', Content_Type="application/json")), context
    ) as server:
        url = f"https://127.0.0.1:{server.port}"
        assert faults(simulated(capsys, url)[1]) == {"no answer came: its certificate or TLS version cannot be trusted"}
        assert server.asked == []
        assert faults(simulated(capsys, url, "--ca", authority)[1]) == set()


def test_a_late_answer_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    with peering(answer=lambda _: time.sleep(0.6) or {"cards": []}) as peer:
        status, document = simulated(capsys, peer.base, *ONE)
    assert status == 0
    assert document["calls"][0]["remarks"] == [
        {"level": "note", "text": "an answer should come within about half a second"}
    ]


def test_where_nobody_listens_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        status, document = simulated(capsys, f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert (status, faults(document)) == (1, {"no answer came: no connection"})
    assert document["calls"] == []


def test_a_hook_that_nobody_offers_is_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with peering(cards=[]) as peer:
        status, document = simulated(capsys, peer.base, "--hook", "order-sign")
    assert (status, faults(document)) == (1, {"no service of the hook order-sign"})


@pytest.mark.parametrize("allowed", ["https://ehr.example.org", "*", None])
def test_whether_a_page_may_call_is_told_and_judged_where_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], allowed: str | None
) -> None:
    with peering(cards=[], origin=allowed) as peer:
        status, document = simulated(capsys, peer.base, *ONE, "--origin", "https://ehr.example.org")
        assert simulated(capsys, peer.base, *ONE)[0] == 0
    assert status == (0 if allowed else 1)
    (cors,) = [one for one in document["probes"] if one["about"] == "browsers (CORS)"]
    assert ("may not call" in cors["found"]) is (allowed is None)
    assert (allowed == "*") == any("any page of the Web" in one["text"] for one in cors["remarks"])


# --- tokens ----------------------------------------------------------------------------------------------------------


def test_without_a_key_no_token_is_sent_and_with_one_each_call_has_its_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with peering(cards=[]) as peer:
        simulated(capsys, peer.base)
        assert set(peer.tokens) == {None}
        peer.tokens.clear()
        simulated(capsys, peer.base, *keyed(tmp_path))
    sent = [one for one in peer.tokens if one]
    assert len(sent) == len(set(sent)) == 11
    assert peer.tokens.count(None) == 1  # to see whether a token is asked for


def test_a_service_that_believes_every_token_is_found_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with peering(cards=[]) as peer:
        status, document = simulated(capsys, peer.base, *ONE, *keyed(tmp_path), "--token-fault", "all")
    assert status == 1
    assert faults(document) == {"a token that is wrong was not refused (200; 401 is expected)"}
    words = [one["sent"][1] for one in document["calls"]]
    assert words[0] == "token"
    assert set(words[1:]) == {
        f"token {one}"
        for one in ("expired", "future", "wrong-audience", "used-twice", "no-jti", "wrong-key", "none-algorithm")
    }
    assert [bool(one["remarks"]) for one in document["calls"]] == [False] + [True] * 7


def test_a_service_that_refuses_everything_is_not_taken_for_one_that_looks(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with peering(answer=lambda _: Response(status=401)) as peer:
        options = (*ONE, *keyed(tmp_path), "--token-fault", "used-twice", "--token-fault", "expired")
        status, document = simulated(capsys, peer.base, *options)
    assert status == 1
    assert [one["status"] for one in document["calls"]] == [401] * 3
    assert any("the caller is not believed" in one for one in faults(document))
    assert "a token was refused when it came first (401)" in faults(document)


# --- prefetch and the FHIR server ------------------------------------------------------------------------------------

THREE = SERVICE | {
    "prefetch": {
        "patient": "Patient/{{context.patientId}}",
        "labs": "Observation?patient={{context.patientId}}&_sort=-date",
        "drugs": "MedicationRequest?patient={{context.patientId}}",
    }
}


def prefetched(peer: SimulatedPeer) -> list[Any]:
    """Of every call besides the first, which asks whether a token is needed."""
    return [one.get("prefetch") for one in peer.sent[1:]]


def test_prefetch_is_left_out_whole_or_key_by_key(capsys: pytest.CaptureFixture[str]) -> None:
    with peering(cards=[], services=[THREE]) as peer:
        assert simulated(capsys, peer.base, *ONE, "--prefetch", "none")[0] == 0
        assert prefetched(peer) == [None]
        peer.sent.clear()
        _, document = simulated(capsys, peer.base, *ONE, "--prefetch", "partial")
    assert [list(one) for one in prefetched(peer)] == [["labs", "drugs"], ["patient", "drugs"], ["patient", "labs"]]
    assert [one["sent"][0] for one in document["calls"]] == [
        f"prefetch without {key}" for key in ("patient", "labs", "drugs")
    ]


def test_prefetch_is_broken_in_each_way_that_real_ones_are(capsys: pytest.CaptureFixture[str]) -> None:
    with peering(cards=[], services=[THREE]) as peer:
        _, document = simulated(capsys, peer.base, *ONE, "--prefetch", "broken", "--fhir", "fast")
    assert [one["sent"][0].removeprefix("prefetch with ") for one in document["calls"]] == [
        "patient an OperationOutcome",
        "patient null",
        "labs an OperationOutcome",
        "labs null",
        "labs cut after its first entry, with a next link",
        "drugs an OperationOutcome",
        "drugs null",
    ]
    sent = prefetched(peer)
    assert sent[0]["patient"]["resourceType"] == "OperationOutcome"
    assert sent[1]["patient"] is None
    cut, whole = sent[4]["labs"], sent[0]["labs"]
    assert (len(cut["entry"]), cut["total"]) == (1, len(whole["entry"]))
    (following,) = [one["url"] for one in cut["link"] if one["relation"] == "next"]
    assert following.startswith(peer.sent[5]["fhirServer"] + "/Observation?patient=starting-art")


def test_a_412_is_right_where_data_are_missing_and_a_fault_where_they_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    outcome = json.dumps({"resourceType": "OperationOutcome"})
    with peering(answer=lambda _: Response(outcome, 412, content_type="application/fhir+json")) as peer:
        assert simulated(capsys, peer.base, *ONE, "--prefetch", "none")[0] == 0
        assert simulated(capsys, peer.base, *ONE)[0] == 1


def test_what_the_charts_do_not_have_is_left_out_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    wants = {
        "coverage": "Coverage?patient={{context.patientId}}",
        "role": "PractitionerRole/{{userPractitionerRoleId}}",
    }
    with peering(cards=[], services=[SERVICE | {"prefetch": SERVICE["prefetch"] | wants}]) as peer:  # type: ignore[operator]
        _, document = simulated(capsys, peer.base, *ONE)
    assert document["calls"][0]["sent"][0] == "1 of 3 prefetch keys (these charts do not have the others)"
    assert list(prefetched(peer)[0]) == ["patient"]


def read_chart(request: dict[str, Any], token: str | None = None, timeout: float = 1.0) -> int:
    """What a service may do while it is asked; the status, 0 where none comes."""
    lent = request.get("fhirAuthorization")
    if not lent:
        return 0
    bearer = lent["access_token"] if token is None else token
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    try:
        return requests.get(
            f"{request['fhirServer']}/Patient/starting-art", headers=headers, timeout=timeout
        ).status_code
    except requests.RequestException:
        return 0


@pytest.mark.parametrize(
    ("behaviour", "status"), [("fast", 200), ("slow", 200), ("error", 500), ("hang", 0), ("gone", 0)]
)
def test_the_fhir_server_that_is_lent_is_as_bad_as_asked_for(
    capsys: pytest.CaptureFixture[str], behaviour: str, status: int
) -> None:
    statuses = []

    def answer(request: dict[str, Any]) -> Any:
        if "fhirServer" in request:
            statuses.append(read_chart(request, timeout=1.0 if behaviour == "hang" else 5.0))
        return {"cards": []}

    with peering(answer=answer) as peer:
        ended, document = simulated(capsys, peer.base, *ONE, "--fhir", behaviour, "--prefetch", "none")
    assert (ended, statuses) == (0, [status])
    assert document["calls"][0]["fhirAsked"] == ([] if behaviour == "gone" else ["Patient"])
    assert document["calls"][0]["sent"][-1] == "FHIR server lent"


def test_the_token_that_was_lent_is_never_told(capsys: pytest.CaptureFixture[str]) -> None:
    with peering(cards=[]) as peer:
        assert main(["simulate", peer.base, *ONE, "--fhir", "fast", "--prefetch", "none"]) == 0
        printed = capsys.readouterr().out
    token = peer.sent[-1]["fhirAuthorization"]["access_token"]
    assert token not in printed
    assert "note: it did not ask the FHIR server that was lent" in printed


@pytest.mark.parametrize(
    ("token", "says"), [("", "asked without the token that was lent"), ("another", "asked with another token")]
)
def test_a_service_that_asks_with_no_token_or_another_is_found_out(
    capsys: pytest.CaptureFixture[str], token: str, says: str
) -> None:
    refusals = []

    def answer(request: dict[str, Any]) -> Any:
        refusals.append(read_chart(request, token))
        return {"cards": []}

    with peering(answer=answer) as peer:
        status, document = simulated(capsys, peer.base, *ONE, "--fhir", "fast")
    assert (status, refusals[-1]) == (1, 401)
    assert [one for one in faults(document) if says in one]


def test_a_service_that_asks_after_it_has_answered_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    kept: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> Any:
        if kept:
            read_chart(kept.pop())
        kept.extend([request] if "fhirServer" in request else [])
        return {"cards": []}

    with peering(answer=answer) as peer:
        status, document = simulated(capsys, peer.base, *ONE, "--fhir", "fast", "--times", "2")
    assert status == 0
    assert document["remarks"] == [
        {"level": "note", "text": "the FHIR server was asked after the call was answered (1 times)"}
    ]


# --- feedback --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "outcomes"), [("accept", {"accepted"}), ("override", {"overridden"}), ("both", {"accepted", "overridden"})]
)
def test_feedback_is_sent_twice_with_what_the_cards_offer(
    capsys: pytest.CaptureFixture[str], mode: str, outcomes: set[str]
) -> None:
    with peering() as peer:
        status, document = simulated(capsys, peer.base, *ONE, "--feedback", mode, "--times", "2")
    assert status == 0
    assert peer.told[0] == peer.told[1]
    assert len(peer.told) == 4
    entries = [one for told in peer.told for one in told["feedback"]]
    assert {one["outcome"] for one in entries} == outcomes
    for one in entries:
        assert one["card"] == CARD["uuid"]
        assert datetime.fromisoformat(one["outcomeTimestamp"]).tzinfo
        if one["outcome"] == "accepted":
            assert one["acceptedSuggestions"] == [{"id": CARD["suggestions"][0]["uuid"]}]
        else:
            assert one["overrideReason"]["reason"] == {"code": "not-now", "system": "https://x.example.org/reasons"}
    assert [(one["feedback"]["status"], one["feedback"]["again"]) for one in document["calls"]] == [(200, 200)] * 2
    assert document["warnings"] == [
        "Feedback is sent: it counts as a clinician's. Advice that is overridden may be silent for a while."
    ]


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (lambda _: Response(status=404), "feedback was not taken (404)"),
        (lambda count: Response(status=200 if count == 1 else 409), "feedback that came again was not taken (409)"),
    ],
)
def test_feedback_that_is_not_taken_is_a_fault(
    capsys: pytest.CaptureFixture[str], answers: Callable[[int], Any], says: str
) -> None:
    with peering(feedback=answers) as peer:
        status, document = simulated(capsys, peer.base, *ONE, "--feedback", "override")
    assert (status, faults(document)) == (1, {says})


def test_cards_that_cannot_be_named_get_no_feedback(capsys: pytest.CaptureFixture[str]) -> None:
    nameless = {name: one for name, one in CARD.items() if name != "uuid"}
    with peering(cards=[nameless]) as peer:
        simulated(capsys, peer.base, *ONE, "--feedback", "both")
    assert peer.told == []


# --- captured requests -----------------------------------------------------------------------------------------------


def captured(folder: Path, **changes: Any) -> Path:
    """A captured patient-view, with a token that somebody lent."""
    lent = {"access_token": "ZZSECRET", "token_type": "Bearer", "expires_in": 60, "scope": "x", "subject": "y"}
    content = legal("no-art") | {"fhirServer": "https://ehr.example.org/fhir", "fhirAuthorization": lent} | changes
    file = folder / "captured.json"
    file.write_text(json.dumps(content), "utf-8")
    return file


def test_a_captured_request_is_sent_with_its_dates_moved_and_without_its_token(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = captured(tmp_path)
    newest = {}
    with peering(cards=[]) as peer:
        for options in ((), ("--as-is",)):
            status, document = simulated(capsys, peer.base, "--request", str(file), *options)
            assert status == 0
            assert document["calls"][0]["patient"] == "captured.json"
            newest[options] = peer.sent[-1]
    text = json.dumps(peer.sent)
    assert "ZZSECRET" not in text
    assert "fhirServer" not in text
    assert newest["--as-is",]["prefetch"] == legal("no-art")["prefetch"]
    moved = date.fromisoformat(newest[()]["extension"]["org.immune-status-cds.fixture"]["asOf"])
    assert moved == TODAY
    assert newest[()]["hookInstance"] != newest["--as-is",]["hookInstance"]


def test_where_a_request_does_not_say_its_day_the_newest_in_it_becomes_today(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    old = {"resourceType": "Observation", "effectiveDateTime": "2021-03-04T10:00:00Z", "issued": "2021-03-05"}
    content = {
        "hook": "patient-view",
        "context": {"patientId": "p", "userId": "Practitioner/u"},
        "prefetch": {"cd4": old},
    }
    file = tmp_path / "r.json"
    file.write_text(json.dumps(content), "utf-8")
    with peering(cards=[]) as peer:
        simulated(capsys, peer.base, "--request", str(file))
    sent = peer.sent[-1]["prefetch"]["cd4"]
    assert sent["issued"] == TODAY.isoformat()
    assert sent["effectiveDateTime"] == f"{TODAY - timedelta(days=1)}T10:00:00Z"


def test_captured_requests_stay_on_this_machine_unless_it_is_said_that_they_may_leave(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = str(captured(tmp_path))
    for url in ("https://cds.example.org", "https://127.0.0.1.example.org", "https://192.0.2.1"):
        assert "nothing was sent" in refused(capsys, url, "--request", file)
    status, document = simulated(capsys, "https://cds.invalid", "--request", file, "--may-leave", "--timeout", "2")
    assert (status, document["calls"]) == (1, [])
    assert document["sent"].startswith(
        "Captured requests, with their dates moved to today, to a service on another machine."
    )


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"hook": 1, "context": {}}', '{"hook": "x", "context": []}'])
def test_a_file_that_is_no_request_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str) -> None:
    file = tmp_path / "r.json"
    file.write_text(content, "utf-8")
    said = refused(capsys, "http://127.0.0.1:9", "--request", str(file))
    assert "r.json" in said
    assert str(tmp_path) not in said


# --- wrong usage -----------------------------------------------------------------------------------------------------

HERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "the address of a service"),
        (("http://cds.example.org",), "https, or http to this machine"),
        (("https://user:secret@cds.example.org",), "without user"),
        (("https://cds.example.org/?x=1",), "without user or query"),
        (("ftp://127.0.0.1",), "https"),
        (("nonsense",), "https"),
        ((HERE, "--patient", "nobody"), "no demo patient 'nobody'; known are starting-art"),
        ((HERE, "--request", "absent.json"), "cannot be read"),
        ((HERE, "--request", "x", "--patient", "starting-art"), "exclude each other"),
        ((HERE, "--request", "x", "--fhir", "fast"), "exclude each other"),
        ((HERE, "--as-is"), "--request is expected"),
        ((HERE, "--key", "absent.pem"), "--iss"),
        ((HERE, "--key", "absent.pem", "--iss", "x"), "cannot be read"),
        ((HERE, "--iss", "x"), "--iss: a token needs a key"),
        ((HERE, "--token-fault", "expired"), "--token-fault: a token needs a key"),
        ((HERE, "--ca", "absent.pem"), "--ca"),
        ((HERE, "--make-key", "key.json"), "calls nobody"),
        ((HERE, "--times", "10001"), "from 1 to 10000"),
        ((HERE, "--times", "0"), "from 1 to 10000"),
        ((HERE, "--at-once", "17"), "from 1 to 16"),
        ((HERE, "--timeout", "61"), "from 1 to 60"),
        ((HERE, "--token-fault", "odd"), "invalid choice"),
        ((HERE, "--prefetch", "odd"), "invalid choice"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_to_change(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    assert says in refused(capsys, *arguments)


def test_more_calls_than_are_ever_made_are_refused_before_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    with peering(cards=[], services=[THREE]) as peer:
        assert "at most 100000" in refused(capsys, peer.base, "--times", "10000", "--prefetch", "broken")
        assert peer.sent == []


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, peering(cards=[]) as peer:
        port = str(taken.getsockname()[1])
        assert f"port {port} is taken" in refused(capsys, peer.base, "--fhir", "fast", "--fhir-port", port)


def test_a_new_key_is_printed_as_the_set_to_hand_over(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["simulate", "--make-key", str(tmp_path / "key.json"), "--kid", "2026-11"]) == 0
    (public,) = json.loads(capsys.readouterr().out)["keys"]
    assert (public["kid"], public["alg"], public["use"], "d" in public) == ("2026-11", "ES384", "sig", False)
    assert "cannot be written" in refused(capsys, "--make-key", str(tmp_path / "key.json"))
