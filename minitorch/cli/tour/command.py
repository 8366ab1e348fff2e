"""`minitorch tour`: from text to a language model that writes, in under three minutes, with a guide."""

from __future__ import annotations

import shlex
import shutil
import signal
import sys
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..devices import use_cores
from ..progress import progress, echo_err
from .student import STUDENT, teach

if TYPE_CHECKING:
    from ...compress import Comparison
    from ...models import Transformer
    from ...text import Tokenizer
    from ...train import LoadedRun, RunConfig
    from .report import Sample

OUT = Path("runs", "tour")
SETTINGS: dict[str, Any] = dict(
    data="stdlib", limit=1_000_000, tokenizer="bpe:1024", model="gpt", layers=4, heads=4, width=128, context=128,
    batch=8, steps=900, lr=3e-3, eval_every=100, checkpoint_every=300,
)  # fmt: skip
PROMPTS = ("def", "class", "import")  # A space after them belongs to the next token.
SAMPLE_TOKENS = 120
SMALLER = ("int8", "int4")  # recipes
COMPARED_ON = 20_000  # tokens that were kept out of training


def tour() -> None:
    """Train a small language model on real text, watch it learn, and get a report, in under three minutes."""
    from ...train import Interrupted, RunConfig

    config = RunConfig(**SETTINGS)
    use_cores(config.batch)
    try:
        guide(config, OUT)
    except Interrupted as stop:
        echo_err(f"{stop}. Go on with: {_program()} tour")
        raise typer.Exit(128 + stop.signal_number) from None


def guide(config: RunConfig, out: Path) -> Path:
    """Train in the folder `out`, stop and resume on the way, let the model write, and return the path of a report.

    A tour in `out` that was stopped goes on, and a finished one is made anew in its place.

    Raises:
      FileExistsError: `out` holds anything else.
      Interrupted: Ctrl-C, and the run is saved.
    """
    from ...train import load_run
    from .report import write_report

    began, resume = time.perf_counter(), make_room(out, config)
    _say("Welcome. In under three minutes a language model learns to write, on this machine and from text alone.")
    if resume:
        _say(f"Its tour in {out} was stopped earlier, and goes on.")
    _heading("1. Learning")
    _say(
        f"The text is Python's own standard library. Its most frequent pieces become a vocabulary ({config.tokenizer})."
        f" Then a transformer with random weights guesses {config.batch * config.context:,} times a step which piece"
        " comes next, and is corrected. The loss says how surprised it was: watch it fall. (Compiling the step comes"
        " first, and takes a few seconds.)"
    )
    samples, stopped_at = [], train_until_half(config, out, resume)
    if stopped_at:
        _heading("2. Stopping and going on")
        _say(f"The run was stopped after step {stopped_at:,}, as by Ctrl-C. All that it needs to go on is in {out}.")
        half = load_run(out)
        _say("Before training, the model would have continued the first word so:")
        samples.append(
            _write("Before training", config.init_model(half.tokenizer.vocab_size), half.tokenizer, PROMPTS[0])
        )
        _say("Now it writes:")
        samples.append(_write(f"After {stopped_at:,} steps", half.model, half.tokenizer, PROMPTS[0]))
        _say("It goes on from there, to the same weights, bit for bit, as if nothing had stopped it.")
        _train(config, out, resume=True)
    _heading("3. Writing")
    _say("It has learned how Python looks. What Python means would take a larger model, and far more text.")
    end = load_run(out)
    samples += [_write(f"After all {config.steps:,} steps", end.model, end.tokenizer, prompt) for prompt in PROMPTS]
    _heading("4. Getting small")
    _say(
        "There are two ways. A student of half the width learns from this model: not only which piece came, but how"
        " likely each was."
    )
    student = teach(end, out)
    _say(
        "And a weight is a number of 32 bits: rounded to 8, or to 4, the model is a fraction of the size. What does"
        " each lose? Less perplexity is better:"
    )
    variants = make_small(end, student.model)
    print("\n" + textwrap.indent(variants.table(), "    "))
    commands = next_commands(config, out)
    report = write_report(out, samples, commands, time.perf_counter() - began, stopped_at, variants)
    _heading("5. Your report")
    _say(f"The loss curve, all samples, and the model's papers are in {report}: open it in a browser. Then try:")
    print("\n" + "\n".join(f"  {command}" for command in list(commands.values())[:3]))
    return report


def make_room(out: Path, config: RunConfig) -> bool:
    """Is there a tour in `out` to go on with? If it is finished, remove it. Raises FileExistsError for all else."""
    from ...train import read_record, run_dir
    from .report import REPORT

    present = {path.name for path in out.iterdir() if not path.name.startswith(".")} if out.is_dir() else set()
    # In the order in which they go: what is left, should that be interrupted, is a tour that was stopped.
    own = (run_dir.WEIGHTS, run_dir.CARD, run_dir.PLOT, run_dir.METRICS, run_dir.DATASHEET, run_dir.TOKENIZER, run_dir.CONFIG)
    if strange := sorted(present - {*own, run_dir.CHECKPOINTS, STUDENT, REPORT}):
        raise FileExistsError(f"{out} holds {strange[0]}, which is no part of a tour: move it away, and start again.")
    if not present:
        return False
    if run_dir.CONFIG not in present or read_record(out).config != config:
        raise FileExistsError(f"{out} holds another run: rename or remove that folder, and start again.")
    if REPORT not in present:
        return True
    (out / REPORT).unlink()
    for folder in (run_dir.CHECKPOINTS, STUDENT):
        shutil.rmtree(out / folder, ignore_errors=True)
    for name in own:
        (out / name).unlink(missing_ok=True)
    return False


def train_until_half(config: RunConfig, out: Path, resume: bool) -> int | None:
    """Train, and press Ctrl-C halfway: after which step that was, or None if the run was past half already."""
    from ...train import Interrupted

    finger = _InterruptAt(config.steps // 2)
    try:
        _train(config, out, resume, finger)
    except Interrupted as stop:
        if not finger.pressed:
            raise
        return stop.step
    return None


class _InterruptAt:
    """A sink that presses Ctrl-C after a step."""

    def __init__(self, step: int):
        self.step, self.pressed = step, False

    def log(self, step: int, values: Mapping[str, float]) -> None:
        if step == self.step:
            self.pressed = True
            signal.raise_signal(signal.SIGINT)


def _train(config: RunConfig, out: Path, resume: bool, *sinks: _InterruptAt) -> None:
    from ...train import train

    print(flush=True)
    with progress(config.steps) as bar:
        train(config, out, resume=resume, sinks=[bar, *sinks])


def make_small(run: LoadedRun, student: Transformer) -> Comparison:
    """The model beside its student, and itself in fewer bits, on a part of the text that it was not trained on."""
    from ... import compress
    from ...data import load_text, split, token_array

    config, tokenizer = run.config, run.tokenizer
    _, validation = split(load_text(config.data, field=config.field, limit=config.limit))
    ids = token_array(tokenizer.encode(validation.text), tokenizer.vocab_size)[:COMPARED_ON]
    small = {name: compress.quantize(run.model, compress.RECIPES[name]) for name in SMALLER}
    return compress.compare(run.model, {"distilled": student, **small}, ids)


def _write(heading: str, model: Transformer, tokenizer: Tokenizer, prompt: str) -> Sample:
    """Let the model continue `prompt`, before the eyes of the reader."""
    import jax

    from ...infer import printable, stream_text, temperature, top_p
    from .report import Sample

    samplers = [temperature(0.8), top_p(0.95)]
    print(f"\n    {prompt}", end="", flush=True)
    text = ""
    key = jax.random.key(len(prompt))  # One key would draw alike for all prompts, as long as the model knows little.
    for piece in stream_text(model, tokenizer, prompt, SAMPLE_TOKENS, key=key, samplers=samplers):
        text += printable(piece)
        print(printable(piece).replace("\n", "\n    "), end="", flush=True)
    print("\n")
    return Sample(heading, prompt, text)


def next_commands(config: RunConfig, out: Path) -> dict[str, str]:
    """What to try after the tour: why, and how."""
    minitorch, run = _program(), shlex.quote(str(out))
    sizes = f"--layers {config.layers} --heads {config.heads} --width {config.width} --context {config.context}"
    return {
        "Let it continue words of yours. A lower temperature makes it careful, a higher one bold.": (
            f"{minitorch} generate --run {run} --prompt 'class Stack:' --tokens 300 --temperature 0.5"
        ),
        "See what is in its folder.": f"{minitorch} info --run {run}",
        "Train one of your own. This one reads the prose of Python's documentation; any text file does as well.": (
            f"{minitorch} train --data stdlib-docstrings --tokenizer bpe:1024 --steps 1000 --out runs/prose"
        ),
        "How much harder is prose for the model of this tour, which knows code? Compare the bits per byte.": (
            f"{minitorch} evaluate --run {run} --data stdlib-docstrings --limit 500000"
        ),
        "Does Llama's kind of transformer learn the same text better?": (
            f"{minitorch} train --data {config.data} --limit {config.limit} --tokenizer {config.tokenizer}"
            f" --model llama {sizes} --batch {config.batch} --steps {config.steps} --lr {config.lr:g} --out runs/llama"
        ),
    }


def _program() -> str:
    """How this program is called from here: by its name, or by the path where a virtual environment holds it."""
    called = Path(sys.argv[0])
    return "minitorch" if shutil.which("minitorch") or called.stem != "minitorch" else shlex.quote(str(called))


def _heading(text: str) -> None:
    typer.secho(f"\n\n{text}\n", bold=True)


def _say(text: str) -> None:
    print(textwrap.fill(text, 88), flush=True)
