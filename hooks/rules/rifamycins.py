"""The antiretrovirals taken or ordered in; out comes whether a rifamycin against latent tuberculosis goes with them."""

from hooks.drugs import agents, antiretrovirals
from hooks.knowledge import Citation, Profile
from hooks.record import Medication, PatientRecord
from hooks.sentences import Sentence, say

BICTEGRAVIR, TENOFOVIR_ALAFENAMIDE = "1999660", "1721603"
FIT_FOR_RIFAPENTINE = frozenset(("195085", "1433868", "719872"))  # efavirenz, dolutegravir, raltegravir
_CHECK = say("A rifamycin is chosen only after a check against the antiretrovirals taken or planned.")
_POSSIBLE = say(
    "With these antiretrovirals, at standard doses, weekly rifapentine with isoniazid (3HP) is possible too; it is dosed by "
    "weight and not offered as an order."
)


def on_rifamycins(record: PatientRecord, profile: Profile) -> tuple[Sentence, tuple[Citation, ...]]:
    """The line for the card, and what it rests on."""
    replaced = record.drafted_art.replaces
    resulting = _resulting(record, profile, replaced)
    found = agents(resulting, profile.knowledge) | (frozenset() if replaced else record.art.agents)
    cite = profile.cite("tb-rifamycins")
    if BICTEGRAVIR in found:
        return say("No rifamycin with bictegravir."), (cite,)
    readable = record.art.status != "unclear" and all(order.readable for order in record.draft_orders or ())
    if not readable or not _fit_for_rifapentine(found, resulting, profile):
        return _CHECK, (cite,)
    if not profile.knows("tb-regimens"):
        return _POSSIBLE, (cite,)
    newer = profile.cite("tb-regimens")
    preferred = say(
        "With these antiretrovirals, at standard doses, weekly rifapentine with isoniazid (3HP) is possible too, "
        "preferred since {year}; it is dosed by weight and not offered as an order.",
        year=newer.source.date.year,
    )
    return preferred, (cite, newer)


def _resulting(record: PatientRecord, profile: Profile, replaced: bool) -> tuple[Medication, ...]:
    """What goes on being taken, and what is drafted; a whole drafted regimen replaces the present one."""
    taken = record.taken_medications()
    going_on = tuple(one for one in taken if not (replaced and antiretrovirals(one, profile.knowledge)))
    return going_on + record.drafted_medications()


def _fit_for_rifapentine(found: frozenset[str], resulting: tuple[Medication, ...], profile: Profile) -> bool:
    """Whether every drug beside the backbone is one of the three, without a booster and without tenofovir alafenamide."""
    has = profile.knowledge.with_role
    anchors = found - has(found, "art-nrti")
    boosted = any(has(one.ingredients, "art-booster") for one in resulting)
    return bool(anchors) and anchors <= FIT_FOR_RIFAPENTINE and TENOFOVIR_ALAFENAMIDE not in found and not boosted
