"""Whether the prophylaxis that is taken or ordered is safe for this patient, and covers."""

from collections.abc import Iterable

from hooks.advice import URGENCY, Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import systemic
from hooks.facts import drug_names
from hooks.knowledge import Profile
from hooks.record import Fact, Medication, PatientRecord
from hooks.rules.agent_faults import Fault, Use, cover_lacks, faults, in_use
from hooks.rules.agent_remedies import remedies
from hooks.sentences import capital, say

_ROLES = ("oi", "mac")
_ADJUNCTS = frozenset(("6313", "877015"))  # leucovorin and levoleucovorin protect nobody by themselves


@rule(
    cites=(
        "agent-severe-reaction",
        "agent-reaction",
        "agent-g6pd",
        "agent-toxoplasma",
        "sulfonamide-rechallenge",
        "toxoplasma-igg-negative-lasts",
        "cd4-usable-for-start",
        "cd4-fresh-for-start",
        "pneumocystis-cd4",
    ),
    needs=("conditions", "allergies"),
    worst="critical",
    discreet=Discreet(
        "Safety of preventive treatment",
        "Something on file speaks against a drug that is ordered or taken: see why",
        {
            "critical": "A drug in these orders can harm this patient: see why before signing",
            "warning": "A drug that is ordered or taken may be unsafe or not protect enough",
            "info": "A past reaction to a drug in these orders is on file",
        },
    ),
)
def prophylaxis_agent(record: PatientRecord, profile: Profile) -> Verdict:
    """Safety and cover of the prophylaxis agent.

    When a drug against opportunistic infections is taken or ordered after a reaction to it (for dapsone also after SJS, TEN
    or DRESS to a sulfonamide), or dapsone or primaquine with G6PD deficient or unknown, or when dapsone alone or pentamidine
    is the only cover of a patient with toxoplasma antibody, then say so: critical where an order about to be signed can
    harm, a warning where it is taken or nobody knows, information after a mild reaction. Safe alternatives are offered.
    """
    uses = list(_uses(record, profile))
    found = sorted(
        (fault for use in uses for fault in faults(use, record, profile)), key=lambda one: URGENCY.index(one.indicator)
    )
    if found:
        return _warn(found, record, profile)
    shown = tuple(one.fact for one in uses)
    if record.gap("medications") or not all(order.readable for order in record.draft_orders or ()):
        return Lacks(("medications",), shown)  # what nobody can read could be one of these
    lacking = cover_lacks(record, profile)
    if lacking:
        return Lacks(lacking, shown)
    if not uses:
        return Silent("no drug against opportunistic infections is taken or ordered")
    return Silent(f"nothing on the chart speaks against {_named(uses, profile)}", shown)


def _uses(record: PatientRecord, profile: Profile) -> Iterable[Use]:
    """Every drug against opportunistic infections that is ordered, or taken and not stopped nor renewed: orders first."""
    for order in record.draft_orders or ():
        if order.medication and not order.stops and _is_agent(order.medication, profile):
            yield Use(order.medication, order)
    ordered = [one.ingredients for one in record.drafted_medications()]
    for one in in_use(record):
        if one.ingredients not in ordered and _is_agent(one, profile):
            yield Use(one, None)


def _is_agent(one: Medication, profile: Profile) -> bool:
    agents = one.ingredients - _ADJUNCTS
    return systemic(one) and any(profile.knowledge.with_role(agents, role) for role in _ROLES)


def _named(uses: Iterable[Use], profile: Profile) -> str:
    return drug_names(frozenset[str]().union(*(one.medication.ingredients for one in uses)), profile.knowledge)


def _warn(found: list[Fault], record: PatientRecord, profile: Profile) -> Recommendation:
    worst = found[0]
    drug = worst.use.named(profile)
    point = say("{drug} is {state}: {fault}", drug=drug, state=worst.use.state, fault=worst.short)
    said = tuple(dict.fromkeys(one.said for one in found))
    facts: tuple[Fact, ...] = tuple(dict.fromkeys(fact for one in found for fact in one.facts))
    choice = remedies(found, record, profile)
    return Recommendation(
        summary=capital(point),
        indicator=worst.indicator,
        rationale=said,
        cites=tuple(dict.fromkeys(profile.cite(one.cite) for one in found)),
        facts=facts,
        notes=choice.notes,
        suggestions=choice.suggestions,
        several=choice.several,
        also=point,
        about_order=any(one.use.order for one in found),
    )
