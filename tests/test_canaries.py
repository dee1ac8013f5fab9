"""The canary patients in; proof out that each stands for its rule and goes red when the rule is broken, and all are watched."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from time import process_time
from typing import Any

import msgspec
import pytest

from cds_service.canary import Canaries, Canary, evaluate, evaluation, read_canaries
from cds_service.canary.canaries import FOLDER
from cds_service.chart.prefetch import KEYS
from cds_service.wire.cards import topic
from hooks.advice import Recommendation, Silent
from hooks.assess import Rule
from hooks.knowledge import Profile
from hooks.order_sign import ORDER_SIGN
from hooks.record import PatientRecord
from tests.canary_files import COMMAND, KNOWLEDGE, NOON, PROFILES, files
from tests.cases import AS_OF, NOW, SERVICE_OF, make_client

CANARIES = {canary.rule: canary for canary in read_canaries()}
RULES = {rule.id: rule for rule in ORDER_SIGN.rules}
FAR = (Decimal(0), Decimal(10**6))  # where a threshold is moved to
each = pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)


def red(canary: Canary, now: datetime = NOON, profiles: Mapping[str, Profile] = PROFILES) -> str | None:
    return evaluate(canary, now, KNOWLEDGE, profiles)


def named(*rules: str) -> tuple[Canary, ...]:
    return tuple(CANARIES[rule] for rule in rules)


# --- what they are --------------------------------------------------------------------------------------------------


def test_the_files_are_what_the_cases_give() -> None:
    written = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}
    assert written == files(), f"write them anew: {COMMAND}, and read what changed"


def test_every_rule_has_a_canary_and_every_canary_a_rule() -> None:
    assert sorted(CANARIES) == sorted(RULES)


@each
def test_it_is_a_whole_request_that_needs_no_server(canary: Canary) -> None:
    assert set(canary.request["prefetch"]) == set(KEYS)
    assert "fhirServer" not in canary.request
    assert canary.request["context"]["patientId"] == f"canary-{canary.rule}"
    assert canary.day == AS_OF


@each
def test_its_rule_speaks_under_every_profile_that_has_it_and_little_else_does(canary: Canary) -> None:
    assert set(canary.expected) == {name for name, one in PROFILES.items() if canary.rule not in one.left_out}
    for expected in canary.expected.values():
        said = [rule for rule, outcome in expected.outcomes.items() if outcome != "silent"]
        assert expected.outcomes[canary.rule] == "recommended"
        assert len(said) <= 6
        assert {card.topic for card in expected.cards} <= set(map(topic, said))


@each
def test_it_passes(canary: Canary) -> None:
    assert red(canary) is None


@each
def test_a_client_would_get_the_same_answer(canary: Canary) -> None:
    NOW.day = AS_OF
    for profile, expected in canary.expected.items():
        client = make_client(profile, ",".join(canary.endemic))
        body = client.post(f"/cds-services/{SERVICE_OF[canary.request['hook']].id}", json=canary.request).get_json()
        assert evaluation.answer(body, AS_OF) == expected


# --- what they find -------------------------------------------------------------------------------------------------


def broken(rule: Rule, function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts another function in the place of the rule's, in every service."""
    for hook, service in SERVICE_OF.items():
        rules = tuple(replace(one, function=function) if one.id == rule.id else one for one in service.rules)
        monkeypatch.setitem(evaluation.SERVICE_OF, hook, replace(service, rules=rules))


@each
def test_it_goes_red_when_its_rule_falls_silent(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(RULES[canary.rule], lambda _record, _profile: Silent("broken"), monkeypatch)
    assert red(canary) == "outcome"


@each
def test_it_goes_red_when_its_rule_raises(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(RULES[canary.rule], lambda _record, _profile: 1 / 0, monkeypatch)
    assert red(canary) == "outcome"


@each
def test_it_goes_red_when_its_rule_says_something_else(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = RULES[canary.rule]

    def otherwise(record: PatientRecord, profile: Profile) -> Recommendation:
        said = rule(record, profile)
        assert isinstance(said, Recommendation)
        return replace(said, summary="Otherwise", also="otherwise")

    broken(rule, otherwise, monkeypatch)
    assert red(canary) == "cards"


def thresholds_of(rule: Rule) -> list[str]:
    return [key for key in (*rule.cites, *rule.may_cite) if any(key in one.thresholds for one in PROFILES.values())]


def moved(key: str, value: Decimal) -> dict[str, Profile]:
    """Every profile with this threshold elsewhere."""
    return {
        name: replace(one, thresholds={**one.thresholds, key: replace(found, value=value)})
        for name, one in PROFILES.items()
        if (found := one.thresholds.get(key))
    }


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if thresholds_of(rule)], ids=lambda rule: rule.id)
def test_it_goes_red_when_a_threshold_of_its_rule_is_moved(rule: Rule) -> None:
    found = [red(CANARIES[rule.id], profiles=moved(key, value)) for key in thresholds_of(rule) for value in FAR]
    assert set(found) & {"outcome", "cards"}


@pytest.mark.slow
def test_most_thresholds_cannot_be_moved_far_unseen() -> None:
    keys = {key for one in PROFILES.values() for key in one.thresholds}
    unseen = {
        key for key in keys if not any(red(one, profiles=moved(key, at)) for one in CANARIES.values() for at in FAR)
    }
    assert len(unseen) < len(keys) * 0.4, sorted(unseen)


def test_a_request_that_is_refused_is_told_from_a_fault() -> None:
    whole = CANARIES["scope"]
    without = whole.request | {"prefetch": {}}
    assert red(replace(whole, request=without)) == "refused"
    assert red(replace(whole, request=whole.request | {"hook": "unheard-of"})) == "raised"


def test_a_profile_of_which_nothing_is_expected_is_passed_over() -> None:
    unknown = {"own": replace(PROFILES["dhhs"], name="own", thresholds={})}
    assert red(CANARIES["pneumocystis-start"], profiles=unknown) is None


# --- the watch ------------------------------------------------------------------------------------------------------


def watch(*rules: str, profiles: Mapping[str, Profile] = PROFILES) -> tuple[Canaries, list[tuple[str, bool]]]:
    told: list[tuple[str, bool]] = []
    return Canaries(KNOWLEDGE, profiles, lambda rule, passed: told.append((rule, passed)), named(*rules)), told


def test_one_after_the_other_has_its_turn_and_is_told_of() -> None:
    canaries, told = watch("art-start", "mac-stop")
    seen = []
    for _ in range(3):
        seen.append((canaries.checked, canaries.first_round_passed))
        canaries.next_one(NOON)
    assert seen == [(0, None), (1, None), (2, True)]
    assert told == [("art-start", True), ("mac-stop", True), ("art-start", True)]
    assert canaries.failed == ()


def test_a_round_evaluates_them_all() -> None:
    told: list[str] = []
    canaries = Canaries(KNOWLEDGE, PROFILES, lambda rule, _passed: told.append(rule))
    canaries.round(NOON)
    assert (canaries.checked, canaries.first_round_passed, canaries.failed) == (len(RULES), True, ())
    assert sorted(told) == sorted(RULES)


def test_those_that_fail_are_named_until_they_pass_again(monkeypatch: pytest.MonkeyPatch) -> None:
    canaries, told = watch("mac-stop", "art-start", "scope")
    with monkeypatch.context() as patch:
        broken(RULES["art-start"], lambda _record, _profile: Silent("broken"), patch)
        canaries.round(NOON)
    assert (canaries.failed, canaries.differences) == (("art-start",), {"art-start": "outcome"})
    assert told == [("mac-stop", True), ("art-start", False), ("scope", True)]
    canaries.round(NOON)
    assert canaries.failed == ()
    assert canaries.first_round_passed is False


def test_several_threads_give_each_its_turn() -> None:
    canaries, told = watch("art-start", "mac-stop", "scope", "art-timing")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(canaries.next_one, [NOON] * 40))
    assert {rule: told.count((rule, True)) for rule, _ in told} == dict.fromkeys(
        ("art-start", "mac-stop", "scope", "art-timing"), 10
    )
    assert canaries.first_round_passed


def test_a_round_costs_well_under_a_second_and_changes_no_canary() -> None:
    canaries = read_canaries()
    before = msgspec.json.encode(canaries)
    began = process_time()
    assert [red(canary, NOON) for canary in canaries] == [None] * len(RULES)
    assert process_time() - began < 1
    assert msgspec.json.encode(canaries) == before
