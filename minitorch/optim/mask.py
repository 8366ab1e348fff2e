"""Masks: trees of booleans that select the parameters of a transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._types import PyTree

Mask = PyTree | Callable[[PyTree], PyTree]
"""None (all parameters), a tree of bools shaped like the parameters, or a function that returns one for them."""


def resolve_mask(where: str, mask: Mask, params: PyTree) -> PyTree:
    """Return the tree of mask leaves for `params`. Raises ValueError if the mask does not have their structure."""
    if mask is None:
        return jax.tree.map(lambda p: True, params)
    # A model is callable, too, so a mask shaped like a model must not be taken for a function. A function is one leaf.
    if callable(mask) and jax.tree_util.all_leaves([mask]):
        mask = mask(params)
    expected, given = jax.tree.structure(params), jax.tree.structure(mask)
    if given != expected:
        raise ValueError(
            f"{where}: the mask has the structure {given}, but the parameters have {expected}. Build it from them: "
            "mask=lambda params: jax.tree.map(lambda p: p.ndim >= 2, params)."
        )
    return jax.tree.map(lambda m, p: _leaf(where, m, p), mask, params)


def _leaf(where: str, mask: Any, param: Any) -> Any:
    if isinstance(mask, bool | np.bool_):
        return bool(mask)  # NumPy's become Python's, so that `m is False` works.
    shape, target = jnp.shape(mask), jnp.shape(param)
    try:
        fits = np.broadcast_shapes(shape, target) == target
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{where}: a mask leaf of shape {shape} does not broadcast to its parameter of shape {target}. "
            "Give a bool, or 0s and 1s of the parameter's shape."
        )
    return mask
