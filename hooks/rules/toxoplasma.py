"""Toxoplasma encephalitis: whether the antibody test is due, and whether prophylaxis is."""

from hooks.advice import Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import covers_toxoplasma
from hooks.knowledge import Profile
from hooks.record import LabResult, OtherResult, PatientRecord
from hooks.rules import toxoplasma_cards as cards
from hooks.rules.agents import toxoplasma_igg
from hooks.rules.art import not_before_art
from hooks.sentences import say
from hooks.wording import amount, day, number, short_day


@rule(
    cites=(
        "toxoplasma-igg-test",
        "toxoplasma-igg-negative",
        "toxoplasma-test-cd4",
        "toxoplasma-cd4",
        "toxoplasma-igg-negative-lasts",
        "cd4-usable-for-start",
    ),
    needs=("conditions",),
    discreet=Discreet("Test before preventive treatment", "A blood test that decides on preventive treatment is due"),
)
def toxoplasma_test(record: PatientRecord, profile: Profile) -> Verdict:
    """Toxoplasma IgG.

    When no Toxoplasma IgG is on file and the latest CD4 count, at most 365 days old, is below 200/µL or the patient is not
    on ART, then the test is due. A negative result that is older than the fall of the CD4 count below 100/µL is to be
    repeated.
    """
    ill = record.problems_of("toxoplasmosis")
    if ill:
        return Silent("toxoplasmosis is on the problem list", ill[:1])
    if record.is_on_its_way("toxoplasma-igg"):
        return Silent("a Toxoplasma IgG is ordered, or its result is on its way")
    known, igg = record.others("toxoplasma-igg"), toxoplasma_igg(record, profile)
    if igg == "positive":
        return Silent("Toxoplasma IgG is positive", tuple(one for one in known if one.result == "positive")[:1])
    verdict = _again(known[0], record, profile) if igg == "negative" else _first(record, profile)
    if isinstance(verdict, Recommendation) and record.gap("toxoplasma-igg"):
        return Lacks(("toxoplasma-igg",), verdict.facts)  # there may be a result
    return verdict


def _first(record: PatientRecord, profile: Profile) -> Verdict:
    """No result that counts: due at a low count, or at entry into care."""
    count, known = _usable_count(record, profile), record.others("toxoplasma-igg")[:1]
    if isinstance(count, LabResult) and profile.under("toxoplasma-test-cd4", count):
        why = say("CD4 {amount} on {day}", amount=amount(count), day=short_day(count.date, record.as_of))
        return cards.test(why, (count, *known), record, profile)
    treated = not_before_art(record, profile)
    if treated is None:
        return cards.test(say("not on ART"), (*record.cd4_counts[:1], *known), record, profile)
    if isinstance(treated, Lacks):
        return treated
    if isinstance(count, Lacks):
        return count
    if not profile.not_under("toxoplasma-test-cd4", count):
        return Lacks(("cd4-count",), (count,))  # a bound that does not tell
    limit = number(profile.limit("toxoplasma-test-cd4"))
    return Silent(f"on ART, CD4 count is {amount(count)} on {day(count.date)}, not below {limit}", (count,))


def _again(negative: OtherResult, record: PatientRecord, profile: Profile) -> Verdict:
    """A negative result: due again where the count has fallen below the limit of prophylaxis since."""
    count = _count_below("toxoplasma-cd4", record, profile)
    if not isinstance(count, LabResult):
        return count
    fell = _fall(record, profile)
    if negative.date < fell.date:
        return cards.repeat(negative, count, fell, record, profile)
    return Silent("Toxoplasma IgG was negative when the CD4 count was as low as now", (negative, fell))


def _fall(record: PatientRecord, profile: Profile) -> LabResult:
    """The first count of the unbroken run below the limit that reaches to the newest one, which is below it."""
    fell = record.cd4_counts[0]
    for one in record.cd4_counts[1:]:
        if not profile.under("toxoplasma-cd4", one):
            break
        fell = one
    return fell


@rule(
    cites=(
        "toxoplasma-cd4",
        "toxoplasma-secondary",
        "toxoplasma-secondary-cd4",
        "toxoplasma-igg-negative-lasts",
        "cd4-fresh-for-start",
        "cd4-usable-for-start",
    ),
    needs=("conditions",),
    worst="warning",
    discreet=Discreet(
        "Preventive treatment",
        "Blood results ask whether preventive treatment is due",
        {
            "warning": "Preventive treatment is due",
            "stale": "An old blood result is to be rechecked; preventive treatment may be due",
            "active": "An illness on the problem list: treatment, then preventive treatment",
        },
    ),
)
def toxoplasma_start(record: PatientRecord, profile: Profile) -> Verdict:
    """Starting toxoplasma prophylaxis.

    When Toxoplasma IgG is positive, nothing taken or ordered covers toxoplasma, and the latest CD4 count, at most 180 days
    old, is below 100/µL, then recommend prophylaxis; after toxoplasmosis in the past, recommend secondary prophylaxis
    below 200/µL. A count that is 181 to 365 days old is to be rechecked.
    """
    covering = covers_toxoplasma(record.current_medications())
    if covering:
        return Silent("what is taken or being ordered covers toxoplasma", covering)
    verdict = _indicated(record, profile)
    if isinstance(verdict, Recommendation) and record.gap("medications"):
        return Lacks(("medications",), verdict.facts)  # it may be taken already
    return verdict


def known_igg(record: PatientRecord, profile: Profile) -> str | None:
    """positive, negative, or None where nobody knows: a negative result is not known while a newer one cannot be read."""
    igg = toxoplasma_igg(record, profile)
    return None if igg == "negative" and record.gap("toxoplasma-igg") else igg


def _indicated(record: PatientRecord, profile: Profile) -> Verdict:
    """What antibodies, counts and problems ask for, whatever is taken."""
    active = record.problems_of("toxoplasmosis", ("active",))
    if active:
        return cards.active_disease(active, record, profile)
    igg, past = known_igg(record, profile), record.problems_of("toxoplasmosis")
    if igg == "negative":
        return Silent("Toxoplasma IgG is negative", record.others("toxoplasma-igg")[:1])
    key = "toxoplasma-secondary-cd4" if past else "toxoplasma-cd4"
    count = _count_below(key, record, profile)
    if not isinstance(count, LabResult):
        return count
    if igg is None:
        return Lacks(("toxoplasma-igg",), (count,))
    if not profile.under("cd4-fresh-for-start", count.age_days(record.as_of)):
        return cards.stale(count, key, record, profile)
    return cards.secondary(count, past, record, profile) if past else cards.primary(count, record, profile)


def _count_below(key: str, record: PatientRecord, profile: Profile) -> LabResult | Silent | Lacks:
    """The latest count, of the last year, where it is proven to be below the limit."""
    count = _usable_count(record, profile)
    if isinstance(count, Lacks) or profile.under(key, count):
        return count
    if profile.not_under(key, count):
        limit = number(profile.limit(key))
        return Silent(f"CD4 count is {amount(count)} on {day(count.date)}, not below {limit}", (count,))
    return Lacks(("cd4-count",), (count,))  # a bound that does not tell


def _usable_count(record: PatientRecord, profile: Profile) -> LabResult | Lacks:
    """The newest count where it is of the last year and no newer one may be hidden."""
    count = next(iter(record.cd4_counts), None)
    usable = count is not None and profile.under("cd4-usable-for-start", count.age_days(record.as_of))
    return count if count and usable and not record.gap("cd4-count") else Lacks(("cd4-count",), record.cd4_counts[:1])
