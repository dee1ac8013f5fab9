"""Random lives of charts in: visits, words of clinicians, new results, days that pass, processes that end; over the real ledger.

A model that knows nothing of fingerprints says what must be held, what must speak, and what has to be in the database. Where it
cannot tell (a shared card, a fact it does not follow) either is allowed.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from cds_service.ledger import Ledger
from cds_service.ledger.feedback import Feedback
from cds_service.ledger.issued_advice import IssuedAdvice
from cds_service.web.wiring import KEY
from cds_service.wire.evaluation import EXTENSION
from hooks.knowledge import load_quiet_periods
from tests.cases import forget
from tests.fixture_files import ANCHOR
from tests.histories import REASONS, History, Visit

PERIODS = load_quiet_periods()
BORDERS = {"cd4": (50, 100, 150, 200, 250, 300, 350, 500), "viral-load": (50, 200, 1000, 10000, 100000)}
# Whose advice surely rests on the newest result of the measure
RESTS_ON = {"pneumocystis-start": "cd4", "mac-start": "cd4", "virologic-failure": "viral-load"}
PATIENTS, CLINICIANS = ("invented-1", "invented-2"), ("Practitioner/one", "Practitioner/two")
DRAFTS: dict[str, list[str]] = {
    "nothing of HIV care": ["amoxicillin"],
    "CD4": ["CD4 count"],
    "both tests": ["CD4 count", "viral load"],
    "prophylaxis": ["TMP-SMX"],
    "dapsone": ["dapsone"],
    "ART": ["DTG/3TC"],
}
TESTS = {"CD4 count": "24467-3", "viral load": "20447-9"}


@cache
def service(name: str) -> History:
    """Made once: what it remembers is in its ledger, which is changed."""
    return History(quiet_per=name) if name in {"patient", "clinician"} else History()


@dataclass
class Life:
    """A chart: results by measure and day; and whether a sulfonamide allergy is known."""

    results: dict[str, dict[date, int]] = field(default_factory=lambda: {"cd4": {}, "viral-load": {}})
    allergic: bool = False

    def chart(self, today: date) -> dict[str, Any]:
        found: dict[str, Any] = {
            name: {str((today - day).days): value for day, value in known.items()}
            for name, known in self.results.items()
        }
        found["allergies"] = [{"what": "sulfonamides", "reaction": "SJS"}] if self.allergic else ["nothing known"]
        return found

    def band(self, measure: str) -> int:
        known = self.results[measure]
        return bisect_right(BORDERS[measure], known[max(known)]) if known else -1

    def all_bands(self, measure: str) -> tuple[int, int, frozenset[int]]:
        """Of the newest result, the one before it, and any."""
        known = self.results[measure]
        found = [bisect_right(BORDERS[measure], known[day]) for day in sorted(known, reverse=True)]
        return found[0], found[:2][-1], frozenset(found)

    def bands_since(self, measure: str, day: date) -> set[int]:
        """Of the results after that day."""
        return {bisect_right(BORDERS[measure], value) for when, value in self.results[measure].items() if when > day}


@dataclass(frozen=True)
class Said:
    """What one rule said on one card, as the model sees it."""

    patient: str
    clinician: str
    rule: str
    service: str
    card: str
    alone: bool  # on its card
    indicator: str
    level: str | None
    bands: tuple[int, int]
    older: tuple[tuple[int, int, frozenset[int]], ...]  # advice may rest on more than the newest result
    newest: tuple[date, date]
    allergic: bool
    drafts: str
    labels: tuple[
        str, ...
    ]  # of the suggestions on its card, were it shown: an order that has become due is other advice
    offers: Mapping[str, str]  # suggestion -> LOINC code of the test it orders, empty for anything else
    issued: datetime

    def same(self, other: "Said") -> bool:
        """Surely the same advice on the same facts."""
        return self._facts() == other._facts()

    def _facts(self) -> tuple[Any, ...]:
        return self.indicator, self.level, self.older, self.allergic, self.drafts, self.labels

    def differs(self, other: "Said") -> bool:
        """Surely not the same."""
        measure = RESTS_ON.get(self.rule)
        place = ("cd4", "viral-load").index(measure) if measure else None
        return (self.indicator, self.level) != (other.indicator, other.level) or (
            place is not None and self.bands[place] != other.bands[place]
        )


@dataclass(frozen=True)
class Word:
    """The latest word of a clinician on a rule about a patient; `until` None: nobody can tell."""

    said: Said
    moment: datetime
    until: date | None


class Lives(RuleBasedStateMachine):
    """See the module."""

    quiet_per = "patient"

    @initialize()
    def begin(self) -> None:
        self.url = f"sqlite:///{Path(mkdtemp(prefix='histories-')) / 'ledger.sqlite3'}"
        self.day = ANCHOR
        self.start()
        self.plain = service("without a past")
        self.plain.clock.set(self.day)
        self.lives = {name: Life() for name in PATIENTS}
        for life in self.lives.values():
            life.results = {"cd4": {ANCHOR - timedelta(20): 150}, "viral-load": {ANCHOR - timedelta(20): 3000}}
        self.said: list[tuple[Visit, Said]] = []
        self.words: dict[tuple[str, str, str], Word] = {}
        self.ordered: set[tuple[str, str]] = set()  # card, rule
        self.acknowledged: list[tuple[str, str, str, str]] = []

    def start(self) -> None:
        """A process, over whatever the last one left: its memory is empty."""
        self.history = service(self.quiet_per)
        self.history.clock.set(self.day)
        app = self.history.client.application
        app.extensions[KEY] = replace(app.extensions[KEY], ledger=Ledger(self.url))
        self.history.ledger = app.extensions[KEY].ledger
        self.calls = getattr(self, "calls", 0)

    # --- what happens ----------------------------------------------------------------------------------------------

    @rule(days=st.sampled_from([0, 1, 3, 6, 7, 14, 31, 90]))
    def days_pass(self, days: int) -> None:
        self.day += timedelta(days)
        self.history.clock.set(self.day)
        self.plain.clock.set(self.day)

    @precondition(lambda self: any(word.until and word.until > self.day for word in self.words.values()))
    @rule(which=st.integers(0, 100), before=st.sampled_from([0, 1]))
    def a_period_ends(self, which: int, before: int) -> None:
        """The day comes, or the day before it, and the chart is opened as it was."""
        open_words = [word for word in self.words.values() if word.until and word.until > self.day]
        word = open_words[which % len(open_words)]
        assert word.until
        self.days_pass((word.until - self.day).days - before)
        self.visit(word.said.patient, word.said.clinician, "patient-view", "")

    @rule(patient=st.sampled_from(PATIENTS), clinician=st.sampled_from(CLINICIANS))
    def a_count_rises_and_falls_back(self, patient: str, clinician: str) -> None:
        counts = self.lives[patient].results["cd4"]
        falls_to = counts[max(counts)]
        self.days_pass(3)
        counts[self.day - timedelta(1)] = 480 if falls_to < 350 else 40
        counts[self.day] = falls_to
        self.visit(patient, clinician, "patient-view", "")

    @rule(minutes=st.sampled_from([1, 90]))
    def minutes_pass(self, minutes: int) -> None:
        later = self.history.clock.now + timedelta(minutes=minutes)
        if later.date() == self.day:
            self.history.clock.now = later

    @rule(
        patient=st.sampled_from(PATIENTS),
        measure=st.sampled_from(["cd4", "viral-load"]),
        value=st.sampled_from([20, 49, 50, 90, 140, 150, 160, 199, 200, 260, 640, 3000, 12000, 400000]),
        ago=st.sampled_from([0, 1, 5]),
    )
    def a_result_comes(self, patient: str, measure: str, value: int, ago: int) -> None:
        if measure == "viral-load" or value < 2000:
            self.lives[patient].results[measure][self.day - timedelta(ago)] = value

    @rule(patient=st.sampled_from(PATIENTS))
    def an_allergy_becomes_known(self, patient: str) -> None:
        self.lives[patient].allergic = True

    @rule()
    def the_process_ends_and_another_begins(self) -> None:
        moment = self.history.clock.now
        self.history.ledger.database.close()
        self.start()
        self.history.clock.now = moment

    @rule(patient=st.sampled_from(PATIENTS), clinician=st.sampled_from(CLINICIANS))
    def a_chart_is_opened(self, patient: str, clinician: str) -> None:
        self.visit(patient, clinician, "patient-view", "")

    @rule(
        patient=st.sampled_from(PATIENTS),
        clinician=st.sampled_from(CLINICIANS),
        hook=st.sampled_from(["order-sign", "order-select"]),
        drafts=st.sampled_from(sorted(DRAFTS)),
    )
    def orders_are_drafted(self, patient: str, clinician: str, hook: str, drafts: str) -> None:
        self.visit(patient, clinician, hook, drafts)

    @precondition(lambda self: self.said)
    @rule(
        which=st.integers(0, 10_000),
        reason=st.sampled_from([*sorted(REASONS), None]),
        skew=st.sampled_from([-40, -1, 0, 0, 0, 500]),
    )
    def a_card_is_overridden(self, which: int, reason: str | None, skew: int) -> None:
        visit, said = self.recent(which)
        at = self.history.clock.now + timedelta(days=skew)
        given = {"overrideReason": {"reason": REASONS[reason]}} if reason else {}
        fresh = self.send(visit, said.card, "overridden", at, given)
        for one in self.on_card(said) if fresh else ():
            days = PERIODS.days(one.rule, reason or "none", one.indicator)
            self.word(one, at, days)

    @precondition(lambda self: any(one.offers for _, one in self.said))
    @rule(which=st.integers(0, 10_000), every=st.booleans())
    def a_suggestion_is_accepted(self, which: int, every: bool) -> None:
        chosen = [(visit, one) for visit, one in self.said if one.offers]
        visit, said = chosen[-1 - which % min(len(chosen), 6)]
        taken = [*said.offers] if every else [*said.offers][:1]
        at = self.history.clock.now
        fresh = self.send(visit, said.card, "accepted", at, {"acceptedSuggestions": [{"id": one} for one in taken]})
        for one in self.on_card(said) if fresh else ():
            if not one.alone:
                self.word(one, at, None)
            else:
                waits = len(taken) == len(one.offers) and all(one.offers.values())
                self.word(one, at, PERIODS.days(one.rule, "ordered", one.indicator) if waits else 0)

    @precondition(lambda self: self.acknowledged)
    @rule()
    def feedback_comes_again(self) -> None:
        """Word for word, as a client sends it that heard no answer."""
        self.history.client.post(self.last[0], json=self.last[1])

    # --- the model ---------------------------------------------------------------------------------------------------

    def recent(self, which: int) -> tuple[Visit, Said]:
        return self.said[-1 - which % min(len(self.said), 8)]

    def on_card(self, said: Said) -> list[Said]:
        """Everything that its card said, once for each rule."""
        return list(
            {one.rule: one for _, one in self.said if (one.card, one.service) == (said.card, said.service)}.values()
        )

    def word(self, said: Said, at: datetime, days: int | None) -> None:
        moment = max(min(at, self.history.clock.now), said.issued)
        key = (said.patient, said.rule, said.clinician)
        if key not in self.words or self.words[key].moment <= moment:
            until = None if days is None else moment.date() + timedelta(days)
            self.words[key] = Word(said, moment, until)

    def send(self, visit: Visit, card: str, outcome: str, at: datetime, more: Mapping[str, Any]) -> bool:
        """Whether it is the first time that exactly this is said."""
        entry = {"card": card, "outcome": outcome, "outcomeTimestamp": at.isoformat(), **more}
        self.last = (f"/cds-services/{visit.service}/feedback", {"feedback": [entry, entry]})
        answer = self.history.client.post(self.last[0], json=self.last[1])
        assert answer.status_code == 200
        line = (card, visit.service, outcome, json.dumps([at.isoformat(), more], sort_keys=True))
        fresh = line not in self.acknowledged
        self.acknowledged += [line] if fresh else []
        return fresh

    def visit(self, patient: str, clinician: str, hook: str, drafts: str) -> None:
        life = self.lives[patient]
        chart = life.chart(self.day) | ({"drafts": DRAFTS[drafts]} if drafts else {})
        self.calls += 1
        visit = self.history.visit(chart, hook, patient=patient, clinician=clinician, instance=f"call-{self.calls}")
        forget(self.plain.client)
        plain = self.plain.visit(chart, hook, patient=patient, clinician=clinician)
        assert visit.complete == plain.complete
        before = len(self.said)
        for found in plain.body["extension"][EXTENSION]["findings"]:
            now = visit.finding(found["rule"])
            if found["outcome"] in {"silent", "not-assessed"} or found.get("why") == "unrelated-order":
                assert now["outcome"] == found["outcome"], "what a rule finds does not depend on what was said before"
            else:
                labels = next(
                    (_labels(card) for card in plain.body["cards"] if card["uuid"] == found.get("card")), ("no room",)
                )
                self.check(self.as_said(visit, found, (patient, clinician, drafts), labels), now)
        if hook == "order-sign":
            self.recognise(patient, DRAFTS[drafts], self.said[:before])

    def as_said(self, visit: Visit, plain: Any, about: tuple[str, str, str], labels: tuple[str, ...]) -> Said:
        (patient, clinician, drafts), life = about, self.lives[about[0]]
        now = visit.finding(plain["rule"])
        card = next((one for one in visit.body["cards"] if one["uuid"] == now.get("card")), None)
        sharing = [
            one for one in visit.body["extension"][EXTENSION]["findings"] if card and one.get("card") == card["uuid"]
        ]
        return Said(
            patient=patient, clinician=clinician, rule=plain["rule"], service=visit.service,
            card=card["uuid"] if card else "", alone=len(sharing) == 1,
            indicator=plain["indicator"], level=plain.get("level"),
            bands=(life.band("cd4"), life.band("viral-load")),
            older=(life.all_bands("cd4"), life.all_bands("viral-load")),
            newest=(max(life.results["cd4"]), max(life.results["viral-load"])),
            allergic=life.allergic, drafts=drafts if drafts in {"ART", "dapsone", "prophylaxis"} else "",
            labels=labels, offers={one["uuid"]: _loinc(one) for one in (card or {}).get("suggestions", ())},
            issued=self.history.clock.now,
        )  # fmt: skip

    def check(self, said: Said, now: Mapping[str, Any]) -> None:
        held = now.get("why") == "quiet-period"
        words = [
            word for (patient, rule_, clinician), word in self.words.items()
            if (patient, rule_) == (said.patient, said.rule) and (self.quiet_per == "patient" or clinician == said.clinician)
        ]  # fmt: skip
        open_words = [word for word in words if word.until is None or word.until > self.day]
        surely = [word for word in open_words if word.until and self.surely_holds(word, said)]
        possibly = [word for word in open_words if self.may_hold(word, said)]
        told = f"{said.rule} {now} {words}"
        if said.indicator == "critical" or not possibly:
            assert not held, f"held, and must speak: {told}"
        if surely and said.indicator != "critical":
            assert held, f"spoken, and must be held: {told}"
            assert date.fromisoformat(now["until"]) >= max(word.until for word in surely if word.until)
        if held:
            longest = max((word.until or self.day + timedelta(365) for word in possibly), default=self.day)
            assert self.day < date.fromisoformat(now["until"]) <= longest
        if now["outcome"] == "recommended":
            self.said.append((self.visited(said), said))

    def visited(self, said: Said) -> Visit:
        made = Visit.__new__(Visit)
        made.service = said.service
        return made

    def surely_holds(self, word: Word, said: Said) -> bool:
        return word.said.same(said) and not any(
            len(self.lives[said.patient].bands_since(measure, day)) > 1
            for measure, day in zip(("cd4", "viral-load"), word.said.newest, strict=True)
        )

    def may_hold(self, word: Word, said: Said) -> bool:
        measure = RESTS_ON.get(said.rule)
        day = word.said.newest[("cd4", "viral-load").index(measure)] if measure else None
        crossed = day is not None and measure and len(self.lives[said.patient].bands_since(measure, day)) > 1
        return not word.said.differs(said) and not crossed

    def recognise(self, patient: str, drafts: list[str], before: Sequence[tuple[Visit, Said]]) -> None:
        """What was suggested in the last thirty days and is being signed: of each rule and clinician the newest counts."""
        codes = {TESTS[one] for one in drafts if one in TESTS}
        since = self.history.clock.now - timedelta(days=30)
        newest: dict[tuple[str, str], Said] = {}
        for _, one in before:
            fresh = one.patient == patient and one.issued > since and (one.card, one.rule) not in self.ordered
            if not fresh or not one.offers:
                continue
            if not one.alone or self.signs_all(one, codes):
                newest[one.rule, one.clinician] = one
            if one.alone and codes & set(one.offers.values()):
                self.ordered.add((one.card, one.rule))
        for one in newest.values():
            days = PERIODS.days(one.rule, "ordered", one.indicator) if one.alone else None
            if one.alone or codes:
                self.word(one, self.history.clock.now, days)

    def signs_all(self, one: Said, codes: set[str]) -> bool:
        return all(one.offers.values()) and set(one.offers.values()) <= codes

    # --- what must always hold ---------------------------------------------------------------------------------------

    @invariant()
    def everything_acknowledged_is_there_once_and_nothing_else(self) -> None:
        if not hasattr(self, "history"):
            return
        with self.history.ledger.database.reading() as connection:
            rows = connection.execute(select(Feedback.__table__).order_by(Feedback.id)).all()
            shown = connection.execute(select(IssuedAdvice.card, IssuedAdvice.rule).where(~IssuedAdvice.shadow)).all()
        assert [(row.card, row.service, row.outcome) for row in rows] == [one[:3] for one in self.acknowledged]
        assert {(one.card, one.rule) for _, one in self.said} <= {tuple(row) for row in shown}


class LivesByClinician(Lives):
    """Where an override counts for the clinician who gave it."""

    quiet_per = "clinician"


def _labels(card: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(one["label"] for one in card.get("suggestions", ())))


def _loinc(suggestion: Mapping[str, Any]) -> str:
    """The test that a suggestion orders; empty where it is none."""
    (resource,) = [one["resource"] for one in suggestion["actions"] if "resource" in one][:1] or [{}]
    if resource.get("resourceType") != "ServiceRequest":
        return ""
    return str(resource["code"]["coding"][0]["code"])


PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # a life is cheap to read, and takes minutes to make shorter
HEALTH = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@pytest.mark.parametrize("machine", [Lives, LivesByClinician])
def test_nothing_is_lost_held_or_said_against_the_model(machine: type[Lives]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=6, stateful_step_count=30, deadline=None, phases=PHASES, suppress_health_check=HEALTH
        ),
    )


@pytest.mark.slow
@pytest.mark.parametrize("machine", [Lives, LivesByClinician])
def test_nothing_is_lost_held_or_said_in_many_lives(machine: type[Lives]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8, stateful_step_count=40, deadline=None, phases=PHASES, suppress_health_check=HEALTH
        ),
    )
