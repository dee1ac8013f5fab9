"""How likely IRIS is, and why: high, moderate or base (decision tables 2.2)."""

from decimal import Decimal

from hooks.knowledge import Profile
from hooks.record import LabResult, PatientRecord, Problem
from hooks.sentences import Sentence, say, together
from hooks.wording import number

FLARING = {  # the infections that often flare, as the fact sheet lists them
    "mac": say("MAC"),
    "cmv": say("CMV"),
    "hsv": say("herpes simplex"),
    "hbv": say("hepatitis B"),
    "hcv": say("hepatitis C"),
    "tb-active": say("tuberculosis"),
    "zoster": say("zoster"),
    "kaposi": say("Kaposi sarcoma"),
    "pneumocystis": say("Pneumocystis pneumonia"),
}
HIGH_RISK = {
    "tb-active": say("tuberculosis"),
    "cryptococcosis": say("cryptococcosis"),
    "cmv": say("CMV"),
    "mac": say("MAC"),
    "kaposi": say("Kaposi sarcoma"),
    "histoplasmosis": say("histoplasmosis"),
    "pml": say("PML"),
}
AUTOIMMUNE = {
    "autoimmune-graves": say("Graves' disease"),
    "autoimmune-lupus": say("lupus"),
    "autoimmune-rheumatoid-arthritis": say("rheumatoid arthritis"),
    "autoimmune-other": say("another autoimmune disease"),
}
WHAT_FLARES = say(
    "What often flares, known before or not: {infections}. Autoimmune disease may worsen as well: "
    "Graves' disease, lupus, rheumatoid arthritis.",
    infections=together([*FLARING.values()]),
)


def fresh(results: tuple[LabResult, ...], record: PatientRecord, profile: Profile, window: str) -> LabResult | None:
    """The newest result where it is recent enough to judge by."""
    newest = next(iter(results), None)
    return newest if newest and profile.under(window, newest.age_days(record.as_of)) else None


def tier(
    record: PatientRecord, profile: Profile, count: LabResult | None, load: LabResult | None
) -> tuple[str, list[Sentence]]:
    """high, moderate or base, with the reasons in words (decision tables 2.2)."""
    very_low = count is not None and profile.under("iris-cd4-high", count)
    low = count is not None and profile.under("iris-cd4-moderate", count)
    much = load is not None and profile.reaches("iris-viral-load", load)
    high_limit, moderate_limit = number(profile.limit("iris-cd4-high")), number(profile.limit("iris-cd4-moderate"))
    infections = [word for concept, word in HIGH_RISK.items() if _recent(concept, record, profile)]
    high = [
        *(
            [say("CD4 count below {limit}", limit=high_limit)]
            if very_low
            else [say("CD4 count below {limit} with a high viral load", limit=moderate_limit)]
            if low and much
            else []
        )
    ]
    high += [say("{infections} active or recent", infections=together(infections))] if infections else []
    if high:
        return "high", high
    others = [word for concept, word in FLARING.items() if record.has_problem(concept)]
    immune = [word for concept, word in AUTOIMMUNE.items() if record.has_problem(concept)]
    moderate = [say("CD4 count below {limit}", limit=moderate_limit)] if low else []
    moderate += [say("a viral load of {limit} or more", limit=number(profile.limit("iris-viral-load")))] if much else []
    moderate += [say("{infections} on the problem list", infections=together(others))] if others else []
    moderate += [say("{diseases}, which may flare", diseases=together(immune))] if immune else []
    moderate += _unknown(
        _tells(count, profile.limit("iris-cd4-moderate")), _tells(load, profile.limit("iris-viral-load"))
    )
    return ("moderate", moderate) if moderate else ("base", [])


def _unknown(count: bool, load: bool) -> list[Sentence]:
    """What is not known of the CD4 count and the viral load."""
    if not count and not load:
        return [say("no recent CD4 count or viral load")]
    return [] if count and load else [say("no recent viral load") if count else say("no recent CD4 count")]


def _tells(found: LabResult | None, limit: Decimal) -> bool:
    """Whether it is known on which side of the limit a result lies."""
    return found is not None and (found.is_below(limit) or found.is_at_least(limit))


def _recent(concept: str, record: PatientRecord, profile: Profile) -> bool:
    return any(one.state == "active" or _began_lately(one, record, profile) for one in record.problems_of(concept))


def _began_lately(problem: Problem, record: PatientRecord, profile: Profile) -> bool:
    days = (record.as_of - problem.onset).days if problem.onset else -1
    return days >= 0 and profile.under("iris-recent-infection", days)
