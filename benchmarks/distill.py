"""Distillation against training on text alone: a student with a quarter of the parameters, and equal tokens.

    python -m benchmarks.distill [SEEDS]

The text is a million characters of Python's standard library, with a vocabulary of 1,024 tokens. The teacher is the
model of the tour, trained for twice as many steps as its students. Each student is trained on the text alone, and by
each recipe, from the same initial weights on the same batches. The result is the share of the gap in perplexity, on
unseen text, between the student alone (0 %) and the teacher (100 %) that a recipe closes. Writes `distill.md`.
"""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

from .harness import machine, table, verdict, write_page

TEXT: dict[str, Any] = dict(data="stdlib", limit=1_000_000, tokenizer="bpe:1024", context=128, batch=8)
TEACHER: dict[str, Any] = dict(layers=4, heads=4, width=128, steps=1800, lr=3e-3)
STUDENT: dict[str, Any] = dict(layers=3, heads=4, width=64, steps=900, lr=4e-3)
RECIPES: dict[str, dict[str, Any]] = {
    "logits": dict(),
    "logits, temperature 2": dict(temperature=2.0),
    "logits, temperature 2, 30 % text": dict(temperature=2.0, alpha=0.7),
    "logits and hidden states": dict(hidden=1.0),
    "logits, temperature 2, and hidden states": dict(temperature=2.0, hidden=1.0),
    "reverse divergence": dict(divergence="reverse"),
}
WANTED = 0.3


def perplexity(out: Path, settings: dict[str, Any], seed: int, **options: Any) -> float:
    """Train a model, and return its validation perplexity."""
    from minitorch.train import RunConfig, train

    steps = settings["steps"]
    config = RunConfig(**TEXT, **settings, seed=seed, eval_every=steps, checkpoint_every=steps)
    return math.exp(train(config, out, **options).val_loss)


def measure(folder: Path, seeds: int) -> tuple[str, list[float], dict[str, list[float]], list[float]]:
    """Return the parameter counts, and the perplexities by seed: of students alone, of each recipe, of the teacher."""
    from minitorch.compress.distill import DistillConfig, distill
    from minitorch.nn import paths
    from minitorch.train import load_run

    alone, taught, teachers = [], {name: [] for name in RECIPES}, []
    sizes = ""
    for seed in range(seeds):
        teachers.append(perplexity(folder / f"teacher{seed}", TEACHER, seed))
        alone.append(perplexity(folder / f"alone{seed}", STUDENT, seed))
        teacher = load_run(folder / f"teacher{seed}").model
        student = load_run(folder / f"alone{seed}").model
        sizes = f"{paths.count(teacher):,} and {paths.count(student):,}"
        for i, (name, recipe) in enumerate(RECIPES.items()):
            task = distill(teacher, DistillConfig(**recipe))
            taught[name].append(perplexity(folder / f"taught{seed}-{i}", STUDENT, seed, task=task))
            print(f"seed {seed}: {name}: {taught[name][-1]:.2f}", flush=True)
    return sizes, alone, taught, teachers


def main(seeds: int) -> None:
    """Measure, and write the page."""
    from minitorch.train import use_cpu_cores

    use_cpu_cores(batch=TEXT["batch"])
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder), seeds)
    write_page(__file__, report(*measured))


def report(sizes: str, alone: list[float], taught: dict[str, list[float]], teachers: list[float]) -> str:
    """Return the page."""
    seeds = len(alone)
    rows = [["student", *(f"seed {seed}" for seed in range(seeds)), "gap closed"]]
    rows.append(["alone", *(f"{p:.2f}" for p in alone), "0 %"])
    best = 0.0
    for name, perplexities in taught.items():
        closed = [(a - p) / (a - t) for a, p, t in zip(alone, perplexities, teachers, strict=True)]
        best = max(best, min(closed))
        interval = f" ({min(closed):.0%} to {max(closed):.0%})" if seeds > 1 else ""
        rows.append([name, *(f"{p:.2f}" for p in perplexities), f"{mean(closed):.0%}{interval}".replace("%", " %")])
    rows.append(["the teacher", *(f"{p:.2f}" for p in teachers), "100 %"])
    return (
        "# Distillation\n\nWritten by `python -m benchmarks.distill`: validation perplexity per token, for"
        f" {seeds} seed{'s' * (seeds > 1)}. Parameters of teacher and student: {sizes}. Every student read"
        f" {STUDENT['steps']:,} x {TEXT['batch']} x {TEXT['context']} tokens, the teacher"
        f" {TEACHER['steps'] / STUDENT['steps']:g} times as many.\n\n{table(rows)}\n\nAt least {WANTED:.0%} of the gap"
        f" closed for every seed: {verdict(best >= WANTED)}."
        " The reverse divergence trains a student to assign high probability to a few likely tokens, and perplexity"
        " penalizes the tokens that it leaves out: it is meant for students that are evaluated by their own"
        " samples.\n\n"
        f"{machine('jax')}.\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
