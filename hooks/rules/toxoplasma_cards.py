"""What is said of toxoplasma, once `toxoplasma` has judged that something is to be said."""

from hooks.advice import DrugOrder, Recommendation, TestOrder
from hooks.knowledge import Profile
from hooks.record import Fact, LabResult, OtherResult, PatientRecord, Problem
from hooks.rules.agents import choose
from hooks.sentences import Sentence, say
from hooks.wording import ago, amount, day, number, short_day

_TEST = (TestOrder("toxoplasma-igg", recommended=True),)
_COUNSEL = say("While IgG is negative, advise: no raw or undercooked meat or shellfish; care with cat litter.")


def test(why: Sentence, facts: tuple[Fact, ...], record: PatientRecord, profile: Profile) -> Recommendation:
    """The test is due for want of a result that counts."""
    old = record.others("toxoplasma-igg")[:1]
    return Recommendation(
        summary=say("No recent Toxoplasma IgG on file, {why}: the test is due", why=why)
        if old
        else say("No Toxoplasma IgG on file, {why}: the test is due", why=why),
        indicator="info",
        rationale=(
            say("The result decides whether toxoplasma prophylaxis is due at a low CD4 count, and by which agents."),
            *(say("The negative result of {day} is too old to count.", day=day(one.date)) for one in old),
        ),
        cites=(profile.cite("toxoplasma-igg-test"),),
        facts=facts,
        suggestions=_TEST,
    )


def repeat(
    negative: OtherResult, count: LabResult, fell: LabResult, record: PatientRecord, profile: Profile
) -> Recommendation:
    """The test is due again: it was negative before the count fell."""
    limit = number(profile.limit("toxoplasma-cd4"))
    return Recommendation(
        summary=say(
            "Toxoplasma IgG negative on {day}, CD4 {amount} on {latest}: repeat the test",
            day=short_day(negative.date, record.as_of),
            amount=amount(count),
            latest=short_day(count.date, record.as_of),
        ),
        indicator="info",
        rationale=(
            say(
                "The result is older than the fall of the CD4 count below {limit}/µL; infection may have followed.",
                limit=limit,
            ),
        ),
        cites=(profile.cite("toxoplasma-igg-negative"),),
        facts=(negative, *dict.fromkeys((count, fell))),
        notes=(_COUNSEL,),
        suggestions=_TEST,
    )


def primary(count: LabResult, record: PatientRecord, profile: Profile) -> Recommendation:
    """Prophylaxis is due by IgG and count."""
    choice = choose(record, profile, "toxoplasma")
    positive = [one for one in record.others("toxoplasma-igg") if one.result == "positive"]
    limit = number(profile.limit("toxoplasma-cd4"))
    return Recommendation(
        summary=say(
            "Toxoplasma IgG positive, CD4 {amount} on {day}: toxoplasma prophylaxis is due",
            amount=amount(count),
            day=short_day(count.date, record.as_of),
        ),
        indicator="warning",
        rationale=(
            say("At a CD4 count below {limit}/µL it is due; nothing taken or ordered covers toxoplasma.", limit=limit),
        ),
        cites=(profile.cite("toxoplasma-cd4"),),
        facts=(count, *positive[:1]),
        notes=(*_pending(record), *choice.notes),
        suggestions=choice.offers,
        also=say("toxoplasma prophylaxis is due"),
    )


def secondary(count: LabResult, past: tuple[Problem, ...], record: PatientRecord, profile: Profile) -> Recommendation:
    """It is due again after the disease. Drugs are offered without a dose: that of primary prophylaxis may be too low."""
    choice = choose(record, profile, "toxoplasma")
    by_agents = {one.regimen.agents: DrugOrder(one.regimen, dosed=False) for one in choice.offers}
    notes = choice.notes[1:] if choice.offers else choice.notes  # the first names the doses of primary prophylaxis
    limit = number(profile.limit("toxoplasma-secondary-cd4"))
    return Recommendation(
        summary=say(
            "Toxoplasmosis in the past, CD4 {amount} on {day}: secondary prophylaxis is due",
            amount=amount(count),
            day=short_day(count.date, record.as_of),
        ),
        indicator="warning",
        rationale=(
            say(
                "After toxoplasmosis, secondary prophylaxis is taken up again at a CD4 count below "
                "{limit}/µL; nothing taken or ordered covers toxoplasma.",
                limit=limit,
            ),
        ),
        cites=(profile.cite("toxoplasma-secondary-cd4"),),
        facts=(count, *past[:1]),
        notes=(
            *_pending(record),
            say("Offered without a dose: secondary prophylaxis can need higher doses than primary prophylaxis."),
            *notes,
        ),
        suggestions=tuple(by_agents.values()),
    )


def stale(count: LabResult, key: str, record: PatientRecord, profile: Profile) -> Recommendation:
    """The last count was low, but it is old: recheck it."""
    limit, old = number(profile.limit(key)), ago(count.age_days(record.as_of))
    return Recommendation(
        summary=say(
            "Last CD4 {amount} is from {day}: recheck it; toxoplasma prophylaxis may be due",
            amount=amount(count),
            day=day(count.date),
        ),
        indicator="info",
        rationale=(
            say("The last CD4 count was below {limit}/µL, but it was taken {old}.", limit=limit, old=old),
            say("If the patient is untreated or viraemic, prophylaxis is usually started on the last value meanwhile."),
        ),
        cites=(profile.cite(key), profile.cite("cd4-fresh-for-start")),
        facts=(count,),
        notes=_pending(record),
        case="stale",
    )


def active_disease(active: tuple[Problem, ...], record: PatientRecord, profile: Profile) -> Recommendation:
    """The disease itself: not a matter of primary prophylaxis."""
    return Recommendation(
        summary=say("Active toxoplasmosis on the problem list: treatment, then secondary prophylaxis"),
        indicator="info",
        rationale=(
            say("Active disease calls for treatment followed by secondary prophylaxis, not for primary prophylaxis."),
            say("No drug on the medication list or among the orders is known here to cover toxoplasma."),
        ),
        cites=(profile.cite("toxoplasma-secondary"),),
        facts=(*active[:1], *record.cd4_counts[:1]),
        notes=(say("Not offered as an order: treatment doses depend on weight and kidney function."),),
        case="active",
    )


def _pending(record: PatientRecord) -> tuple[Sentence, ...]:
    return (say("A newer CD4 result is pending and was not used."),) if record.awaits("cd4-count") else ()
