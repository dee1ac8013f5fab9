"""Two guideline profiles in, what differs between them out: sorted, and each side in words."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hooks.knowledge.profile import Profile
from hooks.knowledge.types import Citation, Regimen, Threshold

PARTS = ("title", "thresholds", "statements", "regimens", "switches", "left_out", "endemic")
Side = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same; a side that does not have it is empty."""

    part: str  # one of PARTS
    key: str
    first: str
    second: str


def differences(first: Profile, second: Profile) -> tuple[Difference, ...]:
    """By part, in the order of PARTS, and by key."""
    sides = zip(_sides(first), _sides(second), strict=True)
    return tuple(one for part, (a, b) in zip(PARTS, sides, strict=True) for one in _compared(part, a, b))


def _compared(part: str, a: Side, b: Side) -> Iterator[Difference]:
    for key in sorted(a.keys() | b.keys()):
        if a.get(key) != b.get(key):
            yield Difference(part, key, a.get(key, ""), b.get(key, ""))


def _sides(profile: Profile) -> tuple[Side, ...]:
    """What a profile holds, in words, by part."""
    return (
        {"title": profile.title},
        {key: _threshold(one) for key, one in profile.thresholds.items()},
        {key: _cited(one) for key, one in profile.statements.items()},
        {purpose: "; ".join(map(_regimen, chosen)) for purpose, chosen in profile.regimens.items()},
        {key: "on" for key, on in profile.switches.items() if on},
        _each(profile.left_out, "left out"),
        _each(profile.endemic, "endemic"),
    )


def _each(found: Iterable[str], word: str) -> Side:
    return dict.fromkeys(found, word)


def _threshold(one: Threshold) -> str:
    side = "inclusive" if one.inclusive else "exclusive"
    design = "; a choice of this service" if one.design else ""
    return f"{one.amount}, {side} ({_cited(one.cite)}{design})"


def _regimen(one: Regimen) -> str:
    return f"{one.key} ({_cited(one.cite)})" if one.cite else one.key


def _cited(cite: Citation) -> str:
    grade = f", {cite.grade}" if cite.grade else ""
    return f"{cite.source.key}, {cite.locator}{grade}"
