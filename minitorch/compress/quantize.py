"""How does a model get small without being trained again? Its matrices are rounded, and computed with as they are.

    small = compress.quantize(model, compress.RECIPES["int4"])
    small(ids)                                    # the same call; it saves, loads and generates as its parent did

A recipe names schemes by path. It says `int8` for embeddings even in 4 bits: they are looked up and not averaged, so
that their errors are seen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from ..nn import Embedding, Linear, Module, paths
from .packed import Packed, product
from .scheme import Scheme

Array = jax.Array
T = TypeVar("T")
INT8, INT4, NF4 = Scheme(), Scheme(bits=4, group=64), Scheme(bits=4, group=64, levels="nf4")


class QuantizedLinear(Module):
    """`nn.Linear` with its weight in few bits. It learns no more; its input's gradient is exact."""

    packed: Packed  # (outputs, inputs)
    bias: Array | None = None

    @property
    def weight(self) -> Array:
        """What the codes stand for, float32 (inputs, outputs): to look at."""
        return self.packed.numbers().T

    def __call__(self, x: Array) -> Array:
        outputs, inputs = self.packed.shape
        if x.shape[-1:] != (inputs,):
            raise ValueError(
                f"QuantizedLinear({inputs} -> {outputs}) was given x of shape {tuple(x.shape)}:"
                f" its last axis must be {inputs} long."
            )
        y = product(x, self.packed)
        return y if self.bias is None else y + self.bias


class QuantizedEmbedding(Module):
    """`nn.Embedding` with its table in few bits."""

    packed: Packed  # (V, D)

    @property
    def weight(self) -> Array:
        """What the codes stand for, float32 (V, D): to look at."""
        return self.packed.numbers()

    def __call__(self, ids: Array) -> Array:
        if not jnp.issubdtype(ids.dtype, jnp.integer):
            raise TypeError(
                f"QuantizedEmbedding looks up integers, but was given ids of dtype {ids.dtype}:"
                " encode the text with a tokenizer, or convert numbers with ids.astype(int)."
            )
        return self.packed.rows(ids)

    def attend(self, x: Array) -> Array:
        """The dot product with every row: x (..., D) to logits (..., V)."""
        return product(x, self.packed)


QUANTIZED = QuantizedLinear | QuantizedEmbedding


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Which layer is rounded how: the first pattern that matches its path decides, and None leaves it as it is.

    `Recipe({"head": None, "token": INT8, "*": INT4})`; `*` matches dots too. Layers that no pattern matches stay.
    """

    schemes: Mapping[str, Scheme | None]

    def scheme(self, path: str) -> Scheme | None:
        """How the layer at `path` is rounded; None if it stays as it is."""
        return next((scheme for pattern, scheme in self.schemes.items() if fnmatchcase(path, pattern)), None)


def _over(blocks: Scheme) -> Recipe:
    """Embeddings and head in 8 bits, all else in `blocks`."""
    return Recipe({"token": INT8, "position": INT8, "head": INT8, "*": blocks})


RECIPES = {
    "int8": Recipe({"*": INT8}),
    "int8-dynamic": _over(Scheme(dynamic=True)),
    "int4": _over(INT4),
    "int4-mse": _over(Scheme(bits=4, group=64, range="mse")),
    "int4-affine": _over(Scheme(bits=4, group=64, symmetric=False)),
    "nf4": _over(NF4),
}
"""Recipes by name, for the command line and for a first try."""


def quantize(model: T, recipe: Recipe, on_layer: Callable[[int, int], None] = lambda done, all: None) -> T:
    """`model` with the layers that `recipe` names in few bits. `on_layer(done, all)` hears of each.

    Raises:
      ValueError: it is quantized already, the recipe matches no layer, or a layer cannot be rounded. Names the layer.
    """
    chosen, changed = layers(model, recipe), {}
    for path, (layer, scheme) in chosen.items():
        with blame(path):
            changed[path] = packed_layer(layer, Packed.of(rows_of(layer), scheme))
        on_layer(len(changed), len(chosen))
    return paths.replace(model, changed)


def layers(model: Any, recipe: Recipe) -> dict[str, tuple[Any, Scheme]]:
    """The layers that `recipe` rounds, and how, by path. Raises ValueError if there are none, or some are already."""
    if done := paths.find(model, kind=QUANTIZED):  # pyright: ignore[reportArgumentType]
        raise ValueError(
            f"this model is quantized already (at {next(iter(done))}), and rounding what was rounded only loses:"
            " start from the model that it was made from."
        )
    found = paths.find(model, kind=Linear | Embedding)  # pyright: ignore[reportArgumentType]
    schemes = {path: recipe.scheme(path) for path in found}
    if not any(schemes.values()):
        raise ValueError(
            f"none of the patterns {', '.join(recipe.schemes) or '(there are none)'} gives a scheme to a layer of this"
            f" model. Its layers: {', '.join(found) or 'none'}."
        )
    return {path: (found[path], scheme) for path, scheme in schemes.items() if scheme}


class blame:
    """Names the layer in what goes wrong inside the block."""

    def __init__(self, path: str):
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, ValueError):
            raise ValueError(f"cannot quantize {self.path}: {error}") from error


def rows_of(layer: Linear | Embedding) -> Array:
    """A layer's matrix, one row for each output or token."""
    return layer.weight if isinstance(layer, Embedding) else layer.weight.T


def packed_layer(layer: Linear | Embedding, packed: Packed) -> QuantizedLinear | QuantizedEmbedding:
    return QuantizedEmbedding(packed) if isinstance(layer, Embedding) else QuantizedLinear(packed, layer.bias)


def bytes_in_memory(model: Any) -> int:
    """What the arrays of a model take."""
    return sum(leaf.nbytes for leaf in jax.tree.leaves(model))
