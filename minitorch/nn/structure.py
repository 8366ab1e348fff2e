"""The structure of a model as JSON: the class of each node, its settings, and the shapes of its arrays.

A configuration describes a model as it was created. A model that was changed afterwards, by pruning, quantization or
added experts, is described node by node, so that its weights can be loaded into the same structure again.
"""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import jax
import jax.numpy as jnp

from .._numbers import real
from .module import Module

PACKAGE = __name__.partition(".")[0]
CLASS, SETTINGS, PARTS, SHAPE, DTYPE = "class", "settings", "parts", "shape", "dtype"


def to_json(node: Any) -> Any:
    """Return `node`, a module or a list or dict of them, as values that `json` can write.

    Raises:
      TypeError: a setting is neither a number, a string, a tuple of these, nor a dataclass of this package.
    """
    if node is None:
        return None
    if isinstance(node, Module):
        fields = dataclasses.fields(node)
        settings = {f.name: _setting(getattr(node, f.name)) for f in fields if "static" in f.metadata}
        parts = {f.name: to_json(getattr(node, f.name)) for f in fields if "static" not in f.metadata}
        return {CLASS: _name(type(node)), SETTINGS: settings, PARTS: parts}
    if isinstance(node, dict):
        return {PARTS: {name: to_json(child) for name, child in node.items()}}
    if isinstance(node, list | tuple):
        return [to_json(child) for child in node]
    return {SHAPE: list(node.shape), DTYPE: jnp.dtype(node.dtype).name}


def from_json(description: Any) -> Any:
    """Rebuild what `to_json` described, with shapes (`jax.ShapeDtypeStruct`) in place of arrays and lists for tuples.

    Only modules and settings of this package are created, whatever the description says.

    Raises:
      ValueError: `description` is not one that `to_json` returned, or names an unknown class.
    """
    try:
        return _build(description)
    except (KeyError, TypeError, AttributeError, ImportError) as error:
        raise ValueError(
            f"not the description of a minitorch model ({error}): it was changed, or written by another version."
        ) from error


def _build(node: Any) -> Any:
    if node is None:
        return None
    if isinstance(node, list):
        return [_build(child) for child in node]
    if SHAPE in node:
        return jax.ShapeDtypeStruct(tuple(node[SHAPE]), jnp.dtype(node[DTYPE]))
    parts = {name: _build(child) for name, child in node[PARTS].items()}
    if CLASS not in node:
        return parts
    settings = {name: _read_setting(value) for name, value in node[SETTINGS].items()}
    return _class(node[CLASS], Module)(**parts, **settings)


def _setting(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if (number := real(value)) is not None:
        return number
    if isinstance(value, list | tuple):
        return [_setting(v) for v in value]
    if dataclasses.is_dataclass(value) and type(value).__module__.startswith(f"{PACKAGE}."):
        fields = {f.name: _setting(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {CLASS: _name(type(value)), SETTINGS: fields}
    raise TypeError(
        f"a setting of type {type(value).__name__} cannot be written as JSON: use numbers, strings, tuples of them, or"
        " a frozen dataclass of the package."
    )


def _read_setting(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_read_setting, value))  # Settings are hashable, so every sequence was a tuple.
    if not isinstance(value, dict):
        return value
    settings = {name: _read_setting(v) for name, v in value[SETTINGS].items()}
    return _class(value[CLASS], object)(**settings)


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _class(name: str, base: type) -> type:
    """Return the class with this dotted name, which must be a dataclass of this package."""
    module, _, attribute = name.rpartition(".")
    if not module.startswith(f"{PACKAGE}."):
        raise TypeError(f"{name} is not a class of {PACKAGE}")
    cls = getattr(importlib.import_module(module), attribute)
    if not (isinstance(cls, type) and issubclass(cls, base) and dataclasses.is_dataclass(cls)):
        raise TypeError(f"{name} is not a {base.__name__} dataclass")
    return cls
