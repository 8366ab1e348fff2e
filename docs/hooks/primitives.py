"""Docstrings of the operations that are made by a call, such as `exp = unary(jnp.exp, rule)`, for griffe to find."""

from __future__ import annotations

import importlib
from typing import Any

import griffe

from minitorch.autodiff import Primitive

PARTS = ["autodiff"], ["ops"]
PLAIN = "`{name}` as in JAX. It has no derivative, or zero wherever there is one: plain arrays in, plain arrays out."


class Primitives(griffe.Extension):
    """Reads them off the operations themselves."""

    def on_attribute(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """Give an operation the docstring that it has when the library runs."""
        if attr.has_docstring or not attr.parent.is_module or attr.module.path.split(".")[1:2] not in PARTS:
            return
        made = getattr(importlib.import_module(attr.parent.path), attr.name, None)
        if isinstance(made, Primitive):
            text = made.__doc__ or ""
        elif str(attr.value).startswith("nondifferentiable("):
            text = made.__doc__ if made.__doc__ != made.__wrapped__.__doc__ else PLAIN.format(name=attr.name)
        else:
            return
        attr.docstring = griffe.Docstring(text, parent=attr)
