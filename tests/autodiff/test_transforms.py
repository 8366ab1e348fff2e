"""Each transformation compared with JAX's, on functions that both can run."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

import minitorch as mt
from minitorch import ops
from minitorch.autodiff import Tensor

X = jnp.array([0.5, -1.0, 2.0])
W = jnp.array([[1.0, -0.5], [0.3, 0.7], [-1.2, 0.1]])


@partial(jax.tree_util.register_dataclass, data_fields=["weight", "bias"], meta_fields=["name"])
@dataclasses.dataclass(frozen=True)
class Layer:
    weight: Any
    bias: Any
    name: str = "layer"


MODEL = {"layers": [Layer(W, jnp.array([0.1, -0.2])), Layer(W.T, None)], "scale": jnp.float32(1.5), "nothing": None}


def predict(model, x):
    first, second = model["layers"]
    return ops.tanh(x @ first.weight + first.bias) @ second.weight * model["scale"]


def loss(model, x):
    return ops.mean(predict(model, x) ** 2)


def assert_same(actual, expected, tolerance=1e-5):
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    for a, e in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        assert isinstance(a, jax.Array)
        assert (a.shape, a.dtype) == (jnp.shape(e), jnp.result_type(e))
        np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance)


# value_and_grad and grad.


def test_the_gradient_of_a_model_of_any_pytree_has_its_structure():
    value, grads = mt.value_and_grad(loss)(MODEL, X)
    assert_same((value, grads), jax.value_and_grad(loss)(MODEL, X))
    assert grads["nothing"] is None
    assert grads["layers"][1].bias is None
    assert isinstance(grads["layers"][0], Layer)


@pytest.mark.parametrize("argnums", [0, 1, -1, (0, 1), [1], (1, 0), ()])
def test_argnums_are_those_of_jax(argnums):
    def fun(x, w, power=2):
        return ops.sum((x @ w) ** power)

    if argnums == ():
        assert mt.grad(fun, argnums)(X, W) == ()
    else:
        assert_same(mt.grad(fun, argnums)(X, W, power=3), jax.grad(fun, argnums)(X, W, power=3))


def test_aux_is_returned_with_the_value_as_plain_arrays():
    def fun(x):
        y = ops.sin(x)
        return ops.sum(y), {"y": y, "x": x, "text": "hello", "none": None}

    (value, aux), grads = mt.value_and_grad(fun, has_aux=True)(X)
    assert aux["text"] == "hello"
    assert aux["none"] is None
    assert isinstance(aux["y"], jax.Array)
    assert isinstance(aux["x"], jax.Array)
    assert_same((value, aux["y"], grads), (jnp.sin(X).sum(), jnp.sin(X), jnp.cos(X)))
    grads, aux = mt.grad(fun, has_aux=True)(X)
    assert_same((grads, aux["x"]), (jnp.cos(X), X))


def test_a_parameter_that_is_not_used_has_the_gradient_zero():
    unused = jnp.ones((2, 2), jnp.bfloat16)
    assert_same(
        mt.grad(lambda p: p["x"] * 2)({"x": jnp.float32(1), "unused": unused}),
        {"x": jnp.float32(2), "unused": unused * 0},
    )


@pytest.mark.parametrize("constant", [lambda x: 3.0, lambda x: jnp.float32(3), lambda x: ops.sum(mt.stop_gradient(x))])
def test_a_constant_has_the_gradient_zero(constant):
    assert_same(mt.grad(constant)(X), jnp.zeros(3))


def test_the_input_itself_may_be_the_output():
    assert_same(mt.value_and_grad(lambda x: x)(2.0), (jnp.float32(2), jnp.float32(1)))
    y, pullback = mt.vjp(lambda x: (x, x, 2 * x), X)
    assert_same((y, pullback((X, X, X))), ((X, X, 2 * X), (4 * X,)))


def test_python_and_numpy_numbers_are_arguments_too():
    assert_same(mt.grad(lambda x: x * x)(3.0), jnp.float32(6))
    assert_same(mt.grad(lambda x: ops.sum(x * x))(np.array([1, 2], np.float32)), jnp.array([2.0, 4.0]))


def test_derivatives_of_derivatives_to_order_three():
    def fun(x):
        return ops.sin(x) * ops.exp(x * x) / (1 + x)

    ours = theirs = fun
    for _ in range(3):
        ours, theirs = mt.grad(ours), jax.grad(theirs)
        assert_same(ours(0.4), theirs(0.4), 1e-4)


def test_the_gradient_keeps_name_and_documentation():
    assert mt.grad(loss).__name__ == mt.value_and_grad(loss).__name__ == "loss"


# Inside JAX's transformations.


def test_the_gradient_under_jit():
    assert_same(jax.jit(mt.value_and_grad(loss))(MODEL, X), jax.jit(jax.value_and_grad(loss))(MODEL, X))


def test_the_gradient_under_vmap_is_one_for_each_example():
    xs = jnp.stack([X, 2 * X])
    ours, theirs = (jax.vmap(f(loss), (None, 0))(MODEL, xs) for f in (mt.value_and_grad, jax.value_and_grad))
    assert_same(ours, theirs)


def test_the_gradient_under_shard_map_is_that_of_the_whole_batch():
    mesh = Mesh(np.array(jax.devices()), ("data",))
    xs = jnp.arange(6.0 * mesh.size).reshape(2 * mesh.size, 3) / mesh.size
    spec = PartitionSpec

    @partial(jax.shard_map, mesh=mesh, in_specs=(spec(), spec("data")), out_specs=spec())
    def step(model, xs):
        return jax.lax.pmean(mt.value_and_grad(loss)(model, xs), "data")

    assert_same(jax.jit(step)(MODEL, xs), jax.value_and_grad(loss)(MODEL, xs))


def test_the_gradient_in_the_body_of_a_scan():
    def descend(x, _):
        value, slope = mt.value_and_grad(lambda x: ops.sum(x**2))(x)
        return x - 0.1 * slope, value

    x, values = jax.lax.scan(descend, X, length=5)
    np.testing.assert_allclose(x, X * 0.8**5, rtol=1e-5)
    np.testing.assert_allclose(values, (X**2).sum() * 0.64 ** np.arange(5), rtol=1e-5)


@pytest.mark.parametrize(
    "wrap",
    [jax.jit, lambda f: jax.vmap(f, (None, 0)), lambda f: jax.jit(jax.checkpoint(f))],
    ids=["jit", "vmap", "checkpoint"],
)
def test_a_transformed_function_is_differentiated_through_from_jax(wrap):
    def fun(w, xs):
        return jnp.sin(xs @ w)

    transformed = wrap(fun)
    xs = jnp.stack([X, 2 * X])
    ours = mt.grad(lambda w: ops.sum(mt.from_jax(transformed)(w, xs) ** 2))(W)
    assert_same(ours, jax.grad(lambda w: jnp.sum(transformed(w, xs) ** 2))(W))


def test_jax_differentiates_and_batches_what_minitorch_differentiates():
    def slope(x):
        return mt.grad(lambda x: ops.sum(ops.sin(x) ** 2))(x)

    def oracle(x):
        return jax.grad(lambda x: jnp.sum(jnp.sin(x) ** 2))(x)

    assert_same(jax.jacobian(slope)(X), jax.jacobian(oracle)(X))
    assert_same(mt.grad(lambda x: ops.sum(slope(x)))(X), jax.grad(lambda x: jnp.sum(oracle(x)))(X))


# vjp and jvp.

FUNCTIONS = {
    "matrix": (lambda x, w: ops.exp(x) @ w, (X, W)),
    "pytree": (lambda p: {"y": [p["x"] * p["w"][:, 0], ops.sum(p["w"])], "same": p["x"]}, ({"x": X, "w": W},)),
    "part unused": (lambda x, w: ops.cos(x), (X, W)),
    "constant": (lambda x: jnp.ones(2), (X,)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_vjp_is_that_of_jax(name):
    fun, primals = FUNCTIONS[name]
    y, pullback = mt.vjp(fun, *primals)
    expected, expected_pullback = jax.vjp(fun, *primals)
    assert_same((y, pullback(y)), (expected, expected_pullback(y)))
    assert_same(pullback(y), expected_pullback(y))  # It may be called again.


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jvp_by_two_vjps_is_that_of_jax(name):
    fun, primals = FUNCTIONS[name]
    tangents = jax.tree.map(lambda x: jnp.cos(3 * x), primals)
    assert_same(mt.jvp(fun, primals, tangents), jax.jvp(fun, primals, tangents))


def test_jvp_of_a_constant_is_zero():
    assert mt.jvp(lambda x: 3.0, (1.0,), (1.0,)) == (3.0, 0.0)


def test_jvp_of_the_gradient_is_the_product_of_the_hessian_with_a_vector():
    def fun(x):
        return ops.sum(ops.sin(x) * x[0])

    assert_same(mt.jvp(mt.grad(fun), (X,), (X + 1,)), jax.jvp(jax.grad(fun), (X,), (X + 1,)))
    assert_same(mt.grad(lambda x: mt.jvp(fun, (x,), (X,))[1])(X), jax.grad(lambda x: jax.jvp(fun, (x,), (X,))[1])(X))


def test_vjp_with_aux():
    y, pullback, aux = mt.vjp(lambda x: (x * x, ops.sin(x)), X, has_aux=True)
    assert_same((y, pullback(jnp.ones(3)), aux), (X * X, (2 * X,), jnp.sin(X)))


def test_the_pullback_of_an_integer_output_ignores_it():
    y, pullback = mt.vjp(lambda x: (x * 2, ops.argmax(x)), X)
    assert_same(pullback((X, y[1])), (2 * X,))


# stop_gradient.


def test_stop_gradient_makes_a_constant_for_ours_and_for_jax():
    def fun(x):
        return ops.sum(x * mt.stop_gradient(ops.sin(x)))

    assert_same(mt.grad(fun)(X), jnp.sin(X))
    assert_same(jax.grad(fun)(X), jnp.sin(X))


# checkpoint.


def block(layer, x):
    return {"y": ops.sin(x @ layer.weight + layer.bias), "x": ops.exp(x)}


def total(wrap, layer, x):
    out = wrap(block)(layer, x)
    return ops.sum(out["y"] ** 2) + ops.sum(out["x"])


def test_checkpoint_changes_no_number_to_order_two():
    layer = MODEL["layers"][0]
    plain, checkpointed = (partial(total, wrap) for wrap in (lambda f: f, mt.checkpoint))
    assert_same(mt.value_and_grad(checkpointed, (0, 1))(layer, X), jax.value_and_grad(plain, (0, 1))(layer, X))

    def slope(grad, fun, x):
        return ops.sum(grad(fun)(layer, x).weight ** 2)

    assert_same(mt.grad(partial(slope, mt.grad, checkpointed))(X), jax.grad(partial(slope, jax.grad, plain))(X))
    assert_same(jax.jit(mt.grad(checkpointed))(layer, X), mt.grad(plain)(layer, X))


def test_checkpoint_calls_its_function_again_in_the_backward_pass():
    calls = []

    def fun(x):
        calls.append(type(x))
        return ops.sin(x)

    y, pullback = mt.vjp(mt.checkpoint(fun), X)
    assert calls == [type(X)]  # On plain arrays: nothing inside is recorded.
    pullback(y)
    assert calls == [type(X), Tensor]


@pytest.mark.parametrize(("wrap", "count"), [(lambda f: f, 8), (mt.checkpoint, 16)])
def test_checkpoint_computes_again_what_it_does_not_store(wrap, count):
    def fun(x):
        for _ in range(8):
            x = ops.tanh(x)
        return x

    jaxpr = jax.make_jaxpr(mt.value_and_grad(lambda x: ops.sum(wrap(fun)(x))))(X)
    assert [e.primitive.name for e in jaxpr.eqns].count("tanh") == count
    assert ("optimization_barrier" in str(jaxpr)) == (wrap is mt.checkpoint)


def test_checkpoint_saves_memory():
    def chain(wrap, x):
        def block(x):
            for _ in range(8):
                x = ops.sin(x @ x)
            return x

        for _ in range(4):
            x = wrap(block)(x)
        return ops.sum(x)

    def bytes_needed(wrap):
        gradient = jax.jit(
            mt.grad(partial(chain, wrap)), compiler_options={"xla_disable_hlo_passes": "cse_barrier_expander"}
        )
        return gradient.lower(jnp.ones((64, 64))).compile().memory_analysis().temp_size_in_bytes

    assert bytes_needed(mt.checkpoint) < 0.5 * bytes_needed(lambda f: f)


def test_checkpoint_refuses_a_tensor_that_it_closes_over():
    with pytest.raises(
        ValueError,
        match=r"closes over a Tensor(.|\n)*Wrong: mt.checkpoint\(lambda x(.|\n)*Right: mt.checkpoint\(lambda layer, x",
    ):
        mt.grad(lambda w: ops.sum(mt.checkpoint(lambda x: x * w)(w * 2)))(X)


# from_jax.


@pytest.mark.parametrize(
    "fun",
    [
        lambda x: jnp.cumsum(jnp.sin(x)),
        lambda x: (jnp.sin(x), jnp.cos(x).sum()),
        lambda x: {"a": [x * 2, x[:2] ** 3], "none": None},
        lambda x: (jnp.argmax(x), jnp.sin(x), x > 0),
        lambda x: jax.lax.scan(lambda carry, x: (carry * x, carry), 1.0, x),
    ],
    ids=["array", "tuple", "pytree", "integers", "scan"],
)
def test_from_jax_differentiates_any_function_of_jax_to_order_two(fun):
    def use(fun, x):
        leaves = jax.tree.leaves(fun(ops.sin(x)))
        return sum(ops.sum(leaf * leaf) for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.floating))

    ours, theirs = partial(use, mt.from_jax(fun)), partial(use, fun)
    assert_same(mt.value_and_grad(ours)(X), jax.value_and_grad(theirs)(X))
    assert_same(
        mt.grad(lambda x: ops.sum(mt.grad(ours)(x) ** 2))(X),
        jax.grad(lambda x: jnp.sum(jax.grad(theirs)(x) ** 2))(X),
        1e-4,
    )


def test_from_jax_takes_pytrees_keywords_and_constants():
    fun = mt.from_jax(lambda layer, x, *, power: jnp.tanh(x @ layer.weight + layer.bias) ** power)
    layer = MODEL["layers"][0]
    ours = mt.grad(lambda layer: ops.sum(fun(layer, X, power=3)))(layer)
    assert_same(ours, jax.grad(lambda layer: jnp.sum(jnp.tanh(X @ layer.weight + layer.bias) ** 3))(layer))


def test_from_jax_without_a_tape_is_the_function_itself():
    assert_same(mt.from_jax(jnp.sin)(X), jnp.sin(X))


def test_from_jax_refuses_a_tensor_that_it_closes_over():
    with pytest.raises(ValueError, match=r"closes over a Tensor(.|\n)*Right:"):
        mt.grad(lambda w: ops.sum(mt.from_jax(lambda x: x * w)(w)))(X)


# Errors.


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: mt.grad(lambda p: 1.0)({"w": [X, jnp.arange(3)]}),
            r"argument 0 at \['w'\]\[1\]: its dtype is int32.*Convert it.*argnums",
        ),
        (lambda: mt.grad(lambda x, n: x * n, argnums=1)(1.0, 3), "argument 1: its dtype is int32"),
        (lambda: mt.vjp(lambda x, y: x, X, 1j), "argument 1: its dtype is complex64"),
        (lambda: mt.grad(lambda x: x)("abc"), "argument 0: str is not an array"),
        (
            lambda: mt.grad(lambda x: x)(X),
            r"of a scalar, but the function returned shape \(3,\) and dtype float32(.|\n)*mt.ops.mean",
        ),
        (lambda: mt.grad(lambda x: ops.argmax(x))(X), r"returned shape \(\) and dtype int32"),
        (lambda: mt.grad(lambda x: (ops.sum(x), x))(X), r"returned a tuple(.|\n)*has_aux=True"),
        (lambda: mt.grad(lambda x: None)(X), "returned a NoneType"),
        (
            lambda: mt.grad(lambda x: x, argnums=1)(X),
            "names argument 1, but the function was called with 1 positional",
        ),
        (lambda: mt.vjp(lambda x: (x, x), X)[1](X), "the cotangent must have the structure of the output"),
        (
            lambda: mt.vjp(lambda x: x * 2, X)[1](1.0),
            r"output of shape \(3,\) and dtype float32 must have the same, but has shape \(\)",
        ),
    ],
)
def test_a_wrong_call_says_what_is_wrong_and_what_is_right(call, message):
    with pytest.raises(TypeError, match=message):
        call()
