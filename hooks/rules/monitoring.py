"""Whether the CD4 count or the viral load is missing or too old to act on."""

from hooks.assess import Lacks, Recommendation, Silent, TestOrder, Verdict, rule
from hooks.drugs import on_art
from hooks.knowledge import Profile
from hooks.record import LOOK_BACK_DAYS, LabResult, PatientRecord
from hooks.rules.pneumocystis import pneumocystis_start
from hooks.wording import ago, capital, day, listed

_TESTS = {"cd4-count": "CD4 count", "viral-load": "viral load"}
_WHY = "Prophylaxis and treatment are judged on a recent CD4 count and viral load; nothing was found drafted, ordered or pending."


@rule(
    cites=(
        "monitoring-entry",
        "monitoring-deferred",
        "monitoring-viraemia",
        "monitoring-stable",
        "monitoring-cd4-low",
        "monitoring-cd4-interval",
        "monitoring-cd4-interval-stable",
        "monitoring-cd4-optional",
        "monitoring-viral-load-interval",
        "monitoring-viral-load-interval-viraemia",
        "monitoring-grace",
        "suppressed",
    ),
    needs=("conditions", "cd4-count", "viral-load"),
)
def monitoring_due(record: PatientRecord, profile: Profile) -> Verdict:
    """Overdue CD4 count or viral load.

    When HIV infection is established and there is no usable CD4 count or viral load, or the last one is older than
    its interval plus a grace of 30 days, and the test is neither ordered, drafted nor pending, then say that it is due.
    There is no grace where another finding rests on the result or the last viral load is 200 or more.
    """
    nothing = not record.cd4_counts or (not record.viral_loads and not record.hiv.type_2)
    if record.gap("medications") and not nothing:
        return Lacks(("medications",))
    due = {datum: why for datum in _TESTS if (why := _overdue(datum, record, profile)) and not _awaited(datum, record)}
    if due:
        return _order(due, record, profile)
    if record.hiv.type_2:
        return Lacks(("viral-load",))  # rules on HIV-1 viral load do not hold for HIV-2
    return Silent(_current(record))


def _overdue(datum: str, record: PatientRecord, profile: Profile) -> str | None:
    """Why the test is due, or None."""
    if datum == "viral-load" and record.hiv.type_2:
        return None
    newest = next(iter(record.results(datum)), None)
    if newest is None:
        return f"no usable {_TESTS[datum]} on file"
    interval = _cd4_interval(record, profile) if datum == "cd4-count" else _viral_load_interval(record, profile)
    if interval is None:
        return None
    allowed = interval + (0 if _no_grace(datum, record, profile) else profile.days("monitoring-grace"))
    days = newest.age_days(record.as_of)
    return f"last {_TESTS[datum]} from {day(newest.date)} ({ago(days)})" if days > allowed else None


def _cd4_interval(record: PatientRecord, profile: Profile) -> int | None:
    """Days between CD4 counts (table 3.7, first row that fits, from the shortest interval); None: optional."""
    count = record.cd4_counts[0]
    low = not count.is_at_least(profile.limit("monitoring-cd4-low"))
    if low or not on_art(record, profile.knowledge) or not _consistently_suppressed(record, profile):
        return profile.days("monitoring-cd4-interval")
    optional = count.number is not None and count.number > profile.limit("monitoring-cd4-optional")
    return None if optional and count.comparator in ("", ">", ">=") else profile.days("monitoring-cd4-interval-stable")


def _viral_load_interval(record: PatientRecord, profile: Profile) -> int | None:
    """Days between viral loads; None while ART is deferred: optional."""
    if not on_art(record, profile.knowledge):
        return None
    latest = record.viral_loads[:2]
    limit = profile.limit("suppressed")
    if len(latest) == 2 and all(one.is_at_least(limit) for one in latest):
        return profile.days("monitoring-viral-load-interval-viraemia")
    return profile.days("monitoring-viral-load-interval")


def _consistently_suppressed(record: PatientRecord, profile: Profile) -> bool:
    """Every viral load of the last 365 days below 200, two or more."""
    year = [one for one in record.viral_loads if one.age_days(record.as_of) <= LOOK_BACK_DAYS]
    return len(year) > 1 and all(one.is_below(profile.limit("suppressed")) for one in year)


def _no_grace(datum: str, record: PatientRecord, profile: Profile) -> bool:
    last: LabResult | None = next(iter(record.viral_loads), None)
    if last and not record.hiv.type_2 and last.is_at_least(profile.limit("suppressed")):
        return True
    other = pneumocystis_start(record, profile)
    return isinstance(other, Recommendation) and record.results(datum)[0] in other.facts


def _awaited(datum: str, record: PatientRecord) -> bool:
    """Whether the test is drafted, ordered, or has a result on its way."""
    drafted = any(datum in order.tests for order in record.draft_orders or ())
    return drafted or datum in record.tests_on_order or record.awaits(datum)


def _order(due: dict[str, str], record: PatientRecord, profile: Profile) -> Recommendation:
    """What is due, and its order; `due` is datum -> why."""
    missing = [datum for datum in due if not record.results(datum)]
    said = "no usable CD4 count or viral load on file" if missing == list(_TESTS) else listed(list(due.values()))
    summary = f"{capital(said)}: {'both are' if len(due) > 1 else 'it is'} due"
    return Recommendation(
        summary=summary,
        indicator="info",
        rationale=(_WHY,),
        cites=(profile.cite("monitoring-entry" if missing else _cite(record, profile)),),
        facts=tuple(one for datum in due for one in record.results(datum)[:1]),
        notes=("HIV-2 infection: the HIV-1 viral load rules were not assessed.",) if record.hiv.type_2 else (),
        suggestions=tuple(TestOrder(datum, recommended=True) for datum in due),
        several=True,
    )


def _cite(record: PatientRecord, profile: Profile) -> str:
    if not on_art(record, profile.knowledge):
        return "monitoring-deferred"
    return "monitoring-stable" if _consistently_suppressed(record, profile) else "monitoring-viraemia"


def _current(record: PatientRecord) -> str:
    newest = [results[0] for results in (record.cd4_counts, record.viral_loads) if results]
    said = listed([f"{_TESTS[one.measure]} of {day(one.date)}" for one in newest])
    return f"{said or 'what is missing'}: recent enough, or already ordered or pending"
