"""CD4 counts that do not recover although the virus is suppressed."""

from hooks.assess import Indicator, Lacks, Recommendation, Silent, Verdict, rule
from hooks.drugs import COTRIMOXAZOLE, DIDANOSINE, ZIDOVUDINE, systemic
from hooks.knowledge import Profile
from hooks.record import LOOK_BACK_DAYS, LabResult, PatientRecord
from hooks.rules.art import not_on_art
from hooks.trends import baseline, gain, suppressed_since
from hooks.wording import amount, day, listed, number, short_day

_REVIEW = (
    "Look for co-infection (hepatitis B and C, HTLV, mycobacteria), cirrhosis or splenomegaly (then judge the percentage), "
    "lymphoma, thyroid disease, nutrition, alcohol; check the full blood count.",
    "Repeat the CD4 count in the same laboratory; keep prophylaxis until its own stop criteria are met.",
    "Not supported: adding or changing antiretrovirals to raise the CD4 count, interleukin-2, other immune therapy.",
)


@rule(
    cites=(
        "non-response-definition",
        "poor-cd4-recovery",
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
    limit = profile.limit("non-response-cd4")
    if count.is_above(limit):
        return Silent(f"CD4 count {amount(count)} on {day(count.date)} is above {number(limit)}")
    if not count.is_at_most(limit):
        return Lacks(("cd4-count",))
    before = baseline(record.cd4_counts, since, profile)
    rise = gain(before, count) if before else None
    if rise is not None and rise >= profile.limit("non-response-gain") and not _long_suppressed(count, record, profile):
        return Silent(f"the CD4 count has risen by {number(rise)} since ART was started")
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
    if (record.cd4_counts[0].date - record.art.since).days < profile.days("non-response-after"):
        return Silent("no CD4 count yet from 180 days of treatment or later")
    return _not_suppressed(record, profile)


def _not_suppressed(record: PatientRecord, profile: Profile) -> Verdict | None:
    """Viraemic: the virologic review goes first. Too few results of the last year: nobody knows."""
    year = [one for one in record.viral_loads if one.age_days(record.as_of) <= LOOK_BACK_DAYS]
    limit = profile.limit("suppressed")
    long = len(year) > 1 and (year[0].date - year[-1].date).days >= profile.days("non-response-suppressed-span")
    fresh = bool(year) and year[0].age_days(record.as_of) <= profile.days("viral-load-fresh")
    if any(one.is_at_least(limit) for one in year):
        return Silent("not suppressed in the last year: the virologic review goes first")
    return None if long and fresh and all(one.is_below(limit) for one in year) else Lacks(("viral-load",))


def _long_suppressed(count: LabResult, record: PatientRecord, profile: Profile) -> bool:
    """Below 200 after two years of suppression, whatever the gain."""
    since = suppressed_since(record, profile.limit("suppressed"))
    years = since is not None and (count.date - since).days >= profile.days("non-response-long-suppression")
    return years and count.is_below(profile.limit("non-response-cd4-high"))


def _explaining(record: PatientRecord, profile: Profile) -> list[str]:
    """The drugs being taken that can hold the CD4 count down (decision tables 3.4); TMP-SMX alone does not count."""
    taken = frozenset[str]().union(*(one.ingredients for one in record.current_medications() if systemic(one)))
    knowledge = profile.knowledge
    said, left_out = [], set(COTRIMOXAZOLE)
    if DIDANOSINE in taken and knowledge.with_role(taken, "tenofovir"):
        said.append("didanosine with tenofovir")
    if ZIDOVUDINE in taken and taken >= COTRIMOXAZOLE:
        said.append("zidovudine with TMP-SMX")
        left_out.add(ZIDOVUDINE)
    singles = knowledge.with_role(taken, "myelosuppressive") | knowledge.with_role(taken, "interferon-alfa")
    return said + sorted(knowledge.ingredients[code].name for code in singles - left_out)


def _review(count: LabResult, before: LabResult | None, record: PatientRecord, profile: Profile) -> Recommendation:
    drugs = _explaining(record, profile)
    level = "high" if count.is_below(profile.limit("non-response-cd4-high")) else "moderate"
    compared = f"The baseline was {amount(before)}." if before else "The count before treatment is not on file."
    blamed = (f"Can explain it: {listed(drugs)}.",) if drugs else ()
    indicator: Indicator = "warning" if drugs else "info"
    return Recommendation(
        summary=f"CD4 {amount(count)} on {short_day(count.date, record.as_of)} despite suppression: review the non-response",
        indicator=indicator,
        rationale=(
            f"On ART since {day(record.art.since)}, viral load suppressed. {compared}"
            if record.art.since
            else compared,
            *blamed,
        ),
        cites=(profile.cite("non-response-definition"), profile.cite("poor-cd4-recovery")),
        facts=tuple(one for one in (count, before, *record.viral_loads[:1]) if one),
        notes=_REVIEW,
        level=level,
    )
