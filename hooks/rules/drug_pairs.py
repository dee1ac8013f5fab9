"""Pairs of drugs that harm the immune status: what they do, ordered or taken."""

from collections.abc import Iterable

from hooks.advice import Lacks, Recommendation, RemoveDraft, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import COTRIMOXAZOLE, DIDANOSINE, ZIDOVUDINE, systemic
from hooks.knowledge import Profile
from hooks.record import DraftOrder, Fact, Medication, PatientRecord
from hooks.rules.drafts import has_id, removals, resulting
from hooks.sentences import say


@rule(
    cites=("didanosine-tenofovir",),
    needs=("conditions",),
    worst="critical",
    discreet=Discreet(
        "Two drugs together",
        "Two drugs not recommended together are ordered or taken",
        {
            "critical": "These orders bring two drugs together that are not recommended together",
            "warning": "Two drugs are being taken that are not recommended together",
        },
    ),
)
def didanosine_tenofovir(record: PatientRecord, profile: Profile) -> Verdict:
    """Didanosine with tenofovir.

    When didanosine and either tenofovir are taken or ordered together, then say what the pair does: critical where an order
    about to be signed makes the pair, a warning where it is already being taken.
    """
    pair = profile.knowledge.roles["tenofovir"] | {DIDANOSINE}
    found = _pair(record, profile, pair)
    together = frozenset[str]().union(*(one.ingredients for one in found))
    if DIDANOSINE not in together or not together & (pair - {DIDANOSINE}):
        return _not_seen("didanosine and tenofovir are not together, taken or ordered", record)
    ordered = _ordering(record, pair)
    return Recommendation(
        summary=say("Didanosine with tenofovir is being ordered: not recommended together")
        if ordered
        else say("Didanosine with tenofovir is being taken: not recommended together"),
        indicator="critical" if ordered else "warning",
        rationale=(
            say(
                "Tenofovir raises didanosine levels: pancreatitis, neuropathy, lactic acidosis, early "
                "virologic failure, and a CD4 count that falls or fails to rise despite suppression."
            ),
        ),
        cites=(profile.cite("didanosine-tenofovir"),),
        facts=(*_shown(found, ordered), *record.cd4_counts[:1]),
        notes=(say("Not checked: doses; the effect on the CD4 count is smaller with a reduced dose of didanosine."),),
        suggestions=_removals(ordered, profile),
        about_order=bool(ordered),
    )


def _pair(record: PatientRecord, profile: Profile, wanted: frozenset[str]) -> list[Medication]:
    """Of what will be taken that which holds one of these."""
    return [one for one in resulting(record, profile) if systemic(one) and one.ingredients & wanted]


def _ordering(record: PatientRecord, wanted: frozenset[str]) -> list[DraftOrder]:
    """The drafts that order one of these."""
    drafts = (one for one in record.draft_orders or () if one.medication and not one.stops)
    return [
        one for one in drafts if one.medication and one.medication.ingredients & wanted and systemic(one.medication)
    ]


def _shown(found: Iterable[Medication], ordered: Iterable[DraftOrder]) -> tuple[Fact, ...]:
    """The orders themselves, and what is taken beside them."""
    orders = tuple(ordered)
    drafted = [one.medication for one in orders]
    return (*orders, *(one for one in found if one not in drafted))


def _not_seen(because: str, record: PatientRecord) -> Silent | Lacks:
    """A pair that is seen is said, whatever else is lacking; one that is not may be hidden by a gap."""
    return Lacks(("medications",)) if record.gap("medications") else Silent(because)


def _removals(ordered: list[DraftOrder], profile: Profile) -> tuple[RemoveDraft, ...]:
    """The offer to take didanosine out of the orders; where it is being taken, whatever brings tenofovir."""
    didanosine = [one for one in ordered if one.medication and DIDANOSINE in one.medication.ingredients]
    return removals([one for one in didanosine if has_id(one)] or ordered, profile)


@rule(
    cites=("zidovudine-cotrimoxazole",),
    needs=("conditions",),
    discreet=Discreet(
        "Two drugs together", "Two drugs together: bone marrow toxicity adds up, check the full blood count"
    ),
)
def zidovudine_cotrimoxazole(record: PatientRecord, profile: Profile) -> Verdict:
    """Zidovudine with TMP-SMX.

    When zidovudine and TMP-SMX are taken or ordered together, then say that their bone marrow toxicity adds up. Neither is
    withheld for that.
    """
    found = _pair(record, profile, COTRIMOXAZOLE | {ZIDOVUDINE})
    cotrimoxazole = any(one.ingredients >= COTRIMOXAZOLE for one in found)
    if not cotrimoxazole or not any(ZIDOVUDINE in one.ingredients for one in found):
        return _not_seen("zidovudine and TMP-SMX are not together, taken or ordered", record)
    return Recommendation(
        summary=say("Zidovudine with TMP-SMX: bone marrow toxicity adds up, check the full blood count"),
        indicator="info",
        rationale=(
            say("Both suppress the bone marrow: anaemia, neutropenia, and CD4 counts that fail to rise."),
            say(
                "Prophylaxis is not withheld for that; another antiretroviral in place of zidovudine may be considered."
            ),
        ),
        cites=(profile.cite("zidovudine-cotrimoxazole"),),
        facts=(*_shown(found, _ordering(record, COTRIMOXAZOLE | {ZIDOVUDINE})), *record.cd4_counts[:1]),
        notes=(say("Not checked: blood counts."),),
    )
