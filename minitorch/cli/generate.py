"""`minitorch generate`: continue a text with a trained model, token by token."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from .derived_run import load
from .options import Run, Seed, option
from .progress import echo_err

if TYPE_CHECKING:
    import numpy as np

    from ..infer import Sampler


def generate(
    run: Run,
    prompt: Annotated[str, option("Text to continue; an empty prompt starts a new line.")] = "",
    tokens: Annotated[int, option("Number of tokens to generate.")] = 200,
    temperature: Annotated[
        float, option("Sampling temperature: 0 is greedy, 1 samples from the model as it is.")
    ] = 0.8,
    top_k: Annotated[int | None, option("Sample from this many most probable tokens only.")] = None,
    top_p: Annotated[float | None, option("Sample from the most probable tokens with this total probability.")] = None,
    min_p: Annotated[
        float | None, option("Sample from tokens with at least this share of the highest probability.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Continue a text with a trained model. The text goes to standard output, all other lines to standard error."""
    import jax

    from ..infer import decode_stream, printable, prompt_ids, stream, window_start

    samplers = make_samplers(temperature, top_k, top_p, min_p)
    model, tokenizer = (loaded := load(run)).model, loaded.tokenizer
    ids = prompt_ids(tokenizer, prompt)
    clock = _Clock(stream(model, [ids], tokens, key=jax.random.key(seed), samplers=samplers))
    if unseen := window_start(len(ids), model.config.context):
        context = model.config.context
        echo_err(f"the prompt is longer than the context of {context} tokens: its first {unseen} are not seen.")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # Some terminals cannot show every character.
    print(prompt, end="", flush=True)
    for text in decode_stream(tokenizer, clock):
        print(printable(text) if sys.stdout.isatty() else text, end="", flush=True)
    print(flush=True)
    echo_err(clock.summary())


def make_samplers(temperature: float, top_k: int | None, top_p: float | None, min_p: float | None) -> list[Sampler]:
    """Return the samplers of the options, in the order in which they apply. Raise ValueError for invalid numbers."""
    from .. import infer

    samplers = [infer.temperature(temperature)]
    samplers += [infer.top_k(top_k)] if top_k is not None else []
    samplers += [infer.top_p(top_p)] if top_p is not None else []
    samplers += [infer.min_p(min_p)] if min_p is not None else []
    return samplers


class _Clock:
    """Passes on the tokens of the only row, and measures their time; that of the first includes compilation."""

    def __init__(self, chunks: Iterator[np.ndarray]):  # (1, n) each
        self.chunks, self.tokens = chunks, 0
        self.began = self.first = self.last = time.perf_counter()

    def __iter__(self) -> Iterator[np.ndarray]:
        for chunk in self.chunks:
            self.last = time.perf_counter()
            self.first = self.last if not self.tokens else self.first
            self.tokens += chunk.shape[1]
            yield chunk[0]

    def summary(self) -> str:
        start = f"first token after {self.first - self.began:.1f} s"
        if self.tokens == 1:
            return start
        return f"{start}, then {(self.tokens - 1) / (self.last - self.first):,.0f} tokens/s"
