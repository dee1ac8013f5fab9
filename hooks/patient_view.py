"""The service answered when a chart is opened: no draft orders, so only the rules that need none."""

from hooks.assess import Service
from hooks.order_sign import ORDER_SIGN
from hooks.rules.art_timing import art_timing
from hooks.rules.cmv import cmv_eye_exam
from hooks.rules.hepatitis_b import hepatitis_b_flare
from hooks.rules.immune_therapy import immune_therapy
from hooks.rules.iris import iris_counselling
from hooks.rules.tuberculosis import tb_iris_prednisone

NEED_A_DRAFT = (hepatitis_b_flare, art_timing, iris_counselling, tb_iris_prednisone, cmv_eye_exam, immune_therapy)

PATIENT_VIEW = Service(
    id="immune-status-patient-view",
    hook="patient-view",
    title="HIV immune status: patient view",
    description=(
        "When the chart of a person with HIV is opened: what is due by CD4 counts, viral loads and the treatment history, "
        "and what may be stopped. Silent when there is nothing to say."
    ),
    rules=tuple(rule for rule in ORDER_SIGN.rules if rule not in NEED_A_DRAFT),
    at_order=False,
)
