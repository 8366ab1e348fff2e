"""Give griffe the docstrings of operations that a call creates, such as `exp = unary(jnp.exp, rule)`."""

from __future__ import annotations

import importlib
from typing import Any

import griffe

from minitorch.autodiff import Primitive

PARTS = ["autodiff"], ["ops"]
PLAIN = "`{name}` as in JAX. It has no derivative, or zero wherever there is one: plain arrays in, plain arrays out."


class Primitives(griffe.Extension):
    """Read the docstrings from the operations themselves."""

    def on_attribute(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """Set the docstring of an operation to the one that it has at run time."""
        if attr.has_docstring or not attr.parent.is_module or attr.module.path.split(".")[1:2] not in PARTS:
            return
        operation = getattr(importlib.import_module(attr.parent.path), attr.name, None)
        if isinstance(operation, Primitive):
            text = operation.__doc__ or ""
        elif str(attr.value).startswith("nondifferentiable("):
            text = (
                operation.__doc__
                if operation.__doc__ != operation.__wrapped__.__doc__
                else PLAIN.format(name=attr.name)
            )
        else:
            return
        attr.docstring = griffe.Docstring(text, parent=attr)
