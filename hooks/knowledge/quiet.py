"""quiet_periods.toml in, checked periods and bands out: how long overridden advice stays silent, and which change ends that."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hooks.knowledge.check import check_fields
from hooks.knowledge.files import expect
from hooks.knowledge.types import QuietPeriods
from hooks.knowledge.words import BANDED, QUIET_REASONS

_FILE = "quiet_periods.toml"
_BY_URGENCY = {"info": int, "warning": int}


def quiet_periods(content: Mapping[str, Any]) -> QuietPeriods:
    """The periods of the file's content. Raises KnowledgeFault."""
    check_fields(content, _FILE, "", {"most_days": int, "reasons": dict, "rules": dict, "bands": dict})
    most = content["most_days"]
    check_fields(content["reasons"], _FILE, "reasons", dict.fromkeys(sorted(QUIET_REASONS), dict))
    for reason, days in content["reasons"].items():
        check_fields(days, _FILE, f"reasons.{reason}", _BY_URGENCY)
        _check_days(days, f"reasons.{reason}", most)
    for rule, days in content["rules"].items():
        check_fields(days, _FILE, f"rules.{rule}", {}, dict.fromkeys(sorted(QUIET_REASONS), int))
        _check_days(days, f"rules.{rule}", most)
    check_fields(content["bands"], _FILE, "bands", dict.fromkeys(sorted(BANDED), list))
    bands = {measure: _borders(found, f"bands.{measure}") for measure, found in content["bands"].items()}
    return QuietPeriods(most_days=most, reasons=content["reasons"], rules=content["rules"], bands=bands)


def _check_days(days: Mapping[str, int], key: str, most: int) -> None:
    for name, found in days.items():
        expect(found <= most, _FILE, f"{key}.{name}", f"at most {most} days, not {found}")


def _borders(found: list[Any], key: str) -> tuple[Decimal, ...]:
    whole = all(type(one) is int and one > 0 for one in found)
    expect(
        found and whole and found == sorted(set(found)), _FILE, key, "whole numbers, each larger than the one before"
    )
    return tuple(map(Decimal, found))
