"""The service answered when orders are signed: every rule. Of equally urgent findings the earlier listed goes first."""

from hooks.assess import Service
from hooks.rules.art import art_start
from hooks.rules.art_timing import art_timing
from hooks.rules.cmv import cmv_eye_exam
from hooks.rules.cryptococcal import cryptococcal_screen
from hooks.rules.drug_pairs import didanosine_tenofovir, zidovudine_cotrimoxazole
from hooks.rules.endemic import coccidioidomycosis_start, histoplasmosis_start, talaromycosis_start
from hooks.rules.hepatitis_b import hepatitis_b_flare
from hooks.rules.immune_therapy import immune_therapy
from hooks.rules.immunologic import immunologic_non_response
from hooks.rules.iris import iris_counselling, iris_watch
from hooks.rules.mac import mac_start
from hooks.rules.monitoring import monitoring_due
from hooks.rules.pneumocystis import pneumocystis_start
from hooks.rules.prophylaxis_agent import prophylaxis_agent
from hooks.rules.prophylaxis_stop import mac_stop, pneumocystis_stop, toxoplasma_stop
from hooks.rules.scope import scope
from hooks.rules.toxoplasma import toxoplasma_start, toxoplasma_test
from hooks.rules.tuberculosis import tb_iris_prednisone, tuberculosis_prevention
from hooks.rules.virologic import viremia_recheck, virologic_failure

ORDER_SIGN = Service(
    id="immune-status-order-sign",
    hook="order-sign",
    title="HIV immune status: order signing",
    description=(
        "When an order is signed for a person with HIV: advice from CD4 counts, viral loads and the treatment history on "
        "prophylaxis of opportunistic infections (start, stop, safe agent), IRIS, treatment that is missing, mistimed or does "
        "not work, hepatitis B, drugs that should not meet, and overdue tests. Silent when there is nothing to say."
    ),
    rules=(
        scope,
        hepatitis_b_flare,
        art_timing,
        prophylaxis_agent,
        didanosine_tenofovir,
        cryptococcal_screen,
        pneumocystis_start,
        toxoplasma_start,
        iris_counselling,
        virologic_failure,
        immunologic_non_response,
        art_start,
        tuberculosis_prevention,
        mac_start,
        tb_iris_prednisone,
        cmv_eye_exam,
        immune_therapy,
        iris_watch,
        viremia_recheck,
        monitoring_due,
        toxoplasma_test,
        histoplasmosis_start,
        coccidioidomycosis_start,
        talaromycosis_start,
        zidovudine_cotrimoxazole,
        pneumocystis_stop,
        toxoplasma_stop,
        mac_stop,
    ),
    at_order=True,
)
