"""Grading on a Ray cluster: one submission a task, on every core of the cluster.

Each process of Ray creates its own grading environment, since machines share neither folders nor compiled programs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from minitorch._optional import require

from .grade_submission import GradedSubmission, failed, grade_submission
from .grading_env import GradingConfig, GradingEnv
from .kernel_pool import KernelPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..author.verdict import AnswerKey
    from .collect import SubmissionFiles


def ray_engine(
    readers: Sequence[Callable[[], SubmissionFiles]], env: GradingEnv, find_key: Callable[[], AnswerKey]
) -> Iterator[GradedSubmission]:
    """Grade on the cluster that `RAY_ADDRESS` names, or that runs on this machine. Yield each result at once.

    Raises:
      ImportError: Ray is not installed.
      ConnectionError: there is no cluster.
    """
    ray = require("ray", "--engine ray", "pip install 'minitorch-course[ray]'")
    if not ray.is_initialized():
        ray.init(address="auto", log_to_driver=False)
    shared, grade = ray.put((env.config, find_key())), ray.remote(max_retries=0)(_grade)
    waiting, running = list(reversed(readers)), {}
    slots = max(1, int(ray.cluster_resources().get("CPU", 1)))
    while waiting or running:
        while waiting and len(running) < 2 * slots:  # Keeps all cores busy, without all submissions in memory.
            files = waiting.pop()()
            running[grade.remote(files, shared)] = files
        for done in ray.wait(list(running))[0]:
            yield _result(ray, done, running.pop(done), env.config)


def _result(ray: Any, task: Any, files: SubmissionFiles, config: GradingConfig) -> GradedSubmission:
    try:
        return ray.get(task)
    except ray.exceptions.RayError as error:
        reason = f"The grader itself ended while it graded this submission ({type(error).__name__})."
        return replace(failed(files, config.notebook, reason), settled=False)


def _grade(files: SubmissionFiles, shared: tuple[GradingConfig, AnswerKey]) -> GradedSubmission:
    """Grade one submission, in a process of Ray."""
    config, key = shared
    with KernelPool(_env(config, key).kernel_config()) as kernels:
        return grade_submission(files, config.notebook, key, kernels)


_envs: dict[tuple[str, int], GradingEnv] = {}


def _env(config: GradingConfig, key: AnswerKey) -> GradingEnv:
    """Return this process's own environment; the first call creates it, and fills its cache with a dry run."""
    name = config.notebook.name, config.seed
    if name not in _envs:
        _envs[name] = GradingEnv(config)
        _envs[name].dry_run(key)
    return _envs[name]
