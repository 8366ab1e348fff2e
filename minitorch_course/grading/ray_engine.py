"""Grading on an existing Ray cluster: the same `mark`, one submission a task, on every core that the cluster has.

Each process of Ray makes a workshop of its own, since machines share neither folders nor compiled programs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from minitorch._optional import require

from .collect import SubmissionFiles
from .grade_submission import GradedSubmission, failed, mark
from .grading_env import GradingConfig, GradingEnv
from .nbval_plugin import Key
from .nbval_runner import KernelPool


def grade_on_ray(
    hands: Sequence[Callable[[], SubmissionFiles]], workshop: GradingEnv, find_key: Callable[[], Key]
) -> Iterator[GradedSubmission]:
    """Grade on the cluster that `RAY_ADDRESS` names, or that runs on this machine. Yields each as soon as it is done.

    Raises ImportError without Ray, ConnectionError (an OSError) if there is no cluster.
    """
    ray = require("ray", "--engine ray", "pip install 'minitorch-course[ray]'")
    if not ray.is_initialized():
        ray.init(address="auto", log_to_driver=False)
    plan, answers = ray.put((workshop.plan, find_key())), ray.remote(max_retries=0)(_mark)
    waiting, running = list(reversed(hands)), {}
    slots = max(1, int(ray.cluster_resources().get("CPU", 1)))
    while waiting or running:
        while waiting and len(running) < 2 * slots:  # So that no core waits, and not all submissions are in memory.
            handed = waiting.pop()()
            running[answers.remote(handed, plan)] = handed
        for done in ray.wait(list(running))[0]:
            yield _answer(ray, done, running.pop(done), workshop.plan)


def _answer(ray: Any, task: Any, handed: SubmissionFiles, plan: GradingConfig) -> GradedSubmission:
    try:
        return ray.get(task)
    except ray.exceptions.RayError as error:
        reason = f"The grader itself ended while it was at this submission ({type(error).__name__})."
        return replace(failed(handed, plan.notebook, reason), settled=False)


def _mark(handed: SubmissionFiles, given: tuple[GradingConfig, Key]) -> GradedSubmission:
    """What one of Ray's processes does."""
    plan, key = given
    with KernelPool(_workshop(plan, key).setting()) as kernels:
        return mark(handed, plan.notebook, key, kernels)


_workshops: dict[tuple[str, int], GradingEnv] = {}


def _workshop(plan: GradingConfig, key: Key) -> GradingEnv:
    """This process's own, made when the first submission arrives, and rehearsed so that it has compiled programs."""
    name = plan.notebook.name, plan.seed
    if name not in _workshops:
        _workshops[name] = GradingEnv(plan)
        _workshops[name].rehearse(key)
    return _workshops[name]
