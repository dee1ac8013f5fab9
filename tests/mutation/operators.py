"""A node of a syntax tree and the place it hangs in come in; the faulty nodes that could stand there instead come out."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

Faults = Iterator[ast.AST]
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}
DROPS_EITHER = (ast.Add, ast.BitOr, ast.BitAnd)
TRUE, FALSE = ast.Constant(True), ast.Constant(False)


def faults(node: ast.AST, parent: ast.AST, field: str) -> Faults:
    """Every fault of this node, which stands in this field of its parent."""
    if _is_condition(node, parent, field):
        yield TRUE
        if field == "test":
            yield FALSE
    if type(node) in OPERATORS:
        yield from OPERATORS[type(node)](node, parent, field)


def _is_condition(node: ast.AST, parent: ast.AST, field: str) -> bool:
    """What decides an `if`, or what a comprehension leaves out."""
    decides = field == "test" and isinstance(parent, ast.If | ast.IfExp | ast.While)
    return (decides or field == "ifs") and not isinstance(node, ast.Constant)


def _comparison(node: ast.Compare, _parent: ast.AST, _field: str) -> Faults:
    for place, found in enumerate(node.ops):
        for other in COMPARISONS[type(found)]:
            ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
            yield ast.Compare(node.left, ops, node.comparators)


def _and_or(node: ast.BoolOp, _parent: ast.AST, _field: str) -> Faults:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for left in _each_without_one(node.values):
        yield left[0] if len(left) == 1 else ast.BoolOp(node.op, left)


def _unary(node: ast.UnaryOp, _parent: ast.AST, _field: str) -> Faults:
    yield node.operand


def _constant(node: ast.Constant, parent: ast.AST, field: str) -> Faults:
    """The next number and the one before; of the first in a list the last, which of a pair is the next as well."""
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        first = node.value == 0 and field == "slice" and isinstance(parent, ast.Subscript)
        yield from (ast.Constant(node.value + step) for step in ((-1,) if first else (1, -1)))


def _calculation(node: ast.BinOp, parent: ast.AST, _field: str) -> Faults:
    if isinstance(node.op, ast.Sub):
        yield ast.BinOp(node.right, node.op, node.left)
        if not isinstance(parent, ast.Attribute):  # (a - b).days: one day alone has no days
            yield node.left
    if type(node.op) in ARITHMETIC and not names_types(node):
        yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
    if isinstance(node.op, DROPS_EITHER):
        yield from (node.left, node.right)


def names_types(node: ast.AST | None) -> bool:
    """First | Second: a type, or several."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.BitOr) and names_types(node.left) and names_types(node.right)
    return isinstance(node, ast.Name) and node.id[0].isupper() and not node.id.isupper()


def _name(node: ast.Name, parent: ast.AST, field: str) -> Faults:
    if field == "func" and isinstance(parent, ast.Call) and node.id in NAMES:
        yield ast.Name(NAMES[node.id], ast.Load())


def _elements(node: ast.Tuple | ast.List | ast.Set, parent: ast.AST, field: str) -> Faults:
    """Without one of its elements, where it holds as many as there are; not `a, b = …`, and not a sentence of a card."""
    if not _is_collection(node, parent, field):
        return
    for dropped, left in zip(node.elts, _each_without_one(node.elts), strict=True):
        if not _is_text(dropped):
            empty = ast.Call(ast.Name("set", ast.Load()), [], [])
            yield type(node)(left, ast.Load()) if not isinstance(node, ast.Set) else ast.Set(left) if left else empty


def _is_collection(node: ast.Tuple | ast.List | ast.Set, parent: ast.AST, field: str) -> bool:
    starred = any(isinstance(one, ast.Starred) for one in node.elts)
    member = (
        field == "comparators" and isinstance(parent, ast.Compare) and isinstance(parent.ops[-1], ast.In | ast.NotIn)
    )
    made = field == "args" and isinstance(parent, ast.Call) and getattr(parent.func, "id", "") in ("frozenset", "set")
    return starred or member or made or isinstance(parent, ast.keyword) or isinstance(node, ast.Set)


def _is_text(node: ast.AST) -> bool:
    """Words for people; a string without a blank is a code or a key."""
    words = isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    return words or isinstance(node, ast.JoinedStr)


def _return(node: ast.Return, _parent: ast.AST, _field: str) -> Faults:
    """Nothing, where that is not what it is (nor False, which is taken alike)."""
    if node.value and not (isinstance(node.value, ast.Constant) and not node.value.value):
        yield ast.Return(ast.Constant(None))


def _dropped(node: ast.Expr | ast.AugAssign, _parent: ast.AST, _field: str) -> Faults:
    if isinstance(node, ast.AugAssign) or isinstance(node.value, ast.Call):
        yield ast.Pass()


def _loop_end(node: ast.Break | ast.Continue, _parent: ast.AST, _field: str) -> Faults:
    yield ast.Continue() if isinstance(node, ast.Break) else ast.Break()


def _each_without_one(of: list[ast.expr]) -> Iterator[list[ast.expr]]:
    return (of[:place] + of[place + 1 :] for place in range(len(of)))


OPERATORS: dict[type[ast.AST], Callable[[Any, ast.AST, str], Faults]] = {
    ast.Compare: _comparison,
    ast.BoolOp: _and_or,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.BinOp: _calculation,
    ast.Name: _name,
    ast.Tuple: _elements,
    ast.List: _elements,
    ast.Set: _elements,
    ast.Return: _return,
    ast.Expr: _dropped,
    ast.AugAssign: _dropped,
    ast.Break: _loop_end,
    ast.Continue: _loop_end,
}
