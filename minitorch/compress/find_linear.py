"""Find the linear layers whose path matches a glob pattern."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from typing import Any

from ..nn import Linear, Module, paths


def linear_layers(model: Any, pattern: str = "*", kinds: tuple[type, ...] = (Linear,)) -> dict[str, Any]:
    """Return the layers of `kinds` that match the glob `pattern`, by path. Raises ValueError if none does."""
    every: dict[str, Module] = {}
    for kind in kinds:
        every |= paths.find(model, kind=kind)
    found = {path: layer for path, layer in every.items() if fnmatchcase(path, pattern)}
    if not every:
        raise ValueError(
            "this model has no linear layers to choose from: if it is quantized or has adapters, start from the model"
            " before that."
        )
    if not found:
        nearest = difflib.get_close_matches(pattern, every, cutoff=0.3) or list(every)[:3]
        raise ValueError(
            f"no linear layer has a path like {pattern!r}. The nearest: {', '.join(nearest)}; * stands for any part, as"
            " in 'blocks.*.attention.*'."
        )
    return found
