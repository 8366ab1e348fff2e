"""Greedy text from a Llama of 110 million parameters, in float32 and in few bits.

    python -m benchmarks.compress [ROUNDS]

Every contestant has the same random weights, quantized or not, and continues the same prompt of 32 tokens by 64; they
take turns, each in its own process. Then one product of a vector with a matrix is written in several ways, to compare
the programs that XLA's CPU compiler generates. Prints tables and writes them to `compress.md`.
"""

from __future__ import annotations

import json
import re
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from .harness import describe_rounds, machine, serve, spread, table, take_turns, verdict, write_page

if TYPE_CHECKING:
    from collections.abc import Callable

PROMPT, NEW = 32, 64
FLOAT32, PRODUCTS = "float32", "products"
AT_LEAST = {"int8": (1.8, 0.28), "int4": (2.2, 0.16), "nf4": (0.0, 0.16)}  # times as fast; share of the bytes
MATRICES, ROWS, INPUTS = 24, 4096, 768  # of the products: together larger than the caches


def make_model(name: str) -> Any:
    """Return a model of the "110m" preset. With a standard deviation of 0.03, each token depends on earlier ones."""
    import jax
    import jax.numpy as jnp

    import minitorch as mt
    from minitorch import compress

    config = mt.models.LlamaConfig(**mt.models.LlamaConfig.PRESETS["110m"])
    like = jax.eval_shape(lambda: mt.models.Llama.init(jax.random.key(0), config))
    rng = np.random.default_rng(0)

    def sampled(leaf: Any) -> Any:
        scale = np.float32(0.03)
        return (
            jnp.asarray(scale * rng.standard_normal(leaf.shape, np.float32)) if leaf.ndim > 1 else jnp.ones(leaf.shape)
        )

    model = jax.tree.map(sampled, like)
    return model if name == FLOAT32 else compress.quantize(model, compress.RECIPES[name])


def writer(name: str) -> tuple[dict[str, Any], Callable[[], float]]:
    """Return the facts about a model, and a function that generates a text and returns the seconds per token."""
    import jax

    from minitorch import compress, infer

    model = make_model(name)
    prompt = np.random.default_rng(1).integers(0, model.config.vocab, (1, PROMPT))

    def write(tokens: int = NEW) -> np.ndarray:
        return infer.generate(model, prompt, tokens, key=jax.random.key(0), samplers=[infer.temperature(0)])

    def turn() -> float:
        """Return the seconds per token, without the prefill and the first token."""
        start = time.perf_counter()
        write(1)
        middle = time.perf_counter()
        write(NEW + 1)
        return (time.perf_counter() - middle - (middle - start)) / NEW

    return {"bytes": compress.bytes_in_memory(model), "tokens": len(np.unique(write()))}, turn


def forms() -> dict[str, tuple[str, Callable[..., Any]]]:
    """Return ways to write y = W x for codes W (R, I): the stored type, and a function of x (1, I), W and scales."""
    import jax
    import jax.numpy as jnp

    from minitorch.compress.packed import PackedMatrix, matmul

    def fused(x: Any, matrix: PackedMatrix, _: Any) -> Any:
        return matmul(x, matrix)

    def whole(x: Any, codes: Any, scale: Any) -> Any:
        x = jnp.round(x * 30).astype(jnp.int8)
        dims = (((1,), (1,)), ((), ()))
        return jax.lax.dot_general(x, codes, dims, preferred_element_type=jnp.int32) * scale

    return {
        "float32: x @ W.T": ("float32", lambda x, w, s: x @ w.T),
        "x @ codes.astype(float32).T, then scales": ("int8", fused),
        "the same with codes stored as (I, R)": ("int8 (I, R)", lambda x, w, s: (x @ w.astype(jnp.float32)) * s),
        "codes.astype(float32) @ x, x of one axis": ("int8", lambda x, w, s: (_codes(w) @ x[0]) * s),
        "(x * codes).sum(axis=1)": ("int8", lambda x, w, s: (x * _codes(w)).sum(axis=1) * s),
        "int8 x int8, added up as int32": ("int8", lambda x, w, s: whole(x, w.codes, s)),
        "4 bits: two fused products, one for each half of the bytes": ("int4", fused),
        "4 bits: codes put together first, then one product": ("int4", lambda x, w, s: x @ w.dequantize().T),
        "NF4: two products with levels looked up": ("nf4", fused),
    }


def _codes(matrix: Any) -> Any:
    import jax.numpy as jnp

    return matrix.codes.astype(jnp.float32)


def multiplier(name: str) -> tuple[dict[str, Any], Callable[[], float]]:
    """Return the steps that XLA compiled for one product, and a function that times `MATRICES` different products."""
    import jax
    import jax.numpy as jnp

    from minitorch.compress.packed import PackedMatrix
    from minitorch.compress.quantize import INT4, INT8, NF4

    stored, form = forms()[name]
    rng = np.random.default_rng(0)
    schemes = {"int8": INT8, "int4": INT4, "nf4": NF4}

    def make() -> Any:
        w = rng.standard_normal((ROWS, INPUTS), np.float32)
        if stored in schemes:
            return PackedMatrix.quantize(w, schemes[stored])
        return jnp.asarray(w) if stored == "float32" else PackedMatrix.quantize(w, INT8).codes.T.copy()

    x, scale = jnp.asarray(rng.standard_normal((1, INPUTS), np.float32)), jnp.ones(ROWS)
    matrices = [make() for _ in range(MATRICES)]

    @jax.jit
    def all_of_them(x: Any, matrices: Any) -> Any:
        total = jnp.zeros(())
        for matrix in matrices:
            y = form(x, matrix, scale).reshape(-1)
            total, x = total + y.sum(), x + 1e-6 * y[None, :INPUTS]  # Each product depends on the one before.
        return total

    compiled = jax.jit(form).lower(x, matrices[0], scale).compile()
    entry = str(compiled.as_text()).partition("\nENTRY")[2]
    sizes = [
        int(np.prod([int(n) for n in dims.split(",")]))
        for dims in re.findall(r" = f32\[([\d,]+)\]\S* (?!param)", entry)
    ]
    facts = {"steps": re.findall(r"^\s+(?:ROOT )?%(\S+) = \S+ (?!parameter)", entry, re.M), "largest": max(sizes)}
    all_of_them(x, matrices).block_until_ready()

    def turn() -> float:
        start = time.perf_counter()
        all_of_them(x, matrices).block_until_ready()
        return time.perf_counter() - start

    return facts, turn


def compete(name: str, kind: str) -> None:
    """Serve as one contestant."""
    facts, turn = multiplier(name) if kind == PRODUCTS else writer(name)
    turn()
    serve(facts, turn)


def of_generation(rounds: int) -> str:
    """Measure generation; return its part of the page."""
    results = take_turns("benchmarks.compress", [FLOAT32, *AT_LEAST], "generation", rounds)
    whole, slow = results[FLOAT32]
    rows, verdicts = [["", "bytes in memory", "tokens/s", "faster than float32 by"]], []
    for name, (facts, seconds) in results.items():
        share, ratios = facts["bytes"] / whole["bytes"], [a / b for a, b in zip(slow, seconds, strict=True)]
        speed = spread([1 / s for s in seconds])
        rows.append([name, f"{facts['bytes'] / 1e6:,.1f} MB ({share:.3f}x)", speed, spread(ratios, "x")])
        if name in AT_LEAST and AT_LEAST[name][0]:
            faster, smaller = AT_LEAST[name]
            verdicts.append(
                f"{name}: {median(ratios):.2f}x, at least {faster}: {verdict(median(ratios) >= faster)};"
                f" {share:.3f} of the bytes, at most {smaller}: {verdict(share <= smaller)}."
            )
    different = min(facts["tokens"] for facts, _ in results.values())
    return f"{table(rows)}\n\n{' '.join(verdicts)} At least {different} of {NEW} tokens are distinct.\n"


def of_products(rounds: int) -> str:
    """Measure the products; return their table."""
    results = take_turns("benchmarks.compress", list(forms()), PRODUCTS, rounds)
    _, slow = next(iter(results.values()))
    rows = [["written as", "ms", "faster than float32 by", "largest float32 array", "steps of the compiled HLO"]]
    for name, (facts, seconds) in results.items():
        ratios = [a / b for a, b in zip(slow, seconds, strict=True)]
        steps = ", ".join(f"`{step}`" for step in facts["steps"])
        rows.append([name, spread([1e3 * s for s in seconds]), spread(ratios, "x"), f"{facts['largest']:,}", steps])
    return table(rows)


def main(rounds: int) -> None:
    """Measure, and write the page."""
    page = (
        f"# Few bits\n\nWritten by `python -m benchmarks.compress`: {describe_rounds(rounds)}. Greedy text of {NEW}"
        f" tokens after a prompt of {PROMPT}, by a Llama of 110 million parameters with random weights, without the"
        f" time of the prefill. {machine('jax', 'jaxlib')}.\n\n"
        f"{of_generation(rounds)}\n## How XLA compiles a product\n\nA vector of {INPUTS} numbers is multiplied with"
        f" {MATRICES} matrices of {ROWS:,} x {INPUTS}, one after the other. If the largest float32 array has"
        f" {ROWS * INPUTS:,} numbers, the program converts the codes of a whole matrix to float32 before the"
        f" product.\n\n{of_products(rounds)}\n\nOnly one form is fast: a vector (1, I), stored in memory, times the"
        " transpose of a matrix (R, I), with no operation after it that XLA would fuse: `_matvec` in"
        " `minitorch/compress/packed.py`. For the levels of NF4, this processor looks up one number at a time.\n"
    )
    write_page(__file__, page)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        compete(sys.argv[1], json.loads(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
