"""`minitorch prune`: a trained model without its least important weights, heads, neurons or layers."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .derived_run import load, load_run_text, run_training, settings, use_cores_of
from .options import Out, Resume, Run, option
from .progress import echo_err

if TYPE_CHECKING:
    from pathlib import Path

    from ..models import Transformer
    from ..train import RunConfig
    from ..train.prepare import Prepared

Method = StrEnum("Method", {"magnitude": "magnitude", "layer": "layer", "two_of_four": "2:4", "wanda": "wanda"})
CALIBRATION = 32  # windows of text on which the importance of weights and parts is measured


def prune(
    ctx: typer.Context,
    run: Run,
    out: Out,
    data: Annotated[str | None, option("Calibration text; by default the training text of the run.")] = None,
    sparsity: Annotated[float, option("Share of weights that become zero, 0 to 1.")] = 0.0,
    method: Annotated[
        Method,
        option("Weights to remove: the smallest of the model, or of each layer; 2 of each 4 (2:4); or by wanda."),
    ] = Method.magnitude,
    heads: Annotated[float, option("Share of attention heads to remove from each layer, 0 to 1.")] = 0.0,
    neurons: Annotated[float, option("Share of feed-forward neurons to remove from each layer, 0 to 1.")] = 0.0,
    layers: Annotated[float, option("Share of layers to remove, 0 to 1.")] = 0.0,
    steps: Annotated[int, option("Number of updates after pruning; pruned weights stay zero.", min=0)] = 0,
    lr: Annotated[float | None, option("Peak learning rate; by default a third of that of the run.")] = None,
    gradual: Annotated[
        bool, option("Increase the sparsity gradually in the first half of --steps.", "--gradual")
    ] = False,
    resume: Resume = False,
) -> None:
    """Prune a trained model: set weights to zero, or remove heads, neurons and layers.

    The result is a run like any other.
    """
    weights = bool(sparsity) or method == Method.two_of_four
    if not (weights or heads or neurons or layers):
        raise typer.BadParameter("choose what to prune: --sparsity, --heads, --neurons or --layers.", ctx)
    if sparsity and method == Method.two_of_four:
        raise typer.BadParameter("--method 2:4 always has a sparsity of 0.5: leave out --sparsity.", ctx)
    if gradual and method not in (Method.magnitude, Method.layer):
        raise typer.BadParameter("--gradual prunes by magnitude: leave out --method.", ctx)
    if gradual and not (steps and sparsity):
        raise typer.BadParameter("--gradual needs --steps and --sparsity.", ctx)
    use_cores_of(run)
    from ..compress import structured_prune
    from ..train.prepare import get_batch

    loaded = load(run)
    prepared = load_run_text(run, loaded.config, data)
    inputs, targets = get_batch(dataclasses.replace(loaded.config, batch=CALIBRATION), prepared.train, 0)
    model = loaded.model
    if heads or neurons or layers:
        import jax.numpy as jnp

        ids = jnp.concatenate([inputs, targets[:, -1:]], axis=1)
        model = structured_prune.shrink(model, ids, heads=heads, neurons=neurons, layers=layers)
    masks = None if gradual or not weights else _masks(model, method, sparsity, inputs)
    if steps:
        config = settings(
            loaded.config, data=data, steps=steps, lr=lr or loaded.config.lr / 3, layers=model.config.layers
        )
        _recover(config, out, resume, prepared, model, masks, sparsity if gradual else None)
    else:
        _save(run, out, prepared, model, masks)


def _masks(model: Transformer, method: Method, sparsity: float, ids: Any) -> dict[str, Any]:
    from ..compress import prune

    return {
        "magnitude": lambda: prune.magnitude(model, sparsity),
        "layer": lambda: prune.magnitude(model, sparsity, scope="layer"),
        "2:4": lambda: prune.n_of_m(model),
        "wanda": lambda: prune.wanda(model, ids, sparsity),
    }[str(method)]()


def _recover(
    config: RunConfig,
    out: Path,
    resume: bool,
    prepared: Prepared,
    model: Transformer,
    masks: dict[str, Any] | None,
    sparsity: float | None,
) -> None:
    """Train the pruned model. The last transform of the optimizer keeps the zeros; it needs the replicated layout."""
    from ..compress import prune
    from ..optim import chain
    from ..train import Replicated, Task, next_token_task
    from ..train.config import CUSTOM, make_optimizer

    transforms = [make_optimizer(config, model, Replicated(model, 1))]
    if sparsity is not None:
        schedule = prune.cubic_schedule(sparsity, 0, max(1, config.steps // 2))
        transforms.append(prune.gradual(schedule, every=max(1, config.steps // 20)))
    elif masks is not None:
        model = prune.apply_masks(model, masks)
        transforms.append(prune.keep_zeros(masks))

    def task(config: RunConfig, out: Path) -> Task:
        return dataclasses.replace(next_token_task(config, prepared, model), origin="Pruned, then trained on")

    config = dataclasses.replace(config, optimizer=CUSTOM)
    run_training(config, out, resume, task, chain(*transforms))


def _save(run: Path, out: Path, prepared: Prepared, model: Transformer, masks: dict[str, Any] | None) -> None:
    from ..compress import prune
    from ..nn import paths
    from ..train import mean_loss, read_record, save_run
    from ..train.run_dir import check_out_is_free

    check_out_is_free(out)
    model = prune.apply_masks(model, masks) if masks else model
    config = dataclasses.replace(read_record(run).config, layers=model.config.layers)
    echo_err("evaluating the pruned model.")
    loss = mean_loss(model, prepared.validation, config.batch)
    save_run(out, run, model, prepared.tokenizer, origin="Pruned", config=config)
    zeros = f" sparsity={prune.sparsity(model):.3f}" if masks else ""
    print(f"final val_loss={loss:.4f} parameters={paths.count(model)}{zeros}")
