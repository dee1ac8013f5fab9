"""The service answered when an order is signed."""

from hooks.assess import Service
from hooks.rules.art import art_start
from hooks.rules.drug_pairs import didanosine_tenofovir, zidovudine_cotrimoxazole
from hooks.rules.immunologic import immunologic_non_response
from hooks.rules.iris import iris_counselling, iris_watch
from hooks.rules.monitoring import monitoring_due
from hooks.rules.pneumocystis import pneumocystis_start
from hooks.rules.scope import scope
from hooks.rules.virologic import viremia_recheck, virologic_failure

ORDER_SIGN = Service(
    id="immune-status-order-sign",
    hook="order-sign",
    title="HIV immune status: order signing",
    description=(
        "When an order is signed for a person with HIV: advice from CD4 counts, viral loads and the treatment history on "
        "prophylaxis of opportunistic infections, IRIS, treatment that is missing or does not work, drugs that should not "
        "meet, and overdue tests. Silent when there is nothing to say."
    ),
    rules=(
        scope,
        art_start,
        pneumocystis_start,
        iris_counselling,
        iris_watch,
        virologic_failure,
        viremia_recheck,
        immunologic_non_response,
        didanosine_tenofovir,
        zidovudine_cotrimoxazole,
        monitoring_due,
    ),
    at_order=True,
)
