"""Which layers does a pattern mean? The linear ones whose path it matches, quantized or not."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from typing import Any

from ..nn import Linear, Module, paths


def linear_layers(model: Any, pattern: str = "*", kinds: tuple[type, ...] = (Linear,)) -> dict[str, Any]:
    """The layers of `kinds` in `model` whose path matches the glob `pattern`, by path.

    Raises:
      ValueError: there are none. Names the nearest paths.
    """
    every: dict[str, Module] = {}
    for kind in kinds:
        every |= paths.find(model, kind=kind)
    found = {path: layer for path, layer in every.items() if fnmatchcase(path, pattern)}
    if not every:
        raise ValueError(
            "this model has no linear layers to choose from: if it is quantized, or adapted, begin with the model that"
            " it was made from."
        )
    if not found:
        nearest = difflib.get_close_matches(pattern, every, cutoff=0.3) or list(every)[:3]
        raise ValueError(
            f"no linear layer has a path like {pattern!r}. The nearest: {', '.join(nearest)}; * stands for any part, as"
            " in 'blocks.*.attention.*'."
        )
    return found
