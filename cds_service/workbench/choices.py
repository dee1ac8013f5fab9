"""The knowledge and a chart as read in; out comes what can be chosen on the form: results, drugs, diagnoses, allergens."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from hooks.facts import DRUG, fact
from hooks.knowledge import Knowledge
from hooks.record import LabResult, OtherResult, PatientRecord, Unreadable
from hooks.sentences import Sentence, capital, say, term, verbatim
from hooks.wording import day, name, regimen_name

NEW = "new|"
MOST = 2000  # results that are offered
SULFONAMIDES = ""
CHOICE = "choice"  # context of terms: words that are chosen or typed
ALLERGIES: Mapping[str, Sentence] = {
    "": say("as on file"),
    "severe": say("severe"),
    "mild": say("not severe"),
    "unknown": say("severity not recorded"),
    "cutaneous": say("SJS, TEN or DRESS"),
    "none": say("none"),
}
_SEROLOGY = ("positive", "negative")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "viral-load": ("not detected",),
    "g6pd": ("deficient", "normal"),
    **dict.fromkeys(("toxoplasma-igg", "crag", "hbsag", "anti-hbs", "tb-test", "coccidioides"), _SEROLOGY),
}
_MEASURES = ("cd4-count", "cd4-percent", "viral-load")
_NO_DIAGNOSES = frozenset(("hiv-not-established", "hiv-supporting", "hiv-inconclusive"))  # doubts, not diagnoses
_ROLES = frozenset(("oi", "g6pd-risk"))
Result = LabResult | OtherResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """By what a field says: the words that are shown for it."""

    regimens: Mapping[str, Sentence]
    antiretrovirals: Mapping[str, Sentence]
    others: Mapping[str, Sentence]
    problems: Mapping[str, Sentence]
    allergens: Mapping[str, Sentence]
    tests: Mapping[str, Sentence]
    profiles: frozenset[str]

    @property
    def drugs(self) -> frozenset[str]:
        """Keys of regimens, codes of ingredients."""
        return frozenset((*self.regimens, *self.antiretrovirals, *self.others))


def choices(knowledge: Knowledge, profiles: Mapping[str, object]) -> Choices:
    """Of everything that does not depend on the chart."""
    concepts = frozenset[str]().union(*knowledge.conditions.values()) - _NO_DIAGNOSES
    offered = frozenset[str]().union(*(one.agents for one in knowledge.regimens.values()))
    cared_for = offered | {code for code, one in knowledge.ingredients.items() if one.roles & _ROLES}
    drugs = {code: term(DRUG, one.name) for code, one in knowledge.ingredients.items()}
    art = [code for code, one in knowledge.ingredients.items() if "art" in one.roles]
    tests = (*_MEASURES, *(one for one in _WORDS if one not in _MEASURES))
    return Choices(
        regimens={key: regimen_name(one, dosed=True) for key, one in knowledge.regimens.items()},
        antiretrovirals={code: drugs[code] for code in art},
        others={code: named for code, named in drugs.items() if code not in art},
        problems={one: capital(name(one)) for one in sorted(concepts)},
        allergens={code: drugs[code] for code in sorted(cared_for)},
        tests={f"{NEW}{one}": capital(name(one)) for one in tests},
        profiles=frozenset(profiles),
    )


def results(record: PatientRecord, knowledge: Knowledge) -> dict[str, Sentence]:
    """The results of the chart by their keys, in words, measure after measure and the newest first; then what cannot be read."""
    read = {key_of(one): capital(fact(one, record.as_of, knowledge)) for one in islice(all_results(record), MOST)}
    bad = [one for one in record.unreadable if one.datum in (*_MEASURES, *_WORDS)]
    return read | {unread_key_of(one): _unread(one) for one in bad[:MOST]}


def _unread(one: Unreadable) -> Sentence:
    test, source = capital(name(one.datum)), verbatim(one.source)
    if one.latest:
        return say("{test} that cannot be read, {day} ({source})", test=test, day=day(one.latest), source=source)
    return say("{test} that cannot be read ({source})", test=test, source=source)


def all_results(record: PatientRecord) -> tuple[Result, ...]:
    """Those that count, whatever they are of."""
    return (*record.cd4_counts, *record.cd4_percents, *record.viral_loads, *record.other_results)


def key_of(one: Result) -> str:
    """What it is of, its resource, its day: enough to find it again in the same chart, and never in another."""
    return f"{measure_of(one)}|{one.source}|{one.date}"


def unread_key_of(one: Unreadable) -> str:
    """Likewise, of a result that cannot be read."""
    return f"{one.datum}|{one.source}|unread"


def of_key(key: str) -> str:
    """The measure or test that a key speaks of."""
    return key.removeprefix(NEW).partition("|")[0]


def measure_of(one: Result) -> str:
    """The measure or test that it is of."""
    return one.measure if isinstance(one, LabResult) else one.test


def said_by(measure: str) -> tuple[str, ...]:
    """The words that a result can be."""
    return _WORDS.get(measure, ())
