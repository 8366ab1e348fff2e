"""The types of annotations: arrays, trees of arrays, and random keys.

Public calls state shapes with jaxtyping: `Float[Array, "B T D"]` is an array of floating-point numbers with three axes,
and an axis of the same name has the same length everywhere in one call. The tests check the annotations with beartype
(tests/conftest.py); elsewhere they are strings that nothing evaluates.
"""

from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from .autodiff import Tensor

if TYPE_CHECKING:
    Array = jax.Array  # A Tensor has its operators and methods, and NumPy's arrays mix with both.
    Key = jax.Array
else:
    Array = jax.Array | np.ndarray | Tensor
    Key = PRNGKeyArray

PyTree = Any
"""Nested modules, lists, tuples and dicts with arrays as leaves."""
