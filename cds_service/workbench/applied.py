"""What was done to a request and how it was read before and after in; out comes, in sentences, what of it did not come to be."""

from collections.abc import Iterator

from cds_service.workbench.choices import all_results
from cds_service.workbench.steps import Changes, Made
from hooks.record import Fact, PatientRecord
from hooks.sentences import Sentence, capital, say, verbatim
from hooks.wording import name

_LISTS = {"Condition": "conditions", "AllergyIntolerance": "allergies", "MedicationRequest": "medications"}


def not_applied(changes: Changes, before: PatientRecord, after: PatientRecord) -> tuple[Sentence, ...]:
    """Each change that the chart as read does not show, with why; and each list that only exists because of a change."""
    return tuple(
        dict.fromkeys((*changes.faults, *_unread(changes, after), *_kept(changes, after), *_alone(changes, before)))
    )


def _unread(changes: Changes, after: PatientRecord) -> Iterator[Sentence]:
    there = _sources(after)
    for one in changes.made:
        if one.source not in there:
            yield say("{what}: {why}.", what=one.words, why=_why(one, after))


def _why(one: Made, after: PatientRecord) -> Sentence:
    bad = next((each for each in after.unreadable if each.source == one.source), None)
    if bad:
        return say("it cannot be read, for {why}", why=bad.why)
    if one.test and after.hiv.status != "established" and not after.results(one.test):
        return say("such results are not looked at, for nothing in the chart establishes HIV infection")
    return say("another result of the same day counts in its place") if one.test else say("it does not count")


def _kept(changes: Changes, after: PatientRecord) -> Iterator[Sentence]:
    there = _sources(after)
    yield from (
        say("{what}: {source} could not be taken out of what was sent.", what=words, source=verbatim(source))
        for source, words in changes.gone.items()
        if source in there
    )


def _alone(changes: Changes, before: PatientRecord) -> Iterator[Sentence]:
    """A list that did not come, and of which an entry was added, is read as if it had come."""
    for kind in dict.fromkeys(one.resource["resourceType"] for one in changes.made if not one.drafted):
        datum = _LISTS.get(kind, "")
        if any(gap.datum == datum and gap.why.startswith("was not") for gap in before.gaps):
            what = capital(name(datum))
            yield say("{list}: it did not come, and is now read as if what was added were all of it.", list=what)


def _sources(record: PatientRecord) -> frozenset[str]:
    drugs = (*(record.medications or ()), *record.drafted_medications())
    stated: tuple[Fact, ...] = (*drugs, *(record.problems or ()), *(record.allergies or ()))
    return frozenset(one.source for one in (*stated, *all_results(record)))
