"""Compiled programs kept between runs, so that a notebook executed again does not compile again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

# As JAX's settings; in capitals they are its environment variables.
SETTINGS: dict[str, Any] = {
    "jax_compilation_cache_dir": str(Path.home() / ".cache" / "minitorch" / "compiled"),
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
}


def environment() -> dict[str, str]:
    """This process's environment, for a process that keeps what it compiles."""
    return {**os.environ, **{name.upper(): str(value) for name, value in SETTINGS.items()}}


def keep() -> None:
    """Keep what this process compiles."""
    import jax

    for name, value in SETTINGS.items():
        jax.config.update(name, value)
