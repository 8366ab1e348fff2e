"""The student of the tour: a smaller model that is distilled from the model that the tour has trained."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from ..progress import training_progress

if TYPE_CHECKING:
    from ...train import LoadedRun, RunConfig

STUDENT = "student"  # its folder, inside the tour's
FEWER_STEPS = 3  # the teacher's steps divided by the student's


def settings(config: RunConfig) -> RunConfig:
    """Return the settings of a student of half the width, for a third of the steps."""
    steps = max(2, config.steps // FEWER_STEPS)
    return dataclasses.replace(
        config, width=config.width // 2, steps=steps, warmup=None, eval_every=steps, checkpoint_every=steps
    )


def distill_student(teacher: LoadedRun, out: Path) -> LoadedRun:
    """Train a student in a folder inside `out`; resume it if it is unfinished, and only load it if it is finished."""
    from ...compress.distill import DistillConfig, distill
    from ...train import load_run, train
    from ...train.record import CONFIG, WEIGHTS

    folder, config = out / STUDENT, settings(teacher.config)
    if not (folder / WEIGHTS).is_file():
        task = distill(teacher.model, DistillConfig(temperature=2.0), tokenizer=teacher.tokenizer)
        with training_progress(config.steps) as bar:
            train(config, folder, resume=(folder / CONFIG).is_file(), sinks=[bar], task=task)
    return load_run(folder)
