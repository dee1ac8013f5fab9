"""Cytomegalovirus: the eyes before treatment."""

from hooks.advice import Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.knowledge import Profile
from hooks.record import PatientRecord
from hooks.rules.art import not_starting_art
from hooks.rules.low_cd4 import low_cd4
from hooks.sentences import say
from hooks.wording import amount


@rule(
    cites=("cmv-eye-exam", "cmv-cd4", "cd4-fresh-for-start"),
    needs=("conditions",),
    of_order=True,
    discreet=Discreet(
        "Eye examination before treatment", "Starting this treatment: dilated eye examination before or at the start"
    ),
)
def cmv_eye_exam(record: PatientRecord, profile: Profile) -> Verdict:
    """Eye examination before ART.

    When treatment is being started or restarted at a CD4 count below 100/µL, at most 180 days old, and no disease by
    cytomegalovirus is on the problem list, then ask for a dilated eye examination before or at the start.
    """
    known = record.problems_of("cmv")
    if known:
        return Silent("cytomegalovirus disease is on the problem list", known)
    off = not_starting_art(record, profile)
    if isinstance(off, Silent):
        return off
    count = low_cd4(record, profile, "cmv-cd4")
    if isinstance(count, Silent | Lacks):
        return count
    if off:
        return off
    when = amount(count)
    return Recommendation(
        summary=say("Restarting ART at CD4 {amount}: dilated eye examination before or at the start", amount=when)
        if record.art.status == "stopped"
        else say("Starting ART at CD4 {amount}: dilated eye examination before or at the start", amount=when),
        indicator="info",
        rationale=(
            say("At so low a count an unnoticed retinitis by cytomegalovirus can flare as treatment works."),
            say("Ask about floaters, flashes and loss of sight. Apart from the examination, ART is not delayed."),
        ),
        cites=(profile.cite("cmv-eye-exam"),),
        facts=(count,),
        notes=(say("Not checked: an eye examination done elsewhere or already booked."),),
    )
