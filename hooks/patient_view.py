"""The service answered when a chart is opened: no draft orders, so only the rules that need none."""

from hooks.assess import Service
from hooks.order_sign import ORDER_SIGN

PATIENT_VIEW = Service(
    id="immune-status-patient-view",
    hook="patient-view",
    title="HIV immune status: patient view",
    description=(
        "When the chart of a person with HIV is opened: what is due by CD4 counts, viral loads and the treatment history, "
        "and what may be stopped. Silent when there is nothing to say."
    ),
    rules=tuple(rule for rule in ORDER_SIGN.rules if not rule.of_order),
    at_order=False,
)
