"""What is older than the site keeps it goes, in SQLite and in PostgreSQL, a little at a time; and all about one patient."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from cds_service.ledger import UNKNOWN, Advice, Answer, Ledger, LedgerDown, Pseudonyms
from cds_service.ledger.database import Tables
from cds_service.ledger.feedback import Feedback
from cds_service.ledger.issued_advice import IssuedAdvice
from cds_service.ledger.quiet_periods import QuietPeriod
from cds_service.ledger.retention import Purged, forget, purge
from cds_service.ledger.switches import Switch
from cds_service.ledger.tallies import Tally
from cds_service.wire.feedback import FeedbackEntry
from tests.postgresql_server import PostgresqlServer, postgresql_or_skip

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)
KEPT, COMMENTS = 730, 90
ISSUER, OTHER = "https://ehr.example.org", "https://other.example.org"
SERVICE = "immune-status-order-sign"
NOTHING = {"issued_advice": 0, "feedback": 0, "tallies": 0, "quiet_periods": 0, "switches": 0, "comments": 0}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    yield from postgresql_or_skip()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    url = f"sqlite:///{tmp_path}/ledger.sqlite3"
    if request.param == "postgresql":
        url = request.getfixturevalue("server").new_database()
    made = Ledger(url)
    yield made
    made.database.close()


def put(ledger: Ledger, table: type[Tables], *rows: dict[str, Any]) -> None:
    with ledger.database.writing() as connection:
        connection.execute(insert(table), list(rows))


def count(ledger: Ledger, table: type[Tables], *chosen: Any) -> int:
    with ledger.database.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(table).where(*chosen)) or 0)


def advice(issued: datetime, **more: Any) -> dict[str, Any]:
    usual = {"issuer": ISSUER, "service": SERVICE, "card": "c", "rule": "r", "indicator": "info", "patient": "p",
             "clinician": "", "fingerprint": "f", "newest": "n", "offered": "", "shadow": False}  # fmt: skip
    return usual | {"issued": issued} | more


def feedback(received: datetime, **more: Any) -> dict[str, Any]:
    usual = {"issuer": ISSUER, "service": SERVICE, "card": "c", "outcome": "overridden", "at": received, "accepted": "",
             "comment": None, "digest": None}  # fmt: skip
    return usual | {"received": received} | more


def quiet(until: date, **more: Any) -> dict[str, Any]:
    usual = {"issuer": ISSUER, "patient": "p", "rule": "r", "clinician": "", "fingerprint": "f", "newest": "n",
             "reason": "not-now", "since": NOW}  # fmt: skip
    return usual | {"until": until} | more


def tally(day: date) -> dict[str, Any]:
    return {"day": day, "issuer": ISSUER, "service": SERVICE, "rule": "r", "outcome": "silent", "why": "", "times": 3}


def switch(at: datetime, rule: str, state: str) -> dict[str, Any]:
    return {"at": at, "rule": rule, "state": state, "who": "w", "because": "b"}


def purged(ledger: Ledger, **more: Any) -> Purged:
    return purge(ledger.database, NOW, KEPT, COMMENTS, **more)


# --- what goes -------------------------------------------------------------------------------------------------------


def test_of_an_empty_ledger_nothing_goes(ledger: Ledger) -> None:
    assert purged(ledger) == Purged(NOTHING, finished=True)


@pytest.mark.parametrize(
    ("age", "stays"), [(KEPT * DAY, 1), (KEPT * DAY + timedelta(seconds=1), 0)], ids=["at", "past"]
)
def test_advice_and_feedback_go_when_they_are_older_than_the_site_keeps_them(
    ledger: Ledger, age: timedelta, stays: int
) -> None:
    put(ledger, IssuedAdvice, advice(NOW - age), advice(NOW, card="new"))
    put(ledger, Feedback, feedback(NOW - age), feedback(NOW))
    assert purged(ledger).rows == NOTHING | {"issued_advice": 1 - stays, "feedback": 1 - stays}
    assert count(ledger, IssuedAdvice) == count(ledger, Feedback) == 1 + stays


def test_counts_go_by_whole_days(ledger: Ledger) -> None:
    put(ledger, Tally, *(tally(TODAY - days * DAY) for days in (0, KEPT, KEPT + 1, KEPT + 100)))
    assert purged(ledger).rows == NOTHING | {"tallies": 2}
    assert count(ledger, Tally, Tally.day >= TODAY - KEPT * DAY) == 2


def test_a_quiet_period_goes_thirty_days_after_its_end(ledger: Ledger) -> None:
    put(ledger, QuietPeriod, *(quiet(TODAY - days * DAY, rule=f"r{days}") for days in (-400, 0, 30, 31, 400)))
    assert purged(ledger).rows == NOTHING | {"quiet_periods": 2}
    assert count(ledger, QuietPeriod) == 3


def test_late_feedback_begins_no_quiet_period_anew_that_is_over(ledger: Ledger) -> None:
    """The word of the tenth day ended it; an older one that comes after the purge must still meet it."""
    card = "3f1c9a52-7d44-4b0e-9d5c-1f2a6b7c8d9e"
    began = NOW - 20 * DAY
    answer = Answer(issuer=ISSUER, service=SERVICE, patient="p", clinician="", moment=began)
    given = Advice(card=card, rule="cmv-eye-exam", indicator="warning", offered={"s1": "drug 1"})
    ledger.cards.record(answer, [given], frozenset())
    assert ledger.cards.flush(60)
    for at, outcome, more in (
        (began + 10 * DAY, "accepted", {"accepted": ("s1",)}),
        (began + 5 * DAY, "overridden", {"reason_code": "not-now"}),
    ):
        purged(ledger)
        ledger.feedback.record([FeedbackEntry(card=card, outcome=outcome, at=at, **more)], ISSUER, SERVICE, NOW)
    assert ledger.quiet.recall(ISSUER, "p", None, TODAY - 9 * DAY, 2) == {}
    assert count(ledger, QuietPeriod, QuietPeriod.reason == "accepted") == 1


def test_of_switches_the_newest_of_each_rule_stays_however_old(ledger: Ledger) -> None:
    old = NOW - (KEPT + 50) * DAY
    put(
        ledger,
        Switch,
        switch(old, "mac-stop", "shadow"),
        switch(old + DAY, "mac-stop", "off"),
        switch(old, "art-start", "off"),
        switch(NOW - DAY, "art-start", "live"),
        switch(NOW, "art-start", "shadow"),
    )
    assert purged(ledger).rows == NOTHING | {"switches": 2}
    left = [(one.rule, one.state) for one in ledger.switches.history()]
    assert left == [("mac-stop", "off"), ("art-start", "live"), ("art-start", "shadow")]
    assert ledger.switches.now().off == {"mac-stop"}


@pytest.mark.parametrize(("age", "stays"), [(COMMENTS * DAY, True), (COMMENTS * DAY + timedelta(seconds=1), False)])
def test_what_clinicians_wrote_goes_before_the_feedback_does(ledger: Ledger, age: timedelta, stays: bool) -> None:
    put(ledger, Feedback, feedback(NOW - age, comment="sealed:x", digest="d"), feedback(NOW - age), feedback(NOW))
    assert purged(ledger).rows["comments"] == (0 if stays else 1)
    assert count(ledger, Feedback) == 3
    assert count(ledger, Feedback, Feedback.comment.is_not(None)) == int(stays)
    assert count(ledger, Feedback, Feedback.digest == "d") == 1
    assert purged(ledger) == Purged(NOTHING, finished=True)


# --- a little at a time ----------------------------------------------------------------------------------------------


def test_it_goes_on_where_it_stopped_and_takes_no_more_than_it_is_told(ledger: Ledger) -> None:
    put(ledger, IssuedAdvice, *(advice(NOW - 800 * DAY, card=f"{number}") for number in range(1300)))
    put(ledger, Feedback, *(feedback(NOW - 800 * DAY, comment="x") for _ in range(300)))
    found = [purged(ledger, most=700) for _ in range(4)]
    assert [one.finished for one in found] == [False, False, True, True]
    assert [(one.rows["issued_advice"], one.rows["feedback"]) for one in found] == [
        (700, 0),
        (600, 100),
        (0, 200),
        (0, 0),
    ]


def test_two_that_purge_at_once_take_each_row_once(ledger: Ledger) -> None:
    put(ledger, IssuedAdvice, *(advice(NOW - 800 * DAY, card=f"{number}") for number in range(3000)))
    put(ledger, Tally, *(tally(TODAY - (KEPT + 1 + days) * DAY) for days in range(1200)))
    gone = []
    threads = [Thread(target=lambda: gone.append(purged(ledger).rows)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(one["issued_advice"] for one in gone) == 3000
    assert sum(one["tallies"] for one in gone) == 1200
    assert count(ledger, IssuedAdvice) == count(ledger, Tally) == 0


def test_a_call_that_comes_while_much_is_purged_is_hardly_kept_waiting(ledger: Ledger) -> None:
    put(ledger, IssuedAdvice, *(advice(NOW - 800 * DAY, card=f"{number}") for number in range(8000)))
    purging = Thread(target=lambda: purged(ledger))
    waits = []
    purging.start()
    while purging.is_alive():
        began = monotonic()
        assert ledger.seen_tokens.use(ISSUER, f"{len(waits)}", 2000, 1000, 1)
        waits.append(monotonic() - began)
        sleep(0.002)
    purging.join()
    assert count(ledger, IssuedAdvice) == 0
    assert max(waits) < 0.5  # two busy cores


@contextmanager
def writing_elsewhere(file: Path) -> Iterator[None]:
    """Another program has SQLite's lock."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_while_another_writes_for_long_it_gives_up_and_says_so(ledger: Ledger, tmp_path: Path) -> None:
    put(ledger, IssuedAdvice, advice(NOW - 800 * DAY))
    with writing_elsewhere(tmp_path / "ledger.sqlite3"):
        began = monotonic()
        with pytest.raises(LedgerDown):
            purged(ledger)
        assert 1 < monotonic() - began < 10  # it was not for want of patience
    assert purged(ledger).rows["issued_advice"] == 1


# --- one patient -----------------------------------------------------------------------------------------------------

CARDS = [f"3f1c9a52-7d44-4b0e-9d5c-{number:012x}" for number in range(1, 1203)]


def fill(ledger: Ledger, issuer: str, patient: str, cards: list[str]) -> None:
    name = ledger.pseudonyms.of(issuer, patient)
    put(ledger, IssuedAdvice, *(advice(NOW, card=card, patient=name, issuer=issuer) for card in cards))
    put(ledger, Feedback, *(feedback(NOW, card=card, issuer=issuer) for card in cards))
    put(ledger, QuietPeriod, *(quiet(TODAY, rule=rule, patient=name, issuer=issuer) for rule in ("a", "b")))


def test_of_a_patient_who_is_forgotten_nothing_is_left_and_of_others_all(ledger: Ledger) -> None:
    fill(ledger, ISSUER, "1", CARDS[:600])
    fill(ledger, ISSUER, "2", CARDS[600:605])
    fill(ledger, OTHER, "1", CARDS[605:608])
    put(ledger, Feedback, feedback(NOW, card=CARDS[0].upper()), feedback(NOW, card=CARDS[0], issuer=OTHER))
    gone = forget(ledger.database, ledger.pseudonyms, ISSUER, "1")
    assert gone == {"feedback": 601, "quiet_periods": 2, "issued_advice": 600}
    assert count(ledger, IssuedAdvice) == 8
    assert count(ledger, Feedback) == 9
    assert count(ledger, QuietPeriod) == 4
    assert set(forget(ledger.database, ledger.pseudonyms, ISSUER, "1").values()) == {0}


def test_forgetting_that_was_broken_off_is_ended_by_the_next(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(ledger, ISSUER, "1", CARDS)
    real, left = ledger.database.writing, [4]

    def failing(seconds: float) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise LedgerDown("broken off")
        return real(seconds)

    monkeypatch.setattr(ledger.database, "writing", failing)
    with pytest.raises(LedgerDown):
        forget(ledger.database, ledger.pseudonyms, ISSUER, "1")
    monkeypatch.undo()
    assert count(ledger, Feedback) + count(ledger, IssuedAdvice) > 0
    forget(ledger.database, ledger.pseudonyms, ISSUER, "1")
    assert count(ledger, Feedback) == count(ledger, IssuedAdvice) == count(ledger, QuietPeriod) == 0


def test_without_the_key_nobody_is_forgotten(ledger: Ledger) -> None:
    put(ledger, IssuedAdvice, advice(NOW, patient=UNKNOWN))

    def no_key() -> bytes:
        raise LedgerDown("away")

    with pytest.raises(LedgerDown):
        forget(ledger.database, Pseudonyms(no_key), ISSUER, "1")
    assert count(ledger, IssuedAdvice) == 1


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_what_is_deleted_is_not_left_in_the_file(ledger: Ledger, tmp_path: Path) -> None:
    fill(ledger, ISSUER, "1", CARDS[:50])
    name = ledger.pseudonyms.of(ISSUER, "1").encode()
    put(ledger, Feedback, feedback(NOW - 100 * DAY, comment="ZZCANARY" * 100))
    checkpoint = text("PRAGMA wal_checkpoint(TRUNCATE)")
    with ledger.database.reading() as connection:
        connection.execute(checkpoint)
    held = (tmp_path / "ledger.sqlite3").read_bytes()
    assert name in held
    assert b"ZZCANARY" in held
    forget(ledger.database, ledger.pseudonyms, ISSUER, "1")
    purged(ledger)
    with ledger.database.reading() as connection:
        connection.execute(checkpoint)
    held = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.sqlite3*"))
    assert name not in held
    assert b"ZZCANARY" not in held
