"""Greedy text from a Llama of 15 million parameters: minitorch against `generate` of Hugging Face transformers.

    python -m benchmarks.generate [ROUNDS]

Every contestant has the same random weights in float32, and continues the same prompts of 32 tokens by 256.
transformers runs in PyTorch eager, in inference mode, with its default cache and its static one, on each number of
threads; the fastest of these by median is the peer. All must generate the same tokens. A turn is one call, from the
prompt to the last token. Prints tables and writes them to `generate.md`. `make .venv/.bench` installs the peers.
"""

from __future__ import annotations

import json
import os
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from .harness import describe_rounds, machine, serve, spread, table, take_turns, verdict, write_page

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES: dict[str, Any] = dict(vocab=32000, context=512, layers=6, heads=6, width=288, tied=True)
PROMPT, NEW = 32, 256
BATCHES = {1: 2.0, 8: 1.0}  # and the target: our tokens per second divided by those of transformers
CLOSE = 1e-4  # largest difference between the first logits of two libraries
OURS, PRODUCTS = "minitorch", "XLA's products with weights alone"
THEIRS = {
    f"transformers, {cache} cache, {threads} thread{'s' * (threads > 1)}": (cache, threads)
    for cache in ("dynamic", "static")
    for threads in range(1, (os.cpu_count() or 1) + 1)
}


def make_model() -> Any:
    """Return a model of the "15m" preset with a longer context, and weights so large that tokens depend on many others.

    With the usual initial weights, a model whose head is tied to its embedding repeats the last token for ever, so that
    an incorrect model would generate the same text.
    """
    import jax

    import minitorch as mt

    model = mt.models.Llama.init(jax.random.key(0), mt.models.LlamaConfig(**SIZES))
    blocks = jax.tree.map(lambda leaf: leaf * 4 if leaf.ndim > 1 else leaf, model.blocks)
    return mt.nn.paths.replace(model, {f"blocks.{path}": w for path, w in mt.nn.paths.flatten(blocks).items()})


def make_prompts(batch: int) -> np.ndarray:
    """Return random ids (B, PROMPT)."""
    return np.random.default_rng(0).integers(0, SIZES["vocab"], (batch, PROMPT))


def minitorch_generate(batch: int) -> tuple[Callable[[], np.ndarray], Callable[[], np.ndarray]]:
    """Return functions that compute the new tokens (B, NEW), and the logits of the first (B, V)."""
    import jax

    import minitorch as mt

    model, prompts, key = make_model(), make_prompts(batch), jax.random.key(0)

    def tokens() -> np.ndarray:
        return mt.infer.generate(model, prompts, NEW, key=key, samplers=[mt.infer.temperature(0)])

    return tokens, lambda: np.asarray(jax.jit(lambda model, ids: model(ids)[:, -1])(model, prompts))


def transformers_llama(model: Any) -> Any:
    """Return a `LlamaForCausalLM` with the weights of `model`."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from .peers import weights_by_path

    c, w = model.config, weights_by_path(model)
    kv_heads, head_size = c.kv_heads or c.heads, c.width // c.heads
    theirs = {"model.embed_tokens.weight": w["token.weight"], "model.norm.weight": w["norm.scale"]}
    theirs["lm_head.weight"] = w["token.weight"] if c.tied else w["head.weight"].T
    for i in range(c.layers):
        block = {name.removeprefix(f"blocks.{i}."): x for name, x in w.items() if name.startswith(f"blocks.{i}.")}
        q, k, v = np.split(block["attention.qkv.weight"], [c.width, c.width + kv_heads * head_size], axis=1)
        gate, up = np.split(block["mlp.gate_up.weight"], 2, axis=1)
        layer = {  # PyTorch stores the transpose of a linear layer's weight.
            "input_layernorm": block["attention_norm.scale"],
            "self_attn.q_proj": q.T,
            "self_attn.k_proj": k.T,
            "self_attn.v_proj": v.T,
            "self_attn.o_proj": block["attention.out.weight"].T,
            "post_attention_layernorm": block["mlp_norm.scale"],
            "mlp.gate_proj": gate.T,
            "mlp.up_proj": up.T,
            "mlp.down_proj": block["mlp.down.weight"].T,
        }
        theirs |= {f"model.layers.{i}.{name}.weight": x for name, x in layer.items()}
    config = LlamaConfig(
        vocab_size=c.vocab,
        hidden_size=c.width,
        intermediate_size=len(w["blocks.0.mlp.down.weight"]),
        num_hidden_layers=c.layers,
        num_attention_heads=c.heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=c.context,
        rms_norm_eps=c.epsilon,
        rope_parameters={"rope_type": "default", "rope_theta": c.rope_base},
        tie_word_embeddings=c.tied,
        bos_token_id=None,
        eos_token_id=None,  # No token stops the generation.
        pad_token_id=None,
    )
    module = LlamaForCausalLM(config).eval()
    module.load_state_dict(
        {name: torch.tensor(x.copy()) for name, x in theirs.items()}
    )  # Raises if a name is missing or unknown.
    return module


def transformers_generate(
    batch: int, cache: str, threads: int
) -> tuple[Callable[[], np.ndarray], Callable[[], np.ndarray]]:
    """Return the same two functions as `minitorch_generate`."""
    import torch

    torch.set_num_threads(threads)
    module, ids = transformers_llama(make_model()), torch.tensor(make_prompts(batch))
    options: dict[str, Any] = {"cache_implementation": "static"} if cache == "static" else {}
    options |= dict(max_new_tokens=NEW, do_sample=False, attention_mask=torch.ones_like(ids))

    def tokens() -> np.ndarray:
        with torch.inference_mode():
            return module.generate(ids, **options)[:, PROMPT:].numpy()

    def logits() -> np.ndarray:
        with torch.inference_mode():
            return module(ids).logits[:, -1].numpy()

    return tokens, logits


def jax_products(batch: int) -> Callable[[], Any]:
    """Return the lower bound: the products of each new token with the weights, one after the other."""
    import jax
    import jax.numpy as jnp

    model = make_model()

    @jax.jit
    def run(model: Any, x: Any) -> Any:
        def step(i: Any, x: Any) -> Any:
            for block in model.blocks:
                x = block.attention.qkv(x)[:, : SIZES["width"]]
                x = block.mlp.down(block.mlp.gate_up(block.attention.out(x))[:, : len(block.mlp.down.weight)])
                x = x / jnp.abs(x).max()
            return x * model.token.attend(jax.lax.optimization_barrier(x)).max()

        return jax.lax.fori_loop(0, NEW, step, x)

    x = jnp.ones((batch, SIZES["width"]))
    return lambda: run(model, x).block_until_ready()


def compete(name: str, batch: int) -> None:
    """Serve as one contestant."""
    start = time.perf_counter()
    if name == PRODUCTS:
        turn = jax_products(batch)
        facts = {}
        turn()
    else:
        turn, logits = minitorch_generate(batch) if name == OURS else transformers_generate(batch, *THEIRS[name])
        facts = {"logits": logits().tolist()}
        start = time.perf_counter()
        facts["tokens"] = turn().tolist()  # Compiles, and warms up.
    facts["first"] = time.perf_counter() - start

    def answer() -> float:
        start = time.perf_counter()
        turn()
        return time.perf_counter() - start

    serve(facts, answer)


def closest_calls(batch: int, tokens: np.ndarray) -> np.ndarray:
    """Return the lead of our best logit over the second at each new token (B, NEW), computed from the whole text."""
    import jax

    texts = np.concatenate([make_prompts(batch), tokens], axis=1)
    read = jax.jit(lambda model, ids: jax.lax.top_k(model(ids)[0, PROMPT - 1 : -1], 2)[0])
    model = make_model()
    best = np.stack([read(model, text[None]) for text in texts])  # (B, NEW, 2)
    return best[..., 0] - best[..., 1]


def agreement(batch: int, facts: dict[str, dict[str, Any]]) -> str:
    """Return a paragraph that says whether all contestants have the same logits and tokens."""
    ours, logits = np.array(facts[OURS]["tokens"]), np.array(facts[OURS]["logits"])
    ahead = closest_calls(batch, ours)
    apart = max(np.abs(np.array(facts[name]["logits"]) - logits).max() for name in THEIRS)
    lines = [
        f"First logits, of size up to {np.abs(logits).max():.1f}, differ by {apart:.1e} (at most {CLOSE:.0e}:"
        f" {verdict(apart <= CLOSE)}). Of our {ours.size:,} tokens {len(np.unique(ours)):,} are distinct, and the"
        f" smallest lead of a best logit over the second is {ahead.min():.1e}."
    ]
    different = []
    for name in THEIRS:
        unequal = np.array(facts[name]["tokens"]) != ours
        for row in np.flatnonzero(unequal.any(axis=1)):
            first = unequal[row].argmax()
            different.append(
                f"{name} differs from ours in row {row} from token {first} on, where the lead of our best logit is"
                f" {ahead[row, first]:.1e}."
            )
    return " ".join([*lines, *(different or ["All contestants generate the same tokens."])])


def section(batch: int, results: dict[str, tuple[Any, list[float]]]) -> str:
    """Return the part of the page about one batch size."""
    facts = {name: ready for name, (ready, _) in results.items()}
    times = {name: seconds for name, (_, seconds) in results.items()}
    rows = [["", "tokens/s", "ms per step", "minitorch is faster by", "first call s"]]
    ratios = {name: [theirs / ours for theirs, ours in zip(t, times[OURS], strict=True)] for name, t in times.items()}
    for name, seconds in times.items():
        speed, step = [batch * NEW / s for s in seconds], [1e3 * s / NEW for s in seconds]
        ratio = "" if name == OURS else spread(ratios[name], "x")
        rows.append([name, spread(speed, form=",.0f"), spread(step), ratio, f"{facts[name]['first']:.1f}"])
    rival = min(THEIRS, key=lambda name: median(times[name]))
    return (
        f"## Batch {batch}\n\n{table(rows)}\n\n"
        f"Against the fastest of the others, {rival}: {median(ratios[rival]):.2f}x, at least {BATCHES[batch]}:"
        f" {verdict(median(ratios[rival]) >= BATCHES[batch])}.\n\n{agreement(batch, facts)}\n"
    )


def main(rounds: int) -> None:
    """Measure, and write the page."""
    parts = [
        f"# Generation\n\nWritten by `python -m benchmarks.generate`: {describe_rounds(rounds)}. In a round, each"
        f" contestant generates {NEW} tokens after a prompt of {PROMPT}, greedily, with a Llama of 15 million"
        " parameters in float32. A step is one token for each row of the batch. The first call, which includes"
        f" compilation, is not part of a round. {machine('jax', 'torch', 'transformers')}.\n"
    ]
    for batch in BATCHES:
        names = [OURS, *THEIRS, PRODUCTS]
        parts.append(section(batch, take_turns("benchmarks.generate", names, batch, rounds)))
        write_page(__file__, "\n".join(parts))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        compete(sys.argv[1], json.loads(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
