"""Antiretroviral treatment itself: whether it is missing."""

from hooks.assess import Lacks, Recommendation, Silent, Verdict, rule
from hooks.drugs import agents, is_treatment
from hooks.knowledge import Profile
from hooks.record import PatientRecord


@rule(cites=("art-for-all", "suppressed"), needs=("conditions", "medications"))
def art_start(record: PatientRecord, profile: Profile) -> Verdict:
    """Starting antiretroviral treatment.

    When HIV infection is established and no antiretroviral treatment is on record, past or present, and none is being
    ordered, then recommend it. A viral load below 200 without any recorded treatment means that the history is
    incomplete: then nothing is inferred.
    """
    knowledge = profile.knowledge
    if is_treatment(agents(record.drafted_medications(), knowledge), knowledge):
        return Silent("antiretroviral treatment is being ordered")
    if not all(order.readable for order in record.draft_orders or ()):
        return Lacks(("medications",))
    recorded = agents(record.medications or (), knowledge)
    if is_treatment(recorded, knowledge):
        return Silent("antiretroviral treatment is on record")
    suppressed = any(one.is_below(profile.limit("suppressed")) for one in record.viral_loads)
    if suppressed and not record.hiv.type_2:
        return Lacks(("medications",))
    prep_only = (
        ("The antiretrovirals on the list are also used as PrEP and are not full treatment.",) if recorded else ()
    )
    return Recommendation(
        summary="No antiretroviral treatment on record: it is recommended at any CD4 count, as soon as possible",
        indicator="info",
        rationale=("ART is recommended for everyone with HIV, whatever the CD4 count.", *prep_only),
        cites=(profile.cite("art-for-all"),),
        facts=record.cd4_counts[:1] + record.viral_loads[:1],
        notes=("Not checked: treatment received elsewhere, resistance, CNS infections (which decide when to start).",),
    )


def not_on_art(record: PatientRecord) -> Silent | Lacks | None:
    """Why a rule about treatment has nothing to say: none is being taken, or nobody knows."""
    if record.art.status == "unclear":
        return Lacks(("medications",))
    return None if record.art.status == "on" else Silent("not on antiretroviral treatment")
