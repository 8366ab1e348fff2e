"""Two optimizers for one model, such as Muon for matrices and AdamW for the rest, or one for adapters only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax

from .mask import Mask, resolve_mask
from .transform import Transform

if TYPE_CHECKING:
    from .._types import PyTree


class MaskedNode(NamedTuple):
    """A placeholder for a parameter of the other transform: an empty tree. None would mean "no parameters"."""


class PartitionState(NamedTuple):
    """The states of the two transforms; each has a `MaskedNode` for every parameter of the other."""

    chosen: PyTree
    others: PyTree


def partition(mask: Mask, chosen: Any, others: Any) -> Transform:
    """Apply the transform `chosen` to the leaves where `mask` is True, and `others` to the rest.

    `partition(is_adapter, adamw(1e-3), scale(0.0))` trains the adapters and freezes the rest. If `mask` is a function,
    its argument has the structure and shapes of the parameters, but not always their values.

    Raises:
      ValueError: the mask has another structure.
      TypeError: a leaf of the mask is not a bool.
    """

    def split(updates: PyTree, tree: PyTree) -> tuple[PyTree, PyTree]:
        keep = resolve_mask("partition", mask, updates)
        if not all(isinstance(m, bool) for m in jax.tree.leaves(keep)):
            raise TypeError(
                "partition: a whole leaf belongs to one transform or the other, so each mask leaf must be a bool, "
                "not an array. Write for example jax.tree.map(lambda p: p.ndim == 2, params)."
            )
        return (
            jax.tree.map(lambda m, x: x if m else MaskedNode(), keep, tree),
            jax.tree.map(lambda m, x: MaskedNode() if m else x, keep, tree),
        )

    def init(params: PyTree) -> PartitionState:
        first, second = split(params, params)
        return PartitionState(chosen.init(first), others.init(second))

    def update(updates: PyTree, state: PartitionState, params: PyTree = None) -> tuple[PyTree, PartitionState]:
        first, second = split(updates, updates)
        first_params, second_params = (None, None) if params is None else split(updates, params)
        first, first_state = chosen.update(first, state.chosen, first_params)
        second, second_state = others.update(second, state.others, second_params)
        return _merge(first, second), PartitionState(first_state, second_state)

    return Transform(init, update)


def _merge(first: PyTree, second: PyTree) -> PyTree:
    def is_masked(x: Any) -> bool:
        return isinstance(x, MaskedNode)

    return jax.tree.map(lambda a, b: b if is_masked(a) else a, first, second, is_leaf=is_masked)
