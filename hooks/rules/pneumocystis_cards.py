"""What is said of prophylaxis against Pneumocystis, once `pneumocystis` has judged that something is to be said."""

from collections.abc import Sequence

from hooks.advice import Indicator, Recommendation
from hooks.facts import problem_name
from hooks.knowledge import Profile
from hooks.record import LabResult, PatientRecord, Problem
from hooks.rules.agents import choose
from hooks.sentences import Sentence, capital, say
from hooks.wording import ago, amount, day, number, short_day


def named(profile: Profile) -> Sentence:
    """What the guideline calls it: by what it prevents, or by its drug."""
    return say("co-trimoxazole prophylaxis") if profile.switch("cotrimoxazole") else say("Pneumocystis prophylaxis")


def side(profile: Profile, limit: Sentence) -> Sentence:
    """On which side of its limit a count asks for prophylaxis."""
    if profile.thresholds["pneumocystis-cd4"].inclusive:
        return say("at or below {limit}", limit=limit)
    return say("below {limit}", limit=limit)


def start(record: PatientRecord, profile: Profile, count: LabResult, why: Sentence) -> Recommendation:
    """It is due by the count."""
    choice = choose(record, profile, "pneumocystis")
    secondary = record.problems_of("pneumocystis")
    cites = ("pneumocystis-cd4", "pneumocystis-secondary") if secondary else ("pneumocystis-cd4",)
    past = (say("Pneumocystis pneumonia in the past: this is secondary prophylaxis."),) if secondary else ()
    return Recommendation(
        summary=say(
            "CD4 {amount} on {day}: {named} is due",
            amount=amount(count),
            day=short_day(count.date, record.as_of),
            named=named(profile),
        ),
        indicator="warning",
        rationale=(why, *past),
        cites=tuple(map(profile.cite, cites)),
        facts=(count, *record.cd4_percents[:1], *record.viral_loads[:1], *secondary[:1]),
        notes=(*_pending(record), *choice.notes),
        suggestions=choice.offers,
    )


def by_percent(percent: LabResult, count: LabResult | None, record: PatientRecord, profile: Profile) -> Recommendation:
    """It may be due by the percentage, which the count contradicts or which stands alone."""
    choice = choose(record, profile, "pneumocystis")
    limit = number(profile.limit("pneumocystis-cd4-percent"))
    return Recommendation(
        summary=say(
            "CD4 percentage {amount} on {day}: consider Pneumocystis prophylaxis",
            amount=amount(percent),
            day=short_day(percent.date, record.as_of),
        ),
        indicator="info",
        rationale=(
            say("CD4 percentage below {limit} % is an indication of its own.", limit=limit),
            _disagreement(percent, count, record),
        ),
        cites=(profile.cite("pneumocystis-cd4-percent"),),
        facts=(percent, *((count,) if count else ()), *record.viral_loads[:1]),
        notes=(*_pending(record), *choice.notes),
        suggestions=choice.offers,
        case="consider",
    )


def _disagreement(percent: LabResult, count: LabResult | None, record: PatientRecord) -> Sentence:
    if count is None:
        return say("No usable CD4 count is on file.")
    if count.date > percent.date and not any(one.date == percent.date for one in record.cd4_counts):
        return say("The percentage is older than the latest CD4 count; measure both together.")
    return say("CD4 count and percentage disagree; either may be right.")


def delayed(count: LabResult, waits: Sequence[Problem], record: PatientRecord, profile: Profile) -> Recommendation:
    """It may be due at a somewhat higher count, because ART has to wait."""
    choice = choose(record, profile, "pneumocystis")
    limit = number(profile.limit("pneumocystis-delayed-cd4"))
    return Recommendation(
        summary=say(
            "CD4 {amount} on {day} while ART waits: consider Pneumocystis prophylaxis",
            amount=amount(count),
            day=short_day(count.date, record.as_of),
        ),
        indicator="info",
        rationale=(
            say(
                "Below {limit}/µL prophylaxis is an option where ART must be delayed and the count "
                "cannot be checked about every 3 months.",
                limit=limit,
            ),
        ),
        cites=(profile.cite("pneumocystis-delayed-cd4"),),
        facts=(count, *waits),
        notes=(*_pending(record), *choice.notes),
        suggestions=choice.offers,
        case="consider",
    )


def by_disease(
    disease: Problem, reason: str, indicator: Indicator, record: PatientRecord, profile: Profile
) -> Recommendation:
    """It is due because of a disease, whatever the count."""
    choice = choose(record, profile, "pneumocystis")
    said = say("{problem}: {named} is due whatever the CD4 count", problem=problem_name(disease), named=named(profile))
    return Recommendation(
        summary=capital(said),
        indicator=indicator,
        rationale=(say("Nothing taken or ordered covers Pneumocystis."),),
        cites=(profile.cite(reason),),
        facts=(disease, *record.cd4_counts[:1]),
        notes=(*_pending(record), *choice.notes),
        suggestions=choice.offers,
        case="due",
    )


def for_all(record: PatientRecord, profile: Profile) -> Recommendation:
    """It is advised for everyone in this setting."""
    choice = choose(record, profile, "pneumocystis")
    return Recommendation(
        summary=say("Co-trimoxazole prophylaxis is advised for everyone with HIV in this setting"),
        indicator="info",
        rationale=(say("The site has named malaria or severe bacterial infections as common here."),),
        cites=(profile.cite("cotrimoxazole-for-all"),),
        facts=record.cd4_counts[:1],
        notes=(*_pending(record), *choice.notes),
        suggestions=choice.offers,
        case="for-all",
    )


def left_to_the_clinician(
    count: LabResult, run: tuple[LabResult, ...], record: PatientRecord, profile: Profile
) -> Recommendation:
    """Two texts of the guideline differ: a count of 100 to 199 with a suppressed viral load."""
    return Recommendation(
        summary=say(
            "CD4 {amount} with suppressed viral load, no Pneumocystis prophylaxis: clinician's choice",
            amount=amount(count),
        ),
        indicator="info",
        rationale=(
            say(
                "The newest guideline text no longer asks for prophylaxis here; the older one (CD4 below "
                "200) still does."
            ),
            say(
                "Viral load below the assay's limit in {count} results since {day}, on ART.",
                count=len(run),
                day=day(run[-1].date),
            ),
        ),
        cites=(profile.cite("pneumocystis-cd4-whatever-the-viral-load"), profile.cite("pneumocystis-lapse-span")),
        facts=(count, run[0], run[-1]),
        notes=_pending(record),
        case="choice",
    )


def stale(count: LabResult, record: PatientRecord, profile: Profile) -> Recommendation:
    """The last count was low, but it is old: recheck it."""
    limit = number(profile.limit("pneumocystis-cd4"))
    return Recommendation(
        summary=say(
            "Last CD4 {amount} is from {day}: recheck it; prophylaxis may be due",
            amount=amount(count),
            day=day(count.date),
        ),
        indicator="info",
        rationale=(
            say(
                "The last CD4 count was {side}/µL, but it was taken {ago}.",
                side=side(profile, limit),
                ago=ago(count.age_days(record.as_of)),
            ),
            say("If the patient is untreated or viraemic, prophylaxis is usually started on the last value meanwhile."),
        ),
        cites=(profile.cite("pneumocystis-cd4"), profile.cite("cd4-fresh-for-start")),
        facts=(count, *record.viral_loads[:1]),
        notes=_pending(record),
        case="stale",
    )


def active_disease(record: PatientRecord, profile: Profile, active: tuple[Problem, ...]) -> Recommendation:
    """The pneumonia itself: not a matter of primary prophylaxis."""
    return Recommendation(
        summary=say("Active Pneumocystis pneumonia on the problem list: treatment, then secondary prophylaxis"),
        indicator="info",
        rationale=(
            say("Active disease calls for treatment followed by secondary prophylaxis, not for primary prophylaxis."),
            say("No drug on the medication list or among the orders covers Pneumocystis."),
        ),
        cites=(profile.cite("pneumocystis-secondary"),),
        facts=(*active[:1], *record.cd4_counts[:1]),
        notes=(say("Not offered as an order: treatment doses depend on severity and kidney function."),),
        case="active",
    )


def _pending(record: PatientRecord) -> tuple[Sentence, ...]:
    return (say("A newer CD4 result is pending and was not used."),) if record.awaits("cd4-count") else ()
