"""The service answered when a chart is opened: no draft orders, so only rules that need none."""

from hooks.assess import Service
from hooks.rules.art import art_start
from hooks.rules.drug_pairs import didanosine_tenofovir, zidovudine_cotrimoxazole
from hooks.rules.immunologic import immunologic_non_response
from hooks.rules.iris import iris_watch
from hooks.rules.monitoring import monitoring_due
from hooks.rules.pneumocystis import pneumocystis_start
from hooks.rules.scope import scope
from hooks.rules.virologic import viremia_recheck, virologic_failure

PATIENT_VIEW = Service(
    id="immune-status-patient-view",
    hook="patient-view",
    title="HIV immune status: patient view",
    description=(
        "When the chart of a person with HIV is opened: what is due by CD4 counts, viral loads and the treatment history. "
        "Silent when there is nothing to say."
    ),
    rules=(
        scope,
        art_start,
        pneumocystis_start,
        iris_watch,
        virologic_failure,
        viremia_recheck,
        immunologic_non_response,
        didanosine_tenofovir,
        zidovudine_cotrimoxazole,
        monitoring_due,
    ),
    at_order=False,
)
