"""A threshold in; out comes the latest CD4 count where it is recent and below it, or why there is none to act on."""

from hooks.advice import Lacks, Silent
from hooks.knowledge import Profile
from hooks.record import LabResult, PatientRecord
from hooks.wording import amount, day, number


def low_cd4(record: PatientRecord, profile: Profile, key: str) -> LabResult | Silent | Lacks:
    """The count that is proven to lie below the limit; silent where it is proven not to; else it is lacking."""
    count = next(iter(record.cd4_counts), None)
    if count is None or record.gap("cd4-count"):
        return Lacks(("cd4-count",), record.cd4_counts[:1])
    if not profile.under("cd4-fresh-for-start", count.age_days(record.as_of)):
        return Lacks(("cd4-count",), (count,))
    if profile.under(key, count):
        return count
    if profile.not_under(key, count):
        side = "above" if profile.thresholds[key].inclusive else "not below"
        limit = number(profile.limit(key))
        return Silent(f"CD4 count is {amount(count)} on {day(count.date)}, {side} {limit}", (count,))
    return Lacks(("cd4-count",), (count,))  # a bound that does not tell
