"""`minitorch distill`: train a smaller model to predict like a trained one."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .derived_run import load, run_training, settings, use_cores_of
from .options import Out, Resume, Seed, option

if TYPE_CHECKING:
    from ..compress.distill import DistillConfig
    from ..models import Transformer
    from ..text import Tokenizer
    from ..train import TaskFactory

TEMPERATURE = 2.0


def distill(
    teacher: Annotated[Path, option("Folder of the teacher's run.")],
    out: Out,
    data: Annotated[str | None, option("Training text of the student; by default that of the teacher.")] = None,
    layers: Annotated[int | None, option("Layers of the student; by default as many as the teacher.")] = None,
    heads: Annotated[int | None, option("Attention heads per layer of the student; by default as the teacher.")] = None,
    width: Annotated[int | None, option("Model width of the student; by default half of the teacher's.")] = None,
    steps: Annotated[int | None, option("Number of updates; by default as many as the teacher.")] = None,
    lr: Annotated[float | None, option("Peak learning rate; by default that of the teacher.")] = None,
    temperature: Annotated[float, option("Divisor of all logits; above 1, unlikely tokens weigh more.")] = TEMPERATURE,
    alpha: Annotated[
        float, option("Weight of the teacher's loss, 0 to 1; the text's loss has weight 1 - alpha.")
    ] = 1.0,
    reverse: Annotated[
        bool, option("Minimize KL(student || teacher) instead of KL(teacher || student).", "--reverse")
    ] = False,
    hidden: Annotated[float, option("Weight of the loss between hidden states.")] = 0.0,
    samples: Annotated[
        int | None, option("Train on this many tokens sampled from the teacher, not on text.", min=1)
    ] = None,
    on_policy: Annotated[float | None, option("Share of each batch that is sampled from the student, 0 to 1.")] = None,
    seed: Seed = 0,
    resume: Resume = False,
) -> None:
    """Distill a trained model into a smaller one. The result is a run like any other."""
    use_cores_of(teacher)
    from ..compress.distill import DistillConfig

    loaded = load(teacher)
    config = settings(
        loaded.config,
        data=data,
        layers=layers,
        heads=heads,
        width=width or loaded.config.width // 2,
        steps=steps,
        lr=lr,
        seed=seed,
    )
    divergence = "reverse" if reverse else "forward"
    losses = DistillConfig(temperature=temperature, alpha=alpha, divergence=divergence, hidden=hidden)
    if samples is not None and on_policy is not None:
        raise typer.BadParameter(
            "choose one of --samples (from the teacher) and --on-policy (from the student).", param_hint="--samples"
        )
    if samples is not None and losses != DistillConfig(temperature=TEMPERATURE):
        raise typer.BadParameter(
            "--samples trains on tokens alone: leave out --temperature, --alpha, --reverse and --hidden.",
            param_hint="--samples",
        )
    task = _task(loaded.model, loaded.tokenizer, losses, samples, on_policy, seed)
    run_training(config, out, resume, task)


def _task(
    teacher: Transformer,
    tokenizer: Tokenizer,
    losses: DistillConfig,
    samples: int | None,
    on_policy: float | None,
    seed: int,
) -> TaskFactory:
    import jax

    from ..compress import distill
    from ..infer import generate

    if samples is not None:
        keys = (jax.random.fold_in(jax.random.key(seed), i) for i in itertools.count())

        def sample(model: Transformer, ids: Any, tokens: int) -> Any:
            return generate(model, ids, tokens, key=next(keys))

        return distill.distill_on_samples(teacher, sample, samples, tokenizer=tokenizer)
    if on_policy is not None:
        return distill.distill_on_policy(teacher, losses, on_policy, tokenizer=tokenizer)
    return distill.distill(teacher, losses, tokenizer=tokenizer)
