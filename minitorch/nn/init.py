"""Initializers: functions `(key, shape, dtype) -> weights`, equal to those of `jax.nn.initializers`.

A weight multiplies from the right, `x @ weight`: its shape is (inputs, outputs), or (window..., inputs, outputs) in a
convolution.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from typing import Any, overload

import jax
import jax.numpy as jnp

from .._types import Array, Key

Initializer = Callable[..., Array]


@overload
def fold_in_name(key: Key, name: str) -> Key: ...
@overload
def fold_in_name(key: Key | None, name: str) -> Key | None: ...
def fold_in_name(key: Key | None, name: str) -> Key | None:
    """Return the random key of the child `name` of the owner of `key`; None if the owner has none.

    Keys depend on names and not on an order, so that a layer more or less leaves the initial values of the others
    unchanged.
    """
    return key if key is None else jax.random.fold_in(check_key(key), zlib.crc32(name.encode()))


def check_key(key: Any) -> Key:
    """Return `key`. Raises TypeError if it is not a random key, such as a seed."""
    dtype: Any = getattr(key, "dtype", None)
    axes = getattr(key, "ndim", None)
    if (axes, dtype) == (1, jnp.uint32) or (axes == 0 and jnp.issubdtype(dtype, jax.dtypes.prng_key)):
        return key  # an array of jax.random.PRNGKey, or a key of jax.random.key
    raise TypeError(f"a random key is needed, such as jax.random.key(0), and not {key!r}.")


def zeros(key: Key, shape: Sequence[int], dtype: Any = jnp.float32) -> Array:
    """Return zeros, for biases."""
    return jnp.zeros(shape, dtype)


def ones(key: Key, shape: Sequence[int], dtype: Any = jnp.float32) -> Array:
    """Return ones, for the scale of a norm."""
    return jnp.ones(shape, dtype)


def uniform(scale: float = 0.01) -> Initializer:
    """Return an initializer that samples uniformly from [0, scale)."""
    return lambda key, shape, dtype=jnp.float32: jax.random.uniform(key, shape, dtype, 0, scale)


def normal(stddev: float = 0.01) -> Initializer:
    """Return a normal initializer with mean 0. GPT-2 uses 0.02 (Radford et al., 2019, as in the published code)."""
    return lambda key, shape, dtype=jnp.float32: jax.random.normal(key, shape, dtype) * stddev


def truncated_normal(stddev: float = 0.01) -> Initializer:
    """Return a normal initializer, cut off at two standard deviations; `stddev` is that before the cut."""
    return lambda key, shape, dtype=jnp.float32: jax.random.truncated_normal(key, -2, 2, shape, dtype) * stddev


def lecun_normal() -> Initializer:
    """Return an initializer of variance 1 / fan_in, which keeps the size of signals (LeCun et al., 1998)."""
    return _scaled(1.0, "fan_in", "normal")


def lecun_uniform() -> Initializer:
    """Return the uniform variant of `lecun_normal`."""
    return _scaled(1.0, "fan_in", "uniform")


def he_normal() -> Initializer:
    """Return an initializer of variance 2 / fan_in: a ReLU passes half of the signal (He et al., arXiv 1502.01852)."""
    return _scaled(2.0, "fan_in", "normal")


def he_uniform() -> Initializer:
    """Return the uniform variant of `he_normal`."""
    return _scaled(2.0, "fan_in", "uniform")


def glorot_normal() -> Initializer:
    """Return an initializer with variance 2 / (fan_in + fan_out), for signals in both directions ("Xavier").

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """
    return _scaled(1.0, "fan_avg", "normal")


def glorot_uniform() -> Initializer:
    """Return the uniform variant of `glorot_normal`."""
    return _scaled(1.0, "fan_avg", "uniform")


# The standard deviation of a standard normal that is cut off at -2 and 2.
_TRUNCATED_STDDEV = 0.87962566103423978


def _scaled(scale: float, mode: str, distribution: str) -> Initializer:
    """Return an initializer of mean 0 and variance `scale / fan`; "normal" is cut off at two standard deviations."""

    def init(key: Key, shape: Sequence[int], dtype: Any = jnp.float32) -> Array:
        fan_in, fan_out = fans(shape)
        stddev = jnp.sqrt(jnp.array(scale / (fan_in if mode == "fan_in" else (fan_in + fan_out) / 2), dtype))
        if distribution == "uniform":
            return jax.random.uniform(key, shape, dtype, -1) * (math.sqrt(3) * stddev)
        return jax.random.truncated_normal(key, -2, 2, shape, dtype) * (stddev / _TRUNCATED_STDDEV)

    return init


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return how many inputs an output depends on, and how many outputs an input reaches: (fan_in, fan_out).

    The shape is that of a weight, (window..., inputs, outputs).

    Raises:
      ValueError: `shape` has fewer than two axes.
    """
    if len(shape) < 2:
        raise ValueError(
            f"a weight of shape {tuple(shape)} has no inputs and outputs to scale by: give it two axes or more,"
            " or use nn.init.normal, uniform or zeros."
        )
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]
