"""Tracking of a run: a row of metrics for each step, written to a file and to any other sinks.

    with MLflowSink("my run", {"width": 128}) as sink:  # or WandbSink
        train(config, out, sinks=[sink])

Every run has a `JsonLines` sink, which alone is truncated to the checkpoint when the run is resumed. The others start a
new run of their own at the step from which training resumes; steps that are repeated are logged twice, with the same
values.
"""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from .._files import atomic_write, naming
from .._optional import require

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]
PROJECT = "minitorch"  # name of the project in MLflow and Weights & Biases
INSTALL = "pip install 'minitorch-course[tracking]'"
LOCAL = ("sqlite:///", "file://", "file:")  # before a path
MLFLOW_NAMES = ("databricks", "databricks-uc", "uc")  # URIs that look like a folder
MAX_BATCH = 900  # metrics per request; MLflow accepts 1,000


class Sink(Protocol):
    """Anything that takes rows of metrics: a file, a progress bar, a tracking server."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Take the metrics of one step.

        They are `loss` and `val_loss` in nats per token, `gradient_norm`, `learning_rate` and `tokens_per_s`.
        `val_loss` is present if the model was evaluated, `tokens_per_s` if the step did not wait for the compiler.
        """


class JsonLines:
    """A sink that appends each row to a file, as one line of JSON, flushed before the next row.

    Rows of steps later than `after` are dropped first: a resumed run repeats the steps after its last checkpoint.
    """

    def __init__(self, path: Path, after: int = 0):
        kept = [row for row in read_rows(path) if row["step"] <= after]
        atomic_write(path, "".join(map(_line, kept)))
        self.path = path
        with naming(path):
            self._file = path.open("a", encoding="utf-8", newline="\n", buffering=1)  # Flushed after each line.

    def log(self, step: int, values: Mapping[str, float]) -> None:
        with naming(self.path):
            self._file.write(_line({"step": step, **values}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with naming(self.path):
            self._file.close()


class MLflowSink:
    """A sink that creates a run in MLflow and logs each row as metrics.

    Args:
      name: the name of the run.
      settings: the parameters of the run.
      store: the tracking URI; by default that of MLFLOW_TRACKING_URI, or else `mlflow.db` in the current folder.

    Raises:
      ImportError: MLflow, or a database package that a local store needs, is not installed.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], store: str | None = None):
        self.store = store = absolute_store(store or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db")
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # It would report its use to its developers.
        mlflow = require("mlflow", "Tracking with MLflow", INSTALL)
        logging.getLogger("mlflow").setLevel(logging.WARNING)  # It would log each table that it creates.
        if store.startswith("sqlite:"):
            for package in ("sqlalchemy", "alembic"):
                require(package, "Tracking in a local MLflow database", INSTALL)
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
        metric = self._entities.Metric
        self._waiting += [metric(key, value, now, step) for key, value in values.items() if key != "step"]
        if "val_loss" in values or len(self._waiting) > MAX_BATCH:
            self._send()

    def _send(self) -> None:
        batches = [self._waiting[i : i + MAX_BATCH] for i in range(0, len(self._waiting), MAX_BATCH)]
        self._waiting = []
        for batch in batches:
            try:
                self.client.log_batch(self.run_id, metrics=batch)
            except Exception as error:  # of a database or a server; each has classes and pages of text of its own
                reason = str(error).partition("\n")[0]
                raise OSError(f"MLflow cannot write to {self.store} ({reason})") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self._send()
        stopped = "KILLED" if kind and issubclass(kind, KeyboardInterrupt) else "FAILED"
        self.client.set_terminated(self.run_id, stopped if kind else "FINISHED")


def absolute_store(uri: str) -> str:
    """Return an MLflow tracking URI whose path, if it has a relative one, starts at the current folder.

    MLflow keeps the store of a URI for the whole process, and would find a relative one where the first run found it.
    """
    scheme, path = next(((start, uri[len(start) :]) for start in LOCAL if uri.startswith(start)), ("", uri))
    if not scheme and (":" in uri or uri in MLFLOW_NAMES):
        return uri
    if not path or path == ":memory:":
        return uri
    return scheme + Path(path).absolute().as_posix()


class WandbSink:
    """A sink that creates a run in Weights & Biases and logs each row.

    It stays in the folder `wandb`, from which `wandb sync` uploads it, unless the variable WANDB_MODE is `online`.

    Args:
      name: the name of the run.
      settings: the configuration of the run.
      folder: the parent of the folder `wandb`; by default the current folder.

    Raises:
      ImportError: wandb is not installed.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], folder: Path | None = None):
        mode: Any = os.environ.get("WANDB_MODE", "offline")
        if mode == "offline":
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # It would send its errors to its developers.
        wandb = require("wandb", "Tracking with Weights & Biases", INSTALL)
        quiet = wandb.Settings(silent=True, console="off", x_disable_stats=True)
        self.run = wandb.init(
            project=PROJECT,
            name=name,
            config=dict(settings),
            dir=Path(folder or os.environ.get("WANDB_DIR") or "").absolute(),  # wandb keeps a relative one
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
    """Read the rows of a metrics file, if it exists, without a last row that was truncated by a kill.

    Raises:
      ValueError: another line is not JSON.
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
