"""Which parameters a transform is for: a tree of yes and no, shaped like them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Mask = Any | Callable[[Any], Any]
"""None (all parameters), a tree of bools shaped like the parameters, or a function that makes one from them."""


def resolve_mask(where: str, mask: Mask, params: Any) -> Any:
    """The tree of mask leaves for `params`, with numpy's bools made Python's, so `m is False` holds for a plain no.

    Raises ValueError if the mask is no tree of the parameters' structure or a leaf of it does not broadcast.
    """
    if mask is None:
        return jax.tree.map(lambda p: True, params)
    # A model is callable too, so a mask shaped like one must not be mistaken for a function: a function is one leaf.
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
        return bool(mask)
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
