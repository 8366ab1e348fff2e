from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracle import arrays, assert_as_jax

from minitorch import ops
from minitorch.autodiff import grad, vjp

MATMUL = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((6, 5, 2, 3), (3,)),
    ((1, 1, 3), (2, 3, 1)),
    ((0, 2, 3), (3, 4)),
    ((5, 2, 0), (0, 4)),
    ((2, 3), (0, 3, 4)),
    ((2, 0), (0,)),
    ((0,), (0, 3)),
]
EINSUM = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("bthd,bshd->bhts", (2, 3, 2, 4), (2, 5, 2, 4)),
    ("ij , jk", (2, 3), (3, 4)),
    ("ba", (2, 3)),
    ("i,j", (2,), (3,)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iii->i", (3, 3, 3)),
    ("iij,jk->k", (2, 2, 3), (3, 4)),
    ("...i,...i", (2, 5), (1, 5)),
    ("...,...", (2, 3), (3,)),
    ("...ij,jk", (2, 5, 3), (3, 4)),
    ("a...b->b...", (2, 3, 4, 5)),
    (",ij->ij", (), (2, 3)),
    ("i,i->", (5,), (1,)),
    ("ij,ij->ij", (1, 3), (2, 1)),
    ("ij,ij->j", (3, 1), (3, 5)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("ijk,ijl,ijm->klm", (2, 1, 2), (1, 3, 2), (2, 3, 2)),
    ("ij,j->i", (0, 3), (3,)),
    ("ij,jk->ik", (2, 0), (0, 4)),
]
OTHERS = [
    ("tensordot", {}, (2, 3, 4), (3, 4, 5)),
    ("tensordot", {"axes": 0}, (2,), (3,)),
    ("tensordot", {"axes": ((0, 2), (1, 0))}, (2, 3, 4), (4, 2, 5)),
    ("tensordot", {"axes": (-1, 0)}, (2, 3), (3,)),
    ("dot", {}, (), (2,)),
    ("dot", {}, (2, 3), ()),
    ("dot", {}, (3,), (3,)),
    ("dot", {}, (2, 3), (5, 3, 4)),
    ("vdot", {}, (2, 3), (2, 3)),
    ("inner", {}, (2, 3), (4, 3)),
    ("inner", {}, (), (3,)),
    ("outer", {}, (2, 3), (4,)),
    ("outer", {}, (), (0,)),
]


@pytest.mark.parametrize(("a", "b"), MATMUL)
def test_matmul_of_any_ranks_is_as_in_jax_to_order_two(a, b):
    assert_as_jax(ops.matmul, jnp.matmul, arrays(a, b))


@pytest.mark.parametrize(("subscripts", "shapes"), [(s, shapes) for s, *shapes in EINSUM])
def test_einsum_is_as_in_jax_to_order_two(subscripts, shapes):
    assert_as_jax(partial(ops.einsum, subscripts), partial(jnp.einsum, subscripts), arrays(*shapes))


@pytest.mark.parametrize(("name", "keywords", "shapes"), [(name, k, shapes) for name, k, *shapes in OTHERS])
def test_the_other_products_are_as_in_jax_to_order_two(name, keywords, shapes):
    ours, theirs = (partial(getattr(module, name), **keywords) for module in (ops, jnp))
    assert_as_jax(ours, theirs, arrays(*shapes))


@pytest.mark.parametrize(("a", "b"), [((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (5, 3, 4))])
def test_matmul_under_vmap(a, b):
    assert_as_jax(ops.matmul, jnp.matmul, arrays((2, *a), (2, *b)), over=jax.vmap)


def test_einsum_under_vmap():
    subscripts = "...ij,jk->...ik"
    args = arrays((2, 5, 2, 3), (2, 3, 4))
    assert_as_jax(partial(ops.einsum, subscripts), partial(jnp.einsum, subscripts), args, over=jax.vmap)


@pytest.mark.parametrize("fun", [ops.matmul, partial(ops.einsum, "btd,df->btf")])
def test_a_cotangent_has_the_dtype_of_its_argument(fun):
    x, w = arrays((2, 5, 3))[0].astype("bfloat16"), arrays((3, 4))[0]
    y, pullback = vjp(fun, x, w)
    assert y.dtype == "float32"
    assert [g.dtype for g in pullback(y)] == ["bfloat16", "float32"]


def test_the_gradient_of_a_weight_is_one_two_dimensional_product():
    jaxpr = jax.make_jaxpr(grad(lambda w, x: ops.sum(ops.matmul(x, w))))(*arrays((3, 4), (5, 2, 3)))
    *_, last = [e for e in jaxpr.eqns if e.primitive.name == "dot_general"]
    assert [v.aval.shape for v in last.invars] == [(3, 10), (10, 4)]


def test_products_on_plain_arrays_are_jax_arrays():
    a, b = arrays((2, 3), (3, 4))
    for y in (ops.matmul(a, b), ops.einsum("ij,jk", a, b), ops.tensordot(a, b, 1), ops.dot(a, np.asarray(b))):
        assert isinstance(y, jax.Array)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a, b: ops.einsum("ij", a, b), "'ij' describes 1 operands but was given 2"),
        (lambda a, b: ops.einsum("ijk,jk", a, b), "'ijk' names 3 axes of an operand that has 2"),
        (lambda a, b: ops.einsum("i,jk", a, b), "'i' names 1 axes of an operand that has 2"),
        (lambda a, b: ops.tensordot(a, b, (0, 0)), r"lengths \[2\] and \[3\] differ"),
        (lambda a, b: ops.tensordot(a, b, (2, 0)), "axis 2 is out of bounds"),
        (lambda a, b: ops.tensordot(a, b, ((1, 1), (0, 0))), "names one axis twice"),
    ],
)
def test_a_product_that_does_not_fit_says_why(call, message):
    with pytest.raises(ValueError, match=message):
        call(*arrays((2, 3), (3, 4)))
