"""`minitorch tour`: train a small language model in under three minutes, and explain each part of it."""

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

from ..derived_run import exit_on_interrupt
from ..progress import training_progress
from .student import STUDENT, distill_student

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
QUANTIZED = ("int8", "int4")  # recipes
COMPARED_ON = 20_000  # validation tokens


def tour() -> None:
    """Train a small language model on real text, watch its loss fall, and get a report, in under three minutes."""
    from ...train import RunConfig
    from ...train.devices import use_cpu_cores_unless_started

    config = RunConfig(**SETTINGS)
    use_cpu_cores_unless_started(batch=config.batch)
    with exit_on_interrupt(OUT, f"Continue it with: {_program()} tour"):
        run_tour(config, OUT)


def run_tour(config: RunConfig, out: Path) -> Path:
    """Train in the folder `out`, stop and resume halfway, generate samples, and return the path of the report.

    A tour in `out` that was stopped is resumed; a finished one is removed first.

    Raises:
      FileExistsError: `out` holds anything else.
      Interrupted: Ctrl-C; the run is saved.
    """
    from ...train import load_run
    from .report import write_report

    began, resume = time.perf_counter(), prepare_folder(out, config)
    _say("Welcome. In under three minutes a language model learns to write, on this machine and from text alone.")
    if resume:
        _say(f"The tour in {out} was stopped earlier; it continues now.")
    _heading("1. Learning")
    _say(
        "The text is Python's own standard library. Its most frequent character sequences become the tokens"
        f" ({config.tokenizer}). Then a transformer with random weights predicts the next token, for"
        f" {config.batch * config.context:,} tokens per step. The loss measures how wrong it is: watch it fall. (First,"
        " the step is compiled, which takes a few seconds.)"
    )
    samples, stopped_at = [], train_until_half(config, out, resume)
    if stopped_at:
        _heading("2. Stopping and resuming")
        _say(f"The run was stopped after step {stopped_at:,}, as by Ctrl-C. All that it needs to resume is in {out}.")
        half = load_run(out)
        _say("Before training, the model would have continued the first word like this:")
        samples.append(
            _write("Before training", config.init_model(half.tokenizer.vocab_size), half.tokenizer, PROMPTS[0])
        )
        _say("Now it continues it like this:")
        samples.append(_write(f"After {stopped_at:,} steps", half.model, half.tokenizer, PROMPTS[0]))
        _say("It resumes from there, and ends in the same weights, bit for bit, as a run that was never stopped.")
        _train(config, out, resume=True)
    _heading("3. Writing")
    _say("It has learned what Python looks like. To learn what Python means, it would need more weights and more text.")
    end = load_run(out)
    samples += [_write(f"After all {config.steps:,} steps", end.model, end.tokenizer, prompt) for prompt in PROMPTS]
    _heading("4. Getting small")
    _say(
        "There are two ways. The first is distillation: a student of half the width learns from this model, which gives"
        " it the probability of every token, not only the token that came next."
    )
    student = distill_student(end, out)
    _say(
        "The second is quantization: a weight is a number of 32 bits, and rounding it to 8 or 4 bits makes the model"
        " smaller. How much worse is each? Lower perplexity is better:"
    )
    variants = compare_smaller(end, student.model)
    print("\n" + textwrap.indent(variants.table(), "    "))
    commands = next_commands(config, out)
    report = write_report(out, samples, commands, time.perf_counter() - began, stopped_at, variants)
    _heading("5. Your report")
    _say(f"The loss curve, all samples and the model card are in {report}: open it in a browser. Then try:")
    print("\n" + "\n".join(f"  {command}" for command in list(commands.values())[:3]))
    return report


def prepare_folder(out: Path, config: RunConfig) -> bool:
    """Remove a finished tour from `out`, and return whether `out` holds an unfinished one to resume.

    Raises:
      FileExistsError: `out` holds anything else.
    """
    from ...train import read_record, record
    from .report import REPORT

    present = {path.name for path in out.iterdir() if not path.name.startswith(".")} if out.is_dir() else set()
    # In the order of removal: if that is interrupted, the remaining files are an unfinished tour.
    own = (
        record.WEIGHTS,
        record.CARD,
        record.PLOT,
        record.METRICS,
        record.DATASHEET,
        record.TOKENIZER,
        record.CONFIG,
    )
    if strange := sorted(present - {*own, record.CHECKPOINTS, STUDENT, REPORT}):
        raise FileExistsError(f"{out} holds {strange[0]}, which is not part of a tour: move it away, and start again.")
    if not present:
        return False
    if record.CONFIG not in present or read_record(out).config != config:
        raise FileExistsError(f"{out} holds another run: rename or remove that folder, and start again.")
    if REPORT not in present:
        return True
    (out / REPORT).unlink()
    for folder in (record.CHECKPOINTS, STUDENT):
        shutil.rmtree(out / folder, ignore_errors=True)
    for name in own:
        (out / name).unlink(missing_ok=True)
    return False


def train_until_half(config: RunConfig, out: Path, resume: bool) -> int | None:
    """Train, and interrupt the run halfway; return the last step, or None if a resumed run was past half already."""
    from ...train import Interrupted

    interrupt = _InterruptAt(config.steps // 2)
    try:
        _train(config, out, resume, interrupt)
    except Interrupted as stop:
        if not interrupt.raised:
            raise
        return stop.step
    return None


class _InterruptAt:
    """A sink that raises SIGINT, as Ctrl-C does, after a step."""

    def __init__(self, step: int):
        self.step, self.raised = step, False

    def log(self, step: int, values: Mapping[str, float]) -> None:
        if step == self.step:
            self.raised = True
            signal.raise_signal(signal.SIGINT)


def _train(config: RunConfig, out: Path, resume: bool, *sinks: _InterruptAt) -> None:
    from ...train import train

    print(flush=True)
    with training_progress(config.steps) as bar:
        train(config, out, resume=resume, sinks=[bar, *sinks])


def compare_smaller(run: LoadedRun, student: Transformer) -> Comparison:
    """Compare the model with its student and with itself in fewer bits, on a part of the validation text."""
    from ... import compress
    from ...data import load_text, split, token_array
    from ...train.prepare import encode_corpus

    config, tokenizer = run.config, run.tokenizer
    _, validation = split(load_text(config.data, field=config.field, limit=config.limit))
    ids = token_array(encode_corpus(tokenizer, validation), tokenizer.vocab_size)[:COMPARED_ON]
    small = {name: compress.quantize(run.model, compress.RECIPES[name]) for name in QUANTIZED}
    return compress.compare(run.model, {"distilled": student, **small}, ids)


def _write(heading: str, model: Transformer, tokenizer: Tokenizer, prompt: str) -> Sample:
    """Continue `prompt` with the model, streaming to the terminal, and return the result."""
    import jax

    from ...infer import printable, stream_text, temperature, top_p
    from .report import Sample

    samplers = [temperature(0.8), top_p(0.95)]
    print(f"\n    {prompt}", end="", flush=True)
    text = ""
    key = jax.random.key(len(prompt))  # With one key, an untrained model would sample the same tokens for all prompts.
    for piece in stream_text(model, tokenizer, prompt, SAMPLE_TOKENS, key=key, samplers=samplers):
        text += printable(piece)
        print(printable(piece).replace("\n", "\n    "), end="", flush=True)
    print("\n")
    return Sample(heading, prompt, text)


def next_commands(config: RunConfig, out: Path) -> dict[str, str]:
    """Return the commands to try after the tour, each by its purpose."""
    minitorch, run = _program(), shlex.quote(str(out))
    sizes = f"--layers {config.layers} --heads {config.heads} --width {config.width} --context {config.context}"
    return {
        "Let it continue your own words. A lower temperature makes it more cautious, a higher one more random.": (
            f"{minitorch} generate --run {run} --prompt 'class Stack:' --tokens 300 --temperature 0.5"
        ),
        "See a summary of the run.": f"{minitorch} info --run {run}",
        "Train your own model. This one learns from Python's documentation; any text file works, too.": (
            f"{minitorch} train --data stdlib-docstrings --tokenizer bpe:1024 --steps 1000 --out runs/prose"
        ),
        "How much harder is prose for the model of this tour, which was trained on code? Compare the bits per byte.": (
            f"{minitorch} evaluate --run {run} --data stdlib-docstrings --limit 500000"
        ),
        "Does a Llama learn the same text better?": (
            f"{minitorch} train --data {config.data} --limit {config.limit} --tokenizer {config.tokenizer}"
            f" --model llama {sizes} --batch {config.batch} --steps {config.steps} --lr {config.lr:g} --out runs/llama"
        ),
    }


def _program() -> str:
    """Return the shell command of this program: its name if it is on the PATH, otherwise its path."""
    called = Path(sys.argv[0])
    return "minitorch" if shutil.which("minitorch") or called.stem != "minitorch" else shlex.quote(str(called))


def _heading(text: str) -> None:
    typer.secho(f"\n\n{text}\n", bold=True)


def _say(text: str) -> None:
    print(textwrap.fill(text, 88), flush=True)
