"""The history of treatment must not depend on how it was written down; a worse viral load must never silence the rules on it.

Medications by days ago in; what is compared is the ArtHistory that `hooks.art_history` makes of them, and what the virologic
rules make of it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from test_reader_properties import KNOWLEDGE, PROFILE, repeatable

from hooks.art_history import art_history
from hooks.assess import Recommendation
from hooks.record import ArtHistory, Hiv, LabResult, Medication, PatientRecord
from hooks.rules.virologic import viremia_recheck, virologic_failure

AS_OF = date(2026, 11, 20)
ABACAVIR, LAMIVUDINE, DOLUTEGRAVIR = "190521", "68244", "1433868"
BICTEGRAVIR, EMTRICITABINE, TAF, TDF = "1999660", "276237", "1721603", "300195"
PRODUCTS = [
    frozenset((BICTEGRAVIR, EMTRICITABINE, TAF)),
    frozenset((ABACAVIR, DOLUTEGRAVIR, LAMIVUDINE)),
    frozenset((EMTRICITABINE, TDF)),  # PrEP, or the backbone of a regimen
    frozenset((EMTRICITABINE, TAF)),
    frozenset((DOLUTEGRAVIR,)),
    frozenset((DOLUTEGRAVIR, LAMIVUDINE)),
]
HEPATITIS_B = frozenset(("hbv_product_taf_alone",))


def days_ago(days: int | None) -> date | None:
    return None if days is None else AS_OF - timedelta(days=days)


def taken(
    ingredients: frozenset[str],
    since: int | None,
    *,
    until: int | None = None,
    supply: int | None = None,
    current: bool = True,
    flags: frozenset[str] = frozenset(),
) -> Medication:
    return Medication(
        ingredients=ingredients,
        source="MedicationRequest/1",
        current=current,
        flags=flags,
        since=days_ago(since),
        until=days_ago(until),
        supplied_until=days_ago(supply),
    )


BIC, TDF_FTC, DTG = PRODUCTS[0], PRODUCTS[2], PRODUCTS[4]


@st.composite
def medications(draw: st.DrawFn) -> Medication:
    """One entry: going on; ended on a known day or with a known supply; or ended, nobody knows when."""
    ingredients = draw(st.sampled_from(PRODUCTS))
    flags = HEPATITIS_B if ingredients == {TAF} else frozenset[str]()
    since = draw(st.one_of(st.none(), st.integers(0, 150), st.integers(0, 900)))
    kind = draw(st.sampled_from(["going on", "going on", "ended", "supplied", "nobody knows"]))
    end = draw(st.integers(0, 150 if since is None else since))
    return taken(
        ingredients,
        since,
        until=end if kind == "ended" else None,
        supply=end if kind == "supplied" else None,
        current=kind == "going on",
        flags=flags,
    )


LISTS = st.lists(medications(), max_size=5)
SOME = st.lists(medications(), min_size=1, max_size=5)


def history(entries: Sequence[Medication], as_of: date = AS_OF) -> ArtHistory:
    return art_history(entries, as_of, KNOWLEDGE)


def end_of(one: Medication) -> date | None:
    """The last day it is known to have been taken; None where nobody knows."""
    return AS_OF if one.current else one.until or one.supplied_until


@repeatable(300)
@given(LISTS, st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_nothing(entries: list[Medication], random: Random) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert history(shuffled) == history(entries)


@repeatable(300)
@given(SOME, st.data())
def test_an_exact_duplicate_changes_nothing(entries: list[Medication], data: st.DataObject) -> None:
    again = data.draw(st.sampled_from(entries))
    assert history([*entries, again]) == history(entries)


@repeatable(300)
@given(SOME, st.data())
@example([taken(TDF_FTC, 400), taken(DTG, 100)], None)
@example([taken(BIC, 400, until=29, current=False)], None)
@example([taken(TDF_FTC, 58), taken(BIC, 400, until=31, current=False)], None)
@example([taken(TDF_FTC, 400), taken(DTG, 400, until=300, current=False), taken(DTG, 100)], None)
def test_a_renewal_in_two_orders_changes_nothing(entries: list[Medication], data: st.DataObject | None) -> None:
    one = data.draw(st.sampled_from(entries)) if data else entries[0]
    end = end_of(one)
    assume(end is not None)
    assert end is not None
    first = one.since or end - timedelta(days=300)
    span = (end - first).days
    on = first + timedelta(days=data.draw(st.integers(0, span)) if data else span // 2)
    halves = [replace(one, until=on, supplied_until=None, current=False), replace(one, since=on)]
    others = list(entries)
    others.remove(one)
    assert history([*others, *halves]) == history(entries)


@repeatable(300)
@given(SOME, st.data())
def test_an_order_within_the_time_of_another_changes_nothing(entries: list[Medication], data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(entries))
    end = end_of(one)
    assume(end is not None and one.since is not None)
    assert end is not None
    assert one.since is not None
    since = one.since + timedelta(days=data.draw(st.integers(0, (end - one.since).days)))
    until = since + timedelta(days=data.draw(st.integers(0, (end - since).days)))
    within = replace(one, since=since, until=until, supplied_until=None, current=False)
    overlapping = data.draw(st.sampled_from([within, replace(one, since=since)]))
    assert history([*entries, overlapping]) == history(entries)


@repeatable(300)
@given(SOME, st.data())
@example([taken(TDF_FTC, 400), taken(DTG, 100)], None)
def test_a_product_is_as_good_as_its_ingredients(entries: list[Medication], data: st.DataObject | None) -> None:
    one = data.draw(st.sampled_from(entries)) if data else entries[0]
    singles = [replace(one, ingredients=frozenset((agent,))) for agent in sorted(one.ingredients)]
    others = list(entries)
    others.remove(one)
    assert history([*others, *singles]) == history(entries)


@repeatable(300)
@given(LISTS, st.integers(-2000, 2000))
def test_later_dates_make_a_later_history_and_nothing_else(entries: list[Medication], days: int) -> None:
    by = timedelta(days=days)

    def moved(when: date | None) -> date | None:
        return when + by if when else None

    shifted = [
        replace(one, since=moved(one.since), until=moved(one.until), supplied_until=moved(one.supplied_until))
        for one in entries
    ]
    before = history(entries)
    expected = replace(before, since=moved(before.since), changed=moved(before.changed), stopped=moved(before.stopped))
    assert history(shifted, AS_OF + by) == expected


@repeatable(300)
@given(LISTS)
def test_a_history_is_at_one_with_itself(entries: list[Medication]) -> None:
    found = history(entries)
    assert (found.status == "on") == bool(found.agents)
    assert (found.since is None) == (found.changed is None)
    if found.since and found.changed:
        assert found.status == "on"
        assert found.since <= found.changed <= AS_OF
    assert (found.status == "stopped") == (found.stopped is not None)
    assert found.stopped is None or (AS_OF - found.stopped).days >= 30


@pytest.mark.parametrize(
    ("entries", "status", "since", "changed"),
    [
        ([], "never", None, None),
        ([taken(TDF_FTC, 400)], "never", None, None),
        ([taken(frozenset((TAF,)), 400, flags=HEPATITIS_B)], "never", None, None),
        ([taken(TDF_FTC, 400), taken(PRODUCTS[3], 200)], "never", None, None),
        ([taken(BIC, 400)], "on", 400, 400),
        ([taken(BIC, 0)], "on", 0, 0),
        ([taken(BIC, None)], "on", None, None),
        ([taken(BIC, -1)], "never", None, None),
        ([taken(BIC, 400, current=False)], "unclear", None, None),
        ([taken(BIC, 400, until=30, current=False)], "stopped", None, None),
        ([taken(BIC, 400, supply=30, current=False)], "stopped", None, None),
        ([taken(BIC, 400, until=29, current=False)], "on", 400, 400),
        ([taken(BIC, 400, supply=29, current=False)], "on", 400, 400),
        ([taken(BIC, 400, until=130, current=False), taken(BIC, 100)], "on", 100, 100),
        ([taken(BIC, 400, until=129, current=False), taken(BIC, 100)], "on", 400, 400),
        ([taken(BIC, 400, current=False), taken(BIC, 100)], "on", 400, 400),
        ([taken(TDF_FTC, 400), taken(DTG, 100)], "on", 100, 100),
        ([taken(TDF_FTC, 400, until=100, current=False), taken(BIC, 100)], "on", 100, 100),
        ([taken(TDF_FTC, 400), taken(DTG, 400, until=200, current=False)], "stopped", None, None),
        ([taken(TDF_FTC, 400), taken(DTG, 400, until=29, current=False)], "on", 400, 400),
        ([taken(TDF_FTC, 400), taken(DTG, 400, until=130, current=False), taken(DTG, 100)], "on", 100, 100),
        ([taken(TDF_FTC, 400), taken(DTG, 400, until=129, current=False), taken(DTG, 100)], "on", 400, 400),
        ([taken(PRODUCTS[1], 400, until=100, current=False), taken(BIC, 100)], "on", 400, 100),
        ([taken(PRODUCTS[1], 400, current=False), taken(BIC, 100)], "on", 400, 100),
        ([taken(BIC, 400), taken(DTG, 400, until=50, current=False)], "on", 400, 50),
    ],
)
def test_histories(entries: list[Medication], status: str, since: int | None, changed: int | None) -> None:
    found = history(entries)
    assert (found.status, found.since, found.changed) == (status, days_ago(since), days_ago(changed))


# --- among the virologic rules a worse viral load never removes a finding ------------------------------------------------

LOADS = [1, 19, 20, 49, 50, 51, 120, 199, 200, 201, 999, 1500, 40_000, 99_999, 100_000, 2_000_000, 10_000_000]
COMPARATORS = st.sampled_from(["", "", "", "<", ">"])


def viral_load(number: int, ago: int, comparator: str = "") -> LabResult:
    return LabResult(
        measure="viral-load",
        unit="copies/mL",
        number=Decimal(number),
        date=AS_OF - timedelta(days=ago),
        received=str(number),
        source=f"Observation/{ago}",
        comparator=comparator,  # type: ignore[arg-type]
    )


@st.composite
def viral_loads(draw: st.DrawFn) -> list[LabResult]:
    """Newest first; the newest is a number, for that is what is made worse."""
    days = sorted(draw(st.lists(st.integers(0, 420), min_size=1, max_size=5, unique=True)))
    numbers = st.sampled_from(LOADS)
    newest = viral_load(draw(numbers), min(days[0], 100))
    return [newest, *(viral_load(draw(numbers), ago, draw(COMPARATORS)) for ago in days[1:] if ago > 100)]


@st.composite
def treatments(draw: st.DrawFn) -> ArtHistory:
    since = draw(st.one_of(st.integers(0, 300), st.sampled_from([28, 56, 84, 168, 188, 700, 2000])))
    changed = draw(st.one_of(st.just(since), st.integers(0, since)))
    return ArtHistory(status="on", agents=BIC, since=days_ago(since), changed=days_ago(changed))


def found_by(record: PatientRecord) -> set[str]:
    rules = (virologic_failure, viremia_recheck)
    return {one.id for one in rules if isinstance(one(record, PROFILE), Recommendation)}


@repeatable(2000)
@given(viral_loads(), treatments(), st.sampled_from(LOADS))
@example(
    [viral_load(60, 10), viral_load(60, 100), viral_load(20, 200)],
    ArtHistory(status="on", agents=BIC, since=days_ago(700), changed=days_ago(700)),
    4000,
)
def test_a_worse_viral_load_never_removes_a_finding(loads: list[LabResult], art: ArtHistory, worse: int) -> None:
    assume(worse > (loads[0].number or 0))
    record = PatientRecord(
        as_of=AS_OF, hiv=Hiv("established"), viral_loads=tuple(loads), medications=(), problems=(), art=art
    )
    raised = replace(record, viral_loads=(replace(loads[0], number=Decimal(worse)), *loads[1:]))
    before, after = found_by(record), found_by(raised)
    assert not before or after
    assert "virologic-failure" not in before or after == {"virologic-failure"}
    assert len(after) < 2
