"""Modules: a layer is a frozen dataclass, and a frozen dataclass is a pytree. That is the whole machinery.

    class Linear(Module):
        weight: Array                    # arrays, modules, lists, dicts and None are children
        bias: Array | None = None
        name: str = static(default="")   # static() fields are configuration: part of the structure, not of the values

The constructor only holds data and checks nothing, because JAX also builds modules of tensors, shapes, gradients or
shardings. A classmethod `init(key, ...)` creates the initial weights. A model goes straight into `jax.jit`,
`jax.tree.map` and `mt.grad`, and what comes out is a model again.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, NoReturn, dataclass_transform

import jax


def static(**options: Any) -> Any:
    """Return a field of configuration, such as a number of heads: hashable, compared by `==`, never differentiated.

    Takes the options of `dataclasses.field`.
    """
    return dataclasses.field(metadata={"static": True}, **options)


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(static, dataclasses.field))
class Module:
    """Base class that makes each of its subclasses a frozen dataclass and a pytree."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    __no_type_check__: ClassVar[bool] = True  # of the constructor: JAX fills the fields with what it needs.

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        dataclasses.dataclass(frozen=True, eq=False, repr=False)(cls)
        cls.__setattr__ = cls.__delattr__ = _refuse_change
        jax.tree_util.register_dataclass(cls)  # Reads the fields' metadata: static or not.

    def __new__(cls, *values: Any, **fields: Any) -> Any:
        if values and dataclasses.is_dataclass(values[0]) and not isinstance(values[0], Module):  # a configuration
            name = cls.__name__
            raise TypeError(f"{name}(config) has no weights: write {name}.init(jax.random.key(0), config).")
        return super().__new__(cls)

    def __repr__(self) -> str:
        return "\n".join(_lines(self))


def _refuse_change(self: Module, name: str, *value: Any) -> NoReturn:
    kind = type(self).__name__
    raise dataclasses.FrozenInstanceError(
        f"{kind}.{name} cannot be changed: modules are values, like numbers, so that JAX may trace and copy them.\n"
        f"  Wrong: layer.{name} = value\n"
        f"  Right: layer = dataclasses.replace(layer, {name}=value)\n"
        f'         model = nn.paths.replace(model, {{"path.to.{name}": value}}), deep inside a model'
    )


def _lines(node: Any) -> list[str]:
    """Return the lines of the tree `node`: its own, and those of its children, indented."""
    if isinstance(node, Module):
        fields = [(f.name, getattr(node, f.name), "static" in f.metadata) for f in dataclasses.fields(node)]
        settings = ", ".join(f"{name}={value!r}" for name, value, is_static in fields if is_static)
        head = type(node).__name__ + (f"({settings})" if settings else "")
        children = [(name, _lines(value)) for name, value, is_static in fields if not is_static]
    elif isinstance(node, dict):
        head, children = f"dict of {len(node)}", [(name, _lines(value)) for name, value in node.items()]
    elif isinstance(node, list | tuple):
        head, children = f"{type(node).__name__} of {len(node)}", list(_runs(map(_lines, node)))
    else:
        return [f"{node.dtype}[{', '.join(map(str, node.shape))}]" if hasattr(node, "dtype") else repr(node)]
    if count := sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(node) if hasattr(leaf, "dtype")):
        head += f": {count:,} parameters"
    return [head, *(f"  {line}" for name, (first, *rest) in children for line in (f"{name}: {first}", *rest))]


def _runs(texts: Iterable[list[str]]) -> Iterator[tuple[str, list[str]]]:
    """Merge neighbours that look the same, under the first and last of their indices."""
    for text, run in itertools.groupby(enumerate(texts), key=lambda pair: pair[1]):
        first, *rest = (i for i, _ in run)
        yield (f"{first}-{rest[-1]}" if rest else f"{first}"), text
