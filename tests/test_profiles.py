"""Guideline profiles in, a new one by data alone among them; out comes its own answer on its own authority, and how two differ."""

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cds_service.app import _check_rules
from cds_service.chart.read import read_chart
from cds_service.cli import main
from cds_service.wire.envelope import read_envelope
from hooks.assess import Finding, assess
from hooks.knowledge import Profile, load, load_profiles
from hooks.knowledge.diff import PARTS, Difference, differences
from hooks.knowledge.load import FOLDER
from hooks.patient_view import PATIENT_VIEW
from tests.charts import Chart

DATA = Path(__file__).parent / "data"
AS_OF = date(2026, 11, 20)
CHART = {
    "problems": ["HIV infection"],
    "medications": ["BIC/FTC/TAF"],
    "allergies": ["nothing known"],
    "cd4": {7: 150},
    "viral-load": {7: "<20"},
}


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Profile]:
    """Those of the service and one more, put into a copy of the folder."""
    folder = shutil.copytree(FOLDER, tmp_path_factory.mktemp("eacs") / "knowledge")
    shutil.copy(DATA / "eacs.toml", folder / "profiles")
    return load_profiles(load(folder), folder)


Ask = Callable[..., Finding]


@pytest.fixture(scope="module")
def ask(profiles: Mapping[str, Profile]) -> Ask:
    def finding(profile: str, rule: str, **chart: Any) -> Finding:
        said = CHART | {name.replace("_", "-"): value for name, value in chart.items()}
        keyed = {key: plain(value) for key, value in said.items()}
        envelope = read_envelope(json.dumps(Chart(keyed, AS_OF).request("patient-view")).encode(), PATIENT_VIEW)
        record = read_chart(envelope, datetime(2026, 11, 20, 12, tzinfo=UTC), profiles[profile].knowledge, None)
        return next(one for one in assess(PATIENT_VIEW, record, profiles[profile]).findings if one.rule.id == rule)

    return finding


def plain(value: Any) -> Any:
    """With days as text, the way TOML has them."""
    return {str(days): result for days, result in value.items()} if isinstance(value, dict) else value


def sources(finding: Finding) -> set[str]:
    assert finding.recommendation, finding.because or finding.missing
    return {cite.source.key for cite in finding.recommendation.cites}


# --- a profile by data alone -----------------------------------------------------------------------------------------


def test_every_profile_has_what_the_rules_cite(profiles: Mapping[str, Profile]) -> None:
    assert profiles.keys() == {"dhhs", "eacs", "who"}
    for profile in profiles.values():
        _check_rules(profile)


def test_oral_thrush_asks_for_prophylaxis_where_the_guideline_says_so(ask: Ask) -> None:
    chart = {"problems": ["HIV infection", "oral candidiasis"], "cd4": {7: 260}}
    assert ask("dhhs", "pneumocystis-start", **chart).outcome == "silent"
    found = ask("eacs", "pneumocystis-start", **chart)
    assert sources(found) == {"EACS-OI"}


def test_prophylaxis_may_be_stopped_above_100_with_an_undetectable_viral_load(ask: Ask) -> None:
    chart = {
        "medications": ["BIC/FTC/TAF", "TMP-SMX DS"],
        "cd4": {7: 150, 120: 140},
        "viral_load": {7: "<20", 120: "<20"},
        "labs": {"toxoplasma IgG": {100: "negative"}},
    }
    american, european = ask("dhhs", "pneumocystis-stop", **chart), ask("eacs", "pneumocystis-stop", **chart)
    assert american.recommendation
    assert european.recommendation
    assert "consider stopping" in american.recommendation.summary
    assert "may be stopped" in european.recommendation.summary
    assert "EACS-OI" in sources(european)
    assert "EACS-OI" not in sources(american)
    chart["cd4"] = {7: 150, 97: 140}
    chart["viral_load"] = {7: "<20", 97: "<20"}
    assert ask("dhhs", "pneumocystis-stop", **chart).outcome == "recommended"
    assert ask("eacs", "pneumocystis-stop", **chart).outcome == "silent"  # 90 days are not more than 3 months


def test_mac_is_said_on_the_guideline_s_own_authority(ask: Ask) -> None:
    chart = {"cd4": {7: 40}, "viral_load": {7: 60000}}
    american, european = ask("dhhs", "mac-start", **chart), ask("eacs", "mac-start", **chart)
    assert sources(european) == {"EACS-OI"}
    assert sources(american) == {"OI-MAC-2019", "OI-T1"}
    assert american.recommendation
    assert european.recommendation
    assert len(american.recommendation.suggestions) > len(european.recommendation.suggestions) == 1


def test_what_a_profile_does_not_say_is_that_of_the_one_it_is_based_on(profiles: Mapping[str, Profile]) -> None:
    assert profiles["eacs"].thresholds["toxoplasma-cd4"] == profiles["dhhs"].thresholds["toxoplasma-cd4"]
    assert profiles["eacs"].statements["iris-window"] == profiles["eacs"].knowledge.statements["iris-window"]
    assert profiles["who"].left_out
    assert not profiles["eacs"].left_out


# --- what differs ----------------------------------------------------------------------------------------------------


def test_only_what_a_profile_says_itself_differs_from_its_base(profiles: Mapping[str, Profile]) -> None:
    found = differences(profiles["dhhs"], profiles["eacs"])
    assert [(one.part, one.key) for one in found] == [
        ("title", "title"),
        ("thresholds", "mac-cd4"),
        ("thresholds", "pneumocystis-lapse-cd4"),
        ("thresholds", "pneumocystis-lapse-firm"),
        ("thresholds", "pneumocystis-lapse-span"),
        ("statements", "mac-none-with-art"),
        ("statements", "pneumocystis-thrush"),
        ("regimens", "mac"),
    ]
    thrush = next(one for one in found if one.key == "pneumocystis-thrush")
    assert (thrush.first, thrush.second) == ("", "EACS-OI, primary prophylaxis against Pneumocystis: oral thrush")


def test_each_part_of_two_guidelines_is_compared(profiles: Mapping[str, Profile]) -> None:
    found = differences(profiles["dhhs"], profiles["who"].at_site(frozenset(("talaromycosis",))))
    assert {one.part for one in found} == set(PARTS)
    assert sorted(found, key=lambda one: (PARTS.index(one.part), one.key)) == list(found)
    sides = {(one.part, one.key): (one.first, one.second) for one in found}
    first, second = sides["thresholds", "failure-viral-load"]
    assert first.startswith("200 copies/mL, inclusive (VF-DHHS, ")
    assert second.startswith("1000 copies/mL, exclusive (WHO-2021, ")
    assert sides["left_out", "mac-start"] == ("", "left out")
    assert sides["switches", "cotrimoxazole"] == ("", "on")
    assert sides["endemic", "talaromycosis"] == ("", "endemic")
    assert sides["regimens", "mac"][1] == ""


def test_nothing_differs_from_itself_and_the_sides_change_places(profiles: Mapping[str, Profile]) -> None:
    assert differences(profiles["who"], profiles["who"]) == ()
    turned = tuple(
        Difference(one.part, one.key, one.second, one.first) for one in differences(profiles["who"], profiles["dhhs"])
    )
    assert turned == differences(profiles["dhhs"], profiles["who"])


def test_a_switch_that_is_off_is_a_switch_that_is_not_there(profiles: Mapping[str, Profile]) -> None:
    assert differences(profiles["dhhs"], profiles["dhhs"].at_site(cotrimoxazole_for_all=False)) == ()


def test_the_command_prints_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", "diff", "dhhs", "who"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("dhhs and who\n\nTITLE\ntitle\n    dhhs: DHHS\n    who: WHO\n")
    assert "\n\nLEFT OUT\n" in printed
    assert "mac-start\n    dhhs: in use\n    who: left out\n" in printed
    assert main(["profile", "diff", "who", "who"]) == 0
    assert capsys.readouterr().out == "who and who\n\nno difference\n"


@pytest.mark.parametrize("pair", [("dhhs", "idsa"), ("idsa", "who"), ("../dhhs", "who")])
def test_a_profile_that_is_none_is_refused_naming_those_there_are(
    capsys: pytest.CaptureFixture[str], pair: tuple[str, str]
) -> None:
    assert main(["profile", "diff", *pair]) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert "known are dhhs, who" in printed.err
