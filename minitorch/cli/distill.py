"""`minitorch distill`: a smaller model learns from a trained one."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .derived_run import cores_of, settings, run_training

if TYPE_CHECKING:
    from ..models import Transformer
    from ..text import Tokenizer
    from ..train import TaskFactory


DEFAULT = 2.0  # the temperature


def _option(text: str, **limits: Any) -> Any:
    return typer.Option(help=text, **limits)


def distill(
    teacher: Annotated[Path, typer.Option(help="Folder of the teacher's run.")],
    out: Annotated[Path, _option("Folder for everything about the student's run.")],
    data: Annotated[str | None, _option("What the student reads; if not given, what the teacher read.")] = None,
    layers: Annotated[int | None, _option("The student's blocks; if not given, as many as the teacher's.")] = None,
    heads: Annotated[int | None, _option("The student's heads; if not given, as many as the teacher's.")] = None,
    width: Annotated[int | None, _option("The student's width; if not given, half of the teacher's.")] = None,
    steps: Annotated[int | None, _option("Updates of the weights; if not given, as many as the teacher's.")] = None,
    lr: Annotated[float | None, _option("Peak learning rate; if not given, the teacher's.")] = None,
    temperature: Annotated[float, _option("Divides all logits; above 1 the unlikely tokens weigh more.")] = DEFAULT,
    alpha: Annotated[float, _option("Share of the teacher's loss; the rest is that of the text itself.")] = 1.0,
    reverse: Annotated[bool, typer.Option("--reverse", help="KL(student || teacher), not the other way.")] = False,
    hidden: Annotated[float, _option("Weight of the loss between hidden states.")] = 0.0,
    samples: Annotated[int | None, _option("Read so many tokens that the teacher writes, not the text.", min=1)] = None,
    on_policy: Annotated[float | None, _option("Share of rows that the student writes itself.")] = None,
    seed: Annotated[int, _option("First weights and batches follow from it.", min=0, max=2**32 - 1)] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out; all else as before.")] = False,
) -> None:
    """Train a smaller model to predict as a trained one does. The result is a run as any other."""
    cores_of(teacher)
    from ..compress.distill import DistillConfig
    from ..train import load_run

    loaded = load_run(teacher)
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
    losses = DistillConfig(temperature=temperature, alpha=alpha, divergence="reverse" if reverse else "forward", hidden=hidden)
    if samples is not None and on_policy is not None:
        raise typer.BadParameter(
            "choose one: what the teacher writes, or what the student does.", param_hint="--samples"
        )
    if samples is not None and losses != DistillConfig(temperature=DEFAULT):
        raise typer.BadParameter(
            "what the teacher writes is learned as any text: leave out --temperature, --alpha, --reverse and --hidden.",
            param_hint="--samples",
        )
    task = _task(loaded.model, loaded.tokenizer, losses, samples, on_policy, seed)
    run_training(config, out, resume, task)


def _task(
    teacher: Transformer, tokenizer: Tokenizer, losses: Any, samples: int | None, on_policy: float | None, seed: int
) -> TaskFactory:
    import jax

    from ..compress import distill
    from ..infer import generate

    if samples is not None:
        keys = (jax.random.fold_in(jax.random.key(seed), i) for i in itertools.count())

        def write(model: Transformer, ids: Any, tokens: int) -> Any:
            return generate(model, ids, tokens, key=next(keys))

        return distill.distill_on_samples(teacher, write, samples, tokenizer=tokenizer)
    if on_policy is not None:
        return distill.distill_on_policy(teacher, losses, on_policy, tokenizer=tokenizer)
    return distill.distill(teacher, losses, tokenizer=tokenizer)
