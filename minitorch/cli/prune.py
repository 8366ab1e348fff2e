"""`minitorch prune`: a trained model without the weights, or the parts, that matter least."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .derived_run import cores_of, settings, load_run_text, run_training
from .progress import echo_err

if TYPE_CHECKING:
    from ..models import Transformer
    from ..train import RunConfig
    from ..train.prepare import Prepared

Method = StrEnum("Method", {"magnitude": "magnitude", "layer": "layer", "two_of_four": "2:4", "wanda": "wanda"})
CALIBRATION = 32  # texts to judge weights and parts by


def _option(text: str, **limits: Any) -> Any:
    return typer.Option(help=text, **limits)


def prune(
    given: typer.Context,
    run: Annotated[Path, typer.Option(help="Folder of a run.")],
    out: Annotated[Path, _option("Folder for the smaller model.")],
    data: Annotated[str | None, _option("Text to judge by; if not given, that of the run.")] = None,
    sparsity: Annotated[float, _option("Share of weights that become zero.")] = 0.0,
    method: Annotated[
        Method, _option("Which weights: the smallest of all, or of each layer; 2:4; wanda.")
    ] = Method.magnitude,
    heads: Annotated[float, _option("Share of each layer's heads to cut out.")] = 0.0,
    neurons: Annotated[float, _option("Share of each layer's neurons to cut out.")] = 0.0,
    layers: Annotated[float, _option("Share of the layers to cut out.")] = 0.0,
    steps: Annotated[int, _option("Train what is left for so many steps; zeros stay zero.", min=0)] = 0,
    lr: Annotated[float | None, _option("Peak learning rate; if not given, a third of the run's.")] = None,
    gradual: Annotated[bool, typer.Option("--gradual", help="Prune little by little in the first half.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out; all else as before.")] = False,
) -> None:
    """Make a trained model smaller: zeros for its least weights, or heads, neurons and layers cut out of it.

    The result is a run as any other.
    """
    weights = bool(sparsity) or method == Method.two_of_four
    if not (weights or heads or neurons or layers):
        raise typer.BadParameter("say what goes: --sparsity, --heads, --neurons or --layers.", given)
    if sparsity and method == Method.two_of_four:
        raise typer.BadParameter("two of four weights stay, whatever --sparsity says: leave it out.", given)
    if gradual and method not in (Method.magnitude, Method.layer):
        raise typer.BadParameter("little by little, the smallest weights of each layer go: leave out --method.", given)
    if gradual and not (steps and sparsity):
        raise typer.BadParameter("pruning little by little takes --steps, and a --sparsity to reach.", given)
    cores_of(run)
    from ..compress import structured_prune
    from ..train import load_run
    from ..train.prepare import draw

    loaded = load_run(run)
    prepared = load_run_text(run, loaded.config, data)
    inputs, targets = draw(dataclasses.replace(loaded.config, batch=CALIBRATION), prepared.train, 0)
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
    """Train what is left. Zeros are held by the last link of the optimizer, which sees the model as a tree."""
    from ..compress import prune
    from ..optim import chain
    from ..train import Task, Replicated, next_token_task
    from ..train.config import CUSTOM, make_optimizer

    links = [make_optimizer(config, model, Replicated(model, 1))]
    if sparsity is not None:
        schedule = prune.cubic_schedule(sparsity, 0, max(1, config.steps // 2))
        links.append(prune.gradual(schedule, every=max(1, config.steps // 20)))
    elif masks is not None:
        model = prune.apply_masks(model, masks)
        links.append(prune.keep_zeros(masks))

    def task(config: RunConfig, out: Path) -> Task:
        return dataclasses.replace(next_token_task(config, prepared, model), origin="Pruned, then trained on")

    config = dataclasses.replace(config, optimizer=CUSTOM)
    run_training(config, out, resume, task, chain(*links))


def _save(run: Path, out: Path, prepared: Prepared, model: Transformer, masks: dict[str, Any] | None) -> None:
    from ..compress import prune
    from ..nn import paths
    from ..train import mean_loss, read_record, save_run
    from ..train.run_dir import check_out_is_free

    check_out_is_free(out)
    model = prune.apply_masks(model, masks) if masks else model
    config = dataclasses.replace(read_record(run).config, layers=model.config.layers)
    echo_err("measuring what is left.")
    loss = mean_loss(model, prepared.validation, config.batch)
    save_run(out, run, model, prepared.tokenizer, origin="Pruned", config=config)
    zeros = f" sparsity={prune.sparsity(model):.3f}" if masks else ""
    print(f"final val_loss={loss:.4f} parameters={paths.count(model)}{zeros}")
