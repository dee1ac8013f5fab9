"""When prophylaxis may be stopped: recovery shown by more than one result, for every indication the drug covers."""

from hooks.advice import Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import COTRIMOXAZOLE, ETHAMBUTOL, RIFABUTIN, covers_pneumocystis, covers_toxoplasma, prevents_mac
from hooks.knowledge import Profile
from hooks.record import Medication, PatientRecord
from hooks.rules import indications
from hooks.rules.recovery import Lapsed
from hooks.rules.stopping import GAPS, idle, stop, without_percent
from hooks.rules.toxoplasma import known_igg
from hooks.sentences import Sentence, say
from hooks.wording import number


@rule(
    cites=(
        "pneumocystis-stop-cd4",
        "pneumocystis-stop-span",
        "pneumocystis-secondary",
        "pneumocystis-episode-cd4",
        "episode-window",
        "cd4-fresh-for-stop",
        "cd4-fresh-for-start",
        "viral-load-fresh",
        "suppressed",
        "assay-limit",
    ),
    may_cite=(
        "pneumocystis-lapse-cd4",
        "pneumocystis-lapse-span",
        "pneumocystis-lapse-firm",
        "pneumocystis-lifelong",
        "pneumocystis-cd4-percent",
        "cotrimoxazole-stop",
        "cotrimoxazole-for-all",
        "pneumocystis-tuberculosis",
        "toxoplasma-stop-cd4",
        "toxoplasma-stop-span",
    ),
    needs=("conditions", "medications"),
    discreet=Discreet(
        "Preventive treatment", "Results have recovered: see whether preventive treatment can be stopped"
    ),
)
def pneumocystis_stop(record: PatientRecord, profile: Profile) -> Verdict:
    """Stopping Pneumocystis prophylaxis.

    When prophylaxis is taken on ART, the last viral load is below 200, and CD4 counts 90 days or more apart, the latest at
    most 90 days old, with none lower between, reach the guideline's limit (200/µL, with any percentage at 14 or more; or
    above 350/µL), then say that it can be stopped. At 100 to 199 with a viral load below the assay's limit over 90 days or
    more it may be considered, where the guideline says so. Not where the drug is still due against toxoplasma, and after
    pneumonia only where that came at a CD4 count below 200.
    """
    taken = covers_pneumocystis(record.taken_medications())
    at_once = idle(taken, record) or _goes_on(record, profile)
    if at_once:
        return at_once
    found = indications.pneumocystis(taken, record, profile)
    if not isinstance(found, Lapsed):
        return found
    if not covers_toxoplasma(record.taken_medications()):
        return _stop_pneumocystis(taken, found, (), record, profile)
    stands = indications.toxoplasma_stands(record, profile)
    if stands:
        return stands
    unknown = profile.knows("toxoplasma-stop-cd4") and known_igg(record, profile) is None
    notes = (say("Toxoplasma IgG is not on file; the criterion for toxoplasma is met as well."),) if unknown else ()
    return _stop_pneumocystis(taken, found, notes, record, profile)


def _stop_pneumocystis(
    taken: tuple[Medication, ...], found: Lapsed, notes: tuple[Sentence, ...], record: PatientRecord, profile: Profile
) -> Recommendation:
    """Named by its drug where the guideline does; after pneumonia it is secondary prophylaxis."""
    ingredients = frozenset[str]().union(*(one.ingredients for one in taken))
    by_drug = profile.switch("cotrimoxazole") and ingredients >= COTRIMOXAZOLE
    past = record.has_problem("pneumocystis")
    limit = number(profile.limit("pneumocystis-episode-cd4"))
    history = (say("Pneumocystis pneumonia in the past, at a CD4 count below {limit}.", limit=limit),) if past else ()
    named = say("secondary Pneumocystis prophylaxis") if past else say("Pneumocystis prophylaxis")
    what = say("co-trimoxazole") if by_drug else named
    said = (*history, GAPS, *without_percent(found, record, profile), *notes)
    return stop(what, taken, found, record, profile, notes=said)


@rule(
    cites=(
        "toxoplasma-stop-cd4",
        "toxoplasma-stop-span",
        "toxoplasma-lapse-cd4",
        "toxoplasma-lapse-span",
        "toxoplasma-lapse-firm",
        "toxoplasma-secondary",
        "toxoplasma-secondary-stop-span",
        "cd4-fresh-for-stop",
        "viral-load-fresh",
        "suppressed",
        "assay-limit",
    ),
    needs=("conditions", "medications"),
    discreet=Discreet(
        "Preventive treatment", "Results have recovered: see whether preventive treatment can be stopped"
    ),
)
def toxoplasma_stop(record: PatientRecord, profile: Profile) -> Verdict:
    """Stopping toxoplasma prophylaxis.

    When Toxoplasma IgG is positive, a drug that covers it is taken on ART, the last viral load is below 200, and CD4 counts
    more than 90 days apart, the latest at most 90 days old, are above 200/µL with none lower between, then say that it can
    be stopped; at 100 to 200 with a viral load below the assay's limit over 90 days or more it may be considered. After
    toxoplasmosis: above 200/µL for more than 180 days. Not where the drug is still due against Pneumocystis.
    """
    taken = covers_toxoplasma(record.taken_medications())
    at_once, igg = idle(taken, record), known_igg(record, profile)
    if at_once or igg == "negative":
        return at_once or Silent("Toxoplasma IgG is negative", record.others("toxoplasma-igg")[:1])
    found = indications.toxoplasma(record, profile)
    if not isinstance(found, Lapsed):
        return found
    if igg is None:
        return Lacks(("toxoplasma-igg",), found.facts)
    other = indications.pneumocystis(taken, record, profile)
    if isinstance(other, Silent):
        return Silent(f"it covers Pneumocystis too: {other.because}", other.facts)
    if isinstance(other, Lacks):
        return other
    softer = found.strength == "consider" != other.strength
    also = say("consider it for toxoplasma too") if softer else say("that of toxoplasma too")
    return _stop_toxoplasma(taken, found, also, record, profile)


def _stop_toxoplasma(
    taken: tuple[Medication, ...], found: Lapsed, also: Sentence, record: PatientRecord, profile: Profile
) -> Recommendation:
    """What a chart cannot tell is said: how the disease was treated; and that texts differ on the viral load."""
    notes: tuple[Sentence, ...] = ()
    past = record.has_problem("toxoplasmosis")
    if past:
        notes = (say("Not checked: that initial treatment of toxoplasmosis is finished and no symptoms remain."),)
    elif found.strength == "can":
        notes = (say("The newest text also asks for a viral load that stays below the assay's limit."),)
    what = say("secondary toxoplasma prophylaxis") if past else say("toxoplasma prophylaxis")
    return stop(what, taken, found, record, profile, notes=(GAPS, *notes), also=also)


def _goes_on(record: PatientRecord, profile: Profile) -> Silent | None:
    """Where the guideline has everyone take it, or everyone with tuberculosis."""
    if profile.switch("cotrimoxazole-for-all") and profile.knows("cotrimoxazole-for-all"):
        return Silent("co-trimoxazole goes on in this setting, whatever the CD4 count")
    tuberculosis = record.problems_of("tb-active", ("active", "unknown"))
    if tuberculosis and profile.knows("pneumocystis-tuberculosis"):
        return Silent("co-trimoxazole goes on during tuberculosis", tuberculosis[:1])
    return None


@rule(
    cites=(
        "mac-effective-art",
        "mac-stop-cd4",
        "mac-stop-span",
        "cd4-fresh-for-stop",
        "viral-load-fresh",
        "suppressed",
    ),
    needs=("conditions", "medications"),
    discreet=Discreet(
        "Preventive treatment", "Results have recovered: see whether preventive treatment can be stopped"
    ),
)
def mac_stop(record: PatientRecord, profile: Profile) -> Verdict:
    """Stopping MAC prophylaxis.

    When a drug is taken as it is to prevent MAC, no MAC disease is on the problem list, and ART is effective (the two latest
    viral loads below 200, the newest at most 180 days old; or one, and CD4 counts above 100/µL over 90 days or more), then
    say that it can be stopped.
    """
    ill = record.problems_of("mac")
    if ill:
        return Silent("MAC disease is on the problem list: secondary prophylaxis is not judged here", ill[:1])
    taken = _against_mac(record)
    at_once = idle(taken, record) or _treats_mac(record)
    if at_once:
        return at_once
    found = indications.mac(record, profile)
    if not isinstance(found, Lapsed):
        return found
    return stop(say("MAC prophylaxis"), taken, found, record, profile)


def _against_mac(record: PatientRecord) -> tuple[Medication, ...]:
    """What is taken as prophylaxis; rifabutin with tuberculosis on the list has that purpose."""
    taken = prevents_mac(record.taken_medications())
    if record.has_problem("tb-active") or record.has_problem("tb-latent"):
        return tuple(one for one in taken if RIFABUTIN not in one.ingredients)
    return taken


def _treats_mac(record: PatientRecord) -> Silent | None:
    """Ethambutol beside it makes it a treatment, on the problem list or not."""
    found = tuple(one for one in record.taken_medications() if ETHAMBUTOL in one.ingredients)
    return Silent("ethambutol is taken too: that is treatment, not prophylaxis", found) if found else None
