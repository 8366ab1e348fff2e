"""`minitorch quantize`: the weights of a trained model in fewer bits."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .._suggest import did_you_mean
from .derived_run import load_run_text
from .options import Out, option
from .progress import progress_bar

if TYPE_CHECKING:
    from ..compress import QuantRecipe
    from ..train import RunConfig

CALIBRATION = 16  # batches of the training's size


def quantize(
    run: Annotated[Path, option("Folder of a finished run.")],
    out: Out,
    to: Annotated[str, option("Quantization recipe: int8, int8-dynamic, int4, int4-mse, int4-affine or nf4.")] = "int8",
    group: Annotated[
        str | None, option("Quantization group size: 32, 64, 128, channel or tensor; by default the recipe's.")
    ] = None,
    gptq: Annotated[bool, option("Round by GPTQ, which minimizes the error of each layer's output on a text.")] = False,
    data: Annotated[str | None, option("Calibration text for --gptq; by default the training text of the run.")] = None,
) -> None:
    """Quantize the weights of a trained model. `minitorch generate` and `evaluate` read the result like any run."""
    from .. import compress
    from ..train import load_run, read_record
    from ..train.record import WEIGHTS
    from ..train.run_dir import check_out_is_free, save_run

    if data and not gptq:
        raise typer.BadParameter("only --gptq reads a text: give both options, or neither.", param_hint="--data")
    check_out_is_free(out)
    recipe = make_recipe(to, group)
    loaded = load_run(run)
    if loaded.step < loaded.config.steps:
        raise ValueError(f"{run} is only at step {loaded.step} of {loaded.config.steps}: resume it, then quantize it.")
    with progress_bar("quantizing") as update:
        if gptq:
            small = compress.quantize_gptq(loaded.model, recipe, calibration(run, loaded.config, data), update)
        else:
            small = compress.quantize(loaded.model, recipe, update)
    parameters = read_record(run).provenance.parameters  # Unchanged: two entries may share a byte.
    save_run(out, run, small, loaded.tokenizer, origin=f"Quantized to {to}", parameters=parameters)
    before, after = ((folder / WEIGHTS).stat().st_size for folder in (run, out))
    print(f"bytes={after} share={after / before:.3f}")


def make_recipe(to: str, group: str | None) -> QuantRecipe:
    """Return the recipe `to`, with another group size for the blocks. Raises ValueError if one does not exist."""
    from ..compress import RECIPES, QuantRecipe

    if to not in RECIPES:
        raise ValueError(f"there is no recipe {to!r}: choose one of {', '.join(RECIPES)}.{did_you_mean(to, RECIPES)}")
    schemes: dict[str, Any] = dict(RECIPES[to].schemes)
    if group is not None:
        schemes["*"] = dataclasses.replace(schemes["*"], group=int(group) if group.isdigit() else group)
    return QuantRecipe(schemes)


def calibration(run: Path, config: RunConfig, data: str | None) -> list[Any]:
    """Return batches (B, T) of the training text of the run, or of the text `data`."""
    from ..train.prepare import get_batch

    tokens = load_run_text(run, config, data).train
    return [get_batch(config, tokens, step)[0] for step in range(CALIBRATION)]
