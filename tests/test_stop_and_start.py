"""Charts of every kind in; whenever prophylaxis may be stopped, the same chart without the drug does not ask for it again."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from functools import cache
from itertools import product
from typing import Any

import pytest
from msgspec import Raw
from msgspec.json import encode

from cds_service.chart.read import read_chart
from cds_service.wire.request import HookRequest
from hooks.assess import Service, assess
from hooks.knowledge import Profile, load, load_profiles
from hooks.rules.mac import mac_start
from hooks.rules.pneumocystis import pneumocystis_start
from hooks.rules.prophylaxis_stop import mac_stop, pneumocystis_stop, toxoplasma_stop
from hooks.rules.toxoplasma import toxoplasma_start
from tests.charts import PATIENT, Chart

AS_OF = date(2026, 11, 20)
NOON = datetime.combine(AS_OF, time(12), UTC)
STARTS = {
    pneumocystis_stop.id: pneumocystis_start.id,
    toxoplasma_stop.id: toxoplasma_start.id,
    mac_stop.id: mac_start.id,
}
RULES = (pneumocystis_start, toxoplasma_start, mac_start, pneumocystis_stop, toxoplasma_stop, mac_stop)
SERVICE = Service("stop-and-start", "patient-view", "", "", RULES, at_order=False)
COUNTS: dict[str, dict[str, Any]] = {
    "40 now": {"7": 40, "120": 30},
    "99 now": {"7": 99, "120": 150},
    "100 twice": {"7": 100, "97": 100},
    "150 twice": {"7": 150, "190": 150},
    "199, then 250": {"7": 250, "97": 199},
    "200 twice": {"7": 200, "97": 200},
    "201 twice, long": {"7": 201, "190": 201},
    "450, long": {"7": 450, "100": 420, "190": 400, "700": 60},
    "450, old": {"91": 450, "190": 400},
}
LOADS: dict[str, dict[str, Any]] = {
    "suppressed, long": {"7": "<20", "100": "<20", "190": "<20"},
    "suppressed, short": {"7": "<20", "97": 49},
    "suppressed once": {"7": "<20"},
    "low level": {"7": 150, "100": 150},
    "blip": {"7": "<20", "60": 300, "200": "<20"},
    "viraemic": {"7": 60000, "100": 60000},
}
PERCENTS: dict[str, dict[str, Any]] = {"none": {}, "20": {"7": 20}, "13 half a year ago": {"170": 13}}
IGGS: dict[str, dict[str, Any]] = {
    "unknown": {},
    "positive": {"toxoplasma IgG": {"400": "positive"}},
    "negative": {"toxoplasma IgG": {"400": "negative"}},
}
PROBLEMS: dict[str, list[Any]] = {
    "none": [],
    "pneumonia": [{"what": "Pneumocystis pneumonia, resolved", "since": 700}],
    "toxoplasmosis": ["toxoplasma encephalitis, resolved"],
    "thrush": ["oral candidiasis"],
}
DRUGS: dict[str, list[dict[str, Any]]] = {
    "TMP-SMX": [{"what": "TMP-SMX"}],
    "dapsone": [{"what": "dapsone"}],
    "dapsone with pyrimethamine": [{"what": "dapsone"}, {"what": "pyrimethamine"}],
    "azithromycin": [{"what": "azithromycin 600 mg", "per-week": 1}],
}
ART: dict[str, list[Any]] = {"for years": ["BIC/FTC/TAF"], "for 110 days": [{"what": "BIC/FTC/TAF", "since": 110}]}
CASES = [("dhhs", "TMP-SMX", problem) for problem in PROBLEMS] + [
    ("dhhs", drug, "none") for drug in DRUGS if drug != "TMP-SMX"
]
CASES += [("who", "TMP-SMX", problem) for problem in PROBLEMS]
BAND = range(100, 200)


@cache
def profile_of(name: str) -> Profile:
    return load_profiles(load())[name]


def said_of(chart: dict[str, Any], profile: Profile) -> dict[str, str]:
    """What is recommended, by rule, with its urgency; held for want of room counts as said."""
    prefetch = {key: Raw(encode(value)) for key, value in Chart(chart, AS_OF).prefetch().items()}
    request = HookRequest(hook="patient-view", hook_instance="1", patient_id=PATIENT, prefetch=prefetch)
    findings = assess(SERVICE, read_chart(request, NOON, profile.knowledge), profile).findings
    return {one.rule.id: one.recommendation.indicator for one in findings if one.recommendation}


def charts(drug: str, problem: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Charts with the drug, each beside the same with the drug completed today."""
    ended = [{**one, "status": "completed", "until": 0} for one in DRUGS[drug]]
    grid = product(COUNTS.values(), LOADS.values(), PERCENTS.values(), IGGS.values(), ART.values())
    for counts, loads, percents, igg, art in grid:
        chart = {"problems": ["HIV infection", *PROBLEMS[problem]], "cd4": counts, "cd4-percent": percents}
        chart |= {"viral-load": loads, "labs": igg}
        yield {**chart, "medications": [*art, *DRUGS[drug]]}, {**chart, "medications": [*art, *ended]}


def asked_again(stop: str, after: dict[str, str], chart: dict[str, Any]) -> bool:
    """Whether the start that matches the stop is urgent, or is said at all where the count is 100 to 199."""
    start = STARTS[stop]
    return after.get(start) == "warning" or (start in after and next(iter(chart["cd4"].values())) in BAND)


@pytest.mark.parametrize(("profile", "drug", "problem"), CASES)
def test_what_may_be_stopped_is_not_asked_for_again(profile: str, drug: str, problem: str) -> None:
    guideline = profile_of(profile)
    for taking, ended in charts(drug, problem):
        stopped = said_of(taking, guideline).keys() & STARTS.keys()
        after = said_of(ended, guideline) if stopped else {}
        assert [one for one in stopped if asked_again(one, after, ended)] == [], ended


@pytest.mark.parametrize(
    ("stop", "drug", "problem"),
    [
        (pneumocystis_stop.id, "TMP-SMX", "none"),
        (pneumocystis_stop.id, "TMP-SMX", "pneumonia"),
        (pneumocystis_stop.id, "dapsone", "none"),
        (toxoplasma_stop.id, "TMP-SMX", "none"),
        (toxoplasma_stop.id, "dapsone with pyrimethamine", "none"),
        (toxoplasma_stop.id, "TMP-SMX", "toxoplasmosis"),
        (mac_stop.id, "azithromycin", "none"),
    ],
)
def test_the_charts_hold_some_that_stop_it_and_some_that_do_not(stop: str, drug: str, problem: str) -> None:
    said = (stop in said_of(taking, profile_of("dhhs")) for taking, _ in charts(drug, problem))
    assert {next(one for one in said if one), next(one for one in said if not one)} == {True, False}
