"""The calls of every differentiable op, for the tests that compare each op with JAX.

`CASES[name]` lists the arguments to sample from. If JAX has an op of the same name, that is called with the same
arguments; for the others JAX differentiates the op itself, which outside a tape is plain JAX.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from minitorch import ops

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# The distributions of the arguments.


def normal(rng, shape):
    return rng.standard_normal(shape)


def uniform(low, high):
    return lambda rng, shape: rng.uniform(low, high, shape)


def distinct(rng, shape):
    """Sample numbers far from each other, on both sides of zero, so that bfloat16 has no ties."""
    size = int(np.prod(shape))
    return (rng.permutation(size) - size / 2 + 0.25).reshape(shape) / 4


def nonzero(rng, shape):
    return rng.uniform(0.4, 1.6, shape) * rng.choice([-1, 1], shape)


positive = uniform(0.4, 1.6)
inside = uniform(-0.8, 0.8)


@dataclass(frozen=True)
class Case:
    """The calls of one op.

    Attributes:
      draws: pairs (shapes of the array arguments, keyword arguments), the most important pair first.
      domain: the distribution of the array arguments: one for all, or one for each.
      call: `call(op, *arrays, **keywords)`, if that is not `op(*arrays, **keywords)`.
      slack: the factor of the allowed rounding error, where numbers cancel.
    """

    draws: Sequence[tuple[tuple[tuple[int, ...], ...], dict[str, Any]]]
    domain: Any = normal
    call: Callable[..., Any] = lambda op, *arrays, **keywords: op(*arrays, **keywords)
    slack: float = 1

    def domains(self, count):
        return self.domain if isinstance(self.domain, tuple) else (self.domain,) * count


def jax_function(name: str) -> Callable[..., Any] | None:
    """The function of JAX that the op `name` stands for, if there is one."""
    if name == "top_k":  # Newer versions have another one in jax.numpy.
        return jax.lax.top_k
    return next((getattr(m, name) for m in (jnp, jax.nn, jax.lax) if callable(getattr(m, name, None))), None)


def op_named(name: str) -> Callable[..., Any]:
    """The op of a case: `at` of the case `at, set`."""
    return getattr(ops, name.partition(",")[0])


# Small shapes, with and without broadcasting, and with axes of length 1 and 0.
def of_shapes(*shapes):
    """Draws without keyword arguments."""
    return [(each, {}) for each in shapes]


UNARY = of_shapes(((2, 3),), ((0, 3),), ((),), ((1, 3),))
BINARY = of_shapes(((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((1, 3), (0, 3)), ((2, 3), (2, 3)), ((1,), ()))


def keywords(shapes, **choices):
    """All combinations of keyword arguments, with each of `shapes`."""
    grid = [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]
    return [(shape, combination) for combination in grid for shape in shapes]


def reductions(*, of_nothing=False):
    """Return a reduction over every kind of `axis`, next to an axis of length 0, and along it if that has a result."""
    axes = [1, None, 0, -1, (0, 1), (-1,), ()]
    first, *rest = keywords([((2, 3),), ((3, 1),)], axis=axes, keepdims=[False, True])
    return [first, (((0, 3),), {"axis": 0 if of_nothing else 1}), *rest, (((),), {"axis": None})]


def scans():
    return keywords([((2, 3),), ((3, 1),), ((0, 3),)], axis=[1, 0, None, -2])


def listed(op, *arrays, **keywords):
    return op(arrays, **keywords)


SHAPES = {
    "reshape": Case([*keywords([((2, 3),)], shape=[(3, 2), -1, (1, -1, 2)]), (((0, 3),), {"shape": (3, 0)})]),
    "transpose": Case(
        [*keywords([((2, 3, 1),)], axes=[(2, 0, 1), None, (-1, 1, 0)]), (((2, 3),), {}), (((0, 3),), {"axes": (1, 0)})]
    ),
    "swapaxes": Case(keywords([((2, 3, 1),)], axis1=[0, -1], axis2=[1, 2])),
    "moveaxis": Case(
        [
            *keywords([((2, 3, 1),)], source=[0, -1], destination=[1, 2]),
            *keywords([((2, 3, 1),)], source=[(0, 2)], destination=[(2, 1)]),
        ]
    ),
    "expand_dims": Case(keywords([((2, 3),), ((0, 3),)], axis=[0, -1, (0, 2)])),
    "squeeze": Case(keywords([((1, 3, 1),), ((1, 0, 1),)], axis=[None, 0, -1, (0, 2)])),
    "ravel": Case(of_shapes(((2, 3),), ((),), ((0, 3),))),
    "broadcast_to": Case([(((1, 3),), {"shape": (2, 2, 3)}), (((3,),), {"shape": (0, 3)}), (((),), {"shape": (2, 3)})]),
    "sum": Case(reductions(of_nothing=True)),
    "repeat": Case(keywords([((2, 3),), ((0, 3),)], repeats=[2, 0], axis=[1, 0, None])),
    "tile": Case(keywords([((2, 3),), ((3,),)], reps=[2, (2, 1, 2), (0, 1)])),
    "astype": Case(
        keywords([((2, 3),)], dtype=["float16", "float32"]), call=lambda op, x, dtype: op(x, dtype), slack=10
    ),
    "concatenate": Case(
        [
            (((2, 3), (2, 1)), {"axis": 1}),
            (((2, 3), (0, 3), (1, 3)), {}),
            (((2, 3), (1,)), {"axis": None}),
            (((3,),), {"axis": -1}),
        ],
        call=listed,
    ),
    "stack": Case(keywords([((2, 3), (2, 3)), ((0, 3),)], axis=[0, -1, 1]), call=listed),
    "split": Case(
        [
            *keywords([((2, 3),)], indices_or_sections=[3, (1,), (2, 2)], axis=[1, -1]),
            (((2, 3),), {"indices_or_sections": 2}),
        ]
    ),
    "flip": Case(keywords([((2, 3),), ((0, 3),)], axis=[1, None, (0, -1)])),
    "roll": Case(
        [
            *keywords([((2, 3),), ((0, 3),)], shift=[1, -4], axis=[1, None]),
            (((2, 3),), {"shift": (1, 2), "axis": (0, 1)}),
        ]
    ),
    "tril": Case(keywords([((2, 3),), ((2, 3, 3),)], k=[0, -1, 1])),
    "triu": Case(keywords([((2, 3),), ((2, 3, 3),)], k=[0, -1, 1])),
    "pad": Case(
        [
            *keywords([((2, 3),), ((0, 3),)], pad_width=[((0, 1), (2, 0)), 1, (1, 2)]),
            (((2, 3),), {"pad_width": 1, "constant_values": 3.0}),
        ]
    ),
}

ELEMENTWISE = {
    **{name: Case(BINARY) for name in ("add", "subtract", "multiply", "logaddexp")},
    "divide": Case(BINARY, domain=(normal, nonzero)),
    **{name: Case(BINARY, domain=nonzero) for name in ("arctan2", "hypot", "maximum", "minimum")},
    "power": Case(BINARY, domain=(positive, normal)),
    **{name: Case(UNARY) for name in ("negative", "square", "exp", "exp2", "expm1", "sin", "cos", "arctan")},
    **{
        name: Case(UNARY)
        for name in ("sinh", "cosh", "tanh", "arcsinh", "erf", "erfc", "sigmoid", "softplus", "log_sigmoid")
    },
    **{name: Case(UNARY, domain=nonzero) for name in ("abs", "relu", "reciprocal", "cbrt")},
    **{name: Case(UNARY, domain=positive) for name in ("log", "log2", "log10", "log1p", "sqrt", "rsqrt")},
    **{name: Case(UNARY, domain=inside) for name in ("tan", "arcsin", "arccos", "arctanh", "erf_inv")},
    "arccosh": Case(UNARY, domain=uniform(1.5, 2.5)),
    "where": Case(
        [
            ((s, t), {"condition": np.array([True, False, True])})
            for s, t in [((2, 3), (3,)), ((), (2, 3)), ((2, 1), (1, 3)), ((0, 3), (1,))]
        ],
        call=lambda op, x, y, condition: op(condition, x, y),
    ),
    "clip": Case(
        keywords([((2, 3),), ((0, 3),)], min=[-0.5, None], max=[0.5, None]),
        call=lambda op, x, min, max: op(x, min, max),
    ),
}

_MATRIX_INDEX = (np.array([[0, 1], [1, 1]]), np.array([0, -1]))
INDEXES = [
    (slice(None, None, 2), -1),
    np.array([0, 2, 2]),
    _MATRIX_INDEX,
    (Ellipsis, slice(3, 0, -2)),
    (None, 1, slice(1, 3), None),
    (slice(0, 0), Ellipsis),
    (slice(None), np.array([3, 0])),
    (np.array([True, False, True]),),
    np.arange(12).reshape(3, 4) % 3 == 0,
    (),
]


def at_call(method):
    return lambda at, x, values, index: getattr(at(x)[index], method)(values)


INDEXING = {
    "getitem": Case([*((((3, 4),), {"index": i}) for i in INDEXES), (((0, 3),), {"index": (slice(None), 1)})]),
    "at, set": Case(
        [(((3, 4), ()), {"index": i}) for i in (slice(1, 3), (0, 1), np.array([2, 0]), np.array([2, 9]))],
        call=at_call("set"),
    ),
    "at, add": Case(
        [(((3, 4), (4,)), {"index": i}) for i in (np.array([2, 0, 2]), slice(1, 3), np.array([2, 9, -1]))],
        call=at_call("add"),
    ),
    "take": Case(
        keywords(
            [((3, 4),), ((2, 3, 1),)], indices=[np.array([[0, 1], [1, 0]]), np.array([], int), -1], axis=[1, None, 0]
        )
    ),
    "take_along_axis": Case(
        [
            (((3, 4),), {"indices": np.array([[1, 0], [3, 3], [-1, 2]]), "axis": 1}),
            (((3, 4),), {"indices": np.array([[2, 0, 2, 1]]), "axis": 0}),
            (((3, 4),), {"indices": np.array([11, 0, 11]), "axis": None}),
            (((0, 3),), {"indices": np.zeros((0, 1), int), "axis": 1}),
        ]
    ),
    "dynamic_slice": Case(keywords([((3, 4),)], start_indices=[(1, 2), (2, 3), (-1, 0)], slice_sizes=[(2, 2), (0, 1)])),
    "dynamic_update_slice": Case(
        keywords([((3, 4), (2, 2)), ((3, 4), (1, 0))], start_indices=[(0, 1), (2, 3), (-1, 0)])
    ),
}

REDUCE = {
    "mean": Case(reductions()),
    "var": Case([*reductions(), (((2, 3),), {"axis": 1, "ddof": 1}), (((2, 3),), {"axis": (0, 1), "ddof": 2})]),
    "std": Case(keywords([((2, 3),)], axis=[1, None, (0, -1)], ddof=[0, 1], keepdims=[False, True]), domain=distinct),
    "max": Case(reductions(), domain=distinct),
    "min": Case(reductions(), domain=distinct),
    "prod": Case(reductions(of_nothing=True)),
    "logsumexp": Case(reductions()),
    "cumsum": Case(scans()),
    "cumprod": Case(scans()),
    "sort": Case(
        [*scans(), *keywords([((2, 3),)], axis=[0, -1], descending=[True])],
        domain=distinct,
    ),
    "top_k": Case(
        keywords([((2, 3),), ((0, 3),)], k=[2, 0, 3]) + keywords([((2, 3),)], k=[1], axis=[0]), domain=distinct
    ),
}


def einsum_call(op, *arrays, subscripts):
    return op(subscripts, *arrays)


LINALG = {
    "matmul": Case(
        of_shapes(
            ((2, 3), (3, 2)),
            ((2, 2, 3), (3, 2)),
            ((2, 1, 2, 3), (3, 3, 2)),
            ((3,), (2, 3, 2)),
            ((2, 2, 3), (3,)),
            ((3,), (3,)),
            ((2, 3), (2, 3, 2)),
            ((2, 0), (0, 2)),
            ((0, 3), (3, 1)),
        )
    ),
    "dot": Case(of_shapes(((2, 3), (2, 3, 2)), ((2, 3), (3,)), ((), (2, 3)), ((2, 0), (0, 2)))),
    "vdot": Case(of_shapes(((2, 3), (3, 2)), ((3,), (3,)), ((0,), (0, 3)))),
    "inner": Case(of_shapes(((2, 3), (1, 3)), ((3,), (3,)), ((2, 3), ()))),
    "outer": Case(of_shapes(((2,), (3,)), ((2, 1), (1, 3)), ((), (0,)))),
    "tensordot": Case(
        [
            (((2, 3, 1), (3, 1, 2)), {"axes": 2}),
            (((2, 3), (3, 2)), {"axes": ((0, -1), (1, 0))}),
            (((2,), (3,)), {"axes": 0}),
            (((0, 3), (3, 1)), {"axes": 1}),
        ]
    ),
    "einsum": Case(
        [
            (((2, 3), (3, 2)), {"subscripts": "ij,jk->ik"}),
            (((2, 2, 3), (1, 3, 2)), {"subscripts": "...ij,...jk"}),
            (((3, 3),), {"subscripts": "ii->i"}),
            (((2, 3, 1),), {"subscripts": "abc->ca"}),
            (((2, 3), (3,), (2,)), {"subscripts": "ab,b,a->b"}),
            (((0, 3), (3,)), {"subscripts": "ij,j"}),
        ],
        call=einsum_call,
    ),
}


def convolutions():
    one, two = ((2, 2, 5), (4, 1, 2)), ((1, 4, 4, 3), (2, 3, 3, 2))
    image = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
    return [
        (two, {"window_strides": (2, 1), "padding": "SAME", **image}),
        (one, {"window_strides": (2,), "padding": [(1, 2)], "feature_group_count": 2, "rhs_dilation": (2,)}),
        (one, {"window_strides": (1,), "padding": "VALID", "feature_group_count": 2}),
        (two, {"window_strides": (1, 1), "padding": [(0, 1), (-1, 2)], "lhs_dilation": (2, 1), **image}),
        (((0, 2, 5), (4, 2, 2)), {"window_strides": (1,), "padding": "SAME"}),
    ]


def poolings(**choices):
    shape = ((2, 4, 5, 2),)
    settings = [{}, {"strides": (2, 1), "padding": "SAME"}, {"strides": (2, 2), "padding": [(1, 0), (0, 1)]}]
    return [(shape, {"window_shape": (2, 3), **s, **c}) for s in settings for _, c in keywords([shape], **choices)]


CONVOLUTION = {
    "conv_general_dilated": Case(convolutions()),
    "max_pool": Case(poolings(), domain=distinct),
    "avg_pool": Case(poolings(count_include_pad=[False, True])),
}

_GROUPED = ((1, 2, 4, 2), (1, 3, 2, 2), (1, 3, 2, 2))

FUSED = {
    "softmax": Case(keywords([((2, 3),), ((0, 3),), ((3, 1),)], axis=[-1]) + keywords([((2, 3),)], axis=[0])),
    "log_softmax": Case(keywords([((2, 3),), ((0, 3),), ((3, 1),)], axis=[-1]) + keywords([((2, 3),)], axis=[0])),
    "cross_entropy": Case(
        [
            (((2, 3),), {"targets": np.array([2, 0])}),
            (((3,),), {"targets": np.array(1)}),
            (((0, 3),), {"targets": np.zeros(0, int)}),
        ],
        call=lambda op, logits, targets: op(logits, jnp.asarray(targets)),
    ),
    "layer_norm": Case(
        [(((2, 3), (3,), (3,)), {}), (((2, 3), (3,)), {}), (((0, 3), (3,), (3,)), {"epsilon": 1e-3})], domain=distinct
    ),
    "rms_norm": Case(
        [(((2, 3), (3,)), {}), (((0, 3), (3,)), {}), (((1, 3), (3,)), {"epsilon": 1e-3})], domain=distinct
    ),
    "gelu": Case(keywords([((2, 3),), ((0, 3),)], approximate=[True, False])),
    "silu": Case(UNARY),
    "attention": Case(
        [
            (((2, 3, 2, 2),) * 3, {"is_causal": True}),
            (_GROUPED, {"mask": np.array([True, True, False]).reshape(1, 1, 1, 3)}),
            (_GROUPED, {"is_causal": True, "scale": 0.5}),
        ]
    ),
}

CASES: dict[str, Case] = {**SHAPES, **ELEMENTWISE, **INDEXING, **REDUCE, **LINALG, **CONVOLUTION, **FUSED}
