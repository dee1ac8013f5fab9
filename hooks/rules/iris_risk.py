"""How likely IRIS is, and why: high, moderate or base (decision tables 2.2)."""

from decimal import Decimal

from hooks.knowledge import Profile
from hooks.record import LabResult, PatientRecord, Problem
from hooks.wording import listed, number

FLARING = {  # the infections that often flare, as the fact sheet lists them
    "mac": "MAC",
    "cmv": "CMV",
    "hsv": "herpes simplex",
    "hbv": "hepatitis B",
    "hcv": "hepatitis C",
    "tb-active": "tuberculosis",
    "zoster": "zoster",
    "kaposi": "Kaposi sarcoma",
    "pneumocystis": "Pneumocystis pneumonia",
}
HIGH_RISK = {
    "tb-active": "tuberculosis",
    "cryptococcosis": "cryptococcosis",
    "cmv": "CMV",
    "mac": "MAC",
    "kaposi": "Kaposi sarcoma",
    "histoplasmosis": "histoplasmosis",
    "pml": "PML",
}
AUTOIMMUNE = {
    "autoimmune-graves": "Graves' disease",
    "autoimmune-lupus": "lupus",
    "autoimmune-rheumatoid-arthritis": "rheumatoid arthritis",
    "autoimmune-other": "another autoimmune disease",
}
WHAT_FLARES = (
    f"What often flares, known before or not: {listed([*FLARING.values()])}. Autoimmune disease may worsen as well: Graves' "
    "disease, lupus, rheumatoid arthritis."
)


def fresh(results: tuple[LabResult, ...], record: PatientRecord, profile: Profile, window: str) -> LabResult | None:
    """The newest result where it is recent enough to judge by."""
    newest = next(iter(results), None)
    return newest if newest and profile.under(window, newest.age_days(record.as_of)) else None


def tier(
    record: PatientRecord, profile: Profile, count: LabResult | None, load: LabResult | None
) -> tuple[str, list[str]]:
    """high, moderate or base, with the reasons in words (decision tables 2.2)."""
    very_low = count is not None and profile.under("iris-cd4-high", count)
    low = count is not None and profile.under("iris-cd4-moderate", count)
    much = load is not None and profile.reaches("iris-viral-load", load)
    high_limit, moderate_limit = number(profile.limit("iris-cd4-high")), number(profile.limit("iris-cd4-moderate"))
    infections = [word for concept, word in HIGH_RISK.items() if _recent(concept, record, profile)]
    high = [
        *(
            [f"CD4 count below {high_limit}"]
            if very_low
            else [f"CD4 count below {moderate_limit} with a high viral load"]
            if low and much
            else []
        )
    ]
    high += [f"{listed(infections)} active or recent"] if infections else []
    if high:
        return "high", high
    others = [word for concept, word in FLARING.items() if record.has_problem(concept)]
    immune = [word for concept, word in AUTOIMMUNE.items() if record.has_problem(concept)]
    moderate = [f"CD4 count below {moderate_limit}"] if low else []
    moderate += [f"a viral load of {number(profile.limit('iris-viral-load'))} or more"] if much else []
    moderate += [f"{listed(others)} on the problem list"] if others else []
    moderate += [f"{listed(immune)}, which may flare"] if immune else []
    limits = ("CD4 count", count, "iris-cd4-moderate"), ("viral load", load, "iris-viral-load")
    unknown = [word for word, found, key in limits if not _tells(found, profile.limit(key))]
    moderate += [f"no recent {' or '.join(unknown)}"] if unknown else []
    return ("moderate", moderate) if moderate else ("base", [])


def _tells(found: LabResult | None, limit: Decimal) -> bool:
    """Whether it is known on which side of the limit a result lies."""
    return found is not None and (found.is_below(limit) or found.is_at_least(limit))


def _recent(concept: str, record: PatientRecord, profile: Profile) -> bool:
    return any(one.state == "active" or _began_lately(one, record, profile) for one in record.problems_of(concept))


def _began_lately(problem: Problem, record: PatientRecord, profile: Profile) -> bool:
    days = (record.as_of - problem.onset).days if problem.onset else -1
    return days >= 0 and profile.under("iris-recent-infection", days)
