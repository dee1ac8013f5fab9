"""A running process in; out comes what it does while nobody waits, what it says of itself, and what a switch does."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select

from cds_service import upkeep
from cds_service.ledger import Database, Ledger, LedgerDown
from cds_service.ledger.firing import firing
from cds_service.ledger.switches import Switches
from cds_service.ledger.tallies import Tally
from cds_service.settings import SettingFault, Settings
from cds_service.switching import CannotSwitch, show, turn
from cds_service.upkeep import Task, Upkeep
from cds_service.web.wiring import KEY, Wiring
from tests.fixture_files import ANCHOR, app_of
from tests.histories import History
from tests.journal_lines import journal

PCP = "pneumocystis-start"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    wait = Event()
    for _ in range(int(seconds / 0.02)):
        if holds():
            return True
        wait.wait(0.02)
    return False


# --- the thread ------------------------------------------------------------------------------------------------------


def test_each_task_is_done_again_and_again_and_a_failing_one_takes_no_other_down() -> None:
    done: list[str] = []

    def fail() -> None:
        done.append("fails")
        raise RuntimeError("canary-words")

    with journal() as lines:
        thread = Upkeep((Task(0.01, fail), Task(0.02, lambda: done.append("works"))))
        thread.start()
        assert eventually(lambda: done.count("fails") > 3 and done.count("works") > 1)
        thread.stop()
    seen = len(done)
    Event().wait(0.1)
    assert len(done) == seen, "stopped"
    assert {one["fault"] for one in lines.fields if one["event"] == "upkeep-failed"} == {"RuntimeError"}
    assert "canary-words" not in str(lines.fields)


def test_a_process_that_ends_writes_what_it_has_counted(tmp_path: Path) -> None:
    history = History(database_url=f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    app = history.client.application
    upkeep.look_after(app)
    history.visit()
    upkeep.finish(app)
    upkeep.finish(app)  # nothing is left to do
    with history.ledger.database.reading() as connection:
        counted = {(one.rule, one.outcome, one.why): one.times for one in connection.execute(select(Tally.__table__))}
    assert counted["", "answer", ""] == 1
    assert counted[PCP, "recommended", ""] == 1


def test_an_application_of_somebody_else_is_left_alone() -> None:
    app = Flask("theirs")
    upkeep.look_after(app)
    upkeep.finish(app)
    assert app.extensions == {}


# --- counts ----------------------------------------------------------------------------------------------------------


def test_counts_of_several_processes_add_up_and_wait_for_a_database_that_is_away(history: History) -> None:
    ledger = history.ledger
    history.visit()
    history.visit({"not-supplied": ["allergies"]})
    history.visit().override(PCP, "not-now")
    history.visit()
    assert ledger.tallies.flush()
    history.visit()
    assert ledger.tallies.flush()
    assert ledger.tallies.flush(), "nothing to write is written at once"
    with ledger.database.reading() as connection:
        found = {(one.rule, one.outcome, one.why): one.times for one in connection.execute(select(Tally.__table__))}
    assert found["", "answer", ""] == 5
    assert found[PCP, "recommended", ""] == 3
    assert found[PCP, "held", "quiet-period"] == 2
    assert found["prophylaxis-agent", "lacked", "allergies"] == 1


def test_counts_that_cannot_be_written_are_kept(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any) -> Any:
        raise LedgerDown("OperationalError")

    history.visit()
    with monkeypatch.context() as patch:
        patch.setattr(history.ledger.database, "writing", down)
        assert not history.ledger.tallies.flush()
        history.visit()
    assert history.ledger.tallies.flush()
    with history.ledger.database.reading() as connection:
        assert connection.scalar(select(Tally.times).where(Tally.outcome == "answer")) == 2


# --- firing rates ----------------------------------------------------------------------------------------------------


def counted(database: Database, **rows: tuple[int, str, int]) -> None:
    with database.writing() as connection:
        connection.execute(delete(Tally))
        for ago, outcome, times in rows.values():
            day = ANCHOR - timedelta(days=ago)
            row = {
                "day": day,
                "issuer": "i",
                "service": "s",
                "rule": PCP,
                "outcome": outcome,
                "why": "",
                "times": times,
            }
            connection.execute(insert(Tally), row)


@pytest.mark.parametrize(
    ("fired_now", "fired_before", "deviation"),
    [(100, 400, -0.008), (0, 400, -11.19), (200, 400, 11.17), (100, 0, 282.6)],
)
def test_a_rule_is_compared_with_its_own_past(fired_now: int, fired_before: int, deviation: float) -> None:
    database = Ledger("sqlite://").database
    counted(
        database,
        now=(1, "recommended", fired_now), silent_now=(0, "silent", 500 - fired_now),
        before=(20, "held", fired_before), silent_before=(8, "silent", 2000 - fired_before),
        long_ago=(80, "recommended", 9999), tomorrow=(-1, "recommended", 9999),
    )  # fmt: skip
    (one,) = firing(database, ANCHOR)
    assert (one.rule, one.share, one.share_before) == (PCP, fired_now / 500, fired_before / 2000)
    assert one.deviation == pytest.approx(deviation, rel=0.01, abs=0.001)


def test_of_too_few_answers_nothing_is_told() -> None:
    database = Ledger("sqlite://").database
    counted(database, now=(1, "recommended", 49), before=(20, "silent", 2000))
    assert firing(database, ANCHOR) == ()
    counted(database, now=(1, "recommended", 50), before=(20, "silent", 49))
    assert firing(database, ANCHOR) == ()
    counted(database, now=(1, "recommended", 50), before=(20, "silent", 50))
    assert len(firing(database, ANCHOR)) == 1


def test_the_rates_stand_in_the_metrics(history: History) -> None:
    counted(history.ledger.database, now=(1, "recommended", 10), quiet=(0, "silent", 90), before=(20, "silent", 100))
    parts: Wiring = history.client.application.extensions[KEY]
    upkeep._compare(parts)
    text = history.client.get("/metrics").text
    assert f'cds_rule_firing_share{{rule="{PCP}",time="week"}} 0.1' in text
    assert f'cds_rule_firing_share{{rule="{PCP}",time="before"}} 0.0' in text
    assert f'cds_rule_firing_deviation{{rule="{PCP}"}}' in text


def test_what_is_older_than_its_time_goes(history: History) -> None:
    history.visit().override(PCP, "not-now", overrideReason={"userComment": "seen"})
    parts: Wiring = history.client.application.extensions[KEY]
    upkeep._purge(parts)
    assert _kept(history) == (1, 1)
    history.later(91)
    upkeep._purge(parts)
    assert _kept(history) == (1, 0), "the words of the clinician"
    history.later(640)
    upkeep._purge(parts)
    assert _kept(history) == (0, 0)


def _kept(history: History) -> tuple[int, int]:
    """Feedback, and comments among it."""
    with history.ledger.database.reading() as connection:
        (found,) = connection.exec_driver_sql("SELECT COUNT(*), COUNT(comment) FROM feedback")
    return found[0], found[1]


# --- canaries --------------------------------------------------------------------------------------------------------


def test_the_canaries_are_named_where_they_pass(history: History) -> None:
    app = history.client.application
    assert history.client.get("/readyz").get_json() == {"status": "ready", "canaries": {"checked": 0, "failed": []}}
    upkeep.look_after(app)
    upkeep.finish(app)
    assert history.client.get("/readyz").get_json() == {"status": "ready", "canaries": {"checked": 28, "failed": []}}
    assert f'cds_canary_passed{{rule="{PCP}"}} 1.0' in history.client.get("/metrics").text


def test_a_process_whose_canaries_never_passed_is_not_ready(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    parts: Wiring = history.client.application.extensions[KEY]
    monkeypatch.setattr("cds_service.canary.watch.evaluate", lambda canary, *_: "cards" if canary.rule == PCP else None)
    with journal() as lines:
        parts.canaries.round(NOW)
    answer = history.client.get("/readyz")
    assert answer.status_code == 503
    assert PCP in answer.get_json(force=True)["issue"][0]["diagnostics"]
    assert f'cds_canary_passed{{rule="{PCP}"}} 0.0' in history.client.get("/metrics").text
    assert [one["rule"] for one in lines.fields if one["event"] == "canary-failed"] == [PCP]


def test_a_canary_that_fails_later_is_named_and_the_others_go_on(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: Wiring = history.client.application.extensions[KEY]
    parts.canaries.round(NOW)
    monkeypatch.setattr("cds_service.canary.watch.evaluate", lambda canary, *_: "cards" if canary.rule == PCP else None)
    parts.canaries.round(NOW)
    answer = history.client.get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "degraded")
    assert answer.get_json()["canaries"]["failed"] == [PCP]


# --- switches --------------------------------------------------------------------------------------------------------


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'ledger.sqlite3'}")


def shown(settings: Settings) -> str:
    out = io.StringIO()
    assert show(settings, out) == 0
    return out.getvalue()


def test_a_switch_is_seen_by_a_running_process_within_a_minute_and_not_asked_for_at_every_call(site: Settings) -> None:
    now = [1000.0]
    ledger = Ledger(site.database_url)
    switches = Switches(ledger.database, lambda: now[0])
    assert switches.now().off == frozenset()
    turn(site, PCP, "off", io.StringIO(), because="a wrong card", now=NOW)
    assert switches.now().off == frozenset(), "not looked at again so soon"
    now[0] += 16
    assert switches.now().off == {PCP}
    turn(site, PCP, "live", io.StringIO(), because="mended", now=NOW)
    now[0] += 16
    assert switches.now().off == frozenset()


def test_switches_stay_as_they_were_while_the_database_is_away(site: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    switches = Switches(Ledger(site.database_url).database, lambda: now[0])
    turn(site, PCP, "shadow", io.StringIO(), because="", now=NOW)
    assert switches.now().shadow == {PCP}
    looked: list[int] = []

    def down(_: float = 0) -> Any:
        looked.append(1)
        raise LedgerDown("OperationalError")

    with monkeypatch.context() as patch:
        patch.setattr(switches, "history", down)
        now[0] += 60
        assert switches.now().shadow == {PCP}
        assert switches.now().shadow == {PCP}
        assert len(looked) == 1, "asked again after a second, not at every call"
        now[0] += 2
        switches.now()
        assert len(looked) == 2


def test_a_rule_that_is_off_says_so_in_every_answer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    turn(Settings(database_url=url), PCP, "off", io.StringIO(), because="", now=NOW)
    visit = History(database_url=url).visit()
    assert visit.finding(PCP) == {"rule": PCP, "outcome": "not-assessed", "why": "switched-off"}
    assert "PneumocystisStart" not in visit.cards
    assert "NotAssessed" not in visit.cards
    assert not visit.complete


def test_the_whole_service_in_the_shadow_shows_nothing_and_records_everything(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    turn(Settings(database_url=url), "all", "shadow", io.StringIO(), because="", now=NOW)
    history = History(database_url=url)
    for chart in ({}, {"not-supplied": ["allergies"]}):
        visit = history.visit(chart)
        assert visit.body["cards"] == []
        assert (visit.finding(PCP)["outcome"], visit.finding(PCP)["why"]) == ("held", "shadow")
    assert not visit.complete, "what was not read is still told to the client"
    with history.ledger.database.reading() as connection:
        rows = list(connection.exec_driver_sql("SELECT DISTINCT rule FROM issued_advice WHERE shadow"))
    assert (PCP,) in rows


@pytest.mark.parametrize("shadow", [frozenset(("all",)), frozenset((PCP,))])
def test_the_settings_put_rules_in_the_shadow(shadow: frozenset[str]) -> None:
    visit = History(shadow=shadow).visit()
    assert visit.finding(PCP)["why"] == "shadow"
    assert set(visit.cards) == (set() if "all" in shadow else {"ViremiaRecheck"})


def test_an_unknown_rule_in_the_shadow_keeps_the_service_from_starting() -> None:
    with pytest.raises(SettingFault, match="CDS_SHADOW: all, or ids of rules, are expected, not pneumocistis"):
        app_of(lambda: NOW, shadow=frozenset(("pneumocistis",)))


def test_how_things_stand_and_who_did_what_is_told(site: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "grace")
    turn(site, PCP, "off", io.StringIO(), because="a wrong card", now=NOW)
    turn(site, "mac-start", "shadow", io.StringIO(), because="", now=NOW + timedelta(days=1))
    told = shown(replace(site, shadow=frozenset(("scope",))))
    assert f"2026-11-20 12:00 UTC  {PCP} off  by grace  a wrong card\n" in told
    assert "Off: not judged: pneumocystis-start." in told
    assert "mac-start" in told
    assert "By CDS_SHADOW nothing is shown of: scope." in told


@pytest.mark.parametrize(
    ("rule", "state", "says"),
    [("pneumocistis", "off", "no rule"), ("all", "off", "cannot be off"), ("scope", "off", "cannot be off")],
)
def test_what_cannot_be_switched_is_refused(site: Settings, rule: str, state: str, says: str) -> None:
    with pytest.raises(CannotSwitch, match=says):
        turn(site, rule, state, io.StringIO(), because="", now=NOW)
    assert shown(site).count("UTC") == 0


def test_without_a_database_nothing_is_switched(tmp_path: Path) -> None:
    away = Settings(database_url=f"sqlite:///{tmp_path}/not-there/ledger.sqlite3")
    with pytest.raises(SettingFault, match="CDS_DATABASE_URL"):
        turn(away, PCP, "off", io.StringIO(), because="", now=NOW)
    with pytest.raises(SettingFault, match="CDS_DATABASE_URL"):
        show(away, io.StringIO())
