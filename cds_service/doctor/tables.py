"""A report in; out come its tables, which terminal and page share: titles, heads, rows, and how much a row matters."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from cds_service.doctor import words
from cds_service.doctor.findings import WEIGHTS, CodeReport, KeyReport, Remark, Report, RuleReport

Mark = Literal["", "loses", "refused"]
Cell = str | int
CODED = ("Key", "Code", "Unit", "Shape", "Search", "Check", "Rule")  # heads of what is written as it came


@dataclass(frozen=True, slots=True)
class Row:
    """`mark`: advice is lost, or nothing can be had at all."""

    cells: tuple[Cell, ...]
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One table. `about`: what it tells, where its title does not."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    about: str = ""

    @property
    def anchor(self) -> str:
        """What it is linked by."""
        return "".join(sign if sign.isalnum() else "-" for sign in self.title.casefold())


def sections(report: Report) -> tuple[Section, ...]:
    """Every table that has a row, what matters most first."""
    return tuple(one for one in _every(report) if one.rows)


def _every(report: Report) -> Iterator[Section]:
    yield _examined(report)
    for weight in WEIGHTS:
        found = _remarks(
            (one for one in report.remarks if one.weight == weight), "" if weight == "harmless" else weight
        )
        yield Section(words.WEIGHT[weight], _REMARK, found)
    yield _rules(report)
    yield Section("Prefetch templates", ("Key", "Came", "Noticed"), tuple(map(_key, report.keys)), words.KEYS)
    for kind, name in words.KINDS.items():
        rows = tuple(_code(one) for one in report.codes if one.kind == kind)
        yield Section(name, ("Code", "Display", "Taken for", "Times"), rows)
    yield _units(report)
    yield Section("Clocks", _REMARK, _remarks(report.clocks, "loses"))
    yield _parameters(report)
    yield _token(report)
    yield Section("Strict validity", _REMARK, _remarks(report.invalid, ""), words.VALIDITY)


_REMARK = ("Where", "What", "Times")


def _remarks(found: Iterable[Remark], mark: Mark) -> tuple[Row, ...]:
    return tuple(Row((one.where or "the call", one.says, one.times), mark) for one in found)


def _examined(report: Report) -> Section:
    fine = ("answered", "no call")
    rows = (
        Row((one.name, one.hook, one.outcome), "" if one.outcome.startswith(fine) else "refused")
        for one in report.examined
    )
    return Section("What was looked at", ("Request", "Hook", "Outcome"), tuple(rows))


def _rules(report: Report) -> Section:
    heads = ("Rule", "Assessed", "Not", "Not reached", "Why")
    return Section("Which advice this client can get", heads, tuple(map(_rule, report.rules)), words.RULES)


def _rule(one: RuleReport) -> Row:
    mark: Mark = "refused" if one.never else "loses" if one.not_assessed else ""
    return Row((one.rule, one.assessed, one.not_assessed, one.not_reached, words.outcome(one)), mark)


def _key(one: KeyReport) -> Row:
    came = dict(one.states)
    lost = came.get("missing", 0) + came.get("malformed", 0) + came.get("partial", 0)
    never = one.states and not came.keys() - {"missing", "malformed"}
    return Row((one.key, words.states(one), words.notes(one)), "refused" if never else "loses" if lost else "")


def _code(one: CodeReport) -> Row:
    mark: Mark = "refused" if one.ours is None else "loses" if one.why else ""
    named = "\n".join(map(words.code, one.codes)) or "no code"
    return Row((named, one.display, words.meaning(one), one.times), mark)


def _units(report: Report) -> Section:
    rows = (
        Row((one.measure, one.unit, one.shape, one.why or "yes", one.times), "loses" if one.why else "")
        for one in report.units
    )
    return Section("Units and written results", ("Of", "Unit", "Shape", "Read", "Times"), tuple(rows), words.SHAPES)


def _parameters(report: Report) -> Section:
    stated = {True: "yes", False: "no", None: "–"}
    rows = (
        Row((one.search, stated[one.declared], one.found, one.says), "loses" if one.found == "ignored" else "")
        for one in report.parameters
    )
    heads = ("Search", "Declared", "Found", "What follows")
    return Section("Search parameters of the FHIR server", heads, tuple(rows), words.PARAMETERS)


def _token(report: Report) -> Section:
    rows = (Row((one.name, one.result, one.says), "refused" if one.result == "failed" else "") for one in report.token)
    return Section("The token", ("Check", "Result", "What came, what is expected"), tuple(rows), words.CHECKS)
