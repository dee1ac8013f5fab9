"""Problems, treatment and viral loads in; out comes whether HIV infection is established, unclear, or not on the chart."""

from collections.abc import Iterable, Sequence
from datetime import date

from hooks.drugs import FULL_REGIMEN, agents, agents_in
from hooks.knowledge import Knowledge
from hooks.record import ArtHistory, DraftOrder, Hiv, LabResult
from hooks.sentences import say

# What the problem reader concluded of each entry that names HIV; one that is established outweighs all others.
DIAGNOSIS = "hiv-infection"
TYPE_2 = "hiv-2-infection"
DOUBTS = {
    "hiv-unconfirmed": say("the diagnosis is recorded as unconfirmed, provisional or differential"),
    "hiv-refuted": say("a diagnosis of HIV infection is recorded as refuted"),
    "hiv-inactive": say("the diagnosis is recorded as inactive or resolved"),
    "hiv-inconclusive": say("a test is recorded as inconclusive"),
    "hiv-uncoded": say("a problem names HIV infection without a code that this service knows"),
    "hiv-supporting": say("a finding points to HIV infection, but no diagnosis is recorded"),
}


def hiv_status(
    signs: Iterable[str],
    *,
    art: ArtHistory,
    drafts: Sequence[DraftOrder],
    viral_loads: Sequence[LabResult],
    as_of: date,
    knowledge: Knowledge,
) -> Hiv:
    """Judges HIV status (contract, *HIV*; decision tables 5.2). `signs` are concepts: the diagnosis, or one of DOUBTS."""
    found = set(signs)
    type_2 = TYPE_2 in found
    if DIAGNOSIS in found:
        return Hiv("established", say("HIV infection is on the problem list"), type_2)
    days = art.days_on(as_of)
    on_regimen = bool(viral_loads) and _is_full_regimen(art, knowledge)
    if on_regimen and days is not None and knowledge.thresholds["established-by-regimen"].reached_by(days):
        return Hiv("established", say("three antiretrovirals for 60 days or more, with a viral load on file"), type_2)
    for doubt, basis in DOUBTS.items():
        if doubt in found:
            return Hiv("unclear", basis, type_2)
    if on_regimen and days is None:
        return Hiv("unclear", say("three antiretrovirals, since nobody knows when, and no diagnosis on record"), type_2)
    drafted = agents((one.medication for one in drafts if one.medication and not one.stops), knowledge)
    if drafted and any(map(knowledge.thresholds["suppressed"].not_under, viral_loads)):
        return Hiv(
            "unclear", say("antiretrovirals are being ordered with a raised viral load and no diagnosis on record")
        )
    treated = bool(drafted) or _is_full_regimen(art, knowledge)
    return Hiv("none", say("no evidence of HIV infection on the chart"), treated=treated)


def _is_full_regimen(art: ArtHistory, knowledge: Knowledge) -> bool:
    """Three agents, one of them never PrEP: cabotegravir beside the tablets it replaced is PrEP."""
    treats = bool(art.agents - knowledge.with_role(art.agents, "prep-possible"))
    return treats and agents_in(art.agents, knowledge) >= FULL_REGIMEN
