"""The tour's student: a smaller model that learns from the one that the tour has trained."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from ..progress import progress

if TYPE_CHECKING:
    from ...train import LoadedRun, RunConfig

STUDENT = "student"  # its folder, inside the tour's
SHARE = 3  # it makes one in so many of the teacher's steps


def settings(config: RunConfig) -> RunConfig:
    """Half the width, a third of the steps."""
    steps = max(2, config.steps // SHARE)
    return dataclasses.replace(
        config, width=config.width // 2, steps=steps, warmup=None, eval_every=steps, checkpoint_every=steps
    )


def teach(teacher: LoadedRun, out: Path) -> LoadedRun:
    """Train a student in a folder of its own inside `out`, or go on with it, or only open it if it is finished."""
    from ...compress.distill import DistillConfig, distill
    from ...train import load_run, train
    from ...train.run_dir import CONFIG, WEIGHTS

    folder, config = out / STUDENT, settings(teacher.config)
    if not (folder / WEIGHTS).is_file():
        task = distill(teacher.model, DistillConfig(temperature=2.0), tokenizer=teacher.tokenizer)
        with progress(config.steps) as bar:
            train(config, folder, resume=(folder / CONFIG).is_file(), sinks=[bar], task=task)
    return load_run(folder)
