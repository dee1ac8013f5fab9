"""CD4 counts that do not recover although the virus is suppressed."""

from hooks.advice import Indicator, Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import COTRIMOXAZOLE, DIDANOSINE, ZIDOVUDINE, systemic
from hooks.facts import DRUG
from hooks.knowledge import Profile
from hooks.record import LOOK_BACK_DAYS, LabResult, PatientRecord
from hooks.rules.art import not_on_art
from hooks.sentences import Sentence, say, term, together
from hooks.trends import baseline, gain, suppressed_since
from hooks.wording import amount, day, number, short_day

_REVIEW = (
    say(
        "In cohorts 10 to 20 % of those treated respond so. Some recover later; others stay at a "
        "risk of new illness and death above that of full responders, though below that of "
        "people who are viraemic too."
    ),
    say(
        "Weigh how far and how long the viral load was suppressed, the CD4 count and viral load "
        "before treatment, the duration of infection, past opportunistic infections, other "
        "diseases and age. No single regimen is to blame."
    ),
    say("Ask about adherence, nutrition, activity, stress, smoking."),
    say(
        "Look for co-infection (hepatitis B and C, HTLV, mycobacteria), cirrhosis or "
        "splenomegaly (then judge the percentage), lymphoma, thyroid disease, nutrition, "
        "alcohol; check the full blood count."
    ),
    say("Repeat the CD4 count in the same laboratory; keep prophylaxis until its own stop criteria are met."),
    say(
        "Low-level replication and immune activation are discussed as causes. Not supported: "
        "adding or changing antiretrovirals to raise the CD4 count, following markers of "
        "activation, interleukin-2, other immune therapy."
    ),
)


@rule(
    cites=(
        "non-response-definition",
        "poor-cd4-recovery",
        "intensification",
        "non-response-gain",
        "non-response-cd4",
        "non-response-cd4-high",
        "non-response-after",
        "non-response-suppressed-span",
        "non-response-long-suppression",
        "baseline-before",
        "baseline-after",
        "suppressed",
    ),
    needs=("conditions", "medications", "cd4-count", "viral-load"),
    worst="warning",
    discreet=Discreet("Recovery on treatment", "Blood results do not recover as expected on treatment: review"),
)
def immunologic_non_response(record: PatientRecord, profile: Profile) -> Verdict:
    """A CD4 count that does not recover despite suppression.

    When after 180 days or more of ART with suppression (two viral loads or more of the last year, over 90 days or more, all
    below 200) the CD4 count is 300 or less and has gained less than 100 over its baseline, or the baseline is unknown, or it
    is below 200 after two years of suppression, then review. Level high below 200, else moderate.
    """
    unable = _unable(record, profile)
    if unable:
        return unable
    count, since = record.cd4_counts[0], record.art.since
    assert since is not None  # noqa: S101  (_unable has looked)
    if profile.not_under("non-response-cd4", count):
        limit = number(profile.limit("non-response-cd4"))
        return Silent(f"CD4 count {amount(count)} on {day(count.date)} is above {limit}", (count,))
    if not profile.under("non-response-cd4", count):
        return Lacks(("cd4-count",), (count,))
    before = baseline(record.cd4_counts, since, profile)
    rise = gain(before, count) if before else None
    enough = rise is not None and profile.not_under("non-response-gain", rise)
    if rise is not None and before and enough and not _long_suppressed(count, record, profile):
        return Silent(f"the CD4 count has risen by {number(rise)} since ART was started", (count, before))
    return _review(count, before, record, profile)


def _unable(record: PatientRecord, profile: Profile) -> Verdict | None:
    off = not_on_art(record)
    if off:
        return off
    if record.hiv.type_2 or not record.viral_loads:
        return Lacks(("viral-load",))
    if not record.cd4_counts or record.cd4_counts[0].age_days(record.as_of) > LOOK_BACK_DAYS:
        return Lacks(("cd4-count",))
    if record.art.since is None:
        return Lacks(("art-start-date",))
    if not profile.reaches("non-response-after", (record.cd4_counts[0].date - record.art.since).days):
        days = profile.days("non-response-after")
        return Silent(f"no CD4 count yet from {days} days of treatment or later", record.cd4_counts[:1])
    return _not_suppressed(record, profile)


def _not_suppressed(record: PatientRecord, profile: Profile) -> Verdict | None:
    """Viraemic: the virologic review goes first. Too few results of the last year: nobody knows."""
    year = [one for one in record.viral_loads if one.age_days(record.as_of) <= LOOK_BACK_DAYS]
    long = len(year) > 1 and profile.reaches("non-response-suppressed-span", (year[0].date - year[-1].date).days)
    fresh = bool(year) and profile.under("viral-load-fresh", year[0].age_days(record.as_of))
    raised = [one for one in year if profile.not_under("suppressed", one)]
    if raised:
        return Silent("not suppressed in the last year: the virologic review goes first", tuple(raised[:1]))
    proven = long and fresh and all(profile.under("suppressed", one) for one in year)
    return None if proven else Lacks(("viral-load",), tuple(year[:2]))


def _long_suppressed(count: LabResult, record: PatientRecord, profile: Profile) -> bool:
    """Below 200 after two years of suppression, whatever the gain."""
    since = suppressed_since(record, profile)
    years = since is not None and profile.reaches("non-response-long-suppression", (count.date - since).days)
    return years and profile.under("non-response-cd4-high", count)


def _explaining(record: PatientRecord, profile: Profile) -> list[Sentence]:
    """The drugs being taken that can hold the CD4 count down (decision tables 3.4); TMP-SMX alone does not count."""
    taken = frozenset[str]().union(*(one.ingredients for one in record.current_medications() if systemic(one)))
    knowledge = profile.knowledge
    said: list[Sentence] = []
    left_out = set(COTRIMOXAZOLE)
    if DIDANOSINE in taken and knowledge.with_role(taken, "tenofovir"):
        said.append(say("didanosine with tenofovir"))
    if ZIDOVUDINE in taken and taken >= COTRIMOXAZOLE:
        said.append(say("zidovudine with TMP-SMX"))
        left_out.add(ZIDOVUDINE)
    singles = knowledge.with_role(taken, "myelosuppressive") | knowledge.with_role(taken, "interferon-alfa")
    return said + sorted(term(DRUG, knowledge.ingredients[code].name) for code in singles - left_out)


def _review(count: LabResult, before: LabResult | None, record: PatientRecord, profile: Profile) -> Recommendation:
    drugs = _explaining(record, profile)
    level = "high" if profile.under("non-response-cd4-high", count) else "moderate"
    compared = (
        say("The baseline was {amount}.", amount=amount(before))
        if before
        else say("The count before treatment is not on file.")
    )
    blamed = (say("Can explain it: {drugs}.", drugs=together(drugs)),) if drugs else ()
    indicator: Indicator = "warning" if drugs else "info"
    return Recommendation(
        summary=say(
            "CD4 {amount} on {day} despite suppression: review the non-response",
            amount=amount(count),
            day=short_day(count.date, record.as_of),
        ),
        indicator=indicator,
        rationale=(
            say("On ART since {day}, viral load suppressed. {compared}", day=day(record.art.since), compared=compared)
            if record.art.since
            else compared,
            *blamed,
        ),
        cites=(profile.cite("non-response-definition"), profile.cite("poor-cd4-recovery")),
        facts=tuple(one for one in (count, before, *record.viral_loads[:1]) if one),
        notes=_REVIEW,
        level=level,
    )
