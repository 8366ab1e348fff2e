"""A notebook graded by nbval in this process: its cells are pytest's items, and run in a sandboxed kernel."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from minitorch._optional import without_rfc3987

from ..notebook.hidden_test import REPORTED
from .nbval_plugin import CellResult, GradingPlugin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..author.verdict import AnswerKey
    from .kernel_pool import KernelPool
    from .merge import CodeCell

with without_rfc3987():
    import nbformat

UNUSED = "cacheprovider faulthandler unraisableexception threadexception warnings logging junitxml doctest unittest"
OPTIONS = [*(f"-pno:{plugin}" for plugin in UNUSED.split()), "-pnbval.plugin", "--assert=plain", "--noconftest", "-s"]


def run_cells(cells: Sequence[CodeCell], kernels: KernelPool, key: AnswerKey | None = None) -> list[CellResult]:
    """Run the cells in a fresh kernel, and compare the hidden tests among them with the key.

    Without a key nothing is compared: a hidden test that ends without an error passes, and its values are for the key.

    Raises:
      RuntimeError: no kernel starts.
    """
    plugin = GradingPlugin(cells, kernels, key, _notebook(cells, key or {}))
    with tempfile.TemporaryDirectory(prefix="mt-") as folder, _isolated():
        notebook, config = Path(folder, "notebook.ipynb"), Path(folder, "pytest.ini")
        config.write_text("[pytest]\n", encoding="utf-8")
        notebook.touch()
        code = pytest.main([str(notebook), "-c", str(config), *OPTIONS], [plugin])
    if plugin.broken or code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(str(plugin.broken or f"pytest ended with {code!r}"))
    return list(plugin.results.values())


@contextlib.contextmanager
def _isolated() -> Iterator[None]:
    """Run pytest without other plugins and without output."""
    silence = io.StringIO()
    with (
        mock.patch.dict(os.environ, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTEST_ADDOPTS=""),
        contextlib.redirect_stdout(silence),
        contextlib.redirect_stderr(silence),
    ):
        yield


def _notebook(cells: Sequence[CodeCell], key: AnswerKey) -> Any:
    """Return the notebook for nbval, with the key's values as outputs. It is not validated, which would be slow."""
    nodes = []
    for number, cell in enumerate(cells):
        outputs = [
            {"output_type": "display_data", "metadata": {}, "data": {REPORTED: value}}
            for value in key.get(cell.name, [])
        ]
        about = {"id": f"cell-{number}", "metadata": {}, "execution_count": 1}
        nodes.append({"cell_type": "code", "source": cell.source, "outputs": outputs, **about})
    return nbformat.from_dict({"cells": nodes, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
