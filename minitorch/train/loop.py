"""A run from start to end: `train(config, out)` is what the command line, the tour and the notebooks call.

    prepare the data -> write the record -> steps, evaluations, checkpoints -> weights, card, plot

Whatever stops the run, `resume=True` continues it from the last checkpoint, and it ends in the same weights, bit for
bit: a batch is a function of the step, one compiled program serves every number of steps per dispatch, and the
checkpoint holds the rest. What happens inside a step is in `step`.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from .._files import atomic_write, clear_partial
from ..models.protocol import check_language_model
from ..nn import paths
from . import checkpoint
from .config import CUSTOM, RunConfig, make_layout, make_optimizer
from .evaluate import describe
from .layout import device_mesh
from .model_card import model_card
from .nan_debug import NonFiniteLossError, first_nonfinite_layer
from .plot import loss_plot
from .record import CARD, CHECKPOINTS, FILES, METRICS, PLOT, check_files, record_hashes
from .run_dir import begin, check_out_is_free, is_complete, load_for_resume, removed_unless_saved
from .signals import Interrupted, stop_requests
from .step import MAX_STEPS, State, Step
from .task import Task, TaskFactory, language_modelling
from .tracking import JsonLines, Row, Sink, read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..optim import Transform
    from .record import Record

# The time of one dispatch: how often a progress bar moves, and how long Ctrl-C may wait. Each dispatch allocates its
# temporary memory again, which took 0.2 s for a model of 10 million weights.
DISPATCH_SECONDS = 3.0
ESTIMATE_TOKENS = 20_000  # of the validation text, per evaluation during the run; the last one reads all of it


@dataclass(frozen=True)
class Result:
    """The outcome of a run."""

    out: Path
    val_loss: float  # nats per token, over the whole validation text
    tokens_per_s: float  # throughput of the training steps in this call; 0 if none were left
    seconds: float  # duration of this call, including preparation and evaluation


def train(
    config: RunConfig,
    out: str | Path,
    *,
    resume: bool = False,
    sinks: Sequence[Sink] = (),
    optimizer: Transform | None = None,
    task: TaskFactory = language_modelling,
) -> Result:
    """Train a language model, and write everything about it into the folder `out`.

    Args:
      config: the settings.
      out: the folder of the run; it must be empty or new, unless the run is resumed.
      resume: continue the run in `out`, which must have the same settings.
      sinks: receive every row that `metrics.jsonl` receives.
      optimizer: an `(init, update)` pair, if and only if the settings say "custom".
      task: what the steps train, such as a task of `compress`; a resumed run needs the same task.

    Raises:
      FileExistsError: `out` is not empty.
      FileNotFoundError: there is no run to resume, or no data.
      ValueError: the settings, the data (`data.DataError`) or a checkpoint cannot be used.
      NonFiniteLossError: the loss became NaN or infinite; the message names the step, the layer, and what to change.
      Interrupted: Ctrl-C or SIGTERM; the state is saved. A `KeyboardInterrupt`.
    """
    began, out = time.perf_counter(), Path(out)
    if (optimizer is not None) != (config.optimizer == CUSTOM):
        raise ValueError(f"pass an optimizer if and only if the settings say optimizer={CUSTOM!r}: both, or neither.")
    if resume:
        record = load_for_resume(out, config)
        check_files(out, record, resuming=True)
        if is_complete(out, record):  # Nothing is written, so that the folder may be read-only.
            return Result(out, read_rows(out / METRICS)[-1]["val_loss"], 0.0, time.perf_counter() - began)
        clear_partial(out)
        return _run(config, out, record, task, optimizer, sinks, began)
    check_out_is_free(out)
    with removed_unless_saved(out):
        return _run(config, out, None, task, optimizer, sinks, began)


def _run(
    config: RunConfig,
    out: Path,
    record: Record | None,
    task: TaskFactory,
    optimizer: Transform | None,
    sinks: Sequence[Sink],
    began: float,
) -> Result:
    made = task(config, out)
    model = made.model(made.start, *made.frozen)
    check_language_model(model)
    trainer = Trainer(begin(out, config, record, model, made.prepared), out, made, optimizer)
    try:
        trainer.train(sinks)
        return trainer.finish(began)
    except OSError as error:
        saved = checkpoint.steps(out / CHECKPOINTS)
        state = f"It is safe up to step {saved[-1]}: remove the cause, and resume it." if saved else "Nothing is saved."
        raise OSError(f"the run in {out} stopped, because the system reports {error}. {state}") from error


class Trainer:
    """The steps of a run, from its last checkpoint to its end."""

    def __init__(self, record: Record, out: Path, task: Task, optimizer: Transform | None):
        self.record, self.config, self.out, self.task = record, record.config, out, task
        config, start = self.config, task.start
        mesh = device_mesh(config.batch, jax.devices()[: record.provenance.devices])
        layout = make_layout(config, start, mesh.size)
        optimizer = optimizer or make_optimizer(config, start, layout)
        self.step = Step(task.loss, optimizer, task.get_batch, layout, mesh)
        self.data, self.frozen = self.step.replicate((task.data, task.frozen))
        self.state = self._restored(start) or self.step.init(start)
        self.throughput = Throughput(config.batch * config.context)
        self.rates = np.asarray(jax.jit(config.schedule())(np.arange(config.steps)))  # learning rates (steps,)

    def train(self, sinks: Sequence[Sink]) -> None:
        """Make the remaining steps: dispatch, evaluate, log, save, and stop if a signal or a NaN says so."""
        config, done = self.config, int(self.state.step)
        with JsonLines(self.out / METRICS, after=done) as file, contextlib.ExitStack() as stack:
            # The first dispatch compiles. A signal ends it at once, because there is nothing to save yet.
            first = self._dispatch(done) if done < config.steps else None
            stops = stack.enter_context(stop_requests())
            while done < config.steps:
                (rows, bad_loss), first = first or self._dispatch(done), None
                done += len(rows)
                if bad_loss is None and self._is_due(done, config.eval_every):
                    rows[-1]["val_loss"] = self._evaluate(done)
                for row in rows:
                    for sink in (file, *sinks):
                        sink.log(row["step"], row)
                if stops or bad_loss is not None or self._is_due(done, config.checkpoint_every):
                    self._save(done)
                if bad_loss is not None:
                    raise NonFiniteLossError(done + 1, bad_loss, self._nonfinite_layer(done), config)
                if stops and done < config.steps:
                    raise Interrupted(self.out, done, stops[0])

    def _dispatch(self, done: int) -> tuple[list[Row], float | None]:
        """Make the steps of one dispatch; return their rows, and the first loss that is not finite, or None."""
        to_go = [every - done % every for every in (self.config.eval_every, self.config.checkpoint_every)]
        n = min(self.throughput.steps, self.config.steps - done, *to_go)
        start = time.perf_counter()
        self.state, metrics = self.step.run(self.state, self.data, n, self.frozen)
        losses, norms = np.asarray(metrics.loss), np.asarray(metrics.gradient_norm)  # (n,) each
        tokens_per_s = self.throughput.update(n, time.perf_counter() - start)
        finite = np.isfinite(losses) & np.isfinite(norms)
        completed = n if finite.all() else int(finite.argmin())
        rows = [self._row(done + i, losses[i], norms[i], tokens_per_s) for i in range(completed)]
        return rows, None if completed == n else float(losses[completed])

    def _row(self, done: int, loss: float, norm: float, tokens_per_s: float) -> Row:
        row: Row = {"step": done + 1, "loss": float(loss), "gradient_norm": float(norm)}
        if self.config.optimizer != CUSTOM:
            row["learning_rate"] = float(self.rates[done])
        return row | ({"tokens_per_s": round(tokens_per_s)} if tokens_per_s else {})

    def _is_due(self, done: int, every: int) -> bool:
        return done % every == 0 or done == self.config.steps

    def _evaluate(self, done: int) -> float:
        return self.task.evaluate(self._model(), self.step.mesh, None if done == self.config.steps else ESTIMATE_TOKENS)

    def _model(self) -> Any:
        return self.task.model(self.step.model(self.state), *self.frozen)

    def _nonfinite_layer(self, done: int) -> str:
        arrays = (self.step.model(self.state), self.data, self.frozen)
        trained, data, frozen = jax.device_put(arrays, jax.devices()[0])
        return first_nonfinite_layer(self.step.loss, trained, *self.step.get_batch(data, done), *frozen)

    def _save(self, done: int) -> None:
        if done in checkpoint.steps(self.out / CHECKPOINTS):  # A resumed run failed again before its first step.
            return
        checkpoint.save(self.out / CHECKPOINTS, done, paths.flatten(jax.device_get(self.state)))

    def _restored(self, start: Any) -> State | None:
        """Return the state of the last checkpoint, or None if there is no checkpoint."""
        checkpoint.clear_unfinished(self.out / CHECKPOINTS)
        finished = checkpoint.steps(self.out / CHECKPOINTS)
        if not finished:
            return None
        like = jax.eval_shape(self.step.init, start)
        state = paths.unflatten(like, checkpoint.restore(self.out / CHECKPOINTS, finished[-1]))

        def place(x: Any, like: Any, sharding: Any) -> Any:
            return jax.device_put(np.asarray(x, like.dtype), sharding, may_alias=False)  # A copy: it is donated.

        return jax.tree.map(place, state, like, self.step.shardings(like))

    def finish(self, began: float) -> Result:
        """Write the weights, the plot and the model card of the finished run, and their hashes into its record."""
        rows, prepared = read_rows(self.out / METRICS), self.task.prepared
        evaluation = describe(rows[-1]["val_loss"], prepared.tokenizer, prepared.validation)
        tokens_per_s = self.throughput.tokens_per_s
        others = {path.name for path in self.out.iterdir() if path.suffix != ".safetensors"}
        self.task.save(self.step.model(self.state), self.out)
        weights = {path.name for path in self.out.iterdir()} - others
        atomic_write(self.out / PLOT, loss_plot(rows))
        if not (self.out / CARD).is_file():  # otherwise a person may have completed it
            card = model_card(self.record, self._model(), rows, evaluation, tokens_per_s, self.task.origin)
            atomic_write(self.out / CARD, card)
        record_hashes(self.out, self.record, (*FILES, *sorted(weights)))
        return Result(self.out, evaluation.loss, tokens_per_s, time.perf_counter() - began)


class Throughput:
    """The measured tokens per second, and the number of steps that make a dispatch of about `DISPATCH_SECONDS`."""

    def __init__(self, tokens: int):
        self.tokens, self.steps, self.completed, self.seconds = tokens, 1, 0, 0.0
        self.compiled = False

    def update(self, n: int, seconds: float) -> float:
        """Record a dispatch of `n` steps; return its tokens per second, or 0 for the first, which compiled."""
        if not self.compiled:
            self.compiled = True
            return 0.0
        self.completed, self.seconds = self.completed + n, self.seconds + seconds
        self.steps = max(1, min(MAX_STEPS, 4 * self.steps, int(DISPATCH_SECONDS * n / seconds)))
        return n * self.tokens / seconds

    @property
    def tokens_per_s(self) -> float:
        """Mean over all dispatches after the first."""
        return self.completed * self.tokens / self.seconds if self.completed else 0.0
