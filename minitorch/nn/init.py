"""The first values of the weights: functions `(key, shape, dtype) -> array`, equal to those of `jax.nn.initializers`.

A weight multiplies from the right, `x @ weight`: its shape is (inputs, outputs), that of a convolution
(window..., inputs, outputs).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

Array = jax.Array
Initializer = Callable[..., Array]


def fold_in_name(key: Any, name: str) -> Any:
    """The random key of the child `name` of whatever owns `key`. Without a key (None), no child has one.

    A key is made from names and not from an order of drawing, so that a layer more or less leaves the first values of
    all others as they were.
    """
    return key if key is None else jax.random.fold_in(key, zlib.crc32(name.encode()))


def zeros(key: Array, shape: Sequence[int], dtype: Any = jnp.float32) -> Array:
    """All 0: biases."""
    return jnp.zeros(shape, dtype)


def ones(key: Array, shape: Sequence[int], dtype: Any = jnp.float32) -> Array:
    """All 1: the scale of a norm."""
    return jnp.ones(shape, dtype)


def uniform(scale: float = 0.01) -> Initializer:
    """Uniform in [0, scale)."""
    return lambda key, shape, dtype=jnp.float32: jax.random.uniform(key, shape, dtype, 0, scale)


def normal(stddev: float = 0.01) -> Initializer:
    """Normal with mean 0. GPT-2 takes 0.02 (Radford et al. 2019, as in the published code)."""
    return lambda key, shape, dtype=jnp.float32: jax.random.normal(key, shape, dtype) * stddev


def truncated_normal(stddev: float = 0.01) -> Initializer:
    """Normal, drawn again beyond two standard deviations; `stddev` is the spread before that."""
    return lambda key, shape, dtype=jnp.float32: jax.random.truncated_normal(key, -2, 2, shape, dtype) * stddev


def lecun_normal() -> Initializer:
    """Variance 1 / fan_in keeps the size of signals from layer to layer. LeCun et al., "Efficient BackProp", 1998."""
    return _scaled(1.0, "fan_in", "normal")


def lecun_uniform() -> Initializer:
    """As `lecun_normal`, uniform."""
    return _scaled(1.0, "fan_in", "uniform")


def he_normal() -> Initializer:
    """Variance 2 / fan_in, since a ReLU lets half of the signal through. He et al., arXiv 1502.01852 ("Kaiming")."""
    return _scaled(2.0, "fan_in", "normal")


def he_uniform() -> Initializer:
    """As `he_normal`, uniform."""
    return _scaled(2.0, "fan_in", "uniform")


def glorot_normal() -> Initializer:
    """Variance 2 / (fan_in + fan_out): forward and backward signals share it. Glorot & Bengio, 2010 ("Xavier")."""
    return _scaled(1.0, "fan_avg", "normal")


def glorot_uniform() -> Initializer:
    """As `glorot_normal`, uniform."""
    return _scaled(1.0, "fan_avg", "uniform")


# The standard deviation of a standard normal that is cut off at -2 and 2.
_TRUNCATED_STDDEV = 0.87962566103423978


def _scaled(scale: float, mode: str, distribution: str) -> Initializer:
    """Mean 0 and variance `scale / fan`; "normal" means one that is truncated at two standard deviations."""

    def init(key: Array, shape: Sequence[int], dtype: Any = jnp.float32) -> Array:
        fan_in, fan_out = fans(shape)
        stddev = jnp.sqrt(jnp.array(scale / (fan_in if mode == "fan_in" else (fan_in + fan_out) / 2), dtype))
        if distribution == "uniform":
            return jax.random.uniform(key, shape, dtype, -1) * (math.sqrt(3) * stddev)
        return jax.random.truncated_normal(key, -2, 2, shape, dtype) * (stddev / _TRUNCATED_STDDEV)

    return init


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """The inputs that one output sees and the outputs that one input reaches: weight (window..., inputs, outputs).

    Raises:
      ValueError: fewer than two axes.
    """
    if len(shape) < 2:
        raise ValueError(
            f"a weight of shape {tuple(shape)} has no inputs and outputs to scale by: give it two axes or more,"
            " or use nn.init.normal, uniform or zeros."
        )
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]
