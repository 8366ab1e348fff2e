"""Compiled programs kept between runs, so that a notebook executed again does not compile again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# As JAX's settings; in capitals they are its environment variables.
SETTINGS: dict[str, Any] = {
    "jax_compilation_cache_dir": str(Path.home() / ".cache" / "minitorch" / "compiled"),
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
}


def environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment `base`, by default this process's, for a process that keeps what it compiles."""
    return {**base, **{name.upper(): str(value) for name, value in SETTINGS.items()}}


def keep() -> None:
    """Keep what this process compiles."""
    import jax

    for name, value in SETTINGS.items():
        jax.config.update(name, value)
