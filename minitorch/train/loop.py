"""A run from beginning to end: `train(config, out)` is what the command line, the tour and the notebooks call.

    prepare the data -> write down what is to be done -> steps, evaluations, checkpoints -> weights, card, plot

Whatever stops it, `resume=True` goes on from the last checkpoint and ends in the same weights, bit for bit: a batch is
a function of the step, one compiled program serves however many steps a dispatch makes, and the checkpoint holds the
rest.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from .._files import atomic_write, clear_partial
from ..nn import paths
from ..optim import Transform
from . import checkpoint
from .config import OWN, RunConfig, make_layout, make_optimizer
from .evaluate import describe
from .layout import CARD, CHECKPOINTS, DATASHEET, METRICS, PLOT, TOKENIZER
from .model_card import model_card
from .nan_debug import NonFiniteLoss, find_culprit
from .plot import loss_plot
from .run_dir import Record, check_facts, find_facts, record_to_resume, refuse_existing, write_record, write_structure
from .signals import Interrupted, stop_requests
from .step import MAX_STEPS, State, Step, device_mesh
from .task import MakeTask, Task, language_modelling
from .tracking import JsonLines, Row, Sink, read_rows

# In one call of the compiled step. So often does a progress bar move, and so long may Ctrl-C wait; but each call asks
# the system anew for its temporary memory, which took 0.2 s for a model of 10 million weights.
DISPATCH_SECONDS = 3.0
ESTIMATE_TOKENS = 20_000  # of the validation text, for an evaluation along the way; the last one reads all of it


@dataclass(frozen=True)
class Result:
    """How a run ended."""

    out: Path
    val_loss: float  # nats per token, over the whole validation text
    tokens_per_s: float  # in the training steps of this call; 0 if none were left
    seconds: float  # that this call took, with everything


def train(
    config: RunConfig,
    out: str | Path,
    *,
    resume: bool = False,
    sinks: Sequence[Sink] = (),
    optimizer: Transform | None = None,
    task: MakeTask = language_modelling,
) -> Result:
    """Train a language model, and leave everything about it in the folder `out`.

    Args:
      resume: go on with the run in `out`, which must have the same settings.
      sinks: get every row that `metrics.jsonl` gets.
      optimizer: for the setting `optimizer="own"`, and only then.
      task: what the steps do, such as those of `compress`; to resume, the same again.

    Raises:
      FileExistsError, FileNotFoundError: there is a run in `out` already; there is none to resume; there is no data.
      ValueError: settings, data (`data.DataError`) or a checkpoint that cannot be used.
      NonFiniteLoss: the loss became NaN or infinite. Names the step, the layer, and what to change.
      Interrupted: Ctrl-C or SIGTERM, and the state is saved. A `KeyboardInterrupt`.
    """
    began, out = time.perf_counter(), Path(out)
    if (optimizer is not None) != (config.optimizer == OWN):
        raise ValueError(f"give an optimizer exactly if the settings say optimizer={OWN!r}: both, or neither.")
    record = record_to_resume(out, config) if resume else None
    if record:
        clear_partial(out)
    else:
        refuse_existing(out)
    does = task(config, out)
    prepared, model = does.prepared, does.model(does.start, *does.frozen)
    facts = find_facts(prepared, model)
    if record:
        check_facts(record.facts, facts)
    else:
        record = Record(config, facts)
        write_record(out, record)  # From here on it is a run, and can be resumed.
    prepared.tokenizer.save(out / TOKENIZER)
    write_structure(out, record, model)
    atomic_write(out / DATASHEET, prepared.datasheet())
    run = _Run(record, out, does, optimizer)
    run.train(sinks)
    return run.finish(began)


class _Run:
    """The steps of a run, from its last checkpoint to the end."""

    def __init__(self, record: Record, out: Path, task: Task, optimizer: Transform | None):
        self.record, self.config, self.out, self.task = record, record.config, out, task
        config, start = self.config, task.start
        mesh = device_mesh(config.batch, jax.devices()[: record.facts.devices])
        layout = make_layout(config, start, mesh.size)
        optimizer = optimizer or make_optimizer(config, start, layout)
        self.step = Step(task.loss, optimizer, task.draw, layout, mesh)
        self.data, self.frozen = self.step.replicate((task.data, task.frozen))
        self.state = self._restored(start) or self.step.init(start)
        self.pace = _Pace(config.batch * config.context)
        self.rates = np.asarray(jax.jit(config.schedule())(np.arange(config.steps)))

    def train(self, sinks: Sequence[Sink]) -> None:
        """Make the steps that are left."""
        config, done = self.config, int(self.state.step)
        with JsonLines(self.out / METRICS, after=done) as file, stop_requests() as stops:
            while done < config.steps:
                rows, broken_loss = self._dispatch(done)
                done += len(rows)
                if broken_loss is None and self._is_due(done, config.eval_every):
                    rows[-1]["val_loss"] = self._evaluate(done)
                for row in rows:
                    for sink in (file, *sinks):
                        sink.log(row["step"], row)
                if stops or broken_loss is not None or self._is_due(done, config.checkpoint_every):
                    self._save(done)
                if broken_loss is not None:
                    raise NonFiniteLoss(done + 1, broken_loss, self._culprit(done), config)
                if stops and done < config.steps:
                    raise Interrupted(self.out, done, stops[0])

    def finish(self, began: float) -> Result:
        """Write what a finished run leaves to others."""
        rows, prepared = read_rows(self.out / METRICS), self.task.prepared
        evaluation = describe(rows[-1]["val_loss"], prepared.tokenizer, prepared.validation)
        speed = self.pace.tokens_per_s
        self.task.save(self.step.model(self.state), self.out)
        atomic_write(self.out / PLOT, loss_plot(rows))
        card = model_card(self.record, self._model(), rows, evaluation, speed, self.task.origin)
        atomic_write(self.out / CARD, card)
        return Result(self.out, evaluation.loss, speed, time.perf_counter() - began)

    def _dispatch(self, done: int) -> tuple[list[Row], float | None]:
        """Rows of as many steps as one call makes, and the loss at which it broke off, if it is not finite."""
        to_go = [every - done % every for every in (self.config.eval_every, self.config.checkpoint_every)]
        n = min(self.pace.steps, self.config.steps - done, *to_go)
        start = time.perf_counter()
        self.state, metrics = self.step.run(self.state, self.data, n, self.frozen)
        losses, norms = np.asarray(metrics.loss), np.asarray(metrics.gradient_norm)
        speed = self.pace.note(n, time.perf_counter() - start)
        finite = np.isfinite(losses) & np.isfinite(norms)
        made = n if finite.all() else int(finite.argmin())
        rows = [self._row(done + i, losses[i], norms[i], speed) for i in range(made)]
        return rows, None if made == n else float(losses[made])

    def _row(self, before: int, loss: float, norm: float, speed: float) -> Row:
        row: Row = {"step": before + 1, "loss": float(loss), "gradient_norm": float(norm)}
        if self.config.optimizer != OWN:
            row["learning_rate"] = float(self.rates[before])
        return row | ({"tokens_per_s": round(speed)} if speed else {})

    def _is_due(self, done: int, every: int) -> bool:
        return done % every == 0 or done == self.config.steps

    def _evaluate(self, done: int) -> float:
        return self.task.evaluate(self._model(), self.step.mesh, None if done == self.config.steps else ESTIMATE_TOKENS)

    def _model(self) -> Any:
        return self.task.model(self.step.model(self.state), *self.frozen)

    def _culprit(self, done: int) -> str:
        everything = (self.step.model(self.state), self.data, self.frozen)
        trained, data, frozen = jax.device_put(everything, jax.devices()[0])
        return find_culprit(self.step.loss, trained, *self.step.draw(data, done), *frozen)

    def _save(self, done: int) -> None:
        if done in checkpoint.steps(self.out / CHECKPOINTS):  # A resumed run broke off again before its first step.
            return
        checkpoint.save(self.out / CHECKPOINTS, done, paths.flatten(jax.device_get(self.state)))

    def _restored(self, start: Any) -> State | None:
        """The state of the last checkpoint, where there is one."""
        checkpoint.clear_unfinished(self.out / CHECKPOINTS)
        finished = checkpoint.steps(self.out / CHECKPOINTS)
        if not finished:
            return None
        like = jax.eval_shape(self.step.init, start)
        state = paths.unflatten(like, checkpoint.restore(self.out / CHECKPOINTS, finished[-1]))

        def place(x: Any, like: Any, sharding: Any) -> Any:
            return jax.device_put(np.asarray(x, like.dtype), sharding, may_alias=False)  # A copy, for it is donated.

        return jax.tree.map(place, state, like, self.step.shardings(like))


class _Pace:
    """How many steps make a dispatch of about `DISPATCH_SECONDS`, and how fast they were, once the step is compiled."""

    def __init__(self, tokens: int):
        self.tokens, self.steps, self.made, self.seconds = tokens, 1, 0, 0.0
        self.compiled = False

    def note(self, n: int, seconds: float) -> float:
        """Take the time of a dispatch of `n` steps. Returns its tokens per second, 0 for the one that compiled."""
        if not self.compiled:
            self.compiled = True
            return 0.0
        self.made, self.seconds = self.made + n, self.seconds + seconds
        self.steps = max(1, min(MAX_STEPS, 4 * self.steps, int(DISPATCH_SECONDS * n / seconds)))
        return n * self.tokens / seconds

    @property
    def tokens_per_s(self) -> float:
        return self.made * self.tokens / self.seconds if self.made else 0.0
