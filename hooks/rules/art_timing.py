"""When antiretroviral treatment may begin: infections of the central nervous system come first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from hooks.advice import URGENCY, Indicator, Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.drugs import systemic
from hooks.knowledge import Profile
from hooks.record import DraftOrder, Fact, Medication, PatientRecord, Problem, ProblemState
from hooks.rules.art import not_starting_art
from hooks.rules.drafts import art_drafts, removals
from hooks.rules.low_cd4 import low_cd4
from hooks.sentences import Part, Sentence, say
from hooks.wording import day, short_day

_OPEN: tuple[ProblemState, ...] = ("active", "unknown")


@dataclass(frozen=True, slots=True)
class _Infection:
    """A meningitis that makes ART wait, and what treats it."""

    concept: str
    named: Sentence
    role: str  # of the drugs that treat it
    cite: str
    window: str  # days from the start of treatment within which ART waits
    weeks: Sentence


@dataclass(frozen=True, slots=True)
class _Reason:
    """One reason to look at the date: how urgent, in words, on what facts, by whose authority."""

    indicator: Indicator
    said: Sentence
    facts: tuple[Fact, ...]
    cite: str


_MENINGITIDES = (
    _Infection(
        "cryptococcal-meningitis",
        say("Cryptococcal meningitis"),
        "antifungal",
        "art-timing-cryptococcal-meningitis",
        "art-timing-cryptococcal-meningitis-window",
        say("4 to 6 weeks"),
    ),
    _Infection(
        "tb-meningitis",
        say("Tuberculous meningitis"),
        "tb",
        "art-timing-tb-meningitis",
        "art-timing-tb-meningitis-window",
        say("4 to 8 weeks"),
    ),
)


@rule(
    cites=(
        "art-timing-cryptococcal-meningitis",
        "art-timing-tb-meningitis",
        "art-timing-antigenaemia",
        "art-timing-cryptococcal-meningitis-window",
        "art-timing-tb-meningitis-window",
        "art-timing-antigenaemia-window",
        "art-timing-harm",
        "art-timing-undated",
        "treatment-before-onset",
        "crag-positive-lasts",
        "crag-cd4-soft",
        "cd4-fresh-for-start",
    ),
    needs=("conditions", "medications"),
    worst="critical",
    of_order=True,
    discreet=Discreet(
        "The date to begin treatment",
        "Before this treatment is begun: make sure of the date",
        {
            "critical": "Starting this treatment now can do harm: something else has to be treated first, ask a specialist",
            "warning": "Starting this treatment: another illness still decides on the date, ask a specialist",
        },
    ),
)
def art_timing(record: PatientRecord, profile: Profile) -> Verdict:
    """The time to begin ART with meningitis or cryptococcal antigen.

    When ART is being started or restarted with cryptococcal or tuberculous meningitis in the first weeks of its treatment
    (lacking a treatment date, of onset), or with a positive cryptococcal antigen that no antifungal or only one of less than
    two weeks answers, then ask for the date to be reconsidered: critical in the first 27 days of meningitis or without an
    antifungal, a warning to the end of the window, information where there is no date.
    """
    off = not_starting_art(record, profile)
    if off:
        return off
    reasons = [*_by_meningitis(record, profile), *_by_antigen(record, profile), *_by_cryptococcosis(record)]
    if reasons:
        return _reconsider(sorted(reasons, key=lambda one: URGENCY.index(one.indicator)), record, profile)
    if record.gap("crag") and not isinstance(low_cd4(record, profile, "crag-cd4-soft"), Silent):
        return Lacks(("crag",), record.cd4_counts[:1])
    return Silent("no infection on the chart makes the start of ART wait now", _waited_for(record))


def _waited_for(record: PatientRecord) -> tuple[Fact, ...]:
    """What was looked at: the meningitis whose window is over, the antigen."""
    old = tuple(one for kind in _MENINGITIDES for one in record.problems_of(kind.concept))
    return (*old, *record.others("crag")[:1])


def _by_meningitis(record: PatientRecord, profile: Profile) -> Iterator[_Reason]:
    for kind in _MENINGITIDES:
        for problem in record.problems_of(kind.concept, _OPEN):
            reason = _reason(kind, problem, record, profile)
            if reason:
                yield reason


def _reason(kind: _Infection, problem: Problem, record: PatientRecord, profile: Profile) -> _Reason | None:
    treatment = _first_treatment(kind.role, problem.onset, record, profile)
    begins = _begins_now(kind.role, record, profile)
    since = treatment.since if treatment else record.as_of if begins else problem.onset
    facts: tuple[Fact, ...] = tuple(one for one in (problem, treatment, begins) if one)
    days = (record.as_of - since).days if since else None
    if days is None or not (treatment or profile.under("art-timing-undated", days)):
        said = say(
            "{named} is on the problem list without a recent date or treatment on file: when did treatment begin?",
            named=kind.named,
        )
        return _Reason("info", said, facts, kind.cite)
    if not profile.under(kind.window, days):
        return None
    parts: dict[str, Part] = {"named": kind.named, "days": days, "weeks": kind.weeks}
    said = (
        say("{named}, day {days} of treatment: ART is usually begun after {weeks} of treatment.", **parts)
        if treatment or begins
        else say("{named}, day {days} since its onset: ART is usually begun after {weeks} of treatment.", **parts)
    )
    return _Reason("critical" if profile.under("art-timing-harm", days) else "warning", said, facts, kind.cite)


def _first_treatment(role: str, onset: date | None, record: PatientRecord, profile: Profile) -> Medication | None:
    """The earliest dated drug against it; with an onset on file one that began about then, else one still being taken."""
    treats = [one for one in record.medications or () if _treats(one, role, profile) and one.since]
    if onset:
        most = profile.days("treatment-before-onset")
        treats = [one for one in treats if one.since and (onset - one.since).days <= most]
    else:
        treats = [one for one in treats if one.current]
    return min(treats, key=lambda one: one.since or date.max, default=None)


def _begins_now(role: str, record: PatientRecord, profile: Profile) -> DraftOrder | None:
    """The order of this session that begins its treatment, where no such drug is being taken yet."""
    if any(_treats(one, role, profile) for one in record.taken_medications()):
        return None
    drafts = ((order, order.medication) for order in record.draft_orders or ())
    return next((order for order, drug in drafts if drug and _treats(drug, role, profile)), None)


def _treats(one: Medication, role: str, profile: Profile) -> bool:
    return systemic(one) and bool(profile.knowledge.with_role(one.ingredients, role))


def _by_antigen(record: PatientRecord, profile: Profile) -> Iterator[_Reason]:
    """A positive antigen; after cryptococcal disease that is over it may stay positive for long."""
    antigen = next(iter(record.others("crag")), None)
    lasting = antigen is not None and profile.under("crag-positive-lasts", antigen.age_days(record.as_of))
    over = record.has_problem("cryptococcosis", ("past",))
    if antigen is None or antigen.result != "positive" or over or not lasting:
        return
    on = short_day(antigen.date, record.as_of)
    given = [one for one in record.current_medications() if _treats(one, "antifungal", profile)]
    meningitis = record.has_problem("cryptococcal-meningitis", _OPEN)  # then its own window decides
    if not given:
        said = (
            say(
                "Cryptococcal antigen positive on {day}, and no antifungal is taken or ordered: treatment has to be "
                "begun first.",
                day=on,
            )
            if meningitis
            else say(
                "Cryptococcal antigen positive on {day}, and no antifungal is taken or ordered: meningitis has to be "
                "excluded and fluconazole begun first.",
                day=on,
            )
        )
        yield _Reason("critical", said, (antigen,), "art-timing-antigenaemia")
        return
    begun = [one.since for one in given if one.since]
    days = (record.as_of - min(begun)).days if begun else 0
    if profile.under("art-timing-antigenaemia-window", days) and not meningitis:
        since = say("since {day}", day=day(min(begun))) if begun else say("without a date")
        said = say(
            "Cryptococcal antigen positive on {day}, an antifungal {since}: without meningitis ART follows about "
            "2 weeks after it was begun.",
            day=on,
            since=since,
        )
        yield _Reason("warning", said, (antigen, *given), "art-timing-antigenaemia")


def _by_cryptococcosis(record: PatientRecord) -> Iterator[_Reason]:
    """Cryptococcosis that is not said to be meningitis: it may be."""
    known = record.problems_of("cryptococcosis", _OPEN)
    if known and not record.has_problem("cryptococcal-meningitis"):
        said = say("Cryptococcosis is on the problem list: meningitis has to be excluded before ART is begun.")
        yield _Reason("info", said, known, "art-timing-cryptococcal-meningitis")


_SUMMARIES: Mapping[Indicator, Sentence] = {
    "critical": say(
        "Starting ART now can do harm: an infection has to be treated first, ask a specialist for the date"
    ),
    "warning": say("Starting ART: an infection still decides on the date, ask a specialist"),
    "info": say("Starting ART: make sure of the date with an infection on the chart"),
}


def _reconsider(reasons: list[_Reason], record: PatientRecord, profile: Profile) -> Recommendation:
    worst, drafts = reasons[0].indicator, art_drafts(record, profile)
    return Recommendation(
        summary=_SUMMARIES[worst],
        indicator=worst,
        rationale=tuple(one.said for one in reasons),
        cites=tuple(dict.fromkeys(profile.cite(one.cite) for one in reasons)),
        facts=tuple(dict.fromkeys((*(fact for one in reasons for fact in one.facts), *drafts))),
        notes=(
            say("Confirm when treatment of the infection began; ART follows, it is not given up."),
            say("Not checked: severity, intracranial pressure, response to treatment, rifampicin interactions."),
        ),
        suggestions=removals(drafts, profile),
        several=True,
        also=say("an infection on the chart decides when ART is begun"),
    )
