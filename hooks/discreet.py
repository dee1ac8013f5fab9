"""What is said in, words out that may be seen by others: nothing of HIV, its treatment or its tests, and no infection's name.

A card's face (the lines that show without opening it) is read over shoulders, on shared screens, in lists and messages. What it
must not tell is decided here and in the rules, which give the words; whether they are wanted is for the client to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hooks.advice import DrugOrder, Recommendation, RemoveDraft, ReplaceDraft, Suggestion, TestOrder
from hooks.knowledge import Knowledge
from hooks.sentences import NOTHING, Sentence, say, term

FACE = "face"  # context of the words of the rules, as terms: their translations must tell nothing either
# Drugs whose name tells what they are for. The others are given for many reasons, and are named: a drug picked by its number is
# a wrong drug sooner or later.
TELLING_ROLES = ("art", "art-booster", "art-pi", "hbv-active", "hcv", "tb", "cmv", "hsv")
PLAIN_TESTS = frozenset(("g6pd",))  # that tell of no infection
PLAIN_DATA = frozenset(("allergies", "birth-date", "conditions", "g6pd", "medications", "pregnancy"))


@dataclass(frozen=True, slots=True)
class Discreet:
    """The words of a rule for a card's face: its title; what it usually says, true of all that it can say; and what fits better.

    `cases`: by the case of a recommendation, else by its urgency.
    """

    title: str
    usual: str
    cases: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def heading(self) -> Sentence:
        """Its title, as it is said."""
        return term(FACE, self.title)

    def face(self, said: Recommendation) -> Sentence:
        """The line in place of its summary."""
        return term(FACE, self.cases.get(said.case) or self.cases.get(said.indicator) or self.usual)


def label(one: Suggestion, knowledge: Knowledge) -> Sentence:
    """What a suggestion is called where its own label would tell too much; empty where it would not."""
    match one:
        case TestOrder():
            return NOTHING if one.test in PLAIN_TESTS else say("Order the test that is due")
        case RemoveDraft():
            return NOTHING if is_plain(one.name, knowledge) else say("Remove the order in question")
        case DrugOrder():
            which = say("the recommended treatment") if one.recommended else say("the treatment that is offered")
            return say("Order {drug}", drug=which) if _tells(one, knowledge) else NOTHING
        case ReplaceDraft():  # pragma: no branch  (there is no other kind)
            told = not is_plain(one.name, knowledge) or _tells(one.order, knowledge)
            return say("Replace the order in question by what is offered") if told else NOTHING


def is_plain(named: str, knowledge: Knowledge) -> bool:
    """Whether drugs by these names are given for many reasons."""
    telling = frozenset[str]().union(*(knowledge.roles.get(role, frozenset()) for role in TELLING_ROLES))
    return not any(knowledge.ingredients[code].name in named for code in telling)


def _tells(order: DrugOrder, knowledge: Knowledge) -> bool:
    return any(knowledge.with_role(order.regimen.agents, role) for role in TELLING_ROLES)
