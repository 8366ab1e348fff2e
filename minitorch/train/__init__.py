"""What is a run? From settings and a text to a trained model in a folder, whatever happens on the way.

Read `step` first (the one compiled function) and `devices`; then `config`, `prepare`, `task` and `loop`, which is the
run. What it uses on the way: `checkpoint`, `evaluate`, `tracking`, `interrupt`, `nonfinite`. What it leaves: `files`,
`run`, `card`, `plot`, `flops`.
"""

from .config import RunConfig
from .devices import use_cpu_cores
from .evaluate import Evaluation, evaluate, mean_loss
from .flops import flops_per_token
from .interrupt import Interrupted
from .loop import Result, train
from .nonfinite import NonFiniteLoss
from .run import Facts, LoadedRun, Record, load_run, read_record, save_run
from .step import Metrics, Sharded, State, Step, Tree, device_mesh
from .task import MakeTask, Task, language_modelling, predict_next
from .tracking import Sink, read_rows

__all__ = [
    "Evaluation",
    "Facts",
    "Interrupted",
    "LoadedRun",
    "MakeTask",
    "Metrics",
    "NonFiniteLoss",
    "Record",
    "Result",
    "RunConfig",
    "Sharded",
    "Sink",
    "State",
    "Step",
    "Task",
    "Tree",
    "device_mesh",
    "evaluate",
    "flops_per_token",
    "language_modelling",
    "load_run",
    "mean_loss",
    "predict_next",
    "read_record",
    "read_rows",
    "save_run",
    "train",
    "use_cpu_cores",
]
