"""JAX must hear how many CPU cores to use before it starts."""

from __future__ import annotations

import contextlib


def use_cores(batch: int, n: int | None = None) -> None:
    """Make `n` CPU cores (by default, as many as there are and divide `batch`) a device each.

    No effect where JAX runs already, as in a notebook.
    """
    from ..train import use_cpu_cores

    with contextlib.suppress(RuntimeError):
        use_cpu_cores(n, batch=batch)
