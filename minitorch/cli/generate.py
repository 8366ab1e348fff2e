"""`minitorch generate`: a trained model continues a text, and is watched as it writes."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .progress import echo_err

if TYPE_CHECKING:
    import numpy as np

    from ..infer import Sampler


def generate(
    run: Annotated[Path, typer.Option(help="Folder of a run.")],
    prompt: Annotated[str, typer.Option(help="Text to continue; an empty one starts a new line.")] = "",
    tokens: Annotated[int, typer.Option(help="How many tokens to write.")] = 200,
    temperature: Annotated[
        float, typer.Option(help="0 takes the likeliest token each time, 1 draws as learned.")
    ] = 0.8,
    top_k: Annotated[int | None, typer.Option(help="Draw from so many likeliest tokens only.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Draw from the likeliest with this probability together.")] = None,
    min_p: Annotated[
        float | None, typer.Option(help="Draw from those at least this likely beside the likeliest.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed writes the same text.", min=0, max=2**32 - 1)] = 0,
) -> None:
    """Let a trained model continue a text. The text goes to standard output, everything else to standard error."""
    import jax

    from ..infer import decode_stream, printable, prompt_ids, stream, window_start
    from ..train import load_run

    samplers = make_samplers(temperature, top_k, top_p, min_p)
    model, tokenizer = (loaded := load_run(run)).model, loaded.tokenizer
    ids = prompt_ids(tokenizer, prompt)
    clock = _Clock(stream(model, [ids], tokens, key=jax.random.key(seed), samplers=samplers))
    if loaded.step < loaded.config.steps:
        echo_err(f"the run is not finished: this is the model after step {loaded.step} of {loaded.config.steps}.")
    if unseen := window_start(len(ids), model.config.context):
        echo_err(f"the prompt is longer than the context of {model.config.context} tokens: its first {unseen} are not seen.")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # Not every terminal can show every character.
    print(prompt, end="", flush=True)
    for text in decode_stream(tokenizer, clock):
        print(printable(text) if sys.stdout.isatty() else text, end="", flush=True)
    print(flush=True)
    echo_err(clock.summary())


def make_samplers(temperature: float, top_k: int | None, top_p: float | None, min_p: float | None) -> list[Sampler]:
    """What the options ask for, in the order in which they apply. Raises ValueError for impossible numbers."""
    from .. import infer

    samplers = [infer.temperature(temperature)]
    samplers += [infer.top_k(top_k)] if top_k is not None else []
    samplers += [infer.top_p(top_p)] if top_p is not None else []
    samplers += [infer.min_p(min_p)] if min_p is not None else []
    return samplers


class _Clock:
    """Passes the tokens of the only row on and takes the time. The first token's includes compiling."""

    def __init__(self, pieces: Iterator[np.ndarray]):
        self.pieces, self.tokens = pieces, 0
        self.began = self.first = self.last = time.perf_counter()

    def __iter__(self) -> Iterator[np.ndarray]:
        for piece in self.pieces:
            self.last = time.perf_counter()
            self.first = self.last if not self.tokens else self.first
            self.tokens += piece.shape[1]
            yield piece[0]

    def summary(self) -> str:
        start = f"first token after {self.first - self.began:.1f} s"
        if self.tokens == 1:
            return start
        return f"{start}, then {(self.tokens - 1) / (self.last - self.first):,.0f} tokens/s"
