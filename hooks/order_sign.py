"""The service answered when an order is signed."""

from hooks.assess import Service
from hooks.rules.art import art_start
from hooks.rules.monitoring import monitoring_due
from hooks.rules.pneumocystis import pneumocystis_start
from hooks.rules.scope import scope

ORDER_SIGN = Service(
    id="immune-status-order-sign",
    hook="order-sign",
    title="HIV immune status: order signing",
    description=(
        "When an order is signed for a person with HIV: advice from CD4 counts and viral loads on prophylaxis of "
        "opportunistic infections, missing treatment and overdue tests. Silent when there is nothing to say."
    ),
    rules=(scope, art_start, pneumocystis_start, monitoring_due),
    at_order=True,
)
