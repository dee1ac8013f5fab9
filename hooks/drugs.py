"""Medications in; out comes what they amount to: antiretroviral treatment, cover against Pneumocystis, HIV care at all."""

from collections.abc import Iterable
from decimal import Decimal

from hooks.knowledge import Knowledge
from hooks.record import DraftOrder, Medication

SULFAMETHOXAZOLE, TRIMETHOPRIM = "10180", "10829"
COTRIMOXAZOLE = frozenset((SULFAMETHOXAZOLE, TRIMETHOPRIM))
DAPSONE, ATOVAQUONE, PENTAMIDINE, PROGUANIL = "3108", "60212", "7994", "2382"
PYRIMETHAMINE, SULFADIAZINE = "9010", "10171"
ZIDOVUDINE, DIDANOSINE = "11413", "3364"
EMTRICITABINE, LAMIVUDINE = "276237", "68244"
FULL_REGIMEN = 3  # agents, boosters not counted
_NOT_TREATMENT = frozenset(("not_hiv_regimen", "hbv_product_taf_alone", "hbv_dose_not_hiv", "nonsystemic_exclude"))
_CARE = ("art", "art-booster", "oi", "tb")
_CARE_TESTS = frozenset(("cd4-count", "cd4-percent", "viral-load"))
_TWICE_A_WEEK = Decimal(2)


def antiretrovirals(medication: Medication, knowledge: Knowledge) -> frozenset[str]:
    """The antiretroviral agents of one medication; none for hepatitis B products, Paxlovid and the like."""
    if medication.flags & _NOT_TREATMENT:
        return frozenset()
    return knowledge.with_role(medication.ingredients, "art")


def agents(medications: Iterable[Medication], knowledge: Knowledge) -> frozenset[str]:
    """All antiretroviral agents among the medications."""
    return frozenset().union(*(antiretrovirals(one, knowledge) for one in medications))


def is_treatment(found: frozenset[str], knowledge: Knowledge) -> bool:
    """Whether these agents are treatment: three, or one that is never PrEP (contract, *ART*)."""
    prep = knowledge.with_role(found, "prep-possible")
    return agents_in(found, knowledge) >= FULL_REGIMEN or bool(found - prep)


def agents_in(found: frozenset[str], knowledge: Knowledge) -> int:
    """How many agents these are: two tenofovirs, or emtricitabine with lamivudine, are one agent left on the list twice."""
    alike = (knowledge.with_role(found, "tenofovir"), found & {EMTRICITABINE, LAMIVUDINE})
    return len(found) - sum(max(0, len(one) - 1) for one in alike)


def systemic(medication: Medication) -> bool:
    """Whether it acts on the whole body: neither cream nor eye drops."""
    return "nonsystemic_exclude" not in medication.flags


def covers_pneumocystis(medications: Iterable[Medication]) -> tuple[Medication, ...]:
    """What of it protects against Pneumocystis (decision tables 1.1 and 1.13); none where nothing does."""
    taken = [one for one in medications if systemic(one)]
    together = frozenset[str]().union(*(one.ingredients for one in taken))
    if {PYRIMETHAMINE, SULFADIAZINE} <= together:
        pair = [one for one in taken if one.ingredients & {PYRIMETHAMINE, SULFADIAZINE}]
    else:
        pair = []
    return (*filter(_protects, taken), *pair)


def _protects(one: Medication) -> bool:
    if one.ingredients >= COTRIMOXAZOLE:
        often = one.times_per_week is None or one.times_per_week >= _TWICE_A_WEEK
        return often and not one.short_course
    malaria = PROGUANIL in one.ingredients or "malaria_combo_not_pcp" in one.flags
    if ATOVAQUONE in one.ingredients:
        return not malaria and not one.short_course
    return bool({DAPSONE, PENTAMIDINE} & one.ingredients) and not one.short_course


def concerns_hiv_care(order: DraftOrder, knowledge: Knowledge) -> bool:
    """Whether an order is one at which information about HIV care is welcome: ART, OI or TB drugs, CD4 or viral load."""
    if order.tests & _CARE_TESTS:
        return True
    drug = order.medication
    if drug is None or not systemic(drug):
        return False
    return any(knowledge.with_role(drug.ingredients, role) for role in _CARE)
