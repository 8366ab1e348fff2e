"""Two optimizers for one model: matrices to Muon and the rest to AdamW, adapters trained and the rest frozen."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax

from .mask import Mask, resolve_mask
from .transform import Transform


class MaskedNode(NamedTuple):
    """Stands where the other transform's parameter is: an empty tree, yet not None, which would say "no parameters"."""


class PartitionState(NamedTuple):
    """The states of the two transforms; each has `MaskedNode` where the other one's parameters are."""

    chosen: Any
    others: Any


def partition(mask: Mask, chosen: Any, others: Any) -> Transform:
    """Send the leaves where `mask` is True through the transform `chosen`, the rest through `others`.

    `partition(is_adapter, adamw(1e-3), scale(0.0))` trains the adapters and freezes the rest. What a function given as
    `mask` sees has the parameters' structure and shapes, though not always their values.

    Raises ValueError for a mask of another structure, TypeError for one whose leaves are not bools.
    """

    def split(updates: Any, tree: Any) -> tuple[Any, Any]:
        keep = resolve_mask("partition", mask, updates)
        if not all(isinstance(m, bool) for m in jax.tree.leaves(keep)):
            raise TypeError(
                "partition: a leaf goes one way or the other as a whole, so each mask leaf must be a bool, "
                "not an array. Write for example jax.tree.map(lambda p: p.ndim == 2, params)."
            )
        return (
            jax.tree.map(lambda m, x: x if m else MaskedNode(), keep, tree),
            jax.tree.map(lambda m, x: MaskedNode() if m else x, keep, tree),
        )

    def init(params: Any) -> PartitionState:
        mine, theirs = split(params, params)
        return PartitionState(chosen.init(mine), others.init(theirs))

    def update(updates: Any, state: PartitionState, params: Any = None) -> tuple[Any, PartitionState]:
        mine, theirs = split(updates, updates)
        my_params, their_params = (None, None) if params is None else split(updates, params)
        mine, my_state = chosen.update(mine, state.chosen, my_params)
        theirs, their_state = others.update(theirs, state.others, their_params)
        return _merge(mine, theirs), PartitionState(my_state, their_state)

    return Transform(init, update)


def _merge(mine: Any, theirs: Any) -> Any:
    def elsewhere(x: Any) -> bool:
        return isinstance(x, MaskedNode)

    return jax.tree.map(lambda a, b: b if elsewhere(a) else a, mine, theirs, is_leaf=elsewhere)
