"""A model's parts by their names: "blocks.0.attention.qkv.weight".

Reading, editing, masking and storing weights are the same question, where is what, and have one answer: the path of
attribute names, list indices and dict keys from the root to a node, joined by dots.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
from jax.tree_util import keystr, tree_flatten_with_path, tree_map_with_path

from .._files import atomic_write

T = TypeVar("T")


def flatten(tree: Any) -> dict[str, Any]:
    """Every array of `tree` by its path, in the order of the fields."""
    return {_name(path): leaf for path, leaf in tree_flatten_with_path(tree)[0]}


def unflatten(like: T, arrays: Mapping[str, Any]) -> T:
    """A tree of the structure of `like` with the values of `arrays`: strict weight loading.

    `like` may hold shapes only, as from `jax.eval_shape(lambda: GPT.init(key, config))`. The arrays keep their dtypes.

    Raises:
      ValueError: a path is missing, one is unknown, or a shape differs. One message lists them all.
    """
    expected = flatten(like)
    problems = [
        *(f"missing:     {path} {_shape(expected[path])}" for path in expected if path not in arrays),
        *(f"unexpected:  {path} {_shape(arrays[path])}" for path in arrays if path not in expected),
        *(
            f"wrong shape: {path} is {_shape(arrays[path])}, the model has {_shape(expected[path])}"
            for path in expected
            if path in arrays and _shape(arrays[path]) != _shape(expected[path])
        ),
    ]
    if problems:
        raise ValueError(
            "these weights do not fit this model:\n  "
            + "\n  ".join(problems)
            + "\nBuild the model with the configuration that the weights were saved with, or rename the weights."
        )
    return jax.tree.unflatten(jax.tree.structure(like), [arrays[path] for path in expected])


def find(tree: Any, pattern: str = "*", kind: type | None = None) -> dict[str, Any]:
    """The arrays whose path matches the glob `pattern`, by path; given `kind`, the outermost nodes of that type.

    `find(model, "*.weight")` are arrays, `find(model, "blocks.*", nn.Linear)` layers. `*` matches dots too.
    """

    def wanted(path: Any, node: Any) -> bool:
        return isinstance(node, kind or object) and fnmatchcase(_name(path), pattern)

    nodes, _ = tree_flatten_with_path(tree, is_leaf=wanted if kind else None, is_leaf_takes_path=bool(kind))
    return {_name(path): node for path, node in nodes if wanted(path, node)}


def replace(tree: T, values: Mapping[str, Any]) -> T:
    """A copy of `tree` with other nodes, arrays or whole layers, at the given paths. `tree` stays as it is.

    Any value fits anywhere: a quantized layer in place of a layer, an array in place of None.

    Raises:
      ValueError: no node has such a path. The message names the nearest that has.
    """
    seen: list[str] = []

    def is_target(path: Any, node: Any) -> bool:
        seen.append(_name(path))
        return seen[-1] in values

    copy = tree_map_with_path(
        lambda path, node: values.get(_name(path), node), tree, is_leaf=is_target, is_leaf_takes_path=True
    )
    for path in values:
        if path not in seen:
            nearest = ", ".join(difflib.get_close_matches(path, seen)) or "none"
            raise ValueError(f"nothing in this {type(tree).__name__} has the path {path!r}. The nearest: {nearest}.")
    return copy


def map_with_path(fun: Callable[[str, Any], Any], tree: T) -> T:
    """`tree` with `fun(path, array)` in place of every array: a mask by name, a report, other values.

    Weight decay for matrices only: `map(lambda path, x: x.ndim > 1, model)`.
    """
    return tree_map_with_path(lambda path, leaf: fun(_name(path), leaf), tree)


def count(tree: Any) -> int:
    """How many numbers the arrays of `tree` hold: the parameter count."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))


def save_safetensors(tree: Any, file: str | Path) -> None:
    """Write every array under its path to `file`, in the format that other libraries read. All of it or nothing.

    Source of the format: https://huggingface.co/docs/safetensors.
    """
    from safetensors.numpy import save

    file = Path(file)
    data = save({path: np.asarray(leaf, order="C") for path, leaf in flatten(tree).items()})
    atomic_write(file, data)


def load_safetensors(file: str | Path) -> dict[str, Any]:
    """The arrays in `file` by their names; `unflatten(model, load_safetensors(file))` puts them into a model.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: the file is not a whole safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="flax") as stored:
            return {path: stored.get_tensor(path) for path in stored.keys()}  # noqa: SIM118 (it is no dict)
    except SafetensorError as error:
        raise ValueError(f"{file} is not a whole safetensors file ({error}): copy or save it again.") from error


def _name(path: Any) -> str:
    return keystr(path, simple=True, separator=".")


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape)
