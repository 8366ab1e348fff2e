"""A notebook graded by nbval in this process: its cells are pytest's items, run in a kernel in a sandbox."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from ..notebook.hidden_test import SHOWN
from .jupyter import nbformat
from .kernel import Kernel
from .kernel_process import KernelConfig
from .nbval_plugin import Key, Plugin, Result, Task

UNUSED = "cacheprovider faulthandler unraisableexception threadexception warnings logging junitxml doctest unittest"
OPTIONS = [*(f"-pno:{plugin}" for plugin in UNUSED.split()), "-pnbval.plugin", "--assert=plain", "--noconftest", "-s"]


class KernelPool:
    """Where notebooks get their kernels, each one its own. The next can start while a notebook runs."""

    def __init__(self, setting: KernelConfig):
        self.setting = setting
        self._next: Kernel | None = None

    def __enter__(self) -> KernelPool:
        return self

    def __exit__(self, *error: object) -> None:
        if self._next:
            self._next.stop()
            self._next = None

    def prepare(self) -> None:
        self._next = self._next or Kernel(self.setting)

    def take(self) -> Kernel:
        """A kernel that answers. Raises RuntimeError if none starts."""
        kernel, self._next = self._next or Kernel(self.setting), None
        return kernel.ready()


def run(tasks: Sequence[Task], kernels: KernelPool, key: Key | None = None) -> list[Result]:
    """Run the cells in a fresh kernel, and judge the probes among them by the key.

    Without a key nothing is judged: a probe that ends well has passed, and what it has `shown` is for the key.
    Raises RuntimeError if there is no kernel to be had.
    """
    plugin = Plugin(tasks, kernels, key, _notebook(tasks, key or {}))
    with tempfile.TemporaryDirectory(prefix="mt-") as folder, _alone():
        notebook, nothing = Path(folder, "notebook.ipynb"), Path(folder, "pytest.ini")
        nothing.write_text("[pytest]\n", encoding="utf-8")
        notebook.touch()
        code = pytest.main([str(notebook), "-c", str(nothing), *OPTIONS], [plugin])
    if plugin.broken or code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(str(plugin.broken or f"pytest ended with {code!r}"))
    return list(plugin.results.values())


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """pytest without other plugins, and without a word."""
    silence = io.StringIO()
    with (
        mock.patch.dict(os.environ, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTEST_ADDOPTS=""),
        contextlib.redirect_stdout(silence),
        contextlib.redirect_stderr(silence),
    ):
        yield


def _notebook(tasks: Sequence[Task], key: Key) -> Any:
    """What nbval works on: the outputs of its probes are the key's. It needs no validation, which would be slow."""
    cells = []
    for number, task in enumerate(tasks):
        shown = [
            {"output_type": "display_data", "metadata": {}, "data": {SHOWN: value}} for value in key.get(task.name, [])
        ]
        about = {"id": f"cell-{number}", "metadata": {}, "execution_count": 1}
        cells.append({"cell_type": "code", "source": task.source, "outputs": shown, **about})
    return nbformat.from_dict({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
