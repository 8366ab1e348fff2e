"""One training step, compiled once: draw a batch, differentiate, update. The same code for one device and for many.

Data parallelism in four moves (ZeRO, Rajbhandari et al., arXiv 1910.02054): every device

    1. gathers the whole weights from everybody's share,
    2. differentiates the loss on its part of the batch,
    3. sums gradients with the others, and keeps its share of the sum (reduce-scatter),
    4. updates its share of the weights, with its share of the optimizer's state.

For this the large matrices are shared out by rows, and all that is small is one vector (`Sharded`), so that few
messages go round. An optimizer that must see whole matrices, such as Muon, keeps the weights as a tree on every device
instead (`Tree`), and gradients are averaged whole. On one device the moves 1 and 3 cost nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from ..autodiff import value_and_grad
from ..optim import Transform, apply_updates, global_norm

MAX_STEPS = 64  # in one dispatch
LARGE = 2**18  # numbers: to copy fewer into a vector and back costs less than a message of their own


class State(NamedTuple):
    """What a run is at one moment: all that a checkpoint holds."""

    step: Any  # int32 (): updates made so far; the batch of the next one is a function of it
    weights: Any  # as the layout packs them
    optimizer: Any


class Metrics(NamedTuple):
    """Of each step of a call, (n,)."""

    loss: Any  # nats
    gradient_norm: Any


class Tree:
    """Weights as they are, a copy on every device."""

    spec = P()

    def __init__(self, model: Any, devices: int):
        pass

    def pack(self, tree: Any) -> Any:
        """`tree` as it is kept in a State."""
        return tree

    def unpack(self, weights: Any) -> Any:
        """The model again, from what `pack` made."""
        return weights

    def gather(self, weights: Any) -> Any:
        """The whole model on every device, inside `shard_map`."""
        return weights

    def reduce(self, grads: Any) -> Any:
        """The mean of all devices' gradients, packed, inside `shard_map`."""
        return jax.lax.pmean(grads, "data")


class Sharded:
    """Weights in shares, one a device: each large leaf by its rows, if the devices divide them, and all others as one
    vector, padded with zeros. What `pack` returns is a list, the vector first."""

    spec = P("data")

    def __init__(self, model: Any, devices: int):
        leaves, self.treedef = jax.tree.flatten(model)
        dtypes = {leaf.dtype for leaf in leaves}
        if len(dtypes) > 1:
            raise TypeError(f"weights of several dtypes {sorted(map(str, dtypes))} do not fit one vector: cast them.")
        self.shapes = [leaf.shape for leaf in leaves]
        self.alone = [math.prod(shape) >= LARGE and shape[0] % devices == 0 for shape in self.shapes]
        self.padding = (
            -sum(math.prod(s) for s, alone in zip(self.shapes, self.alone, strict=True) if not alone) % devices
        )

    def pack(self, tree: Any) -> list[Any]:
        """A tree like the model (weights, gradients, a mask), with leaves of its shapes or that broadcast to them."""
        leaves = [jnp.broadcast_to(x, s) for x, s in zip(jax.tree.leaves(tree), self.shapes, strict=True)]
        small = [x.reshape(-1) for x, alone in zip(leaves, self.alone, strict=True) if not alone]
        vector = jnp.concatenate([*small, jnp.zeros(self.padding, leaves[0].dtype)])
        return [vector, *(x for x, alone in zip(leaves, self.alone, strict=True) if alone)]

    def unpack(self, weights: list[Any]) -> Any:
        """The model again, from what `pack` made."""
        vector, *large = weights
        leaves, start = [], 0
        for shape, alone in zip(self.shapes, self.alone, strict=True):
            if alone:
                leaves.append(large.pop(0))
            else:
                leaves.append(vector[start : start + math.prod(shape)].reshape(shape))
                start += math.prod(shape)
        return self.treedef.unflatten(leaves)

    def gather(self, weights: list[Any]) -> Any:
        """The whole model from everybody's share, inside `shard_map`."""
        return self.unpack([jax.lax.all_gather(share, "data", tiled=True) for share in weights])

    def reduce(self, grads: Any) -> list[Any]:
        """This device's share of the mean of all gradients, packed, inside `shard_map`."""
        devices = jax.lax.axis_size("data")
        return [jax.lax.psum_scatter(x, "data", tiled=True) / devices for x in self.pack(grads)]


def usable_devices(batch: int, devices: int) -> int:
    """The largest number of devices, up to `devices`, that divides the batch evenly."""
    return max(k for k in range(1, devices + 1) if batch % k == 0)


def device_mesh(batch: int, devices: list[Any] | None = None) -> Mesh:
    """All devices (or those given) in a row, or as many of them as divide the batch evenly."""
    devices = jax.devices() if devices is None else devices
    n = usable_devices(batch, len(devices))
    return jax.make_mesh((n,), ("data",), axis_types=(AxisType.Auto,), devices=devices[:n])


class Step:
    """The compiled step of one run.

    Args:
      loss: `loss(model, *batch, *frozen) -> scalar`, the mean over the batch, written with minitorch's ops.
      optimizer: an `(init, update)` pair, ours or optax's. On a `Sharded` layout it sees a list, on `Tree` the model.
      draw: `draw(data, step) -> batch`, a tuple of arrays (B, ...), drawn on the device from `step` alone: a resumed
        run sees the batches that it would have seen.
      layout: `Sharded` or `Tree`, made from the model.
      mesh: of `device_mesh`.
    """

    def __init__(
        self,
        loss: Callable[..., Any],
        optimizer: Transform,
        draw: Callable[..., Any],
        layout: Sharded | Tree,
        mesh: Mesh,
    ):
        self.loss, self.optimizer, self.draw, self.layout, self.mesh = loss, optimizer, draw, layout, mesh
        self._run = jax.jit(self._steps, donate_argnums=0)
        self._model = jax.jit(layout.unpack, out_shardings=NamedSharding(mesh, P()))

    def init(self, model: Any) -> State:
        """The state before the first update, laid out on the mesh."""

        def first(model: Any) -> State:
            weights = self.layout.pack(model)
            return State(jnp.int32(0), weights, self.optimizer.init(weights))

        return jax.jit(first, out_shardings=self.shardings(jax.eval_shape(first, model)))(model)

    def shardings(self, state: State) -> State:
        """Where each array of a state lives: what is shaped like weights lies as they do, the rest is copied."""
        shapes = {x.shape for x in jax.tree.leaves(state.weights)}

        def place(x: Any) -> NamedSharding:
            return NamedSharding(self.mesh, self.layout.spec if x.shape in shapes else P())

        return jax.tree.map(place, state)

    def replicate(self, data: Any) -> Any:
        """`data` copied to every device, as `run` wants it."""
        return jax.device_put(data, NamedSharding(self.mesh, P()))

    def model(self, state: State) -> Any:
        """The weights of `state` as the model they are."""
        return self._model(state.weights)

    def run(self, state: State, data: Any, n: int = 1, frozen: tuple[Any, ...] = ()) -> tuple[State, Metrics]:
        """Make `n` updates, at most `MAX_STEPS`, in one dispatch. `state` is donated: use the one returned.

        `frozen` are weights that the loss reads and nobody trains, such as a teacher, copied to every device.

        A step whose loss or gradient is not finite changes nothing, so that the weights that led to it can be looked
        at.
        """
        if not 1 <= n <= MAX_STEPS:
            raise ValueError(f"run makes 1 to {MAX_STEPS} steps a call, not {n}: call it more often.")
        state, metrics = self._run(state, data, n, frozen)
        return state, jax.tree.map(lambda x: x[:n], metrics)

    def _steps(self, state: State, data: Any, n: Any, frozen: tuple[Any, ...]) -> tuple[State, Metrics]:
        # A loop of unknown length, and not a scan: one program for every n. Two programs may round differently, and a
        # run that is stopped and resumed between two calls would then end in other weights.
        def body(i: Any, carry: tuple[State, Metrics]) -> tuple[State, Metrics]:
            state, kept = carry
            state, metrics = self._one(state, data, frozen)
            return state, jax.tree.map(lambda buffer, x: buffer.at[i].set(x), kept, metrics)

        empty = Metrics(*(jnp.zeros(MAX_STEPS),) * 2)
        return jax.lax.fori_loop(0, n, body, (state, empty))

    def _one(self, state: State, data: Any, frozen: tuple[Any, ...]) -> tuple[State, Metrics]:
        batch = self.draw(data, state.step)
        loss, grads = self._loss_and_grads(state.weights, batch, frozen)
        norm = global_norm(grads)
        updates, optimizer = self.optimizer.update(grads, state.optimizer, state.weights)
        new = State(state.step + 1, apply_updates(state.weights, updates), optimizer)
        finite = jnp.isfinite(loss) & jnp.isfinite(norm)
        kept = jax.tree.map(lambda a, b: jnp.where(finite, a, b), new, state)
        return jax.lax.with_sharding_constraint(kept, self.shardings(kept)), Metrics(loss, norm)

    def _loss_and_grads(self, weights: Any, batch: tuple[Any, ...], frozen: tuple[Any, ...]) -> tuple[Any, Any]:
        def on_one_device(weights: Any, batch: tuple[Any, ...], frozen: tuple[Any, ...]) -> tuple[Any, Any]:
            loss, grads = value_and_grad(self.loss)(self.layout.gather(weights), *batch, *frozen)
            return jax.lax.pmean(loss, "data"), self.layout.reduce(grads)

        spec = self.layout.spec
        return jax.shard_map(
            on_one_device,
            mesh=self.mesh,
            in_specs=(spec, P("data"), P()),
            out_specs=(P(), spec),
            check_vma=False,  # The tape's gradients carry no record of what is replicated; the tests compare devices.
        )(weights, tuple(batch), frozen)
