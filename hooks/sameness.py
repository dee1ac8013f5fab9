"""Advice and the record it was given for in; out comes what tells whether it is the same advice on the same facts as before.

Results count by their band, drugs by their ingredients, orders by what they ask for: never by an id, a day or a spelling.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256

from hooks.advice import DrugOrder, Recommendation, RemoveDraft, ReplaceDraft, Suggestion, TestOrder
from hooks.drugs import concerns_hiv_care
from hooks.knowledge import Knowledge
from hooks.record import Allergy, DraftOrder, Fact, LabResult, Medication, OtherResult, PatientRecord, Problem

Bands = Mapping[str, tuple[Decimal, ...]]
_DIGITS = 32  # of a fingerprint


@dataclass(frozen=True, slots=True)
class Mark:
    """`fingerprint`: 32 hexadecimal digits. `newest`: the day of the newest result of each measure it rests on."""

    fingerprint: str
    newest: str = ""  # such as "cd4-count 2026-11-01 viral-load 2026-11-17"


def mark(rule: str, said: Recommendation, record: PatientRecord, knowledge: Knowledge, *, of_order: bool) -> Mark:
    """The mark of what a rule says. `of_order`: it speaks of the orders being signed, and of other orders it is other advice."""
    bands = knowledge.quiet.bands
    parts = [f"rule {rule}", f"indicator {said.indicator}", f"level {said.level}"]
    parts += (f"offers {offer(one)}" for one in said.suggestions)
    parts += (f"fact {_fact(one, bands)}" for one in said.facts)
    if of_order or said.about_order:
        drafts = (one for one in record.draft_orders or () if concerns_hiv_care(one, knowledge))
        parts += (f"order {_fact(one, bands)}" for one in drafts)
    measured = sorted({one.measure for one in said.facts if isinstance(one, LabResult)})
    newest = (f"{one} {results[0].date}" for one in measured if (results := record.results(one)))
    return Mark(sha256("\n".join(sorted(set(parts))).encode()).hexdigest()[:_DIGITS], " ".join(newest))


def has_crossed(newest: str, record: PatientRecord, knowledge: Knowledge) -> bool:
    """Whether a result newer than these (as in `Mark.newest`) lies in another band than the newest of its measure does now.

    A count that rose over a border and fell back is not what it was.
    """
    words, bands = newest.split(), knowledge.quiet.bands
    for measure, day in zip(words[::2], words[1::2], strict=True):
        since = [one for one in record.results(measure) if one.date > date.fromisoformat(day)]
        if len({_fact(one, bands) for one in since}) > 1:
            return True
    return False


def offer(one: Suggestion) -> str:
    """A suggestion by what it would do: `drug` and RxNorm ingredients, `test` and its key, or `remove` and a drug's name."""
    match one:
        case DrugOrder():
            return f"drug {' '.join(sorted(one.regimen.agents))}{'' if one.dosed else ' undosed'}"
        case TestOrder():
            return f"test {one.test}"
        case RemoveDraft():
            return f"remove {one.name}"
        case ReplaceDraft():  # pragma: no branch  (there is no other kind)
            return offer(one.order)


def offerable(knowledge: Knowledge) -> frozenset[str]:
    """Everything that a card may suggest, in the words of `ordered`."""
    agents = (one.agents for one in knowledge.regimens.values())
    return frozenset(f"test {key}" for key in knowledge.tests).union(*agents)


def ordered(record: PatientRecord) -> frozenset[str]:
    """What is being ordered: `test` and its key for each test, and each RxNorm ingredient."""
    tests = (f"test {test}" for order in record.draft_orders or () for test in order.tests if not order.stops)
    return frozenset(tests).union(*(drug.ingredients for drug in record.drafted_medications()))


def is_ordered(offered: str, asked: frozenset[str]) -> bool:
    """Whether what was offered (see `offer`) is among what is being ordered (see `ordered`)."""
    kind, _, what = offered.partition(" ")
    if kind == "test":
        return offered in asked
    return kind == "drug" and frozenset(what.removesuffix(" undosed").split()) <= asked


def _fact(one: Fact, bands: Bands) -> str:
    match one:
        case LabResult():
            return f"{one.measure} {one.unit} {_band(one, bands.get(one.measure, ()))}"
        case OtherResult():
            return f"{one.test} {one.result}"
        case Problem():
            return f"problem {_listed(one.concepts)} {one.state}"
        case Medication():
            return f"drug {_listed(one.ingredients)} {one.current}"
        case Allergy():
            return f"allergy {_listed(one.ingredients)} {one.sulfonamide} {one.severe} {one.severe_cutaneous}"
        case DraftOrder():  # pragma: no branch  (there is no other kind of fact)
            drug = _listed(one.medication.ingredients) if one.medication else ""
            return f"order {drug} {_listed(one.tests)} {one.stops}"


def _band(one: LabResult, borders: Iterable[Decimal]) -> str:
    """On which side of each border the result is; ? where a bound leaves it open."""
    if one.unit == "IU/mL" and one.number is not None:  # proves nothing in copies, but has its own place among IU
        return "".join(">" if one.number >= border else "<" for border in borders)
    return "".join("<" if one.is_below(border) else ">" if one.is_at_least(border) else "?" for border in borders)


def _listed(words: Iterable[str]) -> str:
    return ",".join(sorted(words))
