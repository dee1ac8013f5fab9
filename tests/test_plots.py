"""CD4 counts and viral loads over time as pictures: right for every shape of a history, and nothing of a chart unescaped."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from cds_service import plots
from cds_service.plots.axes import BOTTOM, LEFT, RIGHT, TOP, WIDE, Days, linear, logarithmic
from hooks.knowledge import Profile, load, load_profiles
from hooks.record import Hiv, LabResult, Medication, PatientRecord

TODAY = date(2026, 11, 20)
KNOWLEDGE = load()
DHHS, WHO = (load_profiles(KNOWLEDGE)[name] for name in ("dhhs", "who"))
HOSTILE = '"><script>alert(1)</script>&'
DOLUTEGRAVIR, BICTEGRAVIR, EFAVIRENZ = "1433868", "1999660", "195085"


def count(value: float | str, when: date = TODAY, comparator: str = "") -> LabResult:
    return LabResult(measure="cd4-count", unit="/uL", number=Decimal(value), date=when, received=f"{value} /uL",
                     source="Observation/c", comparator=comparator)  # type: ignore[arg-type]  # fmt: skip


def load_of(value: float | str | None, when: date = TODAY, comparator: str = "", **more: object) -> LabResult:
    number = None if value is None else Decimal(value)
    return LabResult(measure="viral-load", unit=str(more.pop("unit", "copies/mL")), number=number, date=when,
                     received="", source="Observation/v", comparator=comparator, **more)  # type: ignore[arg-type]  # fmt: skip


def record(counts: Sequence[LabResult] = (), loads: Sequence[LabResult] = (), **more: object) -> PatientRecord:
    newest = {"key": lambda one: one.date, "reverse": True}
    return PatientRecord(as_of=TODAY, hiv=Hiv("established"), cd4_counts=tuple(sorted(counts, **newest)),  # type: ignore[call-overload]
                         viral_loads=tuple(sorted(loads, **newest)), **more)  # type: ignore[call-overload,arg-type]  # fmt: skip


def both(
    chart: PatientRecord, facts: Sequence[LabResult] = (), profile: Profile = DHHS
) -> tuple[ET.Element, ET.Element]:
    """Both pictures, read as XML: what cannot be read is no picture."""
    bands = plots.treatment(chart.medications or (), TODAY, KNOWLEDGE)
    drawn = (plots.draw(make(chart, profile, bands, facts)) for make in (plots.cd4, plots.viral_load))
    one, two = (ET.fromstring(picture) for picture in drawn)  # noqa: S314  (of our own making)
    return one, two


def of(picture: ET.Element, kind: str) -> list[ET.Element]:
    return [one for one in picture.iter() if kind in (one.get("class") or "").split()]


def places(picture: ET.Element) -> list[float]:
    """Every number that says where something stands."""
    named = ("x", "y", "cx", "cy", "width", "height")
    return [float(value) for one in picture.iter() for name in named if (value := one.get(name)) is not None]


def test_without_results_it_says_so() -> None:
    for picture in both(record()):
        assert [one.text for one in of(picture, "plot-none")] == ["No result that counts"]
        assert "no result that counts" in str(picture.get("aria-label"))
        assert of(picture, "limit")


def test_one_value_is_one_dot_and_no_line() -> None:
    counts, loads = both(record([count(120, TODAY - timedelta(8))], [load_of(250000, TODAY - timedelta(8))]))
    for picture, said in ((counts, "one result: 120/µL on 12 Nov 2026"), (loads, "one result: 250,000 copies/mL")):
        assert len(of(picture, "value")) == 1
        assert not of(picture, "sure")
        assert said in str(picture.get("aria-label"))


def test_two_of_one_day_both_stand_there_in_the_order_of_their_hours() -> None:
    morning, evening = (datetime(2026, 11, 12, hour, tzinfo=UTC) for hour in (8, 20))
    chart = record(
        (), [load_of(900, date(2026, 11, 12), instant=evening), load_of(80, date(2026, 11, 12), instant=morning)]
    )
    marks = of(both(chart)[1], "value")
    left, right = (float(str(one.get("cx"))) for one in marks)
    assert left < right < left + 5


def test_all_censored_stand_as_bounds_at_their_limit_with_an_arrow_to_where_the_value_lies() -> None:
    results = [
        load_of(20, TODAY - timedelta(300), "<"), load_of(40, TODAY - timedelta(200), "<="),
        load_of(10000000, TODAY - timedelta(100), ">"), load_of(None, TODAY, detected=False),
        load_of(None, TODAY - timedelta(50), detected=True),
    ]  # fmt: skip
    _, picture = both(record((), results))
    assert not of(picture, "value")
    assert not of(picture, "sure")
    assert [len(of(picture, kind)) for kind in ("bound-down", "bound-up", "undetected", "uncounted")] == [2, 1, 1, 1]
    limits = [re.match(r"M[\d.]+ ([\d.]+)h12", str(one.get("d"))) for one in of(picture, "bound-down")]
    assert [float(one[1]) for one in limits if one] == [
        logarithmic([Decimal(6), Decimal(10**8)]).place(Decimal(n)) for n in (20, 40)
    ]
    assert "3 below what the test can count; 1 above" in str(picture.get("aria-label"))


def test_twenty_years_have_years_below_them_and_bands_for_each_regimen() -> None:
    first = date(2006, 3, 1)
    results = [count(200 + 5 * place, first + timedelta(90 * place)) for place in range(80)]
    drugs = (
        Medication(
            ingredients=frozenset((EFAVIRENZ,)), source="m1", current=False, since=first, until=date(2016, 5, 1)
        ),
        Medication(ingredients=frozenset((DOLUTEGRAVIR,)), source="m2", current=True, since=date(2016, 5, 1)),
    )
    picture, _ = both(record(results, medications=drugs))
    labels = [str(one.text) for one in of(picture, "day")]
    assert 3 < len(labels) <= 8
    assert all(re.fullmatch(r"20\d\d", one) for one in labels)
    assert len(of(picture, "band-1")) == len(of(picture, "band-2")) == len(of(picture, "switch")) == 1
    assert "efavirenz from 1 Mar 2006 to 1 May 2016; dolutegravir from 1 May 2016" in str(picture.get("aria-label"))


def test_of_five_hundred_results_each_is_drawn() -> None:
    first = date(1996, 1, 1)
    results = [(count(place, first + timedelta(20 * place)), load_of(10 + place, first + timedelta(20 * place)))
               for place in range(500)]  # fmt: skip
    counts, loads = both(record([one for one, _ in results], [two for _, two in results]))
    assert len(of(counts, "value")) == len(of(loads, "value")) == 500


def test_what_a_finding_rests_on_is_ringed_and_named() -> None:
    deciding, other = count(120, TODAY - timedelta(8)), count(340, TODAY - timedelta(400))
    picture, loads = both(record([deciding, other]), [deciding])
    assert len(of(picture, "decisive")) == 1
    assert "rests on 120/µL of 12 Nov 2026" in str(picture.get("aria-label"))
    assert not of(loads, "decisive")


def test_a_viral_load_in_international_units_is_in_the_table_and_not_on_the_axis() -> None:
    chart = record((), [load_of(500, unit="IU/mL"), load_of(70, TODAY - timedelta(90))])
    plot = plots.viral_load(chart, DHHS, (), ())
    assert [one.amount for one in plots.rows(plot)] == ["500 IU/mL", "70 copies/mL"]
    assert len(of(both(chart)[1], "value")) == 1
    assert "1 in IU/mL, not drawn" in plots.told(plot)


def test_the_table_has_every_result_with_what_it_was_received_as() -> None:
    chart = record([count(120), count(90, TODAY - timedelta(30), "<")])
    found = plots.rows(plots.cd4(chart, DHHS, (), [chart.cd4_counts[0]]))
    assert [(one.amount, one.received, one.decisive) for one in found] == [
        ("120/µL", "120 /uL", True), ("below 90/µL", "90 /uL", False)
    ]  # fmt: skip


def test_the_limits_are_drawn_where_they_are_and_their_names_do_not_stand_on_each_other() -> None:
    counts, loads = both(record([count(2400)], [load_of(250000)]))
    axis = linear([Decimal(2400)])
    drawn = [float(str(one.get("d")).partition(" ")[2].partition("H")[0]) for one in of(counts, "limit")]
    assert sorted(drawn) == sorted(axis.place(Decimal(one)) for one in (200, 100, 50))
    names = sorted(float(str(one.get("y"))) for one in of(counts, "limit-name"))
    assert all(below - above >= 12 for above, below in pairwise(names))
    assert [one.text for one in of(loads, "limit-name")] == ["<50 assay limit", "<200 suppressed", "≥200 failure"]


def named(profile: Profile) -> list[list[str | None]]:
    return [[one.text for one in of(picture, "limit-name")] for picture in both(record(), (), profile)]


def test_the_limits_are_those_of_the_guideline_and_none_that_it_does_not_have() -> None:
    assert named(DHHS)[0] == [
        "<50 MAC", "<100 toxoplasma", "<100 CrAg (warning)", "<200 Pneumocystis", "<200 CrAg"
    ]  # fmt: skip
    assert named(WHO) == [
        ["<100 CrAg (warning)", "<200 CrAg", "≤350 Pneumocystis"],
        ["<50 assay limit", "<200 suppressed", ">1,000 failure"],
    ]


def test_another_number_in_the_knowledge_is_another_limit_in_the_picture() -> None:
    moved = replace(DHHS.thresholds["mac-cd4"], value=Decimal(75), inclusive=True)
    profile = replace(DHHS, thresholds={**DHHS.thresholds, "mac-cd4": moved})
    assert named(profile)[0][0] == "≤75 MAC"
    without = replace(DHHS, thresholds={key: one for key, one in DHHS.thresholds.items() if key != "mac-cd4"})
    assert "MAC" not in str(named(without))


def test_a_limit_of_an_infection_of_some_regions_is_drawn_where_the_site_is_one() -> None:
    assert "<150 histoplasmosis" in named(DHHS.at_site(frozenset(("histoplasmosis",))))[0]
    assert "talaromycosis" not in str(named(DHHS.at_site(frozenset(("histoplasmosis",)))))


def test_a_limit_says_on_whose_authority_it_stands_and_the_sentence_names_it() -> None:
    counts, _ = both(record([count(120)]))
    whole = [str(one.text) for one in counts.iter("title")]
    assert any(one.startswith("pneumocystis-cd4 200/µL — ") for one in whole)
    assert "Limits: <50 MAC; " in str(counts.get("aria-label"))


def test_a_limit_above_every_value_is_within_the_axis() -> None:
    counts, _ = both(record([count(20)]), (), WHO)
    highest = min(float(str(one.get("d")).split(" ")[1].partition("H")[0]) for one in of(counts, "limit"))
    assert highest > TOP


def test_where_a_treatment_ends_and_none_follows_there_is_a_mark() -> None:
    ended = Medication(
        ingredients=frozenset((EFAVIRENZ,)), source="m", current=False,
        since=TODAY - timedelta(900), until=TODAY - timedelta(400),
    )  # fmt: skip
    picture, _ = both(record([count(120, TODAY - timedelta(800))], medications=(ended,)))
    assert len(of(picture, "switch")) == 1


def test_the_axis_of_viral_loads_has_equal_steps_for_powers_of_ten() -> None:
    axis = logarithmic([Decimal(250000)])
    places_of = [axis.place(Decimal(10) ** power) for power in range(1, 7)]
    assert (places_of[0], places_of[-1]) == (BOTTOM, TOP)
    steps = {round(above - below, 0) for below, above in pairwise(places_of)}
    assert steps == {-40.0}
    assert [axis.place(Decimal(one)) for one in (0, 1)] == [BOTTOM, BOTTOM]


@pytest.mark.parametrize("value", ["0", "0.5", "3", "49", "251", "1500", "99999", "12345678"])
def test_whatever_the_value_all_stands_within_the_picture(value: str) -> None:
    for picture in both(record([count(value)], [load_of(value), load_of(value, TODAY - timedelta(9000), ">")])):
        assert all(0 <= one <= WIDE for one in places(picture))
        assert 2 < len(of(picture, "tick")) <= 10


@pytest.mark.parametrize(("first", "last"), [
    (date(2026, 5, 20), TODAY), (date(1950, 1, 1), TODAY), (date(2025, 12, 31), TODAY), (date(1, 1, 1), date(9999, 12, 31)),
    (date(2026, 2, 28), date(2026, 8, 28)),
])  # fmt: skip
def test_whatever_the_days_there_are_two_to_eight_labels(first: date, last: date) -> None:
    found = list(Days(first, last).ticks())
    assert 2 <= len(found) <= 8
    assert all(LEFT <= one.place <= RIGHT for one in found)


def test_no_text_of_a_chart_is_taken_for_markup() -> None:
    chart = record([replace(count(120), received=HOSTILE, source=HOSTILE, notes=(HOSTILE,))])
    drugs = (Medication(ingredients=frozenset((DOLUTEGRAVIR,)), source=HOSTILE, current=True, since=date(2025, 1, 1)),)
    chart = replace(chart, medications=drugs)
    band = plots.Band(date(2024, 1, 1), TODAY, HOSTILE)
    picture = plots.draw(plots.cd4(chart, DHHS, (band,), chart.cd4_counts))
    assert "<script" not in picture
    assert "alert(1)" in picture  # escaped, in the name of the band alone
    assert ET.fromstring(picture).tag  # noqa: S314


def test_bands_are_of_antiretrovirals_alone_and_end_where_they_end() -> None:
    spells = [
        (frozenset(("10180", "10829")), date(2020, 1, 1), None), (frozenset((EFAVIRENZ,)), date(2020, 1, 1), date(2021, 1, 1)),
        (frozenset((EFAVIRENZ,)), date(2021, 1, 1), date(2022, 1, 1)), (frozenset((BICTEGRAVIR,)), date(2024, 1, 1), None),
        (frozenset((DOLUTEGRAVIR,)), None, None),
    ]  # fmt: skip
    drugs = [Medication(ingredients=what, source=f"m{place}", current=until is None, since=since, until=until)
             for place, (what, since, until) in enumerate(spells)]  # fmt: skip
    found = [(one.first.year, one.last.year, one.agents) for one in plots.treatment(drugs, TODAY, KNOWLEDGE)]
    assert found[0] == (2020, 2022, "efavirenz")
    assert found[1][:2] == (2024, 2026)
    assert len(found) == 2


def test_an_end_that_is_not_recorded_is_not_told_as_one() -> None:
    drugs = (
        Medication(ingredients=frozenset((EFAVIRENZ,)), source="m1", current=False, since=date(2020, 1, 1)),
        Medication(ingredients=frozenset((BICTEGRAVIR,)), source="m2", current=True, since=date(2022, 1, 1)),
    )
    bands = plots.treatment(drugs, TODAY, KNOWLEDGE)
    assert [one.ends for one in bands] == [False, True]
    said = plots.told(plots.cd4(record([count(120)]), DHHS, bands, ()))
    assert (
        "efavirenz from 1 Jan 2020 to 1 Jan 2022, when the next began: its own end is not recorded; bictegravir" in said
    )
