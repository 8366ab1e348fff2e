"""One training step of a GPT: minitorch against flax nnx, `jax.value_and_grad` and PyTorch eager.

    python -m benchmarks.train_step [ROUNDS]

Every contestant has the same weights, AdamW with decay of matrices, clipping to norm 1, and float32. A turn is ten
steps with one wait at the end, as in a training loop; its time is divided by their number. Prints
tables and writes them to `train_step.md`. `make .venv/.bench` installs the peers.
"""

from __future__ import annotations

import json
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from .harness import describe_rounds, machine, serve, spread, table, take_turns, verdict, write_page

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = {
    "4 layers x 4 heads x 128 wide, context 64, batch 12": dict(
        vocab=65, context=64, layers=4, heads=4, width=128, batch=12, steps=10
    ),
    "6 layers x 6 heads x 384 wide, context 256, batch 8": dict(
        vocab=65, context=256, layers=6, heads=6, width=384, batch=8, steps=10
    ),
}
OURS, ONE_DEVICE, JAX, FLAX, TORCH, JAX_PRODUCTS, TORCH_PRODUCTS = (
    "minitorch",
    "minitorch, one device",
    "jax.value_and_grad + optax",
    "flax nnx + optax",
    "PyTorch eager",
    "XLA's products with weights alone",
    "PyTorch's products with weights alone",
)
TARGETS = {FLAX: 2.5, JAX: 1.7, TORCH: 1.0}  # times as fast, at least
MOST_COMPILE, MOST_MEMORY = 1.3, 1.2  # times jax.value_and_grad's, at most


def make_model(settings: dict[str, int]) -> tuple[Any, Any, Any]:
    """Return the model, and one batch of inputs and targets (B, T)."""
    import jax

    import minitorch as mt

    sizes: dict[str, Any] = {name: value for name, value in settings.items() if name not in ("batch", "steps")}
    model = mt.models.GPT.init(jax.random.key(0), mt.models.GPTConfig(**sizes))
    ids = jax.random.randint(jax.random.key(1), (settings["batch"], settings["context"] + 1), 0, settings["vocab"])
    return model, ids[:, :-1], ids[:, 1:]


def loss(model: Any, x: Any, y: Any) -> Any:
    """Return the mean cross-entropy of a batch, ()."""
    import minitorch as mt

    return mt.nn.cross_entropy(model(x), y)


def optimizer(library: Any, mask: Any) -> Any:
    """Return the optimizer of minitorch or optax."""
    clip, decay = library.clip_by_global_norm(1.0), library.adamw(1e-3, b1=0.9, b2=0.99, weight_decay=0.1, mask=mask)
    return library.chain(clip, decay)


def temporary_bytes(compiled: Any) -> int:
    """Return the temporary memory of one device while the program runs, as XLA planned it."""
    return compiled.memory_analysis().temp_size_in_bytes


def minitorch_step(settings: dict[str, int], cores: int) -> tuple[Callable[[], Any], dict[str, float]]:
    """Return a function that makes the steps of a turn, and facts about the compiled program."""
    from minitorch.train.devices import use_cpu_cores

    if cores > 1:
        use_cpu_cores(cores)
    import jax

    import minitorch as mt
    from minitorch.train import Replicated, Sharded, Step, device_mesh

    model, x, y = make_model(settings)
    mesh = device_mesh(settings["batch"])
    layout = Sharded(model, mesh.size) if mesh.size > 1 else Replicated(model, 1)
    is_matrix = jax.tree.map(lambda leaf: float(leaf.ndim > 1), model)
    step = Step(loss, optimizer(mt.optim, lambda weights: layout.pack(is_matrix)), lambda data, i: data, layout, mesh)
    data = step.replicate((x, y))
    state = step.init(model)
    start = time.perf_counter()
    compiled = step.compiled.lower(state, data, settings["steps"], ()).compile()
    facts = {
        "compile": time.perf_counter() - start,
        "memory": mesh.size * temporary_bytes(compiled),
    }

    def turn() -> Any:
        nonlocal state
        state, metrics = step.run(state, data, settings["steps"])
        return metrics.loss[-1]

    return turn, facts


def jax_step(settings: dict[str, int]) -> tuple[Callable[[], Any], dict[str, float]]:
    """Do the same with `jax.value_and_grad` and optax."""
    import jax
    import optax

    model, x, y = make_model(settings)
    tx = optimizer(optax, lambda params: jax.tree.map(lambda leaf: leaf.ndim >= 2, params))

    def step(model: Any, state: Any, x: Any, y: Any) -> Any:
        value, grads = jax.value_and_grad(loss)(model, x, y)
        updates, state = tx.update(grads, state, model)
        return optax.apply_updates(model, updates), state, value

    state = tx.init(model)
    start = time.perf_counter()
    step = jax.jit(step, donate_argnums=(0, 1)).lower(model, state, x, y).compile()
    facts = {"compile": time.perf_counter() - start, "memory": temporary_bytes(step)}

    def turn() -> Any:
        nonlocal model, state
        for _ in range(settings["steps"]):
            model, state, value = step(model, state, x, y)
        return value

    return turn, facts


def flax_step(settings: dict[str, int]) -> tuple[Callable[[], Any], dict[str, float]]:
    """Do the same with flax nnx and optax."""
    import jax
    import optax
    from flax import nnx

    from .peers import flax_gpt

    model, x, y = make_model(settings)
    module = flax_gpt(model)
    state = nnx.Optimizer(module, optimizer(optax, lambda p: jax.tree.map(lambda a: a.ndim >= 2, p)), wrt=nnx.Param)

    @nnx.jit
    def step(module: Any, state: Any, x: Any, y: Any) -> Any:
        def flax_loss(module: Any) -> Any:
            return optax.softmax_cross_entropy_with_integer_labels(module(x), y).mean()

        value, grads = nnx.value_and_grad(flax_loss)(module)
        state.update(module, grads)
        return value

    def turn() -> Any:
        for _ in range(settings["steps"]):
            value = step(module, state, x, y)
        return value

    return turn, {}


def torch_step(settings: dict[str, int]) -> tuple[Callable[[], Any], dict[str, float]]:
    """Do the same with PyTorch eager."""
    import numpy as np
    import torch

    from .peers import torch_gpt, torch_optimizer

    model, x, y = make_model(settings)
    module, x, y = torch_gpt(model), torch.tensor(np.array(x)), torch.tensor(np.array(y)).long()
    state = torch_optimizer(module, 1e-3, 0.1, 0.99)

    def turn() -> Any:
        for _ in range(settings["steps"]):
            value = torch.nn.functional.cross_entropy(module(x).flatten(0, 1), y.flatten())
            state.zero_grad(set_to_none=True)
            value.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            state.step()
        return value

    return turn, {}


def products(settings: dict[str, int]) -> tuple[list[tuple[int, int]], int]:
    """Return the shapes of the weights that a token is multiplied with, and the number of tokens in a batch."""
    d = settings["width"]
    block = [(d, 3 * d), (d, d), (d, 4 * d), (4 * d, d)]
    return [*block * settings["layers"], (d, settings["vocab"])], settings["batch"] * settings["context"]


def jax_products(settings: dict[str, int]) -> tuple[Callable[[], Any], dict[str, float]]:
    """The least that a step of ours must do: XLA's products with the weights, there and back, half on each core."""
    from minitorch.train.devices import use_cpu_cores

    use_cpu_cores(2)
    import jax
    import jax.numpy as jnp
    from jax.sharding import PartitionSpec as P

    from minitorch.train import device_mesh

    shapes, tokens = products(settings)

    def chain(weights: list[Any], x: Any) -> Any:
        for w in weights:
            x = x[:, : len(w)] @ w
        return (x * x).sum()  # The gradient of a plain sum is the same in every step, and XLA would compute it once.

    def repeat(weights: list[Any], x: Any) -> Any:
        def body(i: Any, gradients: Any) -> Any:
            return jax.grad(chain, (0, 1))(weights, x + gradients[1])

        return jax.lax.fori_loop(0, settings["steps"], body, jax.tree.map(jnp.zeros_like, (weights, x)))

    mesh, out = device_mesh(settings["batch"]), (P(), P("data"))
    run = jax.jit(jax.shard_map(repeat, mesh=mesh, in_specs=out, out_specs=out, check_vma=False))
    weights, x = [jnp.full(shape, 1 / shape[0]) for shape in shapes], jnp.ones((tokens, settings["width"]))
    return lambda: run(weights, x)[1][0, 0], {}


def torch_products(settings: dict[str, int]) -> tuple[Callable[[], Any], dict[str, float]]:
    """Do the same products with PyTorch."""
    import torch

    shapes, tokens = products(settings)
    weights = [torch.full(shape, 1 / shape[0], requires_grad=True) for shape in shapes]
    first = torch.ones(tokens, settings["width"], requires_grad=True)

    def turn() -> Any:
        for _ in range(settings["steps"]):
            x = first
            for w in weights:
                x = x[:, : len(w)] @ w
            gradients = torch.autograd.grad((x * x).sum(), [*weights, first])
        return gradients[-1][0, 0]

    return turn, {}


CONTESTANTS: dict[str, Callable[..., Any]] = {
    OURS: lambda settings: minitorch_step(settings, cores=2),
    ONE_DEVICE: lambda settings: minitorch_step(settings, cores=1),
    JAX: jax_step,
    FLAX: flax_step,
    TORCH: torch_step,
    JAX_PRODUCTS: jax_products,
    TORCH_PRODUCTS: torch_products,
}


def compete(name: str, settings: dict[str, int]) -> None:
    """Serve as one contestant."""
    turn, facts = CONTESTANTS[name](settings)
    first = float(turn())  # Compiles, and warms up.

    def answer() -> float:
        start = time.perf_counter()
        float(turn())
        return (time.perf_counter() - start) / settings["steps"] * 1e3

    serve(facts | {"loss": first}, answer)


def section(title: str, results: dict[str, tuple[Any, list[float]]]) -> str:
    """Return the part of the page about one model."""
    ours = results[OURS][1]
    rows = [["", "ms per step", "minitorch is faster by", "target", "loss of the warm-up", "compile s", "temporary MB"]]
    for name, (facts, times) in results.items():
        ratios = [theirs / mine for theirs, mine in zip(times, ours, strict=True)]
        target = TARGETS.get(name)
        reached = f"{target}: {verdict(median(ratios) >= target)}" if target else ""
        known = [f"{facts[k] / scale:.1f}" if k in facts else "" for k, scale in (("compile", 1), ("memory", 1e6))]
        rows.append(
            [name, spread(times), "" if name == OURS else spread(ratios, "x"), reached, f"{facts['loss']:.4f}", *known]
        )
    one, jax = results[ONE_DEVICE][0], results[JAX][0]
    compiles, memories = one["compile"] / jax["compile"], one["memory"] / jax["memory"]
    # Every float32 step on XLA computes the products, so they bound the speed of any step.
    fastest = median(theirs / least for theirs, least in zip(results[FLAX][1], results[JAX_PRODUCTS][1], strict=True))
    return (
        f"## {title}\n\n{table(rows)}\n\n"
        f"XLA's products with weights take {median(results[JAX_PRODUCTS][1]) / median(ours):.0%} of a step. A step"
        f" without anything else would be {fastest:.2f}x as fast as flax nnx, whose step computes the same"
        " products.\n\n"
        f"On one device, compiling takes {compiles:.2f}x the time of `jax.value_and_grad` (at most {MOST_COMPILE}), and"
        f" a step {memories:.2f}x the memory (at most {MOST_MEMORY}).\n"
    )


def main(rounds: int) -> None:
    """Measure, and write the page."""
    parts = [
        f"# One training step\n\nWritten by `python -m benchmarks.train_step`: {describe_rounds(rounds)}, each of ten"
        f" steps. {machine('jax', 'flax', 'optax', 'torch')}.\n"
    ]
    for title, settings in SETTINGS.items():
        parts.append(section(title, take_turns("benchmarks.train_step", list(CONTESTANTS), settings, rounds)))
        write_page(__file__, "\n".join(parts))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        compete(sys.argv[1], json.loads(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
