"""How one client wants its cards, as data: what it can show, which actions it can carry out, what an order of its needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cds_service.wire.override_reasons import OVERRIDE_REASONS

Behaviour = Literal["at-most-one", "any"]
BEHAVIOURS = ("at-most-one", "any")
ACTIONS = ("create", "update", "delete")
INTENTS = ("order", "proposal", "plan")
REASONS = tuple(one.code for one in OVERRIDE_REASONS)
LEFT_OUT = ("isRecommended", "overrideReasons", "topic", "evaluation")
MOST_SUPPLY_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The defaults are what CDS Hooks allows."""

    discreet: bool = False  # the face of a card tells nothing of the infection
    selection: tuple[str, ...] = BEHAVIOURS  # the values of selectionBehavior it knows
    one_action: bool = False  # a suggestion has one action
    actions: tuple[str, ...] = ACTIONS  # the types it carries out; `create` always
    override_reasons: tuple[str, ...] = REASONS  # those it shows, in its order
    leaves_out: frozenset[str] = frozenset()  # of `LEFT_OUT`: what it does not know
    order_intent: str = "order"
    order_route: bool = False  # a drug's order says how it is taken
    order_supply_days: int = 0  # a drug's order says how much is dispensed, for so many days; 0: it does not
    own_doses: bool = False  # its orders take their doses from its own catalogue, whatever ours say
    rxnorm_system: str = ""  # another name of RxNorm that it goes by, beside the usual one
    item_system: str = ""  # of its own catalogue of orders
    order_items: Mapping[str, str] = field(
        default_factory=dict, hash=False
    )  # our code of a drug or test -> its catalogue's

    @property
    def plain_orders(self) -> bool:
        """Whether its orders are like everybody's."""
        usual = self.order_intent == "order" and not (self.order_route or self.order_supply_days)
        return usual and not (self.rxnorm_system or self.order_items)


STANDARD = Shape()
