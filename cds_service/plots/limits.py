"""A guideline profile in; the numbers that decisions turn on out, each as a limit that a picture draws, said in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from hooks.knowledge import Profile, Threshold
from hooks.record import Measure
from hooks.sentences import Sentence, say, verbatim
from hooks.trace import threshold_in_words
from hooks.wording import number

# What stands beside the number, by the threshold's key. What a profile does not have is not drawn.
_UNDER: Mapping[Measure, Mapping[str, Sentence]] = {
    "cd4-count": {
        "pneumocystis-cd4": verbatim("Pneumocystis"),
        "toxoplasma-cd4": say("toxoplasma"),
        "crag-cd4-soft": verbatim("CrAg"),
        "crag-cd4": say("CrAg (warning)"),
        "mac-cd4": verbatim("MAC"),
        "histoplasmosis-cd4": say("histoplasmosis"),
        "coccidioidomycosis-cd4": say("coccidioides"),
        "talaromycosis-cd4": say("talaromycosis"),
    },
    "viral-load": {"suppressed": say("suppressed"), "assay-limit": say("assay limit")},
}
_REACHED: Mapping[Measure, Mapping[str, Sentence]] = {"viral-load": {"failure-viral-load": say("failure")}}
_OF_A_REGION = {f"{one}-cd4": one for one in ("histoplasmosis", "coccidioidomycosis", "talaromycosis")}


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that decisions turn on: its label, for example `<200 Pneumocystis`, and all of it with its source."""

    value: Decimal
    label: Sentence
    whole: Sentence


def limits(profile: Profile, measure: Measure) -> tuple[Limit, ...]:
    """Those of the profile, the lowest first; of an infection that is endemic in places only where the site is such a place."""
    return tuple(sorted(_limits(profile, measure), key=lambda one: one.value))


def _limits(profile: Profile, measure: Measure) -> Iterator[Limit]:
    for signs, words in ((("<", "≤"), _UNDER), ((">", "≥"), _REACHED)):
        for key, word in words.get(measure, {}).items():
            one = profile.thresholds.get(key)
            if one and _OF_A_REGION.get(key, "") in profile.endemic | {""}:
                sign = verbatim(_sign(one, signs))
                label = say("{sign}{number} {what}", sign=sign, number=number(one.value), what=word)
                yield Limit(one.value, label, threshold_in_words(one))


def _sign(one: Threshold, signs: tuple[str, str]) -> str:
    return signs[one.inclusive]
