"""Where a class is graded on one machine: the library as students may see it, compiled programs, the key."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .._packages import LIBRARY
from ..author.cells import Notebook
from .hide_functions import copy_library
from .kernel_process import KernelConfig, short_folder
from .merge import dry_run_cells, reference
from .nbval_plugin import Key, Result
from .nbval_runner import KernelPool, run
from .sandbox import Limits


@dataclass(frozen=True)
class GradingConfig:
    """What grading a class depends on, and all that another machine needs to know."""

    notebook: Notebook
    seed: int
    limits: Limits = field(default_factory=Limits)
    sandboxed: bool = True


class GradingEnv:
    """Folders for a plan. A context manager; they go with it.

    `hidden` are folders that no sandbox may show: submissions, results, sources.
    """

    def __init__(self, plan: GradingConfig, hidden: Sequence[Path] = ()):
        self.plan, self.hidden = plan, hidden
        self._temporary = tempfile.TemporaryDirectory(prefix="mt-", dir=short_folder(), ignore_cleanup_errors=True)
        self._folder = Path(self._temporary.name)
        self.cache = self._folder / "cache"
        for folder in (self.cache, self.cache / "jax"):
            folder.mkdir()
            folder.chmod(0o777)  # The sandbox's user is another one. Nobody else can enter the folder around it.
        self.library = copy_library(self._folder / "library", plan.notebook.forbids).parent

    def __enter__(self) -> GradingEnv:
        return self

    def __exit__(self, *error: object) -> None:
        self._temporary.cleanup()

    def setting(self, trusted: bool = False) -> KernelConfig:
        """For students' kernels, or for the dry_run_cells, which is `trusted` and compiles for all of them."""
        return KernelConfig(
            {"MINITORCH_SHOW": "values", "MINITORCH_SEED": str(self.plan.seed)},
            self.plan.limits,
            self.plan.sandboxed,
            self.library,
            [name for name in self.plan.notebook.forbids if name.partition(".")[0] != LIBRARY.name],
            self.cache,
            trusted,
            self.hidden,
            self._folder,
        )

    def key(self) -> Key:
        """What the probes of the reference show under the seed. Raises ValueError where a cell of it fails.

        The reference runs in the open: it needs the whole library to know what mistakes look like.
        """
        variables = {"MINITORCH_SHOW": "key", "MINITORCH_SEED": str(self.plan.seed)}
        with KernelPool(KernelConfig(variables, self.plan.limits, False, cache=self.cache, trusted=True)) as kernels:
            results = run(reference(self.plan.notebook), kernels)
        for result in results:
            if result.status != "passed":
                raise ValueError(f"{self._place(result)} fails: {result.error or result.message}")
        probes = {cell.name for cell in self.plan.notebook.of("hidden-test")}
        return {result.name: result.shown for result in results if result.name in probes}

    def dry_run(self, key: Key) -> None:
        """Grade the reference as a student's. Raises ValueError if it does not earn everything."""
        with KernelPool(self.setting(trusted=True)) as kernels:
            results = run(dry_run_cells(self.plan.notebook), kernels, key)
        for result in results:
            if result.status != "passed":
                raise ValueError(
                    f"{self._place(result)} loses points for the reference itself: {result.error or result.message}"
                    " Does it need a function that an exercise forbids?"
                )

    def _place(self, result: Result) -> str:
        cell = next(cell for cell in self.plan.notebook.cells if cell.name == result.name)
        return f"{self.plan.notebook.path}:{cell.line}: the cell {cell.name!r}"
