"""The parts of a model by path, such as "blocks.0.attention.qkv.weight".

A path consists of the attribute names, list indices and dict keys from the root to a node, joined by dots. Weights are
read, edited, masked and stored by it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar

import jax
import numpy as np
from jax.tree_util import keystr, tree_flatten_with_path, tree_map_with_path

from .._files import atomic_write

T = TypeVar("T")


def flatten(tree: Any) -> dict[str, Any]:
    """Return every array of `tree` by its path, in the order of the fields."""
    return {_name(path): leaf for path, leaf in tree_flatten_with_path(tree)[0]}


def unflatten(like: T, arrays: Mapping[str, Any]) -> T:
    """Return a tree of the structure of `like` with the values of `arrays`: strict weight loading.

    `like` may hold shapes only, as from `jax.eval_shape(lambda: GPT.init(key, config))`. The arrays keep their dtypes.

    Raises:
      ValueError: a path is missing or unknown, or a shape differs. One message lists all problems.
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


def find(tree: Any, pattern: str = "*", kind: type | UnionType | None = None) -> dict[str, Any]:
    """Return the arrays whose path matches the glob `pattern`, by path; or the outermost nodes of type `kind`.

    `find(model, "*.weight")` are arrays, `find(model, "blocks.*", nn.Linear)` layers. `*` matches dots, too.
    """

    def wanted(path: Any, node: Any) -> bool:
        return isinstance(node, kind or object) and fnmatchcase(_name(path), pattern)

    nodes, _ = tree_flatten_with_path(tree, is_leaf=wanted if kind else None, is_leaf_takes_path=bool(kind))
    return {_name(path): node for path, node in nodes if wanted(path, node)}


def replace(tree: T, values: Mapping[str, Any]) -> T:
    """Return a copy of `tree` with other nodes, arrays or whole layers, at the given paths.

    Any value may replace any node: a quantized layer in place of a layer, an array in place of None.

    Raises:
      ValueError: no node has the path. The message names the nearest paths.
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
    """Return `tree` with `fun(path, array)` in place of every array, such as a mask or other values.

    A mask for weight decay of matrices only is `map_with_path(lambda path, x: x.ndim > 1, model)`.
    """
    return tree_map_with_path(lambda path, leaf: fun(_name(path), leaf), tree)


def count(tree: Any) -> int:
    """Return the number of parameters in `tree`."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))


def save_safetensors(tree: Any, file: str | Path) -> None:
    """Write every array under its path to a file, atomically, in the format of https://huggingface.co/docs/safetensors."""
    from safetensors.numpy import save

    file = Path(file)
    data = save({path: np.asarray(leaf, order="C") for path, leaf in flatten(tree).items()})
    atomic_write(file, data)


def load_safetensors(file: str | Path) -> dict[str, Any]:
    """Read the arrays of a safetensors file by path; `unflatten(model, arrays)` puts them into a model.

    Raises:
      FileNotFoundError: the file does not exist.
      ValueError: the file is not a complete safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="flax") as stored:
            return {path: stored.get_tensor(path) for path in stored.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise ValueError(f"{file} is not a complete safetensors file ({error}): copy or save it again.") from error


def _name(path: Any) -> str:
    return keystr(path, simple=True, separator=".")


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape)
