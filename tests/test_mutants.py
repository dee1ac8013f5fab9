"""A few lines of Python in, the faults put into them out; and what becomes of a module of `hooks/` that has one."""

import ast
from pathlib import Path

import pytest

from tests.mutation.__main__ import GROUPS, drawn, files_of, intact, tried
from tests.mutation.mutants import ROOT, Mutant, mutants_of
from tests.mutation.operators import TRUE
from tests.mutation.result import Result, entry, equivalents
from tests.mutation.trial import Outcome, judge

SCOPE = "hooks/rules/scope.py"
RULES = {path.stem for path in (ROOT / "tests" / "spec").glob("*.toml")}
FAULTS = {
    "x = a < b": ["a <= b", "a >= b"],
    "x = a <= b <= c": ["a < b <= c", "a > b <= c", "a <= b < c", "a <= b > c"],
    "x = a == b": ["a != b"],
    "x = a is not None": ["a is None"],
    "x = a and b": ["a or b", "b", "a"],
    "x = a or b or c": ["a and b and c", "b or c", "a or c", "a or b"],
    "x = not a": ["a"],
    "x = True": ["False"],
    "x = 180": ["181", "179"],
    "x = a[:1]": ["a[:2]", "a[:0]"],
    "x = a[0]": ["a[-1]"],
    "x = any(a)": ["all(a)"],
    "x = min(a)": ["max(a)"],
    "x = a + b": ["a", "b"],
    "x = a - b": ["b - a", "a"],
    "x = (a - b).days": ["(b - a).days"],
    "x = a * b": ["a / b"],
    "x = [a for a in b if a]": ["[a for a in b if True]"],
    "x = a if b else c": ["a if True else c", "a if False else c"],
    "x = (*a, b)": ["(b,)", "(*a,)"],
    "x = a in ('low', 'high')": ["a not in ('low', 'high')", "a in ('high',)", "a in ('low',)"],
    "x = f(notes=('A sentence.', a))": ["f(notes=('A sentence.',))"],
    "x = isinstance(a, First | Second)": ["isinstance(a, First)", "isinstance(a, Second)"],
}
LEFT_ALONE = [
    '"""A docstring."""',
    "x = 'words'",
    "x: Annotated[int, 5]",
    "def f(a: Literal[1]) -> Literal[2]: ...",
    "Union = First | Second",
    "__slots__ = (*a, 'b')",
    "assert a < 5",
    "raise Error(5)",
    "_log.error('%s', 5)",
    "@dataclass(frozen=True)\nclass A: ...",
    "@rule(cites=('a', 'b'))\ndef f(): ...",
    "first, second = a, b",
    "return_none = None",
]


def mutated(source: str) -> list[str]:
    return [one.source() for one in mutants_of("hooks/x.py", source)]


@pytest.mark.parametrize("source", FAULTS)
def test_each_fault_is_put_in_alone(source: str) -> None:
    assert mutated(source) == [f"x = {fault}" for fault in FAULTS[source]]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("if a:\n    b = c", ["if True:\n    b = c", "if False:\n    b = c"]),
        ("def f():\n    return a", ["def f():\n    return None"]),
        ("def f():\n    a.append(b)", ["def f():\n    pass"]),
        ("for a in b:\n    break", ["for a in b:\n    continue"]),
    ],
)
def test_statements_have_faults_too(source: str, wanted: list[str]) -> None:
    assert mutated(source) == wanted


@pytest.mark.parametrize("source", LEFT_ALONE)
def test_documentation_declarations_and_words_are_left_alone(source: str) -> None:
    assert mutated(source) == []


def test_a_mutant_tells_where_it_is_and_what_it_changes() -> None:
    function = "class A:\n    def f(self):\n        if self.days:\n            return g(90)"
    told = [(one.line, one.function, *one.change()) for one in mutants_of("hooks/x.py", function)]
    shown = "if self.days: return g(90)"
    assert told == [
        (3, "A.f", shown, "if True: return g(90)"),
        (3, "A.f", shown, "if False: return g(90)"),
        (4, "A.f", shown, "if self.days: return None"),
        (4, "A.f", shown, "if self.days: return g(91)"),
        (4, "A.f", shown, "if self.days: return g(89)"),
    ]


def test_of_a_long_statement_it_tells_what_is_around_the_change() -> None:
    call = f"x = f({'long, ' * 20}a < b{', long' * 20})"
    (before, after), *_ = [one.change() for one in mutants_of("hooks/x.py", call)]
    assert (before, after) == ("a < b", "a <= b")
    dropped = mutants_of("hooks/x.py", f"x = ({'long, ' * 20}*a{', long' * 20})")[20]
    assert [text.count("*a") for text in dropped.change()] == [1, 0]
    assert all(len(text) < 100 for text in dropped.change())


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    every = mutants_of(SCOPE)
    assert drawn(every, 10, 2026) == drawn(every, 10, 2026)
    assert drawn(every, 10, 2026) != drawn(every, 10, 2027)
    assert drawn(every, 0, 2026) == every


def harmful() -> Mutant:
    """Nobody with HIV would be advised."""
    return next(one for one in mutants_of(SCOPE) if one.fault is TRUE and isinstance(one.place.parent, ast.If))


def test_a_harmful_mutant_is_killed_by_a_case() -> None:
    ((mutant, outcome),) = tried([harmful()], workers=1, timeout=60)
    assert mutant.function == "scope"
    assert outcome.killed_by is not None
    assert outcome.killed_by.split(": ")[0] in RULES


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        ("raise ValueError(5)", Outcome("does not start: ValueError: 5")),
        ("import os\nos._exit(0)", Outcome("the process died")),
        ("while True: pass", Outcome("no answer in time", timed_out=True)),
    ],
)
def test_what_does_not_start_dies_or_never_ends_is_killed(source: str, outcome: Outcome) -> None:
    assert judge({"hooks.rules.scope": source}, timeout=2 if outcome.timed_out else 60) == outcome


@pytest.mark.slow
def test_without_a_fault_every_module_passes() -> None:
    assert intact(files_of(GROUPS)) == Outcome(None)


def test_survivors_lower_the_rate_but_for_those_judged_equivalent(tmp_path: Path) -> None:
    alike, survivor, *rest = mutants_of(SCOPE)
    listed = tmp_path / "equivalent.toml"
    listed.write_text(entry(alike).replace('why = ""', 'why = "no case can tell"'), "utf-8")
    result = Result(equivalents(listed))
    counted = [result.count(one, Outcome(None)) for one in (alike, survivor)]
    result.count(rest[0], Outcome("no answer in time", timed_out=True))
    result.count(rest[1], Outcome("a case"))
    assert counted == [False, True]
    assert (result.killed, result.timed_out, result.alike, result.survivors) == (2, 1, 1, [survivor])
    assert result.rate == pytest.approx(200 / 3)


def test_an_equivalent_mutant_needs_a_reason(tmp_path: Path) -> None:
    listed = tmp_path / "equivalent.toml"
    listed.write_text(entry(harmful()), "utf-8")
    with pytest.raises(ValueError, match="without a reason"):
        equivalents(listed)


def test_each_mutant_listed_as_equivalent_is_one_there_is() -> None:
    keys = [one.key for file in files_of(GROUPS) for one in mutants_of(file)]
    assert [key for key in equivalents() if keys.count(key) != 1] == []
