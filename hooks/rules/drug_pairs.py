"""Pairs of drugs that harm the immune status: what they do, ordered or taken."""

from hooks.advice import Lacks, Recommendation, RemoveDraft, Silent, Verdict
from hooks.assess import rule
from hooks.drugs import COTRIMOXAZOLE, DIDANOSINE, ZIDOVUDINE, antiretrovirals, systemic
from hooks.knowledge import Profile
from hooks.record import DraftOrder, Medication, PatientRecord
from hooks.wording import listed


@rule(cites=("didanosine-tenofovir",), needs=("conditions",), worst="critical")
def didanosine_tenofovir(record: PatientRecord, profile: Profile) -> Verdict:
    """Didanosine with tenofovir.

    When didanosine and either tenofovir are taken or ordered together, then say what the pair does: critical where an order
    about to be signed makes the pair, a warning where it is already being taken.
    """
    knowledge = profile.knowledge
    tenofovir = knowledge.roles["tenofovir"]
    staying, drafted = _resulting(record, profile)
    if not _holds(staying + drafted, frozenset((DIDANOSINE,))) or not _holds(staying + drafted, tenofovir):
        return _not_seen("didanosine and tenofovir are not together, taken or ordered", record)
    pair = tenofovir | {DIDANOSINE}
    ordered = [order for order in record.draft_orders or () if order.medication and order.medication.ingredients & pair]
    return Recommendation(
        summary=f"Didanosine with tenofovir is {'being ordered' if ordered else 'being taken'}: not recommended together",
        indicator="critical" if ordered else "warning",
        rationale=(
            "Tenofovir raises didanosine levels: pancreatitis, neuropathy, lactic acidosis, early virologic failure, "
            "and a CD4 count that falls or fails to rise despite suppression.",
        ),
        cites=(profile.cite("didanosine-tenofovir"),),
        facts=record.cd4_counts[:1],
        notes=("Not checked: doses; the effect on the CD4 count is smaller with a reduced dose of didanosine.",),
        suggestions=_removals(ordered, profile),
    )


def _resulting(record: PatientRecord, profile: Profile) -> tuple[tuple[Medication, ...], tuple[Medication, ...]]:
    """What goes on being taken, and what is drafted; a whole drafted regimen replaces the present one."""
    drafted = record.drafted_medications()
    current = tuple(one for one in record.medications or () if one.current and systemic(one))
    if record.drafted_art.replaces:
        current = tuple(one for one in current if not antiretrovirals(one, profile.knowledge))
    return current, tuple(one for one in drafted if systemic(one))


def _holds(medications: tuple[Medication, ...], wanted: frozenset[str]) -> bool:
    return any(one.ingredients & wanted for one in medications)


def _not_seen(because: str, record: PatientRecord) -> Silent | Lacks:
    """A pair that is seen is said, whatever else is lacking; one that is not may be hidden by a gap."""
    return Lacks(("medications",)) if record.gap("medications") else Silent(because)


def _removals(ordered: list[DraftOrder], profile: Profile) -> tuple[RemoveDraft, ...]:
    """The offer to take didanosine out of the orders; where it is being taken, whatever brings tenofovir."""
    with_id = [
        (one, one.medication.ingredients) for one in ordered if one.medication and not one.source.endswith("/None")
    ]
    chosen = [pair for pair in with_id if DIDANOSINE in pair[1]] or with_id
    names = profile.knowledge.ingredients
    return tuple(RemoveDraft(one.source, listed(sorted(names[code].name for code in found))) for one, found in chosen)


@rule(cites=("zidovudine-cotrimoxazole",), needs=("conditions",))
def zidovudine_cotrimoxazole(record: PatientRecord, profile: Profile) -> Verdict:
    """Zidovudine with TMP-SMX.

    When zidovudine and TMP-SMX are taken or ordered together, then say that their bone marrow toxicity adds up. Neither is
    withheld for that.
    """
    staying, drafted = _resulting(record, profile)
    together = staying + drafted
    cotrimoxazole = any(one.ingredients >= COTRIMOXAZOLE for one in together)
    if not cotrimoxazole or not _holds(together, frozenset((ZIDOVUDINE,))):
        return _not_seen("zidovudine and TMP-SMX are not together, taken or ordered", record)
    return Recommendation(
        summary="Zidovudine with TMP-SMX: bone marrow toxicity adds up, check the full blood count",
        indicator="info",
        rationale=(
            "Both suppress the bone marrow: anaemia, neutropenia, and CD4 counts that fail to rise.",
            "Prophylaxis is not withheld for that; another antiretroviral in place of zidovudine may be considered.",
        ),
        cites=(profile.cite("zidovudine-cotrimoxazole"),),
        facts=record.cd4_counts[:1],
        notes=("Not checked: blood counts.",),
    )
