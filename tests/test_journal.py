"""What is written down: only closed fields, from whoever logs; nobody waits for a reader; nothing of a patient gets in."""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import requests
import sqlalchemy

from cds_service.journal.audit import Audit
from cds_service.journal.fields import FIELDS, WITHHELD, allowed
from cds_service.journal.log import log, take_over
from cds_service.journal.sink import LONGEST_QUEUE, Sink
from cds_service.journal.trace_context import trace_context
from cds_service.ledger import Database, Pseudonyms, site_key
from cds_service.server.log import ServerLog
from cds_service.settings import LEAST_KEY_BYTES, SettingFault, read_settings
from cds_service.web import cds_hooks
from cds_service.web.steps import STEPS
from tests import fhir_servers as fakes
from tests.clients import SIGN
from tests.fixture_files import Clock, legal
from tests.journal_lines import Lines, journal
from tests.test_access import BODY, JSON, ONE, OVERRIDDEN, TWO, Site

CANARY = "ZZCANARYNAME"


@pytest.fixture
def lines() -> Iterator[Lines]:
    with journal() as found:
        yield found


# --- fields ----------------------------------------------------------------------------------------------------------


def test_what_is_not_on_the_list_is_not_written(lines: Lines) -> None:
    log.info("refused", status=401, body=CANARY, patient_name=CANARY, url=f"https://x/{CANARY}")
    (line,) = lines.fields
    assert set(line) == {"event", "status", "level", "timestamp", "process"}
    assert (line["event"], line["status"]) == ("refused", 401)


@pytest.mark.parametrize("name", sorted(FIELDS))
@pytest.mark.parametrize(
    "value", [f"{CANARY} of {CANARY}", "a\nb", "<b>", {"x": [CANARY]}, {CANARY: "x"}, [CANARY, {}], b"x"]
)
def test_what_has_not_the_shape_of_its_field_is_withheld(name: str, value: Any) -> None:
    shown = allowed({name: value})[name]
    assert shown == WITHHELD or name == "message"
    assert CANARY not in json.dumps(shown) or name == "message"


def test_an_event_is_a_word(lines: Lines) -> None:
    log.error(f"something about {CANARY}")
    assert lines.fields[0]["event"] == WITHHELD


# --- other people's loggers ------------------------------------------------------------------------------------------


@contextmanager
def taken_over() -> Iterator[None]:
    before = logging.root.handlers[:], logging.root.level, sys.excepthook, threading.excepthook, sys.unraisablehook
    take_over("debug")
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        logging.root.handlers[:], logging.root.level, sys.excepthook, threading.excepthook, sys.unraisablehook = before


def by_name(name: str) -> None:
    logging.getLogger(name).error("%s asks for %s", CANARY, CANARY)


def with_exception(name: str) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger(name).exception(CANARY)


def in_a_thread() -> None:
    def fail() -> None:
        raise LookupError(CANARY)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()


def statement() -> None:
    logging.getLogger("sqlalchemy.engine").setLevel(logging.DEBUG)
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT :name"), {"name": CANARY}).all()
    engine.dispose()
    logging.getLogger("sqlalchemy.engine").setLevel(logging.NOTSET)


def request_that_fails() -> None:
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    with suppress(requests.RequestException), requests.Session() as session:
        session.get(f"http://127.0.0.1:1/{CANARY}", timeout=0.2)
    logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


@pytest.mark.parametrize(
    "speak",
    [
        lambda: by_name("requests.sessions"),
        lambda: by_name("sqlalchemy.engine"),
        lambda: by_name("werkzeug"),
        lambda: by_name("anything at all"),
        lambda: by_name("cds_service.web"),
        lambda: with_exception("flask.app"),
        lambda: with_exception("hooks.assess"),
        lambda: by_name("py.warnings"),
        lambda: sys.excepthook(ValueError, ValueError(CANARY), None),
        in_a_thread,
        statement,
        request_that_fails,
    ],
)
def test_whatever_a_library_says_only_who_and_where_is_written(
    lines: Lines, speak: Callable[[], None], capfd: pytest.CaptureFixture[str]
) -> None:
    with taken_over():
        speak()
    assert lines.fields
    assert CANARY not in lines.text + "".join(capfd.readouterr())
    assert {one["event"] for one in lines.fields} <= {"library", "uncaught"}


def test_a_rule_that_fails_is_named_and_its_words_are_not(
    lines: Lines, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = next(one for service in site.services for one in service.rules if one.id == "mac-start")

    def fail(*_: object) -> None:
        raise ArithmeticError(CANARY)

    with taken_over(), monkeypatch.context() as broken:
        broken.setattr(
            type(rule), "__call__", lambda self, *given: fail() if self.id == rule.id else self.function(*given)
        )
        answer = site.post()
    assert answer.status_code == 200
    (said,) = [one for one in lines.fields if one["event"] == "rule-failed"]
    assert (said["rule"], said["fault"], said["level"]) == ("mac-start", "ArithmeticError", "error")
    assert said["correlation"] == answer.headers["X-Correlation-Id"]
    assert CANARY not in lines.text


def test_of_the_servers_own_messages_the_format_is_shown_and_never_what_is_put_into_it(lines: Lines) -> None:
    said = ServerLog(None)
    said.error("Error handling request %s", CANARY)
    said.warning(f"Invalid request from {CANARY}")
    try:
        raise OSError(CANARY)
    except OSError:
        said.exception("Unhandled exception in %s", CANARY)
    assert [one.get("message") for one in lines.fields] == [
        "Error handling request %s",
        None,
        "Unhandled exception in %s",
    ]
    assert lines.fields[2]["fault"] == "OSError"
    assert CANARY not in lines.text


# --- the sink --------------------------------------------------------------------------------------------------------


def test_lines_come_out_in_order(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    sink = Sink(os.open(file, os.O_WRONLY | os.O_CREAT))
    for number in range(5000):
        sink.write(b"%d" % number)
    sink.flush(60)
    assert file.read_bytes().split() == [b"%d" % number for number in range(5000)]


def test_a_reader_that_does_not_read_costs_lines_and_nobody_waits() -> None:
    reading, writing = os.pipe()
    dropped: list[int] = []
    sink = Sink(writing, lambda: dropped.append(1))
    began = monotonic()
    for _ in range(LONGEST_QUEUE + 5000):
        sink.write(b"x" * 100)
    assert monotonic() - began < 5
    assert len(dropped) > 1000
    taken = bytearray()
    ends = monotonic() + 10
    while len(taken) < 1_000_000 and monotonic() < ends:
        taken += os.read(reading, 1 << 16)  # the reader is back: what was kept comes
    assert set(bytes(taken).rpartition(b"\n")[0].split()) == {b"x" * 100}  # the last may have come in part
    os.close(reading)


def test_a_place_that_cannot_be_written_to_costs_lines_only() -> None:
    dropped: list[int] = []
    sink = Sink(os.open("/dev/full", os.O_WRONLY), lambda: dropped.append(1))
    for _ in range(3):
        sink.write(b"x")
        sink.flush(60)
    assert len(dropped) == 3


def test_a_forked_process_writes_its_own_lines(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    sink = Sink(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    sink.write(b"parent")
    sink.flush(60)
    child = os.fork()
    if not child:
        sink.write(b"child")
        sink.flush(60)
        os._exit(0)
    os.waitpid(child, 0)
    sink.write(b"parent again")
    sink.flush(60)
    assert file.read_bytes() == b"parent\nchild\nparent again\n"


# --- traces ----------------------------------------------------------------------------------------------------------

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "header", [f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00", f"cc-{TRACE}-{SPAN}-01-what-ever-comes"]
)
def test_a_trace_is_continued(header: str) -> None:
    assert trace_context(header) == (TRACE, SPAN)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        CANARY,
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f" 00-{TRACE}-{SPAN}-01",
    ],
)
def test_a_malformed_trace_is_not(header: str | None) -> None:
    assert trace_context(header) is None


# --- the audit -------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, audit=str(tmp_path / "audit"))


def records(site: Site) -> list[dict[str, Any]]:
    site.parts.audit.flush(60)
    return [json.loads(line) for line in (site.database.parent / "audit").read_text().splitlines()]


def test_an_answer_is_recorded_with_who_asked_what_became_of_it_and_on_which_knowledge(site: Site) -> None:
    answer = site.post()
    (said,) = records(site)
    assert said["event"] == "answer"
    assert said["correlation"] == answer.headers["X-Correlation-Id"]
    assert (said["issuer"], said["service"], said["hook"]) == (ONE.iss, "immune-status-order-sign", "order-sign")
    assert (said["status"], said["complete"], said["cards"]) == (200, True, len(answer.get_json()["cards"]))
    assert said["rules"]["pneumocystis-start"] == "recommended"
    assert said["knowledge"] == answer.headers["X-Knowledge-Version"]
    assert set(said["steps_ms"]) == set(STEPS)
    assert said["duration_ms"] >= max(said["steps_ms"].values())
    assert WITHHELD not in json.dumps(said)


def test_a_patient_is_one_hash_with_one_issuer_and_another_with_another(site: Site) -> None:
    for client in (ONE, ONE, TWO):
        site.post(client)
    first, again, other = records(site)
    assert first["patient"] == again["patient"] != other["patient"]
    assert first["user"] != first["patient"]
    ids = (legal("cd4-120-starting-art")["context"][name] for name in ("patientId", "userId"))
    assert not [one for one in ids if one in json.dumps([first, again, other])]


def test_every_kind_of_answer_leaves_one_record(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [
        (200, site.post),
        (401, lambda: site.client.post(SIGN, data=BODY, headers=JSON)),
        (404, lambda: site.client.post("/cds-services/none", data=BODY, headers=JSON)),
        (400, lambda: site.post(body="{")),
        (422, lambda: site.post(body=legal("cd4-120-starting-art") | {"hook": "patient-view"})),
        (412, lambda: site.post(body=legal("cd4-120-starting-art") | {"prefetch": {}})),
        (200, lambda: site.post(path=f"{SIGN}/feedback", body=OVERRIDDEN)),
        (400, lambda: site.post(path=f"{SIGN}/feedback", body={})),
    ]
    numbers = []
    for status, call in asked:
        answer = call()
        assert answer.status_code == status
        numbers.append(answer.headers["X-Correlation-Id"])
    with monkeypatch.context() as broken:
        broken.setattr(cds_hooks, "assess", lambda *_: 1 / 0)
        numbers.append(site.post().headers["X-Correlation-Id"])
    site.client.get("/cds-services")
    site.client.get("/healthz")
    found = records(site)
    assert [one["correlation"] for one in found] == numbers
    assert [one["status"] for one in found] == [*(status for status, _ in asked), 500]
    assert [one.get("code") for one in found][1:] == [
        "unauthenticated",
        "unknown-service",
        "malformed-request",
        "contradiction",
        "missing-data",
        None,
        "malformed-request",
        "internal-fault",
    ]
    assert found[6]["entries"] == 1


def test_a_trace_of_the_client_stands_in_log_and_audit(site: Site, lines: Lines) -> None:
    header = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    site.client.post(SIGN, data=BODY, headers=JSON | header)
    site.client.post(SIGN, data=BODY, headers=JSON | {"traceparent": CANARY})
    assert [(one.get("trace"), one.get("span")) for one in records(site)] == [(TRACE, SPAN), (None, None)]
    refused = [one for one in lines.fields if one["event"] == "refused"]
    assert [(one.get("trace"), one.get("span")) for one in refused] == [(TRACE, SPAN), (None, None)]


def test_an_audit_can_be_switched_off_and_an_unwritable_place_starts_nothing(tmp_path: Path) -> None:
    Audit("off", Clock(), lambda: None).record({"event": "answer"})
    with pytest.raises(FileNotFoundError):
        Audit(str(tmp_path / "absent" / "audit"), Clock(), lambda: None)


def test_nothing_of_a_patient_or_a_token_is_written_whatever_fails(
    tmp_path: Path, lines: Lines, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Good and bad requests full of canaries, servers that fail in all ways, faults of our own: logs, audit, metrics, output."""
    text = (
        json.dumps(legal("cd4-120-starting-art"))
        .replace("starting-art", "ZZCANARYID")
        .replace("demo-clinician", "ZZCANARYID")
    )
    request = json.loads(text)
    request["prefetch"]["patient"]["name"] = [{"family": CANARY}]
    request["fhirAuthorization"] = {"access_token": "ZZCANARYTOKEN", "token_type": "Bearer", "expires_in": 300}
    behaviours = [
        fakes.failing("500 x"),
        fakes.closing_at_once,
        fakes.silent,
        fakes.answering(fakes.whole(b"ZZCANARYNAME")),
    ]
    with taken_over():
        for number, behaviour in enumerate(behaviours):
            with fakes.serving(behaviour) as server:
                folder = tmp_path / str(number)
                folder.mkdir()
                site = Site(
                    folder,
                    f'fhir_servers = ["{server.base}"]\nallow_private_addresses = true\ndeadline_ms = 300',
                    audit=str(folder / "audit"),
                )
                sent = request | {"fhirServer": server.base}
                for body in (
                    sent,
                    sent | {"prefetch": {}},
                    sent | {"hook": CANARY},
                    text[:-5],
                    text.replace(":", "", 1),
                ):
                    site.post(body=body)
                site.post(path=f"{SIGN}/feedback", body={"feedback": [{"card": CANARY}]})
                with monkeypatch.context() as broken:
                    broken.setattr(cds_hooks, "read", lambda given, *_: 1 / len(str(given.patient_id)[:0]))
                    assert site.post(body=sent).status_code == 500
                metrics = site.client.get("/metrics").text
                seen = lines.text + metrics + json.dumps(records(site)) + "".join(capfd.readouterr())
                assert "ZZCANARY" not in seen
                assert len(records(site)) == 7
    assert {"refused", "fault"} <= {one["event"] for one in lines.fields}
    assert not [one for one in lines.fields if WITHHELD in one.values()]


# --- pseudonyms ------------------------------------------------------------------------------------------------------


def test_the_key_that_a_site_makes_for_itself_stays_the_same(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    first, again = (site_key(Database(url), None) for _ in range(2))
    assert first == again
    assert len(first) == LEAST_KEY_BYTES
    assert site_key(Database("sqlite://"), None) != first


def test_a_key_of_the_sites_own_is_taken_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"k" * LEAST_KEY_BYTES)
    assert site_key(Database("sqlite://"), str(file)) == b"k" * LEAST_KEY_BYTES
    assert read_settings({"CDS_PATIENT_KEY_FILE": str(file)}).patient_key_file == str(file)
    file.write_bytes(b"short")
    for path in (file, tmp_path / "absent"):
        with pytest.raises(SettingFault, match="CDS_PATIENT_KEY_FILE"):
            read_settings({"CDS_PATIENT_KEY_FILE": str(path)})


def test_a_pseudonym_tells_nothing_without_the_key() -> None:
    one, other = Pseudonyms(lambda: b"a" * 32), Pseudonyms(lambda: b"b" * 32)
    assert one.of("https://x", "1") == one.of("https://x", "1") != other.of("https://x", "1")
    assert one.of("https://x", "1") != one.of("https://y", "1")
    assert len(one.of("https://x", "1")) == 32


# --- metrics ---------------------------------------------------------------------------------------------------------


def test_refusals_gaps_codes_and_steps_are_counted(site: Site) -> None:
    request = legal("cd4-120-starting-art")
    del request["prefetch"]["allergies"]
    drug = {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
            "subject": {"reference": f"Patient/{request['context']['patientId']}"},
            "medicationCodeableConcept": {"coding": [{"system": "urn:local", "code": CANARY}], "text": CANARY}}  # fmt: skip
    request["prefetch"]["medications"] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": drug}]}
    site.post(body=request)
    site.post(body="{")
    site.client.post(SIGN, data=BODY, headers=JSON)
    text = site.client.get("/metrics").text
    issuer = f'issuer="{ONE.iss}"'
    assert 'cds_not_assessed_total{datum="allergies"}' in text
    assert f'cds_chart_entries_total{{{issuer},kind="drug",mapped="no"}} 1.0' in text
    assert f'cds_chart_entries_total{{{issuer},kind="result",mapped="yes"}}' in text
    assert f'cds_refusals_total{{code="malformed-request",{issuer}}} 1.0' in text
    assert 'cds_refusals_total{code="unauthenticated",issuer="unknown"} 1.0' in text
    for step in STEPS:
        assert f'cds_step_seconds_count{{step="{step}"}}' in text
    assert CANARY not in text
