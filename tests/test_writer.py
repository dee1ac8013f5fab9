"""Things to be written in; out comes that they are written soon, in order, once, and that whoever hands them over never waits."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from sqlalchemy import select

from cds_service.ledger import Advice, Answer, Ledger, LedgerDown, LedgerRefused, writer
from cds_service.ledger.cards import Entry
from cds_service.ledger.issued_advice import IssuedAdvice
from cds_service.ledger.writer import Writer
from cds_service.wire.feedback import FeedbackEntry
from tests.histories import History

PCP = "pneumocystis-start"


def test_they_are_written_in_their_order_and_once() -> None:
    got: list[int] = []
    queue: Writer[int] = Writer(got.extend)
    assert queue.flush(60), "nothing to do is done"
    for number in range(1000):
        assert queue.put(number)
    assert queue.flush(60)
    assert got == list(range(1000))


def test_what_comes_in_the_same_moment_is_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_TOGETHER", 60.0)
    got: list[list[int]] = []
    queue: Writer[int] = Writer(lambda some: got.append(list(some)))
    for number in range(50):
        queue.put(number)
    assert queue.flush(60), "who waits for it need not wait for the moment to be over"
    assert got == [list(range(50))]


def test_where_much_comes_at_once_nobody_waits_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_TOGETHER", 60.0)
    full = Event()
    queue: Writer[int] = Writer(lambda some: full.set() if len(some) == writer._AT_ONCE else None)
    for number in range(writer._AT_ONCE):
        queue.put(number)
    assert full.wait(10)


def test_a_database_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_AGAIN", 0.01)
    got: list[int] = []
    away = [True]

    def write(some: Sequence[int]) -> None:
        if away:
            raise LedgerDown("OperationalError")
        got.extend(some)

    queue: Writer[int] = Writer(write)
    queue.put(1)
    assert not queue.flush(0.1)
    queue.put(2)
    away.clear()
    assert queue.flush(60)
    assert got == [1, 2]


@pytest.mark.parametrize(
    "fault", [LedgerRefused("DataError"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate")]
)
def test_one_that_cannot_be_written_is_told_and_takes_no_other_with_it(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr(writer, "_TOGETHER", 60.0)
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda one: told.append(one.exc_value))
    got: list[Sequence[int]] = []

    def write(some: Sequence[int]) -> None:
        if 7 in some:
            raise fault
        got.append([*some])

    queue: Writer[int] = Writer(write)
    for number in range(10):
        assert queue.put(number)
    assert queue.flush(60)
    assert told == [fault]
    assert got == [[number] for number in range(10) if number != 7]
    for number in (10, 11):
        assert queue.put(number)
    assert queue.flush(60)
    assert got[-1] == [10, 11], "and those after them are written together again"


def test_a_card_that_the_database_does_not_take_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda one: told.append(one.exc_type))
    ledger, at = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}"), datetime(2026, 11, 20, 12, tzinfo=UTC)
    answer = Answer(issuer="https://a.example", service="s", patient="p", clinician="", moment=at)
    for card in ("one", None, "another"):
        advice = Advice(card=card, rule=PCP, indicator="info")  # type: ignore[arg-type]  (the fault that is to be met)
        assert ledger.cards.record(answer, [advice], frozenset())
    assert ledger.cards.flush(60)
    assert told == [LedgerRefused]
    with ledger.database.reading() as connection:
        assert sorted(connection.execute(select(IssuedAdvice.card)).scalars()) == ["another", "one"]
    ledger.database.close()


def test_what_finds_no_room_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_MOST_WAITING", 3)
    free = Event()
    queue: Writer[int] = Writer(lambda _: (free.wait(10), None)[1])
    assert [queue.put(number) for number in range(5)] == [True, True, True, False, False]
    began = monotonic()
    queue.put(6)
    assert monotonic() - began < 1
    free.set()
    assert queue.flush(60)
    assert queue.put(7)


def test_feedback_that_is_faster_than_its_card_begins_its_quiet_period_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when another process gets it while this one is still writing."""
    history = History(database_url=f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    go_on = Event()
    real = history.ledger.cards._write
    monkeypatch.setattr(history.ledger.cards._writer, "_write", lambda some: (go_on.wait(10), real(some))[1])
    monkeypatch.setattr(history.ledger.cards, "flush", lambda *_: True)
    visit = history.visit()
    visit.override(PCP, "patient-refuses")
    assert history.visit().says(PCP), "nobody knows the card yet"
    go_on.set()
    assert history.ledger.cards._writer.flush(60)
    assert history.visit().until(PCP)


def test_feedback_that_was_faster_is_met_however_it_writes_the_cards_uuid(tmp_path: Path) -> None:
    ledger, at = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}"), datetime(2026, 11, 20, 12, tzinfo=UTC)
    card = "3f1c9a52-7d44-4b0e-9d5c-1f2a6b7c8d9e"
    answer = Answer(issuer="https://a.example", service="s", patient="p", clinician="", moment=at)
    ledger.feedback.record([FeedbackEntry(card=card.upper(), outcome="overridden", at=at)], answer.issuer, "s", at)
    ledger.cards.record(answer, [Advice(card=card, rule=PCP, indicator="info")], frozenset())
    assert ledger.cards.flush(60)
    assert ledger.quiet.recall(answer.issuer, "p", None, at.date(), 5).keys() == {PCP}
    ledger.database.close()


@pytest.mark.parametrize("offered_first", [True, False])
def test_of_answers_written_together_only_a_later_one_can_have_ordered_what_another_offered(
    tmp_path: Path, offered_first: bool
) -> None:
    ledger, at = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}"), datetime(2026, 11, 20, 12, tzinfo=UTC)
    offers = Advice(card="a card", rule=PCP, indicator="info", offered={"one": "test crag"})
    said = [([offers], frozenset[str]()), ([], frozenset({"test crag"}))]
    answer = Answer(issuer="https://a.example", service="s", patient="p", clinician="", moment=at)
    entries = [Entry(answer, tuple(advice), signed) for advice, signed in (said if offered_first else said[::-1])]
    ledger.cards._write(entries)
    assert bool(ledger.quiet.recall(answer.issuer, "p", None, at.date(), 5)) == offered_first
    ledger.database.close()


def test_feedback_between_two_answers_that_are_written_together_is_about_the_first(tmp_path: Path) -> None:
    ledger, at = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}"), datetime(2026, 11, 20, 12, tzinfo=UTC)
    then = at + timedelta(seconds=1)
    answer = Answer(issuer="https://a.example", service="s", patient="p", clinician="", moment=at)
    said = FeedbackEntry(card="a card", outcome="overridden", at=then)
    ledger.feedback.record([said], answer.issuer, "s", then)
    advice = tuple(Advice(card="a card", rule=PCP, indicator="info", fingerprint=facts) for facts in ("one", "other"))
    later = replace(answer, moment=then + timedelta(seconds=1))
    ledger.cards._write([Entry(answer, advice[:1], frozenset()), Entry(later, advice[1:], frozenset())])
    (quiet,) = ledger.quiet.recall(answer.issuer, "p", None, at.date(), 5)[PCP]
    assert quiet.mark.fingerprint == "one"
    ledger.database.close()


def test_feedback_from_before_an_answer_is_not_about_what_it_says_now(tmp_path: Path) -> None:
    """The same call again, with other facts: the word was on the facts as they were."""
    history = History(database_url=f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    history.visit(instance="the-same").override(PCP, "patient-refuses")
    history.clock.now = history.clock.now.replace(minute=5)
    assert history.visit({"cd4": {"20": 90}, "settled": []}, instance="the-same").says(PCP)
    assert history.visit({"cd4": {"20": 90}, "settled": []}).says(PCP)


def test_another_clients_word_on_the_same_card_is_nothing_to_it(tmp_path: Path) -> None:
    history = History(database_url=f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    visit = history.visit()
    theirs = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    entry = FeedbackEntry(card=visit.finding(PCP)["card"], outcome="overridden", at=history.clock.now)
    theirs.feedback.record([entry], "https://other.example", visit.service, history.clock.now)
    theirs.database.close()
    assert history.visit().says(PCP)
    assert history.ledger.feedback.of_card(entry.card, "open-demo") == []
