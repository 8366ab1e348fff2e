"""What a run tells about itself as it goes: a row of numbers for each step, to a file and to whoever else listens.

    with MLflowSink("my run", {"width": 128}) as sink:  # or WandbSink
        train(config, out, sinks=[sink])

`JsonLines` is always there, and alone is made whole again when a run is resumed. The others begin a run of their own in
each call, at the step from which it goes on; what they have of steps made twice is twice the same.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

from .._files import atomic_write
from .._optional import require

Row = dict[str, Any]
PROJECT = "minitorch"  # in which runs are found, there
INSTALL = "pip install 'minitorch-course[tracking]'"
MOST = 900  # numbers in one message to MLflow, which takes 1,000


class Sink(Protocol):
    """Anything with this method can listen: a progress bar, a plot, a tracking server."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Take the numbers of one step: `loss`, `gradient_norm`, `learning_rate`; `tokens_per_s`, but not of steps that
        waited for the compiler; and `val_loss` where the model was evaluated."""
        ...


class JsonLines:
    """A sink that adds each row to a file, one JSON object on a line, whole before the next begins.

    `after` drops the rows of later steps first: those that a run made after the checkpoint from which it now goes on.
    """

    def __init__(self, path: Path, after: int = 0):
        kept = [row for row in read_rows(path) if row["step"] <= after]
        atomic_write(path, "".join(map(_line, kept)))
        self._file = path.open("a", encoding="utf-8", newline="\n", buffering=1)  # Written out line by line.

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._file.write(_line({"step": step, **values}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


class MLflowSink:
    """A sink that makes a run in MLflow: `settings` are its parameters, the numbers of each row its metrics.

    Args:
      name: of the run.
      store: a URI of MLflow's; if not given, the environment variable MLFLOW_TRACKING_URI, or else the file `mlflow.db`
        in this folder, which `mlflow server` opens by itself.

    Raises:
      ImportError: MLflow is not installed, or the database packages that a local store needs.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], store: str | None = None):
        store = store or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # It would tell its makers that it is used.
        mlflow = require("mlflow", "Tracking with MLflow", INSTALL)
        logging.getLogger("mlflow").setLevel(logging.WARNING)  # It would tell of each table that it makes.
        if store.startswith("sqlite:"):
            for package in ("sqlalchemy", "alembic"):
                require(package, "Tracking in a file of MLflow's", INSTALL)
        self._entities = require("mlflow.entities", "Tracking with MLflow", INSTALL)
        self.client = mlflow.MlflowClient(store)
        project = self.client.get_experiment_by_name(PROJECT)
        experiment = project.experiment_id if project else self.client.create_experiment(PROJECT)
        self.run_id = self.client.create_run(experiment, run_name=name).info.run_id
        params = [self._entities.Param(key, str(value)) for key, value in settings.items()]
        self.client.log_batch(self.run_id, params=params)
        self._waiting: list[Any] = []

    def log(self, step: int, values: Mapping[str, float]) -> None:
        now = int(1000 * time.time())
        self._waiting += [
            self._entities.Metric(key, value, now, step) for key, value in values.items() if key != "step"
        ]
        if "val_loss" in values or len(self._waiting) > MOST:
            self._send()

    def _send(self) -> None:
        for first in range(0, len(self._waiting), MOST):
            self.client.log_batch(self.run_id, metrics=self._waiting[first : first + MOST])
        self._waiting = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self._send()
        stopped = "KILLED" if kind and issubclass(kind, KeyboardInterrupt) else "FAILED"
        self.client.set_terminated(self.run_id, stopped if kind else "FINISHED")


class WandbSink:
    """A sink that makes a run in Weights & Biases: `settings` are its configuration.

    It stays in the folder `wandb`, from where `wandb sync` sends it, unless the environment variable WANDB_MODE is
    `online`.

    Args:
      name: of the run.
      folder: in which the folder `wandb` is; this one, if not given.

    Raises:
      ImportError: wandb is not installed.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], folder: Path | None = None):
        mode: Any = os.environ.get("WANDB_MODE", "offline")
        if mode == "offline":
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # It would send its own errors to its makers.
        wandb = require("wandb", "Tracking with Weights & Biases", INSTALL)
        quiet = wandb.Settings(silent=True, console="off", x_disable_stats=True)
        self.run = wandb.init(
            project=PROJECT,
            name=name,
            config=dict(settings),
            dir=folder,
            mode=mode,
            settings=quiet,
            reinit="create_new",
        )

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self.run.log({key: value for key, value in values.items() if key != "step"}, step=step)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self.run.finish(exit_code=1 if kind else 0)


TRACKERS: dict[str, Any] = {"mlflow": MLflowSink, "wandb": WandbSink}


def read_rows(path: Path) -> list[Row]:
    """The rows of a metrics file, without a last one that a kill cut short; none where there is no file.

    Raises:
      ValueError: another line is no JSON.
    """
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {number} is not JSON ({error}): delete that line.") from error
    return rows


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row) + "\n"
