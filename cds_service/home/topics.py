"""The clinical topics that the page for people sets the rules out by: each rule under one, and a last one for what has none."""

from collections.abc import Iterable

from hooks.assess import Rule
from hooks.sentences import Sentence, say

TOPICS = {
    say("Whom the service speaks of"): ("scope",),
    say("Prophylaxis of opportunistic infections"): (
        "pneumocystis-start",
        "pneumocystis-stop",
        "toxoplasma-test",
        "toxoplasma-start",
        "toxoplasma-stop",
        "mac-start",
        "mac-stop",
        "prophylaxis-agent",
    ),
    say("Screening, tuberculosis, and infections of some regions"): (
        "cryptococcal-screen",
        "cmv-eye-exam",
        "tuberculosis-prevention",
        "histoplasmosis-start",
        "coccidioidomycosis-start",
        "talaromycosis-start",
    ),
    say("Beginning and changing antiretroviral treatment"): ("art-start", "art-timing", "hepatitis-b-flare"),
    say("Immune reconstitution (IRIS)"): ("iris-counselling", "iris-watch", "tb-iris-prednisone"),
    say("Whether treatment works, and tests that are due"): (
        "virologic-failure",
        "viremia-recheck",
        "immunologic-non-response",
        "monitoring-due",
    ),
    say("Drugs that should not meet, or do not help"): (
        "didanosine-tenofovir",
        "zidovudine-cotrimoxazole",
        "immune-therapy",
    ),
}
_BESIDES = say("Other rules")


def by_topic(rules: Iterable[Rule]) -> dict[Sentence, tuple[Rule, ...]]:
    """Every rule once, in the order of its topic; a rule that no topic names is shown all the same, in the last one."""
    left = {one.id: one for one in rules}
    found = {topic: tuple(left.pop(name) for name in names if name in left) for topic, names in TOPICS.items()}
    found[_BESIDES] = tuple(left.values())
    return {topic: listed for topic, listed in found.items() if listed}
