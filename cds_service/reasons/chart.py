"""An evaluation in, the chart as read out: each entry with what it was taken for or why it was not, and what is lacking."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.chart.account import Account
from cds_service.reasons.evaluated import Evaluated
from hooks.facts import drug_names, fact
from hooks.knowledge import Knowledge
from hooks.record import Fact, Hiv, LabResult, OtherResult, PatientRecord
from hooks.sentences import NOTHING, Sentence, join, say, verbatim
from hooks.trace import gap_in_words
from hooks.wording import day, name

MOST = 500  # rows of a table
KINDS = {
    "result": say("Results"),
    "drug": say("Drugs"),
    "problem": say("Problems"),
    "allergy": say("Allergies"),
    "order": say("Orders"),
}
_HIV = {"established": say("established"), "unclear": say("unclear"), "none": say("none"), "unknown": say("unknown")}
_TREATED = {"never": say("never"), "on": say("on"), "stopped": say("stopped"), "unclear": say("unclear")}
_PREGNANT = {True: say("yes"), False: say("no"), None: say("the chart does not say")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. `came`: its codes and value as they came, text of the chart: to be escaped."""

    source: str
    came: tuple[str, ...]
    read_as: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Table:
    """The entries of one kind; `more` found no room."""

    title: Sentence
    entries: tuple[Entry, ...]
    more: int


@dataclass(frozen=True, slots=True)
class _Line:
    """A fact in words; `of` the measure or test it is of, and what it was received as, where it is a result."""

    line: str
    of: str = ""
    received: str = ""


_Found = dict[str, list[_Line]]


def tables(one: Evaluated) -> tuple[Table, ...]:
    """A table for each kind of which anything came."""
    facts = _facts(one.record, one.client.knowledge)
    kinds: defaultdict[str, list[Account]] = defaultdict(list)
    for seen in one.seen:
        kinds[seen.kind].append(seen)
    versions = Counter((seen.source, seen.taken_for) for seen in one.seen)
    several = frozenset(each for each, times in versions.items() if times > 1)
    return tuple(
        Table(
            title,
            tuple(_entry(seen, facts, one.record, several) for seen in kinds[kind][:MOST]),
            max(0, len(kinds[kind]) - MOST),
        )
        for kind, title in KINDS.items()
        if kinds[kind]
    )


def lines(record: PatientRecord, knowledge: Knowledge) -> tuple[tuple[Sentence, Sentence], ...]:
    """What the chart says as a whole: HIV, age, treatment, what is pending, what cannot be read, what is lacking."""
    return tuple(_lines(record, knowledge))


def _lines(record: PatientRecord, knowledge: Knowledge) -> Iterator[tuple[Sentence, Sentence]]:
    yield say("HIV infection"), _hiv(record.hiv)
    yield say("Age"), say("not known") if record.age is None else say("{number} years", number=record.age)
    yield say("Antiretroviral treatment"), _art(record, knowledge)
    if record.drafted_art.event != "none":
        agents = drug_names(record.drafted_art.agents, knowledge)
        event = verbatim(record.drafted_art.event)
        yield say("What the orders would do to it"), say("{event}: {agents}", event=event, agents=agents)
    yield say("Pregnancy"), _PREGNANT[record.pregnant]
    for pending in record.pending:
        yield say("Pending"), join(", ", (name(pending.datum), day(pending.date) if pending.date else NOTHING))
    for bad in record.unreadable:
        when = day(bad.latest) if bad.latest else say("no date")
        what = join(", ", (name(bad.datum), verbatim(bad.source), when))
        yield say("Cannot be read"), say("{what}: {why}", what=what, why=bad.why)
    for gap in record.gaps:
        yield say("Lacking"), gap_in_words(gap.datum, gap.why)


def _hiv(hiv: Hiv) -> Sentence:
    said = _HIV[hiv.status]
    said = say("{status} ({basis})", status=said, basis=hiv.basis) if hiv.basis else said
    return join("; ", (said, verbatim("HIV-2") if hiv.type_2 else NOTHING))


def _art(record: PatientRecord, knowledge: Knowledge) -> Sentence:
    art = record.art
    since = say("since {day}", day=day(art.since)) if art.since else NOTHING
    changed = say("last changed {day}", day=day(art.changed)) if art.changed else NOTHING
    stopped = say("stopped {day}", day=day(art.stopped)) if art.stopped else NOTHING
    said = join(", ", (_TREATED[art.status], since, changed, stopped))
    return say("{said}: {agents}", said=said, agents=drug_names(art.agents, knowledge)) if art.agents else said


def _entry(seen: Account, facts: _Found, record: PatientRecord, several: frozenset[tuple[str, str]]) -> Entry:
    """`several`: what came in more than one version, of which one counts."""
    came = [" ".join(filter(None, (display, f"({code})" if code else ""))) for _, code, display in seen.codes]
    value = " ".join(filter(None, (seen.number, *seen.units[:1], seen.text)))
    own = _own(seen, facts, several)
    read = [one.line for one in own]
    value = own[0].received or value if len(own) == 1 else value
    return Entry(
        source=seen.source,
        came=tuple(filter(None, (*came[:2], value))) or ("no code",),
        read_as=tuple(read) if read else tuple(filter(None, (_taken_for(seen),))),
        why=seen.why or ("" if read else _why(seen, record)),
    )


def _taken_for(seen: Account) -> str:
    """Names of drugs are sentences; the words of a value set are not."""
    return seen.taken_for if isinstance(seen.taken_for, Sentence) else seen.taken_for.replace("-", " ")


def _own(seen: Account, facts: _Found, several: frozenset[tuple[str, str]]) -> list[_Line]:
    found = facts.get(seen.source, [])
    own = [one for one in found if one.of and seen.taken_for.startswith(one.of)] or found
    if (seen.source, seen.taken_for) in several and seen.number:
        return [one for one in own if seen.number in one.received]
    return own


def _why(seen: Account, record: PatientRecord) -> str:
    """Why an entry that was recognised is no fact of the record."""
    if not seen.taken_for:
        return say("none of what the rules read")
    if seen.taken_for in _ELSEWHERE:
        return ""
    unread = record.hiv.status != "established" and not record.cd4_counts and not record.viral_loads
    if seen.kind == "result" and unread:
        return say("not looked at: nothing in the chart establishes HIV infection")
    return _NOT_COUNTED.get(seen.kind, "")


_ELSEWHERE = ("pregnancy-status", "no known allergy")  # said of the chart as a whole
_NOT_COUNTED = {
    "result": say("another result of its day, or another version of it, counts in its place"),
    "drug": say("it does not count: withdrawn, cancelled, in error, proposed, or not to be taken"),
    "problem": say("it does not count: not confirmed, refuted or in error"),
    "allergy": say("it does not count: refuted, in error, inactive or resolved"),
}


def _facts(record: PatientRecord, knowledge: Knowledge) -> _Found:
    found: defaultdict[str, list[_Line]] = defaultdict(list)
    results: tuple[Fact, ...] = (*record.cd4_counts, *record.cd4_percents, *record.viral_loads, *record.other_results)
    stated: tuple[Fact, ...] = (*(record.medications or ()), *(record.problems or ()), *(record.allergies or ()))
    for one in (*results, *stated, *(record.draft_orders or ())):
        line, of, received = fact(one, record.as_of, knowledge), "", ""
        if isinstance(one, LabResult | OtherResult):
            of, received = one.measure if isinstance(one, LabResult) else one.test, one.received
        found[one.source].append(_Line(line, of, received))
    return found
