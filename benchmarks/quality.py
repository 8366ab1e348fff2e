"""Validation loss after a run: nanoGPT's small configuration, trained by minitorch and by PyTorch.

    python -m benchmarks.quality [FILE] [SEEDS]

4 layers x 4 heads x 128 wide, context 64, batch 12, 2,000 steps of AdamW: learning rate 1e-3 after 100 steps of
warm-up, cosine to 1e-4, weight decay 0.1, betas 0.9 and 0.99, clipping at norm 1, no dropout, characters as tokens, the
first 90 % for training. On tinyshakespeare nanoGPT reports a validation loss of 1.88. FILE is any text of about a
million characters; by default, a million characters of the standard library. For each seed, both start from the same
weights and sample their own batches; the validation loss is that of the whole last tenth. Writes `quality.md`.
`make .venv/.bench` installs the peers.
"""

from __future__ import annotations

import math
import sys
import time
from statistics import mean
from typing import Any

import numpy as np

from .harness import machine, table, verdict, write_page
from .peers import torch_gpt, torch_optimizer

STEPS, WARMUP, BATCH, CONTEXT = 2000, 100, 12, 64
PEAK, END, WEIGHT_DECAY, B2 = 1e-3, 1e-4, 0.1, 0.99
TOLERANCE = 0.02


def characters(source: str) -> tuple[np.ndarray, np.ndarray, int, str]:
    """Return training and validation ids, the size of the vocabulary, and a description of the text."""
    from minitorch.data import load_text
    from minitorch.text import train_tokenizer

    corpus = load_text(source, limit=1_000_000)
    text = corpus.text
    tokenizer = train_tokenizer("char", text)
    ids = np.array(tokenizer.encode(text), np.int32)
    cut = int(0.9 * len(ids))
    about = f"{corpus.name}, {len(text):,} characters, {tokenizer.vocab_size} distinct, SHA-256 {corpus.sha256[:16]}..."
    return ids[:cut], ids[cut:], tokenizer.vocab_size, about


def init_model(vocab: int, seed: int) -> Any:
    """Return the model with its initial weights."""
    import jax

    import minitorch as mt

    config = mt.models.GPTConfig(vocab=vocab, context=CONTEXT, layers=4, heads=4, width=128)
    return mt.models.GPT.init(jax.random.key(seed), config)


def train_minitorch(train: np.ndarray, validation: np.ndarray, vocab: int, seed: int) -> float:
    """Train by minitorch, and return the validation loss in nats per character."""
    import jax

    import minitorch as mt
    from minitorch.train import Sharded, Step, device_mesh

    model = init_model(vocab, seed)
    mesh = device_mesh(BATCH)
    layout = Sharded(model, mesh.size)
    is_matrix = jax.tree.map(lambda leaf: float(leaf.ndim > 1), model)
    schedule = mt.optim.warmup_cosine_decay_schedule(0.0, PEAK, WARMUP, STEPS, END)
    adamw = mt.optim.adamw(schedule, b1=0.9, b2=B2, weight_decay=WEIGHT_DECAY, mask=lambda w: layout.pack(is_matrix))

    def get_batch(tokens: Any, i: Any) -> Any:
        return mt.data.sample_batch(mt.data.step_key(seed, i), tokens, BATCH, CONTEXT)

    def loss(model: Any, x: Any, y: Any) -> Any:
        return mt.nn.cross_entropy(model(x), y)

    step = Step(loss, mt.optim.chain(mt.optim.clip_by_global_norm(1.0), adamw), get_batch, layout, mesh)
    state, data = step.init(model), step.replicate(mt.data.token_array(train, vocab))
    for _ in range(STEPS // 50):
        state, _ = step.run(state, data, 50)
    model = step.model(state)
    evaluate = jax.jit(lambda model, x, y: mt.nn.cross_entropy(model(x), y))
    return mean(float(evaluate(model, x, y)) for x, y in whole_windows(validation))


def train_torch(train: np.ndarray, validation: np.ndarray, vocab: int, seed: int) -> float:
    """Train by PyTorch, and return the validation loss in nats per character."""
    import torch

    module = torch_gpt(init_model(vocab, seed))
    optimizer = torch_optimizer(module, PEAK, WEIGHT_DECAY, B2)
    rng = np.random.default_rng(seed)

    def loss(x: np.ndarray, y: np.ndarray) -> Any:
        logits = module(torch.tensor(x).long())
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(y).long().flatten())

    for i in range(STEPS):
        done = max(0.0, (i - WARMUP) / (STEPS - WARMUP))
        rate = PEAK * i / WARMUP if i < WARMUP else END + (PEAK - END) * 0.5 * (1 + math.cos(math.pi * done))
        for group in optimizer.param_groups:
            group["lr"] = rate
        starts = rng.integers(0, len(train) - CONTEXT, BATCH)[:, None] + np.arange(CONTEXT + 1)
        rows = train[starts]
        optimizer.zero_grad(set_to_none=True)
        loss(rows[:, :-1], rows[:, 1:]).backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
    with torch.no_grad():
        return mean(float(loss(x, y)) for x, y in whole_windows(validation))


def whole_windows(tokens: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return batches (64, T) of adjacent windows, without the tokens that do not fill the last batch."""
    n = (len(tokens) - 1) // (64 * CONTEXT) * 64 * CONTEXT
    x, y = (tokens[i : i + n].reshape(-1, 64, CONTEXT) for i in (0, 1))
    return list(zip(x, y, strict=True))


def main(source: str, seeds: int) -> None:
    """Measure, and write the page."""
    from minitorch.train.devices import use_cpu_cores

    use_cpu_cores()
    train, validation, vocab, about = characters(source)
    rows, losses = [["seed", "minitorch", "PyTorch", "seconds"]], {"minitorch": [], "PyTorch": []}
    for seed in range(seeds):
        start = time.perf_counter()
        losses["minitorch"].append(train_minitorch(train, validation, vocab, seed))
        middle = time.perf_counter()
        losses["PyTorch"].append(train_torch(train, validation, vocab, seed))
        seconds = f"{middle - start:.0f} and {time.perf_counter() - middle:.0f}"
        rows.append([str(seed), *(f"{values[-1]:.4f}" for values in losses.values()), seconds])
        print(rows[-1], flush=True)
    write_page(__file__, report(rows, losses, about))


def report(rows: list[list[str]], losses: dict[str, list[float]], about: str) -> str:
    """Return the page."""
    ours, theirs = (mean(values) for values in losses.values())
    seeds = len(losses["minitorch"])
    rows = [*rows, ["mean", f"{ours:.4f}", f"{theirs:.4f}", ""]] if seeds > 1 else rows
    return (
        "# Quality of a run\n\nWritten by `python -m benchmarks.quality`: validation loss in nats per character after"
        f" {STEPS:,} steps of nanoGPT's small configuration, for {seeds} seed{'s' * (seeds > 1)}. Both libraries start"
        " from the same weights.\n\n"
        f"{table(rows)}\n\n"
        f"Text: {about}\n\nminitorch - PyTorch = {ours - theirs:+.4f}; at most {TOLERANCE:+}:"
        f" {verdict(ours - theirs <= TOLERANCE)}.\n\n"
        f"{machine('jax', 'torch')}.\n"
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "stdlib", int(sys.argv[2]) if len(sys.argv) > 2 else 3)
