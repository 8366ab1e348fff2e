"""What is a run? From settings and a text to a trained model in a folder, whatever happens on the way.

Read `step` first (the one compiled function) and `devices`; then `config`, `prepare`, `task` and `loop`, which is the
run. What it uses on the way: `checkpoint`, `evaluate`, `tracking`, `signals`, `nan_debug`. What it leaves: `layout`,
`run_dir`, `model_card`, `plot`, `flops`.
"""

from .config import RunConfig
from .devices import use_cpu_cores
from .evaluate import Evaluation, evaluate, mean_loss
from .flops import flops_per_token
from .loop import Result, train
from .nan_debug import NonFiniteLoss
from .run_dir import Facts, LoadedRun, Record, load_run, read_record, save_run
from .signals import Interrupted
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
