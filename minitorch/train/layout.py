"""Layouts: how the weights and the optimizer's state lie on the devices.

`Sharded` gives each device a share of the weights. `Replicated` gives each device all of them, for an optimizer that
must see whole matrices, such as Muon.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, Mesh
from jax.sharding import PartitionSpec as P

LARGE = 2**18  # entries; copying a smaller array into the vector and back costs less than a message of its own


class Replicated:
    """The weights as they are, with a copy on every device."""

    spec = P()

    def __init__(self, model: Any, devices: int):
        pass

    def pack(self, tree: Any) -> Any:
        """Return `tree` in the form in which a `State` holds it."""
        return tree

    def unpack(self, weights: Any) -> Any:
        """Return the model from the result of `pack`."""
        return weights

    def gather(self, weights: Any) -> Any:
        """Return the whole model, inside `shard_map`."""
        return weights

    def reduce(self, grads: Any) -> Any:
        """Return the mean of the gradients of all devices, packed, inside `shard_map`."""
        return jax.lax.pmean(grads, "data")


class Sharded:
    """The weights in shares, one per device.

    A large leaf is sharded by rows if the number of devices divides them. All other leaves are concatenated into one
    vector, padded with zeros, so that few messages are sent. `pack` returns a list with the vector first.
    """

    spec = P("data")

    def __init__(self, model: Any, devices: int):
        leaves, self.treedef = jax.tree.flatten(model)
        dtypes = {leaf.dtype for leaf in leaves}
        if len(dtypes) > 1:
            raise TypeError(f"weights of several dtypes {sorted(map(str, dtypes))} do not fit one vector: cast them.")
        self.shapes = [leaf.shape for leaf in leaves]
        self.is_large = [math.prod(shape) >= LARGE and shape[0] % devices == 0 for shape in self.shapes]
        small = [math.prod(shape) for shape, large in zip(self.shapes, self.is_large, strict=True) if not large]
        self.padding = -sum(small) % devices

    def pack(self, tree: Any) -> list[jax.Array]:
        """Pack a tree like the model (weights, gradients, a mask); its leaves have, or broadcast to, its shapes."""
        leaves = [jnp.broadcast_to(x, s) for x, s in zip(jax.tree.leaves(tree), self.shapes, strict=True)]
        small = [x.reshape(-1) for x, large in zip(leaves, self.is_large, strict=True) if not large]
        vector = jnp.concatenate([*small, jnp.zeros(self.padding, leaves[0].dtype)])
        return [vector, *(x for x, large in zip(leaves, self.is_large, strict=True) if large)]

    def unpack(self, weights: list[jax.Array]) -> Any:
        """Return the model from the result of `pack`."""
        vector, *matrices = weights
        leaves, start = [], 0
        for shape, large in zip(self.shapes, self.is_large, strict=True):
            if large:
                leaves.append(matrices.pop(0))
            else:
                leaves.append(vector[start : start + math.prod(shape)].reshape(shape))
                start += math.prod(shape)
        return self.treedef.unflatten(leaves)

    def gather(self, weights: list[jax.Array]) -> Any:
        """Return the whole model from the shares of all devices, inside `shard_map`."""
        return self.unpack([jax.lax.all_gather(share, "data", tiled=True) for share in weights])

    def reduce(self, grads: Any) -> list[jax.Array]:
        """Return this device's share of the mean gradient, packed, inside `shard_map`."""
        devices = jax.lax.axis_size("data")
        return [jax.lax.psum_scatter(x, "data", tiled=True) / devices for x in self.pack(grads)]


def usable_devices(batch: int, devices: int) -> int:
    """Return the largest number of devices, up to `devices`, that divides `batch` evenly."""
    return max(k for k in range(1, devices + 1) if batch % k == 0)


def device_mesh(batch: int, devices: list[Any] | None = None) -> Mesh:
    """Return a mesh with one axis, "data": all devices (or those given), or as many as divide `batch` evenly."""
    devices = jax.devices() if devices is None else devices
    n = usable_devices(batch, len(devices))
    return jax.make_mesh((n,), ("data",), axis_types=(AxisType.Auto,), devices=devices[:n])
