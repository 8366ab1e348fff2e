"""Training: from settings and a text to a trained model in a folder, and back again after any interruption.

Read `loop` first (a run) and `step` (the compiled function), then `layout` and `devices` (how a step uses several
devices), and `config`, `prepare` and `task` (what a run is given). During the steps, `loop` uses `checkpoint`,
`evaluate`, `tracking`, `signals` and `nan_debug`; at the end, `run_dir`, `model_card`, `plot` and `flops`.
"""

from .config import RunConfig
from .devices import use_cpu_cores
from .evaluate import Evaluation, evaluate, mean_loss
from .flops import flops_per_token
from .layout import Replicated, Sharded, device_mesh
from .loop import Result, train
from .nan_debug import NonFiniteLossError
from .record import Provenance, Record, read_record
from .run_dir import LoadedRun, load_run, save_run
from .signals import Interrupted
from .step import Metrics, State, Step
from .task import Task, TaskFactory, language_modelling, next_token_task
from .tracking import Sink, read_rows

__all__ = [
    "Evaluation",
    "Interrupted",
    "LoadedRun",
    "Metrics",
    "NonFiniteLossError",
    "Provenance",
    "Record",
    "Replicated",
    "Result",
    "RunConfig",
    "Sharded",
    "Sink",
    "State",
    "Step",
    "Task",
    "TaskFactory",
    "device_mesh",
    "evaluate",
    "flops_per_token",
    "language_modelling",
    "load_run",
    "mean_loss",
    "next_token_task",
    "read_record",
    "read_rows",
    "save_run",
    "train",
    "use_cpu_cores",
]
