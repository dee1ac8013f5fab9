"""A server that keeps failing rests, one that hangs holds a few fetches only, and neither concerns any other server."""

from contextlib import ExitStack

import pytest

from cds_service.chart.fhir_pages import OUTCOMES
from cds_service.outbound.breaker import FAILURES_IN_A_ROW, FETCHES_AT_ONCE, MOST_ORIGINS, Breakers, Verdict, verdict
from cds_service.outbound.faults import Failed
from cds_service.outbound.url_guard import Origin

HERE: Origin = ("https", "fhir.ehr.test", 443)
THERE: Origin = ("https", "fhir.ehr.test", 8443)


class Clock:
    """Time that a test moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breakers(clock: Clock) -> Breakers:
    return Breakers(clock)


def ask(breakers: Breakers, came: Verdict = "answered", origin: Origin = HERE) -> str:
    """One fetch that goes so: the word of a refusal, or "sent"."""
    try:
        with breakers.permit(origin) as permit:
            permit.verdict = came
    except Failed as failed:
        return failed.fault
    return "sent"


def fail(breakers: Breakers, times: int = FAILURES_IN_A_ROW, origin: Origin = HERE) -> None:
    for _ in range(times):
        assert ask(breakers, "failed", origin) == "sent"


# --- resting ---------------------------------------------------------------------------------------------------------


def test_it_rests_after_five_failures_in_a_row(breakers: Breakers) -> None:
    fail(breakers)
    assert ask(breakers) == "resting"


def test_four_failures_and_an_answer_are_no_reason_to_rest(breakers: Breakers) -> None:
    for _ in range(5):
        fail(breakers, 4)
        assert ask(breakers) == "sent"


def test_what_is_nobodys_fault_neither_counts_nor_makes_good(breakers: Breakers) -> None:
    for _ in range(20):
        assert ask(breakers, "neither") == "sent"
    fail(breakers, 4)
    assert ask(breakers, "neither") == "sent"
    fail(breakers, 1)
    assert ask(breakers) == "resting"


def test_it_rests_five_seconds_and_is_then_tried_by_one_at_a_time(breakers: Breakers, clock: Clock) -> None:
    fail(breakers)
    clock.now += 4.999
    assert ask(breakers) == "resting"
    clock.now += 0.001
    with breakers.permit(HERE) as trial:
        assert trial.trial
        assert ask(breakers) == "resting"
        trial.verdict = "answered"
    with breakers.permit(HERE) as first, breakers.permit(HERE) as second:
        assert not first.trial
        assert not second.trial


def test_every_trial_that_fails_doubles_the_rest_up_to_a_minute(breakers: Breakers, clock: Clock) -> None:
    fail(breakers)
    for seconds in (5, 10, 20, 40, 60, 60, 60):
        clock.now += seconds - 0.001
        assert ask(breakers) == "resting"
        clock.now += 0.001
        assert ask(breakers, "failed") == "sent"
    clock.now += 60
    assert ask(breakers, "answered") == "sent"
    fail(breakers)
    clock.now += 5  # after an answer it begins anew
    assert ask(breakers) == "sent"


def test_a_trial_that_says_nothing_leaves_the_next_one_to_try(breakers: Breakers, clock: Clock) -> None:
    fail(breakers)
    clock.now += 5
    assert ask(breakers, "neither") == "sent"
    with breakers.permit(HERE) as trial:
        assert trial.trial


def test_what_was_sent_before_the_rest_does_not_lengthen_it_but_may_end_it(breakers: Breakers, clock: Clock) -> None:
    with ExitStack() as late:
        one, other = late.enter_context(breakers.permit(HERE)), ExitStack()
        late.push(other)
        two = other.enter_context(breakers.permit(HERE))
        fail(breakers)
        clock.now += 3
        two.verdict = "failed"
        other.close()
        clock.now += 2
        with breakers.permit(HERE) as trial:
            assert trial.trial
        one.verdict = "answered"
    assert ask(breakers) == "sent"
    assert breakers.known == 0


def test_an_answer_ends_the_rest_though_another_fetch_is_still_under_way(breakers: Breakers, clock: Clock) -> None:
    with breakers.permit(HERE):
        fail(breakers)
        clock.now += 5
        assert ask(breakers, "failed") == "sent"
        clock.now += 10
        assert ask(breakers, "answered") == "sent"
        fail(breakers, 4)  # the count begins anew,
        assert ask(breakers, "failed") == "sent"
        clock.now += 5  # and so does the length of the rest
        assert ask(breakers) == "sent"


def test_a_trial_stays_the_only_one_whatever_else_comes_back_meanwhile(breakers: Breakers, clock: Clock) -> None:
    with ExitStack() as trying, ExitStack() as late:
        late.enter_context(breakers.permit(HERE))
        answered = late.enter_context(breakers.permit(HERE))
        fail(breakers)
        clock.now += 5
        assert trying.enter_context(breakers.permit(HERE)).trial
        assert ask(breakers) == "resting"
        answered.verdict = "answered"
        late.close()  # the server is asked freely again, fails again, rests again
        fail(breakers)
        clock.now += 5
        assert ask(breakers) == "resting"
        trying.close()
        assert ask(breakers) == "sent"


def test_a_late_fetch_that_says_nothing_does_not_let_a_second_trial_in(breakers: Breakers, clock: Clock) -> None:
    with ExitStack() as late:
        late.enter_context(breakers.permit(HERE))
        fail(breakers)
        clock.now += 5
        with breakers.permit(HERE):
            late.close()
            assert ask(breakers) == "resting"


# --- how many at once ------------------------------------------------------------------------------------------------


def test_eight_may_ask_at_once_and_the_ninth_is_told_at_once(breakers: Breakers) -> None:
    with ExitStack() as held:
        for _ in range(FETCHES_AT_ONCE):
            held.enter_context(breakers.permit(HERE))
        assert ask(breakers) == "busy"
        assert ask(breakers, origin=THERE) == "sent"
    assert ask(breakers) == "sent"


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit, Failed])
def test_whatever_goes_wrong_the_permit_comes_back(fault: type[BaseException], breakers: Breakers) -> None:
    for _ in range(FETCHES_AT_ONCE + 1):
        with pytest.raises(fault), breakers.permit(HERE):
            raise fault("x")
    assert breakers.known == 0


def test_a_trial_that_breaks_off_gives_the_trial_back(breakers: Breakers, clock: Clock) -> None:
    fail(breakers)
    clock.now += 5
    with pytest.raises(ValueError, match="x"), breakers.permit(HERE):
        raise ValueError("x")
    assert ask(breakers) == "sent"


@pytest.mark.parametrize("other", [THERE, ("http", "fhir.ehr.test", 443), ("https", "other.ehr.test", 443)])
def test_servers_are_independent(other: Origin, breakers: Breakers) -> None:
    fail(breakers)
    fail(breakers, 4, other)
    assert ask(breakers, origin=other) == "sent"
    assert ask(breakers) == "resting"


# --- how many are known ----------------------------------------------------------------------------------------------


def numbered(place: int) -> Origin:
    return "http", "127.0.0.1", place + 1


def test_servers_that_answer_are_not_kept(breakers: Breakers) -> None:
    for place in range(10_000):
        ask(breakers, "neither" if place % 2 else "answered", numbered(place))
    assert breakers.known == 0


def test_no_more_are_known_than_may_be_and_those_that_rest_or_are_asked_stay(breakers: Breakers, clock: Clock) -> None:
    fail(breakers)
    with breakers.permit(THERE) as permit:
        permit.verdict = "failed"
        for place in range(MOST_ORIGINS * 3):
            fail(breakers, 1, numbered(place))
        assert breakers.known == MOST_ORIGINS
        assert ask(breakers) == "resting"
        for place in range(MOST_ORIGINS * 2):
            clock.now += 0.001
            fail(breakers, origin=numbered(place))
        assert breakers.known == MOST_ORIGINS
        assert ask(breakers, origin=numbered(place)) == "resting"  # those whose rest ends first had to go
        assert ask(breakers) == "sent"
    fail(breakers, 4, THERE)
    assert ask(breakers, origin=THERE) == "resting"


def test_where_all_are_being_asked_a_new_one_has_to_wait(breakers: Breakers) -> None:
    with ExitStack() as held:
        for place in range(MOST_ORIGINS):
            held.enter_context(breakers.permit(numbered(place)))
        assert ask(breakers) == "busy"
        assert breakers.known == MOST_ORIGINS
    assert breakers.known == 0


# --- what counts -----------------------------------------------------------------------------------------------------

OURS = set(OUTCOMES) - {"unreachable", "tls", "server-error", "overloaded", "broken", "unresolved", "deadline"}


@pytest.mark.parametrize(
    ("answered", "faults", "seconds", "said"),
    [
        (True, {"deadline", "server-error"}, 2.0, "answered"),
        (False, {"unreachable"}, 0.01, "failed"),
        (False, {"tls"}, 2.0, "failed"),
        (False, {"server-error", "not-found"}, 2.0, "failed"),
        (False, {"overloaded"}, 2.0, "failed"),
        (False, {"broken"}, 2.0, "failed"),
        (False, {"unresolved"}, 0.15, "failed"),
        (False, {"unresolved"}, 0.149, "neither"),
        (False, {"deadline"}, 0.15, "failed"),
        (False, {"deadline"}, 0.149, "neither"),
        (False, {"deadline"}, -1.0, "neither"),
        (False, {"deadline", "broken"}, 0.01, "failed"),
        (False, set(), 2.0, "neither"),
        *((False, {word}, 2.0, "neither") for word in OURS),
    ],
)
def test_what_a_fetch_says_of_its_server(answered: bool, faults: set[str], seconds: float, said: Verdict) -> None:
    assert verdict(answered, faults, seconds) == said
