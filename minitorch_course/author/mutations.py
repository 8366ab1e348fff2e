"""The mutations of one node of a syntax tree: edits that a typing mistake could make."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SWAPPED_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}
DO_NOT_COMMUTE = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
SWAPPED_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
PAIRS = [("sum", "mean"), ("max", "min"), ("maximum", "minimum"), ("argmax", "argmin"), ("zeros", "ones")]
PAIRS += [("zeros_like", "ones_like"), ("sin", "cos"), ("exp", "expm1"), ("log", "log1p")]
SWAPPED_NAMES = dict(PAIRS) | {b: a for a, b in PAIRS}
# Functions of two arguments whose order does not matter, or is checked by Python.
COMMUTE = {"maximum", "minimum", "add", "multiply", "logical_and", "logical_or", "equal", "not_equal", "isinstance"}
COMMUTE |= {"allclose", "isclose", "broadcast_shapes", "hypot", "max", "min", "clip", "getattr", "hasattr"}
TINY = 1e-3  # A smaller constant guards against zero, and doubling it changes nothing.


def mutations(node: ast.expr | ast.stmt) -> Iterator[ast.expr | ast.stmt]:
    """Yield the replacements for `node`."""
    match node:
        case ast.Constant():
            yield from _constants(node.value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            yield from _constants(-value)
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()):
            yield node.operand
        case ast.BinOp():
            yield from _operations(node)
        case ast.Compare(ops=[operator]):
            for swapped in SWAPPED_COMPARISONS[type(operator)]:
                yield ast.Compare(node.left, [swapped()], node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Attribute():
            yield from _attributes(node)
        case ast.Call():
            yield from _calls(node)
        case ast.AugAssign():
            yield from _updates(node)
        case ast.Return(value=ast.Tuple(elts=[_, _, *_] as results)):
            yield ast.Return(ast.Tuple(_swapped(results), ast.Load()))
        case ast.Expr(value=ast.Call()) | ast.Break() | ast.Continue():
            yield ast.Pass()


def _constants(value: object) -> Iterator[ast.expr]:
    """Yield a constant that is off by one or by a factor of two, the other truth value, an einsum with swapped axes."""
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield from (_number(value + step) for step in (1, -1))
    elif isinstance(value, float):
        yield _number(1.0 if value == 0 else value * (2 if abs(value) > TINY else 1e3))
    elif isinstance(value, str) and "->" in value and not value.endswith("->"):
        inputs, _, output = value.partition("->")
        yield ast.Constant(f"{inputs}->{output.strip()[::-1]}")


def _number(value: float) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


def _operations(node: ast.BinOp) -> Iterator[ast.expr]:
    """Yield another operator, swapped operands, and each operand alone."""
    if swapped := SWAPPED_OPERATORS.get(type(node.op)):
        yield ast.BinOp(node.left, swapped(), node.right)
    if isinstance(node.op, DO_NOT_COMMUTE):
        yield ast.BinOp(node.right, node.op, node.left)
    yield node.left
    yield node.right


def _updates(node: ast.AugAssign) -> Iterator[ast.stmt]:
    if swapped := SWAPPED_OPERATORS.get(type(node.op)):
        yield ast.AugAssign(node.target, swapped(), node.value)
    yield ast.Pass()


def _attributes(node: ast.Attribute) -> Iterator[ast.expr]:
    if node.attr in ("T", "mT"):
        yield node.value
    elif swapped := SWAPPED_NAMES.get(node.attr):
        yield ast.Attribute(node.value, swapped, node.ctx)


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    """Yield swapped arguments, a missing axis, one step fewer, and an order that is not reversed."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in ("reversed", "sorted") and len(node.args) == 1:
        yield node.args[0]
    if name == "range":
        place = min(len(node.args) - 1, 1)
        step = node.args[2] if len(node.args) == 3 else ast.Constant(1)
        fewer = ast.BinOp(node.args[place], ast.Sub(), step)
        yield _with(node, [*node.args[:place], fewer, *node.args[place + 1 :]])
    elif len(node.args) > 1 and name not in COMMUTE and not any(isinstance(a, ast.Starred) for a in node.args):
        yield _with(node, _swapped(node.args, 1 if name == "where" else 0))
    for keyword in node.keywords:
        if keyword.arg == "axis" and not isinstance(keyword.value, ast.Constant | ast.UnaryOp):
            yield ast.Call(node.func, node.args, [k for k in node.keywords if k is not keyword])


def _swapped(items: list[ast.expr], i: int = 0) -> list[ast.expr]:
    """Return `items` with those at `i` and `i + 1` swapped."""
    return [*items[:i], *reversed(items[i : i + 2]), *items[i + 2 :]]


def _with(node: ast.Call, arguments: list[ast.expr]) -> ast.Call:
    return ast.Call(node.func, arguments, node.keywords)
