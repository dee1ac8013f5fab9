"""Antiretroviral treatment itself: whether it is missing."""

from hooks.advice import Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import agents, is_treatment
from hooks.knowledge import Profile
from hooks.record import Fact, PatientRecord
from hooks.sentences import say
from hooks.trends import on_course

DECIDES_WHEN = (
    "cryptococcal-meningitis",
    "tb-meningitis",
    "cryptococcosis",
    "tb-active",
)  # infections whose treatment goes first


@rule(
    cites=("art-for-all", "suppressed", "crag-positive-lasts"),
    needs=("conditions", "medications"),
    discreet=Discreet("Treatment to be started", "A recommended treatment is not on record: see whether to start it"),
)
def art_start(record: PatientRecord, profile: Profile) -> Verdict:
    """Starting antiretroviral treatment.

    When HIV infection is established and no antiretroviral treatment is on record, past or present, and none is being
    ordered, then recommend it. A viral load below 200 without any recorded treatment means that the history is
    incomplete: then nothing is inferred. With meningitis, cryptococcosis or tuberculosis that is treated first, or a positive
    cryptococcal antigen, the date is left to that.
    """
    knowledge = profile.knowledge
    if is_treatment(agents(record.drafted_medications(), knowledge), knowledge):
        return Silent("antiretroviral treatment is being ordered")
    if not all(order.readable for order in record.draft_orders or ()):
        return Lacks(("medications",))
    recorded = agents(record.medications or (), knowledge)
    if is_treatment(recorded, knowledge):
        return Silent("antiretroviral treatment is on record")
    suppressed = [one for one in record.viral_loads if profile.under("suppressed", one)]
    if suppressed and not record.hiv.type_2:
        return Lacks(("medications",), tuple(suppressed[:1]))
    prep_only = (
        (say("The antiretrovirals on the list are also used as PrEP and are not full treatment."),) if recorded else ()
    )
    waits = infection_that_decides_when(record, profile)
    return Recommendation(
        summary=say(
            "No antiretroviral treatment on record: it is recommended at any CD4 count, an infection decides when"
        )
        if waits
        else say("No antiretroviral treatment on record: it is recommended at any CD4 count, as soon as possible"),
        indicator="info",
        rationale=(
            say("ART is recommended for everyone with HIV, whatever the CD4 count."),
            *((say("An infection on the chart is treated first: take advice on when ART follows."),) if waits else ()),
            *prep_only,
        ),
        cites=(profile.cite("art-for-all"),),
        facts=(*record.cd4_counts[:1], *record.viral_loads[:1], *waits),
        notes=(
            say(
                "Not checked: treatment received elsewhere, resistance, symptoms of an infection that "
                "would decide when to start."
            ),
        ),
    )


def infection_that_decides_when(record: PatientRecord, profile: Profile) -> tuple[Fact, ...]:
    """Meningitis, cryptococcosis, tuberculosis or a lasting positive cryptococcal antigen: its treatment goes first."""
    known = [one for concept in DECIDES_WHEN for one in record.problems_of(concept, ("active", "unknown"))]
    antigen = next(iter(record.others("crag")), None)
    positive = antigen is not None and antigen.result == "positive"
    lasting = antigen is not None and profile.under("crag-positive-lasts", antigen.age_days(record.as_of))
    return (*dict.fromkeys(known), *((antigen,) if antigen and positive and lasting else ()))


def not_on_art(record: PatientRecord) -> Silent | Lacks | None:
    """Why a rule about treatment has nothing to say: none is being taken, or nobody knows."""
    if record.art.status == "unclear":
        return Lacks(("medications",))
    return None if record.art.status == "on" else Silent("not on antiretroviral treatment")


def not_starting_art(record: PatientRecord, profile: Profile) -> Silent | Lacks | None:
    """Why a rule about the start of treatment has nothing to say: no draft starts or restarts it, or nobody knows."""
    event = record.drafted_art.event
    if event in ("none", "continue", "switch"):
        if not all(order.readable for order in record.draft_orders or ()):
            return Lacks(("medications",))  # the drug is not chosen yet: it could be ART
        return Silent("no antiretroviral treatment is being started or restarted")
    return Lacks(("medications",)) if event == "unclear" or _history_incomplete(record, profile) else None


def not_before_art(record: PatientRecord, profile: Profile) -> Silent | Lacks | None:
    """Why a rule about the time before treatment has nothing to say: it is being taken, or nobody knows."""
    if record.art.status == "on":
        return Silent("on antiretroviral treatment")
    return Lacks(("medications",)) if _history_incomplete(record, profile) else None


def without_effective_art(record: PatientRecord, profile: Profile) -> Silent | Lacks | None:
    """Why a rule for those without effective treatment has nothing to say: treatment works or begins, or nobody knows.

    None: no treatment is taken and none is being ordered, or 90 days of it have left the viral load at 200 or more.
    """
    event = record.drafted_art.event
    if event in ("start", "restart", "switch"):
        return Silent("antiretroviral treatment is being started or changed")
    if not all(order.readable for order in record.draft_orders or ()):
        return Lacks(("medications",))
    if record.art.status == "on":
        return _suppressive(record, profile)
    return Lacks(("medications",)) if _history_incomplete(record, profile) else None


def _history_incomplete(record: PatientRecord, profile: Profile) -> bool:
    """Whether there may be treatment that the chart does not show: a suppressed viral load without any says so."""
    suppressed = any(profile.under("suppressed", one) for one in record.viral_loads) and not record.hiv.type_2
    unseen = record.art.status == "never" and suppressed
    return bool(record.gap("medications")) or record.art.status == "unclear" or unseen


def _suppressive(record: PatientRecord, profile: Profile) -> Silent | Lacks | None:
    """The same for treatment that is being taken: only a recent viral load shows that it does not work."""
    days = record.art.days_on(record.as_of)
    if days is None or record.art.since is None:
        return Lacks(("art-start-date",))
    if not profile.reaches("mac-on-art", days):
        return Silent("on antiretroviral treatment for too short a time to judge it")
    load = next(iter(on_course(record.viral_loads, record.art.since, profile)), None)
    fresh = load is not None and profile.under("viral-load-fresh", load.age_days(record.as_of))
    if load is None or not fresh or record.hiv.type_2 or record.gap("viral-load"):
        return Lacks(("viral-load",))
    if profile.under("suppressed", load):
        return Silent("antiretroviral treatment with a suppressed viral load", (load,))
    return None if profile.not_under("suppressed", load) else Lacks(("viral-load",), (load,))
