"""Immune-based therapies ordered to raise the CD4 count: what is known of them."""

from hooks.advice import Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import systemic
from hooks.facts import drug_names
from hooks.knowledge import Profile
from hooks.record import DraftOrder, Fact, PatientRecord, Problem
from hooks.rules.drafts import removals
from hooks.sentences import capital, say
from hooks.wording import grade

ALDESLEUKIN = "70223"  # interleukin-2
_MARROW = ("neutropenia", "lymphoma", "cancer", "marrow-failure", "transplant")
_INDICATIONS = {  # of each role what else the drug is given for; the first role that a drug has decides
    "csf": _MARROW,
    "interferon-alfa": ("hbv", "hcv", "kaposi", "lymphoma", "cancer", "multiple-sclerosis"),
    "immune-based": _MARROW,
}


@rule(
    cites=("immune-therapy", "interleukin-2", "immune-therapy-none-approved", "immune-therapy-studied"),
    needs=("conditions",),
    of_order=True,
    discreet=Discreet(
        "An order outside its indications", "A drug is ordered whose apparent purpose is not supported outside trials"
    ),
)
def immune_therapy(record: PatientRecord, profile: Profile) -> Verdict:
    """Immune-based therapy to raise the CD4 count.

    When an interleukin, an interferon or a colony-stimulating factor is being ordered and no problem on the list is an
    indication for it, then say that such therapy is not supported to raise the CD4 count, and offer to remove it.
    """
    drafts = record.draft_orders or ()
    ordered = [one for one in drafts if _role(one, profile)]
    unexplained = [one for one in ordered if not _indications(one, record, profile)]
    if unexplained:
        return _not_supported(unexplained, record, profile)
    if not all(one.readable for one in drafts):
        return Lacks(("medications",))  # the drug is not chosen yet: it could be one of these
    if not ordered:
        return Silent("no immune-based therapy is being ordered")
    found = [problem for one in ordered for problem in _indications(one, record, profile)]
    facts: tuple[Fact, ...] = (*ordered, *dict.fromkeys(found))
    return Silent("an indication for the immune-based therapy is on the problem list", facts)


def _role(order: DraftOrder, profile: Profile) -> str:
    """What kind of immune-based therapy it asks for; "" where it asks for none."""
    drug = order.medication
    if drug is None or order.stops or not systemic(drug):
        return ""
    return next((role for role in _INDICATIONS if profile.knowledge.with_role(drug.ingredients, role)), "")


def _indications(order: DraftOrder, record: PatientRecord, profile: Profile) -> list[Problem]:
    """The problems on the list, not past, for which such a drug is given."""
    concepts = _INDICATIONS[_role(order, profile)]
    return [problem for concept in concepts for problem in record.problems_of(concept, ("active", "unknown"))]


def _not_supported(ordered: list[DraftOrder], record: PatientRecord, profile: Profile) -> Recommendation:
    drugs = frozenset[str]().union(*(one.medication.ingredients for one in ordered if one.medication))
    names, known = drug_names(drugs, profile.knowledge), profile.cite
    first = ("interleukin-2", "immune-therapy") if ALDESLEUKIN in drugs else ("immune-therapy",)
    grades = say(
        "{grade}; interleukin-2 {grade2}", grade=grade(known("immune-therapy")), grade2=grade(known("interleukin-2"))
    )
    return Recommendation(
        summary=say(
            "{what} ordered, apparently to raise the CD4 count: not supported outside trials", what=capital(names)
        ),
        indicator="info",
        rationale=(
            say("Nothing on the problem list is another indication for it."),
            say(
                "Outside trials no immune-based therapy is recommended to raise the CD4 count "
                "({grades}); none is approved for HIV.",
                grades=grades,
            ),
            say(
                "Interleukin-2, -12 and -7, interferons, GM-CSF, cell transfer, ciclosporin, etanercept "
                "and mycophenolate were studied for it."
            ),
        ),
        cites=tuple(map(known, (*first, "immune-therapy-none-approved", "immune-therapy-studied"))),
        facts=(*ordered, *record.cd4_counts[:1]),
        notes=(
            say("Not checked: indications that are not on the problem list, blood counts, taking part in a trial."),
        ),
        suggestions=removals(ordered, profile),
        several=True,
        about_order=True,
    )
