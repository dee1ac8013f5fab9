"""Medications in; out comes what they amount to: antiretroviral treatment, cover against infections, HIV care at all."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from hooks.knowledge import Knowledge
from hooks.record import DraftOrder, Medication

SULFAMETHOXAZOLE, TRIMETHOPRIM = "10180", "10829"
COTRIMOXAZOLE = frozenset((SULFAMETHOXAZOLE, TRIMETHOPRIM))
DAPSONE, ATOVAQUONE, PENTAMIDINE, PROGUANIL = "3108", "60212", "7994", "2382"
PYRIMETHAMINE, SULFADIAZINE = "9010", "10171"
AZITHROMYCIN, CLARITHROMYCIN, RIFABUTIN, ETHAMBUTOL = "18631", "21212", "55672", "4110"
ZIDOVUDINE, DIDANOSINE = "11413", "3364"
EMTRICITABINE, LAMIVUDINE = "276237", "68244"
FULL_REGIMEN = 3  # agents, boosters not counted
_NOT_TREATMENT = frozenset(("not_hiv_regimen", "hbv_product_taf_alone", "hbv_dose_not_hiv", "nonsystemic_exclude"))
_CARE = ("art", "art-booster", "oi", "tb")
_CARE_TESTS = frozenset(("cd4-count", "cd4-percent", "viral-load"))
_COURSES = frozenset(("short_course_pack", "h_pylori_pack"))  # packs that are a course of treatment by themselves
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
    return (*filter(_protects, taken), *_with_pyrimethamine(taken, SULFADIAZINE))


def covers_toxoplasma(medications: Iterable[Medication]) -> tuple[Medication, ...]:
    """What of it protects against toxoplasma (decision tables 1.2): not dapsone alone, not pentamidine."""
    taken = [one for one in medications if systemic(one)]
    alone = [one for one in taken if _protects(one) and not one.ingredients & {DAPSONE, PENTAMIDINE}]
    lasting = [one for one in taken if not one.short_course]
    pairs = (*_with_pyrimethamine(lasting, SULFADIAZINE), *_with_pyrimethamine(lasting, DAPSONE))
    return tuple(dict.fromkeys((*alone, *pairs)))


def covers_mac(medications: Iterable[Medication]) -> tuple[Medication, ...]:
    """What of it can prevent Mycobacterium avium complex disease (decision tables 1.3 and 1.13): no short course of it."""
    lasting = [one for one in medications if systemic(one) and not one.short_course and not one.flags & _COURSES]
    return tuple(one for one in lasting if one.ingredients & {AZITHROMYCIN, CLARITHROMYCIN, RIFABUTIN})


def prevents_mac(medications: Iterable[Medication]) -> tuple[Medication, ...]:
    """What of it is taken as one takes it to prevent MAC: azithromycin more than twice a week has another purpose."""
    seldom = (one for one in medications if one.times_per_week is None or one.times_per_week <= _TWICE_A_WEEK)
    others = (one for one in medications if one.ingredients & {CLARITHROMYCIN, RIFABUTIN})
    return covers_mac(dict.fromkeys((*seldom, *others)))


def _with_pyrimethamine(taken: Sequence[Medication], partner: str) -> list[Medication]:
    """Pyrimethamine and its partner, where both are taken."""
    pair = {PYRIMETHAMINE, partner}
    together = frozenset[str]().union(*(one.ingredients for one in taken))
    return [one for one in taken if one.ingredients & pair] if pair <= together else []


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
