"""Whether the CD4 count or the viral load is missing or too old to act on."""

from hooks.advice import Lacks, Recommendation, Silent, TestOrder, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.knowledge import Profile
from hooks.record import LOOK_BACK_DAYS, LabResult, PatientRecord
from hooks.rules.immunologic import immunologic_non_response
from hooks.rules.iris import iris_counselling, iris_watch
from hooks.rules.pneumocystis import pneumocystis_start
from hooks.rules.virologic import viremia_recheck, virologic_failure
from hooks.sentences import Sentence, capital, say, together
from hooks.wording import ago, day

_RESTING = (  # the findings that can rest on a CD4 count or a viral load
    pneumocystis_start,
    iris_counselling,
    iris_watch,
    virologic_failure,
    viremia_recheck,
    immunologic_non_response,
)
_TESTS = {"cd4-count": say("CD4 count"), "viral-load": say("viral load")}
_WHY = say(
    "Prophylaxis and treatment are judged on a recent CD4 count and viral load; nothing was "
    "found drafted, ordered or pending."
)


@rule(
    cites=(
        "monitoring-entry",
        "monitoring-deferred",
        "monitoring-viraemia",
        "monitoring-stable",
        "monitoring-after-start",
        "monitoring-first-two-years",
        "monitoring-after-start-cd4",
        "monitoring-after-start-viral-load",
        "monitoring-two-years",
        "monitoring-viral-load-interval-two-years",
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
    discreet=Discreet("Overdue tests", "Follow-up blood testing is due"),
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
    awaited = [datum for datum in _TESTS if not record.is_on_its_way(datum)]
    due = {datum: why for datum in awaited if (why := _overdue(datum, record, profile))}
    if due:
        return _order(due, record, profile)
    if awaited and record.gap("medications"):  # what rests on a result, and so its grace, hangs on what is taken
        return Lacks(("medications",))
    if record.hiv.type_2:
        return Lacks(("viral-load",))  # rules on HIV-1 viral load do not hold for HIV-2
    return Silent(_current(record), record.cd4_counts[:1] + record.viral_loads[:1])


def _overdue(datum: str, record: PatientRecord, profile: Profile) -> Sentence | None:
    """Why the test is due, or None."""
    if datum == "viral-load" and record.hiv.type_2:
        return None
    newest = next(iter(record.results(datum)), None)
    if newest is None:
        return say("no usable {test} on file", test=_TESTS[datum])
    interval = _cd4_interval(record, profile) if datum == "cd4-count" else _viral_load_interval(record, profile)
    if interval is None:
        return None
    days = newest.age_days(record.as_of)
    in_grace = profile.under("monitoring-grace", days - interval)
    if days <= interval or (in_grace and not _no_grace(datum, record, profile)):
        return None
    return say("last {test} from {day} ({ago})", test=_TESTS[datum], day=day(newest.date), ago=ago(days))


def _cd4_interval(record: PatientRecord, profile: Profile) -> int | None:
    """Days between CD4 counts (table 3.7, first row that fits, from the shortest interval); None: optional."""
    count, art = record.cd4_counts[0], record.art
    if art.status == "on" and art.since and count.date <= art.since:
        return profile.days("monitoring-after-start-cd4") + (art.since - count.date).days
    low = not profile.not_under("monitoring-cd4-low", count)
    if (
        low
        or art.status != "on"
        or _in_first_two_years(record, profile)
        or not _consistently_suppressed(record, profile)
    ):
        return profile.days("monitoring-cd4-interval")
    return None if profile.reaches("monitoring-cd4-optional", count) else profile.days("monitoring-cd4-interval-stable")


def _viral_load_interval(record: PatientRecord, profile: Profile) -> int | None:
    """Days between viral loads; None while ART is deferred: optional."""
    art, newest = record.art, record.viral_loads[0]
    if art.status != "on":
        return None
    changed = art.changed or art.since
    if changed and newest.date <= changed:
        return profile.days("monitoring-after-start-viral-load") + (changed - newest.date).days
    latest = record.viral_loads[:2]
    if _after_start(record, profile) and not profile.under("suppressed", newest):
        return profile.days("monitoring-after-start-viral-load")
    if len(latest) == 2 and all(profile.not_under("suppressed", one) for one in latest):
        return profile.days("monitoring-viral-load-interval-viraemia")
    two_years = _in_first_two_years(record, profile)
    return profile.days("monitoring-viral-load-interval-two-years" if two_years else "monitoring-viral-load-interval")


def _after_start(record: PatientRecord, profile: Profile) -> bool:
    """Still on the way down: within 24 weeks of the start or of a change."""
    changed = record.art.changed or record.art.since
    return changed is not None and not profile.reaches("failure-after", (record.as_of - changed).days)


def _in_first_two_years(record: PatientRecord, profile: Profile) -> bool:
    days = record.art.days_on(record.as_of)
    return days is not None and not profile.reaches("monitoring-two-years", days)


def _consistently_suppressed(record: PatientRecord, profile: Profile) -> bool:
    """Every viral load of the last 365 days below 200, two or more."""
    year = [one for one in record.viral_loads if one.age_days(record.as_of) <= LOOK_BACK_DAYS]
    return len(year) > 1 and all(profile.under("suppressed", one) for one in year)


def _no_grace(datum: str, record: PatientRecord, profile: Profile) -> bool:
    last: LabResult | None = next(iter(record.viral_loads), None)
    if last and not record.hiv.type_2 and profile.not_under("suppressed", last):
        return True
    said = (one for one in (other(record, profile) for other in _RESTING) if isinstance(one, Recommendation))
    return any(record.results(datum)[0] in one.facts for one in said)


def _order(due: dict[str, Sentence], record: PatientRecord, profile: Profile) -> Recommendation:
    """What is due, and its order; `due` is datum -> why."""
    missing = [datum for datum in due if not record.results(datum)]
    neither = missing == list(_TESTS)
    said = capital(say("no usable CD4 count or viral load on file") if neither else together(list(due.values())))
    summary = say("{what}: both are due", what=said) if len(due) > 1 else say("{what}: it is due", what=said)
    return Recommendation(
        summary=summary,
        indicator="info",
        rationale=(_WHY,),
        cites=(profile.cite("monitoring-entry" if missing else _cite(record, profile)),),
        facts=tuple(one for datum in due for one in record.results(datum)[:1]),
        notes=(say("HIV-2 infection: the HIV-1 viral load rules were not assessed."),) if record.hiv.type_2 else (),
        suggestions=tuple(TestOrder(datum, recommended=True) for datum in due),
        several=True,
    )


def _cite(record: PatientRecord, profile: Profile) -> str:
    if record.art.status != "on":
        return "monitoring-deferred"
    if _after_start(record, profile):
        return "monitoring-after-start"
    if _in_first_two_years(record, profile):
        return "monitoring-first-two-years"
    return "monitoring-stable" if _consistently_suppressed(record, profile) else "monitoring-viraemia"


def _current(record: PatientRecord) -> str:
    newest = [results[0] for results in (record.cd4_counts, record.viral_loads) if results]
    said = together([say("{test} of {day}", test=_TESTS[one.measure], day=day(one.date)) for one in newest])
    return f"{said or 'what is missing'}: recent enough, or already ordered or pending"
