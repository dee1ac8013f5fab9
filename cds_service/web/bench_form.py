"""What can be chosen on the workbench and the words of its page in; out come the choices in that language, by name."""

from collections.abc import Callable, Mapping

from cds_service.reasons.evaluated import Evaluated
from cds_service.workbench.choices import ALLERGIES, Choices, results
from cds_service.workbench.typed import plain
from hooks.sentences import Sentence

Told = dict[str, str]
Tell = Callable[[Sentence], str]


def offered(choices: Choices, chart: Evaluated | None, tell: Tell) -> dict[str, Told]:
    """By list: of each key the words that are shown for it. `chart`: whose results can be chosen."""
    found = results(chart.record, chart.client.knowledge) if chart else {}
    return {
        "regimens": _told(choices.regimens, tell),
        "antiretrovirals": _by_name(choices.antiretrovirals, tell),
        "others": _by_name(choices.others, tell),
        "problems": _by_name(choices.problems, tell),
        "allergens": _by_name(choices.allergens, tell),
        "allergies": _told(ALLERGIES, tell),
        "tests": _told(choices.tests, tell),
        "results": _told(found, tell),
    }


def _told(words: Mapping[str, Sentence], tell: Tell) -> Told:
    return {key: tell(one) for key, one in words.items()}


def _by_name(words: Mapping[str, Sentence], tell: Tell) -> Told:
    return dict(sorted(_told(words, tell).items(), key=lambda one: plain(one[1])))
