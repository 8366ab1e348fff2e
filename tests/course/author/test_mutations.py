import ast

import pytest

from minitorch_course.author.mutations import mutations


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("-x", ["x"]),
        ("not x", ["x"]),
        ("a + b", ["a - b", "a", "b"]),
        ("a - b", ["a + b", "b - a", "a", "b"]),
        ("a * b", ["a / b", "a", "b"]),
        ("a / b", ["a * b", "b / a", "a", "b"]),
        ("a @ b", ["b @ a", "a", "b"]),
        ("2", ["3", "1"]),
        ("-1", ["0", "-2"]),
        ("0.5", ["1.0"]),
        ("1e-05", ["0.01"]),
        ("True", ["False"]),
        ("None", []),
        ("'text'", []),
        ("'ij,jk->ik'", ["'ij,jk->ki'"]),
        ("a < b", ["a <= b", "a > b"]),
        ("a >= b", ["a > b", "a <= b"]),
        ("a == b", ["a != b"]),
        ("a and b", ["a or b"]),
        ("a if c else b", ["b if c else a"]),
        ("x.T", ["x"]),
        ("jnp.sum", ["jnp.mean"]),
        ("jnp.min", ["jnp.max"]),
        ("jnp.tanh", []),
        ("f(a, b, c)", ["f(b, a, c)"]),
        ("jnp.maximum(a, b)", []),
        ("jnp.where(c, a, b)", ["jnp.where(c, b, a)"]),
        ("f(*a, b)", []),
        ("range(n)", ["range(n - 1)"]),
        ("range(1, n)", ["range(1, n - 1)"]),
        ("range(0, n, k)", ["range(0, n - k, k)"]),
        ("reversed(tape)", ["tape"]),
        ("x.sum(axis=axis)", ["x.sum()"]),
        ("x.sum(axis=0)", []),
    ],
)
def test_edits_of_an_expression(code, expected):
    assert [ast.unparse(edit) for edit in mutations(ast.parse(code, mode="eval").body)] == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x += y", ["x -= y", "pass"]),
        ("tape.append(x)", ["pass"]),
        ("break", ["pass"]),
        ("continue", ["pass"]),
        ("x = y", []),
        ("return x", []),
        ("return a, b, c", ["return (b, a, c)"]),
    ],
)
def test_edits_of_a_statement(code, expected):
    assert [ast.unparse(edit) for edit in mutations(ast.parse(code).body[0])] == expected
