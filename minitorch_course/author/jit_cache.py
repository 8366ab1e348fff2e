"""JAX's compilation cache on disk, so that a notebook that is executed again does not compile again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# JAX's settings; in capitals they are its environment variables.
SETTINGS: dict[str, Any] = {
    "jax_compilation_cache_dir": str(Path.home() / ".cache" / "minitorch" / "compiled"),
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
}


def environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment `base` with the cache enabled, for a child process."""
    return {**base, **{name.upper(): str(value) for name, value in SETTINGS.items()}}


def enable() -> None:
    """Enable the cache in this process."""
    import jax

    for name, value in SETTINGS.items():
        jax.config.update(name, value)
