"""The kernels of a grader: a fresh one for each notebook, started ahead of need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .kernel import GradingKernel

if TYPE_CHECKING:
    from .kernel_process import KernelConfig


class KernelPool:
    """Gives each notebook its own kernel. A context manager. The next kernel can start while a notebook runs."""

    def __init__(self, config: KernelConfig):
        self.config = config
        self._next: GradingKernel | None = None

    def __enter__(self) -> KernelPool:
        return self

    def __exit__(self, *error: object) -> None:
        if self._next:
            self._next.stop()
            self._next = None

    def prestart(self) -> None:
        """Start the next kernel, without waiting for it."""
        self._next = self._next or GradingKernel(self.config)

    def take(self) -> GradingKernel:
        """Return a kernel that answers.

        Raises:
          RuntimeError: none starts.
        """
        kernel, self._next = self._next or GradingKernel(self.config), None
        return kernel.ready()
