"""In whatever order permits are taken and given back, and from however many threads: no count leaks, and one trial at a time."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from random import Random
from threading import Barrier, Lock
from time import sleep

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cds_service.outbound.breaker import FAILURES_IN_A_ROW, FETCHES_AT_ONCE, LONGEST_REST, Breakers, Permit, Verdict
from cds_service.outbound.faults import Failed
from cds_service.outbound.url_guard import Origin
from tests.test_breaker import HERE, THERE, Clock, ask, numbered

ORIGINS = st.sampled_from([HERE, THERE, numbered(0)])
VERDICTS = st.sampled_from(["answered", "failed", "failed", "failed", "neither"])


class AnyOrder(RuleBasedStateMachine):
    """Permits of three servers, taken and given back in any order, while time goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breakers = Breakers(self.clock)
        self.held: deque[tuple[Origin, Permit, ExitStack]] = deque()
        self.failures = dict.fromkeys((HERE, THERE, numbered(0)), 0)  # since the last answer
        self.failed_at = dict.fromkeys(self.failures, 0.0)

    def permits(self, origin: Origin) -> list[Permit]:
        return [permit for one, permit, _ in self.held if one == origin]

    @rule(origin=ORIGINS)
    def take(self, origin: Origin) -> None:
        stack, others = ExitStack(), self.permits(origin)
        try:
            permit = stack.enter_context(self.breakers.permit(origin))
        except Failed as failed:
            self.refused(origin, failed.fault)
            return
        assert self.failures[origin] >= FAILURES_IN_A_ROW or not permit.trial
        assert not permit.trial or not any(one.trial for one in others)
        self.held.append((origin, permit, stack))

    def refused(self, origin: Origin, word: str) -> None:
        if word == "busy":
            assert len(self.permits(origin)) == FETCHES_AT_ONCE
            return
        assert word == "resting"
        assert self.failures[origin] >= FAILURES_IN_A_ROW
        on_trial = any(one.trial for one in self.permits(origin))
        assert on_trial or self.clock.now < self.failed_at[origin] + LONGEST_REST

    @precondition(lambda self: self.held)
    @rule(came=VERDICTS, turn=st.integers(0, 30))
    def give_back(self, came: Verdict, turn: int) -> None:
        self.held.rotate(turn)
        origin, permit, stack = self.held.popleft()
        permit.verdict = came
        stack.close()
        if came == "answered":
            self.failures[origin] = 0
        elif came == "failed":
            self.failures[origin] += 1
            self.failed_at[origin] = self.clock.now

    @rule(seconds=st.sampled_from([0.001, 1.0, 4.999, 5.0, 60.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def never_more_at_once_than_may_be_and_one_trial(self) -> None:
        for origin in {one for one, _, _ in self.held}:
            permits = self.permits(origin)
            assert len(permits) <= FETCHES_AT_ONCE
            assert sum(permit.trial for permit in permits) <= 1

    def teardown(self) -> None:
        """However it went: after a minute, each server is tried, answers, and nothing is left of it."""
        while self.held:
            self.give_back("neither", 0)
        self.clock.now += 60
        for origin in (HERE, THERE, numbered(0)):
            assert ask(self.breakers, "answered", origin) == "sent"
        assert self.breakers.known == 0


TestAnyOrder = AnyOrder.TestCase


def test_under_many_threads_no_count_leaks() -> None:
    clock, threads, lock = Clock(), 24, Lock()
    breakers, start = Breakers(clock), Barrier(24)
    inside: dict[Origin, int] = {}
    most: dict[Origin, int] = {}

    def enter(origin: Origin, step: int) -> None:
        with lock:
            inside[origin] = inside.get(origin, 0) + step
            most[origin] = max(most.get(origin, 0), inside[origin])

    def once(random: Random, origin: Origin) -> None:
        with breakers.permit(origin) as permit:
            enter(origin, 1)
            try:
                permit.verdict = random.choice(("answered", "failed", "failed", "neither"))
                sleep(random.choice((0.0, 0.0005)))
                if random.random() < 0.2:
                    raise ValueError
            finally:
                enter(origin, -1)

    def run(seed: int) -> None:
        random = Random(seed)  # noqa: S311  (an order of events, no secret)
        start.wait(10)
        for _ in range(400):
            with lock:
                clock.now += random.choice((0.0, 0.01, 0.5))
            try:
                once(random, random.choice((HERE, THERE)))
            except (Failed, ValueError):
                continue

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, range(threads)))
    assert set(most.values()) == {FETCHES_AT_ONCE}
    assert not any(inside.values())
    clock.now += 60
    for origin in (HERE, THERE):
        assert ask(breakers, "answered", origin) == "sent"
    assert breakers.known == 0
