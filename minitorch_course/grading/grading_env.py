"""The environment in which a class is graded on one machine: the library for students, compiled programs, the key."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import jax

from .._packages import editable_copies, package_of
from .hide_functions import copy_library
from .kernel_pool import KernelPool
from .kernel_process import KernelConfig, short_folder
from .merge import dry_run_cells, reference_cells
from .nbval_runner import run_cells
from .sandbox import Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..author.cells import Notebook
    from ..author.verdict import AnswerKey
    from .nbval_plugin import CellResult


TAKE_FUNCTIONS = (
    "apply_along_axis apply_over_axes associative_scan cond custom_linear_solve custom_root f fori_loop"
    " fromfunction frompyfunc jit linear_solve map piecewise reduce reduce_window scan stage"
    " switch ufunc vectorize while while_loop"
)


@dataclass(frozen=True)
class GradingConfig:
    """Everything that the grades of a class depend on, and that another machine needs in order to grade.

    `seed` is that of the inputs, which students' code can read. It says nothing about later rounds of grading
    (`ResultStore.input_seed`).
    """

    notebook: Notebook
    seed: int
    limits: Limits = field(default_factory=Limits)
    sandboxed: bool = True


class GradingEnv:
    """The folders for a grading configuration. A context manager, which removes them.

    No sandbox shows the folders `hidden`: submissions, results, sources.
    """

    def __init__(self, config: GradingConfig, hidden: Sequence[Path] = ()):
        self.config, self.hidden = config, [*hidden, *editable_copies()]
        self._temporary = tempfile.TemporaryDirectory(prefix="mt-", dir=short_folder(), ignore_cleanup_errors=True)
        self._folder = Path(self._temporary.name)
        # All programs of the reference, which no student's kernel sees, and those of single operations, which all read.
        self.reference_cache, self.cache = self._folder / "reference", self._folder / "cache"
        for cache in (self.reference_cache, self.cache):
            for folder in (cache, cache / "jax"):
                folder.mkdir()
                folder.chmod(0o777)  # The sandbox has another user. Nobody else can enter the folder around it.
        self.library = copy_library(self._folder / "library", config.notebook.forbids)

    def __enter__(self) -> GradingEnv:
        return self

    def __exit__(self, *error: object) -> None:
        self._temporary.cleanup()

    def kernel_config(self, trusted: bool = False) -> KernelConfig:
        """Return the configuration of students' kernels, or of the dry run: `trusted`, it fills its own cache."""
        return KernelConfig(
            {"MINITORCH_REPORT": "values", "MINITORCH_SEED": str(self.config.seed)},
            self.config.limits,
            self.config.sandboxed,
            self.library,
            [name for name in self.config.notebook.forbids if not package_of(name)],
            self.reference_cache if trusted else self.cache,
            trusted,
            self.hidden,
            self._folder,
        )

    def key(self) -> AnswerKey:
        """Return the values that the reference reports under the seed.

        The reference runs unsandboxed: it needs the whole library to compute the values of typical mistakes.

        Raises:
          ValueError: a cell of the reference fails.
        """
        variables = {"MINITORCH_REPORT": "key", "MINITORCH_SEED": str(self.config.seed)}
        with KernelPool(
            KernelConfig(variables, self.config.limits, False, cache=self.reference_cache, trusted=True)
        ) as kernels:
            results = run_cells(reference_cells(self.config.notebook), kernels)
        for result in results:
            if not result.verdict.passed:
                raise ValueError(f"{self._place(result)} fails: {result.verdict.reason}")
        tests = {cell.name for cell in self.config.notebook.of("hidden-test")}
        return {result.name: result.values for result in results if result.name in tests}

    def dry_run(self, key: AnswerKey) -> None:
        """Grade the reference as a submission. What it compiles for single operations is there for students' kernels.

        Raises:
          ValueError: it does not earn all points.
        """
        with KernelPool(self.kernel_config(trusted=True)) as kernels:
            results = run_cells(dry_run_cells(self.config.notebook), kernels, key)
        for result in results:
            if not result.verdict.passed:
                raise ValueError(
                    f"{self._place(result)} loses points for the reference itself: {result.verdict.reason}"
                    " Does it need a function that an exercise forbids?"
                )

        share_operations(self.reference_cache / "jax", self.cache / "jax", self.config.notebook)

    def _place(self, result: CellResult) -> str:
        cell = next(cell for cell in self.config.notebook.cells if cell.name == result.name)
        return f"{self.config.notebook.path}:{cell.line}: the cell {cell.name!r}"


def share_operations(programs: Path, shared: Path, notebook: Notebook) -> None:
    """Copy the compiled programs of JAX's own operations, and none that contains code of a notebook.

    JAX names a program after its function. So a function of the notebook must not have an operation's name, and
    operations that take functions (`scan`) are left out.
    """
    own = {name.lstrip("_") for cell in notebook.cells for name in re.findall(r"\bdef (\w+)", cell.source)}
    modules = (jax.numpy, jax.lax, jax.random, jax.nn)
    operations = {name for module in modules for name in dir(module)} - set(TAKE_FUNCTIONS.split()) - own
    for file in programs.iterdir():
        if re.sub("^jit__?", "", file.name.rsplit("-", 2)[0]) in operations:
            shutil.copyfile(file, shared / file.name)
