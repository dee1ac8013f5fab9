"""A short fuzz of the real server, and that the fuzz itself would notice what it looks for."""

import json
from datetime import date
from pathlib import Path

import pytest

from tests.fuzz import __main__ as fuzz
from tests.fuzz.documents import COMMENT, LENT, NAME, PATIENT
from tests.fuzz.holding import fault_of
from tests.fuzz.line import Answer, Line
from tests.fuzz.live import live
from tests.fuzz.requests import Plan, Request
from tests.fuzz.scene import holds_token
from tests.fuzz.trust import Client

DAY = date(2026, 11, 20)
CLIENT = Client("https://fuzz.example.org")
HEADERS = (("cache-control", "no-store"), ("x-content-type-options", "nosniff"), ("x-knowledge-version", "2026.11.0"))
REFUSAL = json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}).encode()
EMPTY = b'{"cards": []}'


def plan(seed: str = "1") -> Plan:
    return Plan(
        seed=seed, today=DAY, client=CLIENT, servers=("http://127.0.0.1:1/fhir",), stranger="http://127.0.0.1:2/"
    )


@pytest.mark.slow
def test_five_thousand_generated_requests_are_answered_as_promised(capsys: pytest.CaptureFixture[str]) -> None:
    status = fuzz.main(["--requests", "5000", "--seed", "1"])
    assert status == 0, capsys.readouterr().out


def test_a_request_is_made_again_from_its_number() -> None:
    first, second, other = plan().request(4), plan().request(4), plan("2").request(4)
    assert (first.kind, first.path, len(first.sent)) == (second.kind, second.path, len(second.sent))
    assert first.sent.partition(b"\r\n\r\n")[2] == second.sent.partition(b"\r\n\r\n")[2]
    assert first.sent.partition(b"\r\n\r\n")[2] != other.sent.partition(b"\r\n\r\n")[2]


def test_every_kind_of_request_is_made() -> None:
    kinds = {plan().request(number).kind for number in range(300)}
    assert kinds == {"fixture", "chart", "shape", "text", "byte", "http", "feedback", "authorization", "fetch"}


def asked(kind: str = "shape", broken: bool = False, path: str = "/cds-services/x") -> Request:
    return Request(number=1, kind=kind, path=path, sent=b"x" * 100, broken=broken)


def own(status: int, body: bytes, **headers: str) -> Answer:
    kind = "application/fhir+json" if status >= 400 else "application/json"
    return Answer(status, (*HEADERS, ("content-type", kind), *headers.items()), body, 0.1)


def test_a_good_answer_and_a_good_refusal_pass() -> None:
    assert fault_of(asked(), own(200, EMPTY), 1000) is None
    assert fault_of(asked(), own(412, REFUSAL), 1000) is None
    assert fault_of(asked(path="/cds-services/x/feedback"), own(200, b"{}"), 1000) is None


@pytest.mark.parametrize(
    ("answer", "noticed"),
    [
        (own(500, REFUSAL), "500"),
        (own(503, REFUSAL), "503"),
        (own(429, REFUSAL), "429"),
        (own(401, REFUSAL), "401"),
        (Answer(0), "no answer"),
        (Answer(200, (), EMPTY), "not an answer of the service"),
        (Answer(200, (*HEADERS[1:], ("content-type", "application/json")), EMPTY), "not an answer|cache-control"),
        (own(200, b'{"cards": [{}]}'), "schema"),
        (own(200, b"{"), "no JSON"),
        (own(302, b""), "302"),
        (own(400, b"<html>"), "no OperationOutcome"),
        (own(400, b'{"resourceType": "OperationOutcome", "issue": []}'), "no OperationOutcome"),
        (own(400, REFUSAL + b" " * 2048), "size"),
        (own(400, REFUSAL.replace(b"error", PATIENT.encode())), PATIENT),
        (own(200, b'{"cards": [], "extension": {"x": "%s"}}' % NAME.encode()), NAME),
        (own(200, EMPTY, location=LENT), LENT),
        (own(200, EMPTY, location=COMMENT), COMMENT),
        (Answer(200, own(200, EMPTY).headers, EMPTY, 9.0), "9.0 seconds"),
    ],
)
def test_a_bad_answer_is_noticed(answer: Answer, noticed: str) -> None:
    found = fault_of(asked(), answer, 1000)
    assert found
    assert any(one in found for one in noticed.split("|"))


def test_where_http_is_broken_the_server_may_refuse_in_its_own_words_or_hang_up() -> None:
    assert fault_of(asked("http", broken=True), Answer(0), 1000) is None
    assert fault_of(asked("http", broken=True), Answer(501, (), b"no"), 1000) is None
    assert fault_of(asked("http", broken=True), own(500, REFUSAL), 1000) == "500"


def test_a_canary_in_a_log_and_a_place_that_was_gone_to_are_found(tmp_path: Path) -> None:
    with live(tmp_path, [CLIENT]) as running:
        assert len(set(running.workers())) == 2
        (running.folder / "stderr").write_text(f"a patient called {NAME}", "utf-8")
        assert NAME.encode() in running.said()
        assert NAME.encode() in running.left_behind()
        with Line(running.port) as line:
            token = CLIENT.token("/cds-services/immune-status-patient-view")
            head = "POST /cds-services/immune-status-patient-view HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            sent = f"{head}Authorization: Bearer {token}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
            assert [line.ask(sent).status for _ in range(2)] == [400, 401]  # let in once
        with (tmp_path / "journal").open("a") as journal:
            journal.write(json.dumps([1, "socket.connect", "('192.0.2.1', 80)"]) + "\n")
        assert ("socket.connect", "('192.0.2.1', 80)") in running.outside()


def test_a_token_in_what_was_written_is_found_and_a_sealed_text_with_its_first_letters_is_none() -> None:
    token = CLIENT.token("/cds-services/x").encode()
    assert all(holds_token(b"before " + part + b" after") for part in (token, token.split(b".")[1]))
    assert holds_token(b"sealed:eyJ" + b"x" * 30 + token)
    sealed = b"sealed:9dK2eyJ7Qp-0xVh3_8sLwTz5cN1mRb4"
    assert not holds_token(sealed)
