"""One training step, compiled once: get a batch, differentiate, update. The same code for one device and for many.

Data parallelism in four moves (ZeRO, Rajbhandari et al., arXiv 1910.02054): every device

    1. gathers the whole weights from the shares of all devices,
    2. differentiates the loss on its part of the batch,
    3. sums the gradients of all devices, and keeps its share of the sum (reduce-scatter),
    4. updates its share of the weights, with its share of the optimizer's state.

`layout` says what a share is. On one device, moves 1 and 3 cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from ..autodiff import value_and_grad
from ..optim import Transform, apply_updates, global_norm

if TYPE_CHECKING:
    from collections.abc import Callable

    from .layout import Replicated, Sharded

MAX_STEPS = 64  # per dispatch


class State(NamedTuple):
    """Everything that changes from step to step, and so all that a checkpoint holds."""

    step: Any  # int32 (): completed updates; the next batch is a function of it
    weights: Any  # as the layout packs them
    optimizer: Any


class Metrics(NamedTuple):
    """The metrics of each step in a dispatch, (n,) each."""

    loss: Any  # nats
    gradient_norm: Any


class Step:
    """The compiled training step of one run.

    Args:
      loss: `loss(model, *batch, *frozen) -> ()`, the mean over the batch, written with minitorch's ops. Each device
        computes it on its rows. So a mean over what a mask selects has to be `nn.masked_mean`, or `nn.cross_entropy`
        with `where`, whose count is that of all devices.
      optimizer: an `(init, update)` pair. It sees a list on a `Sharded` layout, the model on a `Replicated` one.
      get_batch: `get_batch(data, step) -> batch`, a tuple of arrays (B, ...) that depends on `step` alone.
      layout: `Sharded` or `Replicated`, built for the model.
      mesh: the result of `device_mesh`.
    """

    def __init__(
        self,
        loss: Callable[..., Any],
        optimizer: Transform,
        get_batch: Callable[..., tuple[Any, ...]],
        layout: Sharded | Replicated,
        mesh: Mesh,
    ):
        self.loss, self.optimizer, self.get_batch, self.layout, self.mesh = loss, optimizer, get_batch, layout, mesh
        self.compiled = jax.jit(self._train_steps, donate_argnums=0)
        self._unpack = jax.jit(layout.unpack, out_shardings=NamedSharding(mesh, P()))

    def run(self, state: State, data: Any, n: int = 1, frozen: tuple[Any, ...] = ()) -> tuple[State, Metrics]:
        """Make `n` updates, at most `MAX_STEPS`, in one dispatch; return the new state, and the metrics (n,) of each.

        `state` is donated. `data`, which `get_batch` reads, and `frozen`, weights that the loss reads, are on every
        device. A step whose loss or gradient is not finite changes nothing, so that the weights can be inspected.
        """
        if not 1 <= n <= MAX_STEPS:
            raise ValueError(f"run makes 1 to {MAX_STEPS} steps a call, not {n}: call it more often.")
        state, metrics = self.compiled(state, data, n, frozen)
        return state, jax.tree.map(lambda x: x[:n], metrics)

    def _train_steps(self, state: State, data: Any, n: Any, frozen: tuple[Any, ...]) -> tuple[State, Metrics]:
        # A loop of unknown length, not a scan: one program for every n. Two programs may round differently, and a run
        # that is stopped and resumed between two dispatches would then end in other weights.
        def body(i: Any, carry: tuple[State, Metrics]) -> tuple[State, Metrics]:
            state, metrics = self.train_step(carry[0], data, frozen)
            return state, jax.tree.map(lambda buffer, x: buffer.at[i].set(x), carry[1], metrics)

        empty = Metrics(*(jnp.zeros(MAX_STEPS),) * 2)
        return jax.lax.fori_loop(0, n, body, (state, empty))

    def train_step(self, state: State, data: Any, frozen: tuple[Any, ...]) -> tuple[State, Metrics]:
        """Make one update, inside `jax.jit`."""
        batch = self.get_batch(data, state.step)  # a tuple of (B, ...), such as inputs and targets (B, T)
        loss, grads = self._loss_and_grads(state.weights, batch, frozen)  # (), and packed like the weights
        norm = global_norm(grads)  # ()
        updates, optimizer = self.optimizer.update(grads, state.optimizer, state.weights)  # move 4
        new = State(state.step + 1, apply_updates(state.weights, updates), optimizer)
        finite = jnp.isfinite(loss) & jnp.isfinite(norm)
        kept = jax.tree.map(lambda a, b: jnp.where(finite, a, b), new, state)
        return jax.lax.with_sharding_constraint(kept, self.shardings(kept)), Metrics(loss, norm)

    def _loss_and_grads(self, weights: Any, batch: tuple[Any, ...], frozen: tuple[Any, ...]) -> tuple[Any, Any]:
        def on_one_device(weights: Any, batch: tuple[Any, ...], frozen: tuple[Any, ...]) -> tuple[Any, Any]:
            model = self.layout.gather(weights)  # move 1
            loss, grads = value_and_grad(self.loss)(model, *batch, *frozen)  # move 2, on (B/devices, ...)
            return jax.lax.pmean(loss, "data"), self.layout.reduce(grads)  # move 3

        spec = self.layout.spec
        return jax.shard_map(
            on_one_device,
            mesh=self.mesh,
            in_specs=(spec, P("data"), P()),
            out_specs=(P(), spec),
            check_vma=False,  # The tape's gradients do not record what is replicated; the tests compare devices.
        )(weights, tuple(batch), frozen)

    def init(self, model: Any) -> State:
        """Return the state before the first update, placed on the mesh."""

        def first(model: Any) -> State:
            # Without weak types, which no state after a step has: they would cost another program.
            weights = self.layout.pack(jax.tree.map(lambda x: jnp.asarray(x, x.dtype), model))
            return State(jnp.int32(0), weights, self.optimizer.init(weights))

        return jax.jit(first, out_shardings=self.shardings(jax.eval_shape(first, model)))(model)

    def shardings(self, state: State) -> State:
        """Return the sharding of each array: the layout's for arrays shaped like weights, replicated for the rest."""
        shapes = {x.shape for x in jax.tree.leaves(state.weights)}

        def place(x: Any) -> NamedSharding:
            return NamedSharding(self.mesh, self.layout.spec if x.shape in shapes else P())

        return jax.tree.map(place, state)

    def replicate(self, data: Any) -> Any:
        """Replicate `data` on every device of the mesh, as `run` requires."""
        return jax.device_put(data, NamedSharding(self.mesh, P()))

    def model(self, state: State) -> Any:
        """Return the model whose weights `state` holds, on every device."""
        return self._unpack(state.weights)
