"""Python modules in; their mutants out: each a module with one fault, told by where it is and what it changes."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.operators import faults, names_types

ROOT = Path(__file__).resolve().parents[2]
WIDEST = 90  # columns of code told of a mutant
_LOGGERS = ("log", "_log", "logger", "_logger", "logging")
_SKIPPED = ast.Assert | ast.Raise | ast.Import | ast.ImportFrom


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node hangs: in a field of its parent, alone or in a list; `above` is the place of the parent."""

    parent: ast.AST
    field: str
    index: int | None
    above: "Place | None"

    @property
    def node(self) -> ast.AST:
        held = getattr(self.parent, self.field)
        found: ast.AST = held if self.index is None else held[self.index]
        return found

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node

    @contextmanager
    def holding(self, node: ast.AST) -> Iterator[None]:
        """With another node in this place."""
        kept = self.node
        self.put(node)
        try:
            yield
        finally:
            self.put(kept)

    def up(self) -> Iterator["Place"]:
        """This place, and those around it from the inside out."""
        place: Place | None = self
        while place:
            yield place
            place = place.above


@dataclass(frozen=True, slots=True, eq=False)
class Mutant:
    """One fault in one module."""

    file: str  # from the root of the project
    tree: ast.Module
    place: Place
    fault: ast.AST

    @property
    def module(self) -> str:
        return module_of(self.file)

    @property
    def line(self) -> int:
        """Of an f-string the line of the whole: what stands in it has none to rely on."""
        strings = [one.node for one in self.place.up() if isinstance(one.node, ast.JoinedStr)]
        found: int = getattr([self.place.node, *strings][-1], "lineno", 0)
        return found

    @property
    def function(self) -> str:
        named = ast.FunctionDef | ast.ClassDef
        return ".".join([one.node.name for one in self.place.up() if isinstance(one.node, named)][::-1])

    def source(self) -> str:
        """The whole module with the fault."""
        with self.place.holding(self.fault):
            return ast.unparse(self.tree)

    def change(self) -> tuple[str, str]:
        """Before and after, with as much of the statement around as fits."""
        shown = self.place
        for one in self.place.up():
            if isinstance(one.node, ast.FunctionDef | ast.ClassDef):
                break
            shown = one if len(_text(one.node)) <= WIDEST else shown
        before = _text(shown.node)
        with self.place.holding(self.fault):
            return _cut(before, _text(shown.node))

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.file, self.function, *self.change())

    def __str__(self) -> str:
        return f"{self.file}:{self.line}  {'  →  '.join(self.change())}"


def _text(node: ast.AST) -> str:
    """Its code on one line."""
    return " ".join(ast.unparse(node).split())


def _cut(before: str, after: str) -> tuple[str, str]:
    """Long texts from shortly before they differ to shortly after."""
    if len(before) <= WIDEST:
        return before, after
    start = _alike(before, after)
    end = min(_alike(before[::-1], after[::-1]), len(before) - start, len(after) - start)
    return _middle(before, start, end), _middle(after, start, end)


def _alike(one: str, other: str) -> int:
    """How many characters they begin with alike."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _middle(text: str, start: int, end: int, around: int = 30) -> str:
    first, last = max(0, start - around), min(len(text), len(text) - end + around)
    shown = (
        text[first:last]
        if last - first <= 2 * WIDEST
        else f"{text[first : first + WIDEST]} … {text[last - around : last]}"
    )
    return f"{'… ' if first else ''}{shown}{' …' if last < len(text) else ''}"


def module_of(file: str) -> str:
    """hooks/rules/scope.py as hooks.rules.scope."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def mutants_of(file: str, source: str | None = None) -> list[Mutant]:
    """All mutants of one module, in the order of its lines."""
    tree = ast.parse(source if source is not None else (ROOT / file).read_text("utf-8"))
    return [
        Mutant(file, tree, place, fault)
        for place in _places(tree, None)
        for fault in faults(place.node, place.parent, place.field)
    ]


def _places(parent: ast.AST, above: Place | None) -> Iterator[Place]:
    for field, held in ast.iter_fields(parent):
        for index, child in enumerate(held if isinstance(held, list) else [held]):
            if not isinstance(child, ast.AST) or _is_left_alone(child, parent, field):
                continue
            place = Place(parent, field, index if isinstance(held, list) else None, above)
            yield place
            yield from _places(child, place)


def _is_left_alone(node: ast.AST, parent: ast.AST, field: str) -> bool:
    """Annotations, assertions, errors, logging, and what a class or a rule is declared with but not judged by."""
    if field in ("annotation", "returns") or isinstance(node, _SKIPPED):
        return True
    if isinstance(node, ast.Assign):  # the name of a union of types, or what a class or module lists of itself
        return names_types(node.value) or _called(node.targets[0]) in ("__slots__", "__all__")
    if isinstance(node, ast.keyword):  # @rule(cites=…): which sources stand behind it
        return node.arg == "cites" and _called(parent) == "rule"
    if isinstance(node, ast.Expr):
        return _called(node.value) in _LOGGERS
    declared = field == "decorator_list" and _called(node) == "dataclass"
    return declared or _called(getattr(node, "test", None)) == "TYPE_CHECKING"


def _called(node: object) -> str:
    """The first name of `name`, `name(…)` or `name.method(…)`."""
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
