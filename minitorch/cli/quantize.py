"""`minitorch quantize`: a trained model in fewer bits, as a run of its own."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .bar import bar
from .derived_run import load_run_text

if TYPE_CHECKING:
    from ..compress import QuantRecipe
    from ..train import RunConfig

CALIBRATION = 16  # batches, as large as those of the training


def quantize(
    run: Annotated[Path, typer.Option(help="Folder of a finished run.")],
    out: Annotated[Path, typer.Option(help="Folder for the quantized one.")],
    to: Annotated[str, typer.Option(help="int8, int8-dynamic, int4, int4-mse, int4-affine, or nf4.")] = "int8",
    group: Annotated[
        str | None, typer.Option(help="Who shares a scale inside the blocks: 32, 64, 128, channel or tensor.")
    ] = None,
    gptq: Annotated[bool, typer.Option(help="Choose codes by what the layers read in a text.")] = False,
    data: Annotated[str | None, typer.Option(help="That text; if not given, what the run was trained on.")] = None,
) -> None:
    """Round the weights of a trained model. `minitorch generate` and `evaluate` read the result as any run."""
    from .. import compress
    from ..train import load_run, read_record
    from ..train.run_dir import WEIGHTS
    from ..train.run_dir import check_out_is_free, save_run

    if data and not gptq:
        raise typer.BadParameter("only --gptq reads a text: give both, or neither.", param_hint="--data")
    check_out_is_free(out)
    recipe = make_recipe(to, group)
    loaded = load_run(run)
    if loaded.step < loaded.config.steps:
        raise ValueError(f"{run} is only at step {loaded.step} of {loaded.config.steps}: resume it, then quantize it.")
    with bar("quantizing") as done:
        if gptq:
            small = compress.quantize_gptq(loaded.model, recipe, calibration(run, loaded.config, data), done)
        else:
            small = compress.quantize(loaded.model, recipe, done)
    parameters = read_record(run).provenance.parameters  # As many as before: only their bits are fewer.
    save_run(out, run, small, loaded.tokenizer, origin=f"Quantized to {to}", parameters=parameters)
    before, after = ((folder / WEIGHTS).stat().st_size for folder in (run, out))
    print(f"bytes={after} share={after / before:.3f}")


def make_recipe(to: str, group: str | None) -> QuantRecipe:
    """The recipe called `to`, with another group inside the blocks. Raises ValueError for what there is not."""
    from ..compress import RECIPES, QuantRecipe

    if to not in RECIPES:
        raise ValueError(f"there is no recipe {to!r}: choose one of {', '.join(RECIPES)}.")
    schemes: dict[str, Any] = dict(RECIPES[to].schemes)
    if group is not None:
        schemes["*"] = dataclasses.replace(schemes["*"], group=int(group) if group.isdigit() else group)
    return QuantRecipe(schemes)


def calibration(run: Path, config: RunConfig, data: str | None) -> list[Any]:
    """Batches (B, T) of the text that the run was trained on, or of another one."""
    from ..train.prepare import draw

    tokens = load_run_text(run, config, data).train
    return [draw(config, tokens, step)[0] for step in range(CALIBRATION)]
