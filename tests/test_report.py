"""A small history that can be counted by hand in; every figure of the report out, from SQLite and from PostgreSQL."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cds_service.ledger import Ledger, LedgerDown
from cds_service.report.asked import Asked, NotClear, Span, fitting, read
from cds_service.report.counts import Counts, Rate
from cds_service.report.make import Report, RuleReport, make
from tests.feedback_history import SIGN, VIEW, A, B, at, card, hear, say, tell
from tests.ledger_rows import RULES, fill
from tests.postgresql_server import postgresql

MADE = datetime(2026, 11, 30, 12, tzinfo=UTC)
NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30))
NOBODY = dict.fromkeys(
    ("action-completed", "patient-refuses", "patient-contraindication", "not-now", "data-wrong", "disagree", "none"), 0
)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """The history in either database."""
    if request.param == "sqlite":
        made = Ledger(f"sqlite:///{tmp_path_factory.mktemp('report')}/ledger.sqlite3")
        tell(made)
        yield made
        made.database.close()
        return
    try:
        started = postgresql()
        server = started.__enter__()
    except (OSError, KeyError, AssertionError, subprocess.SubprocessError) as fault:
        pytest.skip(f"no PostgreSQL server can be started here: {type(fault).__name__}")
    made = Ledger(server.url)
    tell(made)
    yield made
    made.database.close()
    started.__exit__(None, None, None)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    yield made
    made.database.close()


def report(ledger: Ledger, days: Span = NOVEMBER, **asked: str) -> Report:
    return make(ledger.database, read({"from": str(days.first), "to": str(days.last), **asked}, days.last), MADE, 8)


def of(found: Report, rule: str = "art-start") -> RuleReport:
    return next(one for one in found.rules if one.rule == rule)


# --- the figures -----------------------------------------------------------------------------------------------------


def test_every_figure_of_a_rule_is_what_can_be_counted_by_hand(ledger: Ledger) -> None:
    found = of(report(ledger))
    assert found.counts == Counts(
        shown=8,
        shadowed=1,
        accepted=2,
        overridden_by=NOBODY | {"patient-refuses": 1, "disagree": 1, "none": 1},
        ordered_unanswered=1,
        held={"quiet-period": 5, "no-room": 1, "shadow": 1},
        not_assessed=6,
        lacked={"viral-load": 4, "cd4-count": 3},
        switched_off=2,
        silent=10,
        repeated=3,
    )
    assert (found.counts.overridden, found.counts.answered, found.counts.unanswered) == (3, 5, 3)
    assert found.counts.accepted_of_answered == Rate(2, 5)
    assert found.counts.accepted_of_shown == Rate(2, 8)
    assert found.counts.accepted_of_shown.share == 0.25
    assert (found.patients, found.repeats_per_patient) == (5, 0.6)


def test_a_card_counts_for_each_rule_on_it_and_a_clock_that_runs_ahead_decides_nothing(ledger: Ledger) -> None:
    found = of(report(ledger), "monitoring-due")
    assert (found.counts.shown, found.counts.accepted, found.counts.overridden) == (2, 1, 1)
    assert found.counts.overridden_by["disagree"] == 1
    assert found.counts.repeated == 0


def test_what_was_not_assessed_is_never_the_same_again(ledger: Ledger) -> None:
    found = of(report(ledger), "not-assessed")
    assert (found.counts.shown, found.counts.repeated, found.patients) == (2, 0, 1)


def test_all_rules_together_are_their_sum(ledger: Ledger) -> None:
    found = report(ledger)
    assert [one.rule for one in found.rules] == ["art-start", "mac-start", "monitoring-due", "not-assessed"]
    assert (found.answers, found.unmatched) == (40, 3)
    assert found.counts.shown == 12
    assert (found.counts.accepted, found.counts.overridden, found.counts.unanswered) == (3, 4, 5)
    assert found.counts.silent == 17


@pytest.mark.parametrize("by", ["day", "week", "month"])
def test_the_parts_of_a_series_add_up_to_the_whole(ledger: Ledger, by: str) -> None:
    found = report(ledger, by=by)
    for one in (found, *found.rules):
        for name in ("shown", "accepted", "overridden", "unanswered", "ordered_unanswered", "repeated", "silent"):
            parts = [getattr(part.counts, name) for part in one.parts]
            assert min(parts) >= 0
            assert sum(parts) == getattr(one.counts, name)


def test_a_week_begins_on_monday_and_an_outcome_stands_where_its_card_does(ledger: Ledger) -> None:
    parts = of(report(ledger, by="week")).parts
    assert [(one.span.first.day, one.span.last.day) for one in parts] == [
        (1, 1),
        (2, 8),
        (9, 15),
        (16, 22),
        (23, 29),
        (30, 30),
    ]
    assert [one.counts.shown for one in parts] == [0, 4, 2, 2, 0, 0]
    assert [one.counts.accepted for one in parts] == [0, 2, 0, 0, 0, 0]
    assert [one.counts.overridden for one in parts] == [0, 0, 1, 2, 0, 0]
    assert [one.counts.repeated for one in parts] == [0, 2, 0, 1, 0, 0]
    assert [sum(one.counts.held.values()) for one in parts] == [0, 3, 0, 4, 0, 0]


def test_one_day_is_that_day_alone_and_knows_what_was_said_before(ledger: Ledger) -> None:
    third = date(2026, 11, 3)
    found = of(report(ledger, Span(third, third)))
    assert (found.counts.shown, found.counts.accepted, found.counts.repeated, found.counts.not_assessed) == (2, 1, 1, 6)


@pytest.mark.parametrize(
    ("asked", "shown", "answers", "unmatched"),
    [
        ({"issuer": A}, 11, 30, 2),
        ({"issuer": B}, 1, 10, 1),
        ({"service": VIEW}, 1, 10, 0),
        ({"service": SIGN, "issuer": A}, 10, 30, 2),
        ({"rule": "monitoring-due"}, 2, 40, 3),
        ({"rule": "no-such-rule"}, 0, 40, 3),
        ({"issuer": "' OR 1=1 --"}, 0, 0, 0),
    ],
)
def test_a_filter_leaves_all_else_out(
    ledger: Ledger, asked: dict[str, str], shown: int, answers: int, unmatched: int
) -> None:
    found = report(ledger, **asked)
    assert (found.counts.shown, found.answers, found.unmatched) == (shown, answers, unmatched)
    if "rule" in asked:
        assert {one.rule for one in found.rules} <= {asked["rule"]}


def test_a_report_on_nothing_has_no_rules_and_no_rates(empty: Ledger) -> None:
    found = report(empty, by="week")
    assert found.rules == ()
    assert (found.answers, found.unmatched, len(found.parts)) == (0, 0, 6)
    assert found.counts == Counts(overridden_by=NOBODY)
    assert found.counts.accepted_of_answered.share is None


def test_feedback_that_comes_while_a_report_is_made_is_in_none_of_its_figures(
    empty: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(empty, 1, at(11, 2), "p", "f")
    counted = make.__globals__["queries"]
    shown = counted._shown

    def meanwhile(*given: object) -> Iterator[object]:
        yield from shown(*given)
        say(empty, 2, at(11, 3), "q", "f")
        hear(empty, card(2), at(11, 3))

    monkeypatch.setattr(counted, "_shown", meanwhile)
    found = report(empty)
    assert (found.counts.shown, found.counts.accepted, found.counts.unanswered) == (1, 0, 1)


def test_a_report_that_takes_too_long_is_given_up(empty: Ledger) -> None:
    fill(empty.database, 20_000)
    with pytest.raises(LedgerDown):
        make(empty.database, Asked(days=Span(date(2025, 1, 1), date(2026, 12, 31))), MADE, 0.001)
    assert len(make(empty.database, Asked(days=Span(date(2025, 1, 1), date(2026, 12, 31))), MADE, 30).rules) > 10


def test_the_generator_fills_every_table_in_proportion(empty: Ledger) -> None:
    filled = fill(empty.database, 5_000)
    assert (filled.issued, filled.feedback, filled.quiet_periods) == (5_000, 1_000, 500)
    found = make(empty.database, Asked(days=Span(date(2025, 11, 1), date(2026, 11, 20))), MADE, 30)
    assert found.counts.shown + found.counts.shadowed == 5_000
    assert 900 < found.counts.answered < 1_200
    assert 20 < found.unmatched < 100  # of no card, or of one that was only judged
    assert {one.rule for one in found.rules} <= set(RULES)


# --- what is asked for -----------------------------------------------------------------------------------------------


def test_without_days_the_last_ninety_are_meant() -> None:
    assert read({}, date(2026, 11, 30)).days == Span(date(2026, 9, 2), date(2026, 11, 30))
    assert read({"to": "2026-03-31", "from": ""}, date(2026, 11, 30)).days == Span(date(2026, 1, 1), date(2026, 3, 31))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-11-31"}, "from"),
        ({"to": "20261130"}, "to"),
        ({"to": "2026-W48-1"}, "to"),
        ({"to": "0001-01-01"}, "to"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "2026-12-01"}, "from, to"),
        ({"from": "2000-01-01"}, "from, to"),
        ({"by": "year"}, "by"),
        ({"from": "2020-01-01", "by": "day"}, "by"),
        ({"rule": "x" * 65}, "rule"),
        ({"issuer": "a\x00b"}, "issuer"),
        ({"service": "a\nb"}, "service"),
    ],
)
def test_what_is_not_clear_is_said(given: dict[str, str], named: str) -> None:
    with pytest.raises(NotClear, match=rf"\A{named}: "):
        read(given, date(2026, 11, 30))


@pytest.mark.parametrize(("days", "by"), [(1, "day"), (31, "day"), (32, "week"), (400, "week"), (730, "month")])
def test_a_chart_has_as_many_points_as_can_be_seen(days: int, by: str) -> None:
    last = date(2026, 11, 30)
    assert fitting(Span(date.fromordinal(last.toordinal() - days + 1), last)) == by


def test_spans_are_whole_months_but_for_the_ends() -> None:
    spans = Asked(days=Span(date(2025, 12, 31), date(2026, 3, 1)), by="month").spans()
    assert [str(one.first) for one in spans] == ["2025-12-31", "2026-01-01", "2026-02-01", "2026-03-01"]
    assert [str(one.last) for one in spans] == ["2025-12-31", "2026-01-31", "2026-02-28", "2026-03-01"]
