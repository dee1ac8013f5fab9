"""Feedback in, rows of a real SQLite file out: all of a call or nothing, durable before it is acknowledged."""

import fcntl
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from cds_service.app import create_app
from cds_service.ledger import Ledger, LedgerDown
from cds_service.settings import Settings
from cds_service.web.wiring import KEY
from cds_service.wire.feedback import FeedbackEntry
from cds_service.wire.validation import validator
from tests.fixture_files import Clock, app_of, ask, legal

ROOT = Path(__file__).parents[1]
PATH = "/cds-services/immune-status-order-sign/feedback"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CARD = "3f1c9a52-7d44-4b0e-9d5c-1f2a6b7c8d9e"
OVERRIDDEN: dict[str, Any] = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-11-20T11:59:00Z"}
ACCEPTED = OVERRIDDEN | {"outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}, {"id": "s2"}]}
REASON = {"code": "not-now", "system": "https://immune-status-cds.org/CodeSystem/override-reason"}
LONGEST_COMMENT = 4096


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def client(database: Path) -> FlaskClient:
    return app_of(Clock(), database_url=f"sqlite:///{database}").test_client()


def post(client: FlaskClient, *entries: Any, path: str = PATH) -> TestResponse:
    return client.post(path, json={"feedback": list(entries)})


def rows(database: Path) -> list[dict[str, Any]]:
    """The feedback as another program finds it in the file."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM feedback ORDER BY id")]


def opened(client: FlaskClient, sealed: str) -> str | None:
    """A comment as whoever has the key of the site reads it."""
    ledger: Ledger = client.application.extensions[KEY].ledger
    return ledger.pseudonyms.unseal(sealed)


def kept(client: FlaskClient, database: Path, *entries: Any) -> list[dict[str, Any]]:
    """The rows of a call that was acknowledged."""
    for one in entries:
        validator("feedback").validate({"feedback": [one]})
    answer = post(client, *entries)
    assert (answer.status_code, answer.get_json()) == (200, {})
    return rows(database)


# --- what is accepted ------------------------------------------------------------------------------------------------


def test_accepted_suggestions_are_kept(client: FlaskClient, database: Path) -> None:
    (row,) = kept(client, database, ACCEPTED)
    assert (row["card"], row["outcome"], row["accepted"]) == (CARD, "accepted", "s1\ns2")
    assert (row["service"], row["issuer"]) == ("immune-status-order-sign", "open-demo")
    assert row["received"] == "2026-11-20 12:00:00.000000"
    assert (row["reason_code"], row["reason_system"], row["comment"]) == (None, None, None)


@pytest.mark.parametrize("spelling", ["overrideReason", "overrideReasons"])
def test_an_override_reason_is_kept_in_either_spelling(client: FlaskClient, database: Path, spelling: str) -> None:
    given = {spelling: {"reason": REASON, "userComment": "seen tomorrow"}}
    (row,) = kept(client, database, OVERRIDDEN | given)
    assert (row["outcome"], row["accepted"]) == ("overridden", "")
    assert (row["reason_code"], row["reason_system"]) == tuple(REASON.values())
    assert opened(client, row["comment"]) == "seen tomorrow"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"overrideReason": {}},
        {"overrideReason": {"extension": {"com.example.reason": {"reasonDisplay": "Other"}}}},
        {"overrideReasons": {"extension": {"com.epic.cdshooks.feedback": "x"}}},
        {"overrideReason": {"reason": {"code": "another-list", "system": "https://ehr.example.org/reasons"}}},
        {"extension": {"org.example": {"x": 1}}, "unknown": None},
    ],
)
def test_feedback_without_a_reason_of_ours_is_accepted(
    client: FlaskClient, database: Path, given: dict[str, Any]
) -> None:
    (row,) = kept(client, database, OVERRIDDEN | given)
    assert row["reason_code"] in (None, "another-list")
    assert row["comment"] is None


def test_a_comment_alone_is_kept_as_it_is_written(client: FlaskClient, database: Path) -> None:
    comment = "=cmd()'; DROP TABLE feedback; -- <b>ñ</b> 漢字 🙂\n| x |"
    (row,) = kept(client, database, OVERRIDDEN | {"overrideReason": {"userComment": comment}})
    assert opened(client, row["comment"]) == comment
    assert "DROP" not in row["comment"]


def test_a_comment_may_be_as_long_as_the_limit_and_no_longer(client: FlaskClient, database: Path) -> None:
    longest = OVERRIDDEN | {"overrideReason": {"userComment": "x" * LONGEST_COMMENT}}
    assert len(kept(client, database, longest)) == 1
    assert (
        post(client, OVERRIDDEN | {"overrideReason": {"userComment": "x" * (LONGEST_COMMENT + 1)}}).status_code == 400
    )
    assert len(rows(database)) == 1


def test_a_batch_is_kept_in_its_order(client: FlaskClient, database: Path) -> None:
    batch = [OVERRIDDEN | {"card": f"card-{number}"} for number in range(1000)]
    assert [row["card"] for row in kept(client, database, *batch)] == [one["card"] for one in batch]


def test_what_is_said_again_word_for_word_is_kept_once(client: FlaskClient, database: Path) -> None:
    kept(client, database, ACCEPTED, ACCEPTED)
    kept(client, database, ACCEPTED)
    found = kept(client, database, OVERRIDDEN, ACCEPTED, OVERRIDDEN | {"outcomeTimestamp": "2026-11-20T11:59:00+00:00"})
    assert [row["outcome"] for row in found] == ["accepted", "overridden"]


def test_another_word_on_the_same_card_is_kept_in_order(client: FlaskClient, database: Path) -> None:
    for later in ("11:58", "11:59"):
        found = kept(client, database, OVERRIDDEN | {"outcomeTimestamp": f"2026-11-20T{later}:00Z"}, ACCEPTED)
    assert [row["outcome"] for row in found] == ["overridden", "accepted", "overridden"]


@pytest.mark.parametrize("card", ["never-issued", "x" * 256, "'; --", "ñ"])
def test_a_card_nobody_knows_is_acknowledged_alike(client: FlaskClient, database: Path, card: str) -> None:
    (row,) = kept(client, database, OVERRIDDEN | {"card": card})
    assert row["card"] == card


def test_a_card_of_an_answer_can_be_answered_by_its_uuid(client: FlaskClient, database: Path) -> None:
    card = ask(client, legal("cd4-120-starting-art")).get_json()["cards"][0]
    taken = ACCEPTED | {"card": card["uuid"], "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}]}
    (row,) = kept(client, database, taken)
    assert (row["card"], row["accepted"]) == (card["uuid"], card["suggestions"][0]["uuid"])


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2026-11-20T11:59:00Z", "2026-11-20 11:59:00.000000"),
        ("2026-11-20T11:59:00.250Z", "2026-11-20 11:59:00.250000"),
        ("2026-11-20T14:59:00+03:00", "2026-11-20 11:59:00.000000"),
        ("2026-11-19T23:30:00-05:30", "2026-11-20 05:00:00.000000"),
        ("2026-11-20t11:59:00z", "2026-11-20 11:59:00.000000"),
        ("2026-11-20T11:59:00", "2026-11-20 11:59:00.000000"),
    ],
)
def test_timestamps_are_stored_in_utc(client: FlaskClient, database: Path, written: str, stored: str) -> None:
    (row,) = kept(client, database, OVERRIDDEN | {"outcomeTimestamp": written})
    assert row["at"] == stored


@pytest.mark.parametrize("file", sorted((ROOT / "fixtures" / "feedback").glob("*.json")), ids=lambda one: one.stem)
def test_each_fixture_is_acknowledged_and_kept_once(client: FlaskClient, database: Path, file: Path) -> None:
    content = json.loads(file.read_text("utf-8"))
    for _ in range(2):
        answer = client.post(PATH, json=content)
        assert (answer.status_code, answer.get_json()) == (200, {})
    assert len(rows(database)) == len({json.dumps(one) for one in content["feedback"]})


# --- what is refused -------------------------------------------------------------------------------------------------


def lacking(name: str, entry: dict[str, Any] = OVERRIDDEN) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != name}


MALFORMED: dict[str, Any] = {
    "no card": lacking("card"),
    "card is empty": OVERRIDDEN | {"card": ""},
    "card is too long": OVERRIDDEN | {"card": "x" * 257},
    "card is a number": OVERRIDDEN | {"card": 1},
    "no outcome": lacking("outcome"),
    "an outcome nobody defined": OVERRIDDEN | {"outcome": "ignored"},
    "no timestamp": lacking("outcomeTimestamp"),
    "no instant": OVERRIDDEN | {"outcomeTimestamp": "yesterday"},
    "a date without a time": OVERRIDDEN | {"outcomeTimestamp": "2026-11-20"},
    "an impossible date": OVERRIDDEN | {"outcomeTimestamp": "2026-02-30T10:00:00Z"},
    "an instant before all calendars": OVERRIDDEN | {"outcomeTimestamp": "0001-01-01T00:00:00+14:00"},
    "an instant after all calendars": OVERRIDDEN | {"outcomeTimestamp": "9999-12-31T23:59:59-14:00"},
    "timestamp is a number": OVERRIDDEN | {"outcomeTimestamp": 1795000000},
    "accepted without suggestions": lacking("acceptedSuggestions", ACCEPTED),
    "accepted with no suggestion": ACCEPTED | {"acceptedSuggestions": []},
    "a suggestion without id": ACCEPTED | {"acceptedSuggestions": [{"uuid": "s1"}]},
    "a reason that is text": OVERRIDDEN | {"overrideReason": "busy"},
    "a comment that is a number": OVERRIDDEN | {"overrideReason": {"userComment": 1}},
    "no object": "overridden",
    "null": None,
}


@pytest.mark.parametrize("entry", MALFORMED.values(), ids=MALFORMED.keys())
def test_one_bad_entry_among_many_keeps_all_of_them_out(client: FlaskClient, database: Path, entry: Any) -> None:
    answer = post(client, *[OVERRIDDEN] * 57, entry, *[ACCEPTED] * 42)
    assert answer.status_code == 400
    assert "feedback.57" in answer.get_json(force=True)["issue"][0]["diagnostics"]
    assert rows(database) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"feedback": null}',
        b'{"feedback": []}',
        json.dumps({"feedback": OVERRIDDEN}).encode(),
        json.dumps(OVERRIDDEN).encode(),
        json.dumps({"feedback": [OVERRIDDEN] * 1001}).encode(),
        json.dumps({"feedback": [OVERRIDDEN | {"overrideReason": {"userComment": "\ud800"}}]}).encode(),
        json.dumps({"feedback": [OVERRIDDEN]}).encode()[:-1],
        b'{"feedback": [{"card": "\xff"}]}',
    ],
)
def test_what_is_no_feedback_is_refused(client: FlaskClient, database: Path, body: bytes) -> None:
    assert client.post(PATH, data=body, content_type="application/json").status_code == 400
    assert rows(database) == []


def test_feedback_on_a_service_that_is_none_is_refused(client: FlaskClient, database: Path) -> None:
    assert post(client, OVERRIDDEN, path="/cds-services/none/feedback").status_code == 404
    assert rows(database) == []


def test_a_refusal_echoes_nothing_of_the_feedback(client: FlaskClient) -> None:
    comment = {"overrideReason": {"userComment": "ZZCANARYNAME" * 1000}}
    answer = post(client, OVERRIDDEN | comment | {"card": "ZZCANARYID"})
    assert answer.status_code == 400
    assert "ZZCANARY" not in answer.text


# --- the database ----------------------------------------------------------------------------------------------------


def test_the_file_is_written_ahead_and_synced_in_full(database: Path) -> None:
    ledger = Ledger(f"sqlite:///{database}")
    with ledger.database.reading() as connection:
        modes = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
    assert modes == ["wal", 2]
    ledger.database.close()
    assert database.read_bytes()[18:20] == b"\x02\x02"  # the file's own mark of write-ahead logging


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program is writing, and takes its time."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_a_locked_database_is_answered_with_try_later_and_nothing_kept(client: FlaskClient, database: Path) -> None:
    with locked(database):
        began = monotonic()
        answer = post(client, OVERRIDDEN)
        assert monotonic() - began < 5
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert ask(client, legal("cd4-120-starting-art")).status_code == 200
    assert rows(database) == []
    assert len(kept(client, database, OVERRIDDEN)) == 1


def test_a_database_that_lost_its_table_is_answered_with_try_later(client: FlaskClient, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE feedback")
    answer = post(client, OVERRIDDEN)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "sqlite" not in answer.text.lower()


def test_feedback_is_never_acknowledged_into_a_file_that_is_gone(client: FlaskClient, database: Path) -> None:
    post(client, OVERRIDDEN)
    for path in database.parent.iterdir():
        path.unlink()
    assert post(client, OVERRIDDEN).status_code == 503


def test_a_file_that_is_moved_away_and_back_has_lost_nothing(client: FlaskClient, database: Path) -> None:
    """Its log stays behind, as it does with a bare mv, and holds what was acknowledged."""
    assert post(client, OVERRIDDEN).status_code == 200
    away = database.rename(database.with_name("away"))
    assert post(client, ACCEPTED).status_code == 503
    assert not database.exists()
    away.rename(database)
    assert post(client, ACCEPTED).status_code == 200
    assert [row["outcome"] for row in rows(database)] == ["overridden", "accepted"]


def test_a_worker_that_starts_while_the_file_is_away_makes_no_other_and_serves_when_it_is_back(database: Path) -> None:
    before = Ledger(f"sqlite:///{database}")
    patient = before.pseudonyms.of("https://a.example", "p")
    away = database.rename(database.with_name("away"))
    settings = Settings(open_access=True, database_url=f"sqlite:///{database}")
    app = create_app(settings, Clock(), database_made=True)
    assert app.test_client().get("/readyz").status_code == 503
    assert post(app.test_client(), OVERRIDDEN).status_code == 503
    assert not database.exists()
    away.rename(database)
    assert post(app.test_client(), OVERRIDDEN).status_code == 200
    assert app.extensions[KEY].ledger.pseudonyms.of("https://a.example", "p") == patient
    before.database.close()


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all/ledger.sqlite3", "no url", "oracle://127.0.0.1:1/nowhere"])
def test_a_database_that_cannot_be_opened_is_said_when_the_service_starts(url: str) -> None:
    with pytest.raises(LedgerDown) as fault:
        Ledger(url)
    assert "nowhere" not in str(fault.value)


def test_feedback_survives_a_new_start(database: Path) -> None:
    for _ in range(2):
        ledger = Ledger(f"sqlite:///{database}")
        ledger.feedback.record(
            [FeedbackEntry(card=CARD, outcome="overridden", at=NOW)], "https://a.example", "service", NOW
        )
        ledger.database.close()
    assert len(rows(database)) == 1  # and the second time it was known


def test_another_issuers_feedback_is_not_read(database: Path) -> None:
    ledger = Ledger(f"sqlite:///{database}")
    for issuer, reason in (("https://a.example", "not-now"), ("https://b.example", "disagree")):
        entry = FeedbackEntry(card=CARD, outcome="overridden", at=NOW, reason_code=reason)
        ledger.feedback.record([entry], issuer, "immune-status-order-sign", NOW)
    assert ledger.feedback.of_card(CARD, "https://a.example") == [("overridden", "not-now")]
    assert ledger.feedback.of_card(CARD, "https://b.example") == [("overridden", "disagree")]
    assert ledger.feedback.of_card(CARD, "https://a.example/") == []
    assert ledger.feedback.of_card("another", "https://a.example") == []
    ledger.database.close()


def test_another_process_that_was_stopped_in_its_turn_holds_nobody_up(client: FlaskClient, database: Path) -> None:
    with (database.parent / f"{database.name}-turn").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        began = monotonic()
        assert post(client, OVERRIDDEN).status_code == 200
        assert monotonic() - began < 4
