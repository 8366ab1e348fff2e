"""Post-training quantization: replace layers by layers that compute with codes.

    small = compress.quantize(model, compress.RECIPES["int4"])
    small(ids)                                    # the same calls: it also saves, loads and generates

A `QuantRecipe` assigns schemes to layers by path. The 4-bit recipes keep embeddings at 8 bits: an embedding is looked
up and not averaged in a sum, so its errors do not cancel.
"""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeVar

import jax

from ..nn import Embedding, Linear, Module, paths
from .packed import PackedMatrix, matmul
from .scheme import Scheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .._types import Array

T = TypeVar("T")
INT8, INT4, NF4 = Scheme(), Scheme(bits=4, group=64), Scheme(bits=4, group=64, levels="nf4")


class QuantizedLinear(Module):
    """`nn.Linear` with a packed weight, which is not trained. The gradient of its input is exact."""

    packed: PackedMatrix  # (outputs, inputs)
    bias: Array | None = None

    @property
    def weight(self) -> Array:
        """The dequantized weight, float32 (inputs, outputs)."""
        return self.packed.dequantize().T

    def __call__(self, x: Array) -> Array:
        """Return x @ weight + bias: (..., inputs) to (..., outputs)."""
        outputs, inputs = self.packed.shape
        if x.shape[-1:] != (inputs,):
            raise ValueError(
                f"QuantizedLinear({inputs} -> {outputs}) was given x of shape {tuple(x.shape)}:"
                f" its last axis must be {inputs} long."
            )
        y = matmul(x, self.packed)
        return y if self.bias is None else y + self.bias


class QuantizedEmbedding(Module):
    """`nn.Embedding` with a packed table, which is not trained."""

    packed: PackedMatrix  # (V, D)

    @property
    def weight(self) -> Array:
        """The dequantized table, float32 (V, D)."""
        return self.packed.dequantize()

    def __call__(self, ids: Array) -> Array:
        """Look up ids (...): (..., D)."""
        return self.packed.take(ids)

    def attend(self, x: Array) -> Array:
        """Return the dot product with every row of the table: x (..., D) to logits (..., V)."""
        return matmul(x, self.packed)


QUANTIZED = QuantizedLinear | QuantizedEmbedding


@dataclasses.dataclass(frozen=True)
class QuantRecipe:
    """Schemes by glob pattern. The first pattern that matches a layer's path decides; None leaves the layer as it is.

    `QuantRecipe({"head": None, "token": INT8, "*": INT4})`. `*` also matches dots. A layer that no pattern matches
    stays as it is.
    """

    schemes: Mapping[str, Scheme | None]

    def scheme(self, path: str) -> Scheme | None:
        """Return the scheme of the layer at `path`, or None if the layer stays as it is."""
        return next((scheme for pattern, scheme in self.schemes.items() if fnmatchcase(path, pattern)), None)


def _with_blocks(blocks: Scheme) -> QuantRecipe:
    """Return a recipe of 8 bits for embeddings and head, and `blocks` for the other layers."""
    return QuantRecipe({"token": INT8, "position": INT8, "head": INT8, "*": blocks})


RECIPES = {
    "int8": QuantRecipe({"*": INT8}),
    "int8-dynamic": _with_blocks(Scheme(dynamic=True)),
    "int4": _with_blocks(INT4),
    "int4-mse": _with_blocks(Scheme(bits=4, group=64, range="mse")),
    "int4-affine": _with_blocks(Scheme(bits=4, group=64, symmetric=False)),
    "nf4": _with_blocks(NF4),
}
"""Recipes by name, as `minitorch quantize --to` takes them."""


def quantize(model: T, recipe: QuantRecipe, on_layer: Callable[[int, int], None] = lambda done, total: None) -> T:
    """Return `model` with the layers that `recipe` selects quantized. Call `on_layer(done, total)` after each layer.

    Raises:
      ValueError: the model is quantized already, the recipe selects no layer, or a layer cannot be quantized. The
        message names the layer.
    """
    selected, changed = select_layers(model, recipe), {}
    for path, (layer, scheme) in selected.items():
        with in_layer(path):
            changed[path] = quantized_layer(layer, PackedMatrix.quantize(weight_rows(layer), scheme))
        on_layer(len(changed), len(selected))
    return paths.replace(model, changed)


def select_layers(model: Any, recipe: QuantRecipe) -> dict[str, tuple[Any, Scheme]]:
    """Return the layers that `recipe` selects, each with its scheme, by path. Raises ValueError as `quantize` does."""
    if done := paths.find(model, kind=QUANTIZED):
        raise ValueError(
            f"this model is quantized already (at {next(iter(done))}), and quantizing it again only loses precision:"
            " start from the model before quantization."
        )
    found = paths.find(model, kind=Linear | Embedding)
    schemes = {path: recipe.scheme(path) for path in found}
    if not any(schemes.values()):
        raise ValueError(
            f"none of the patterns {', '.join(recipe.schemes) or '(there are none)'} gives a scheme to a layer of this"
            f" model. Its layers: {', '.join(found) or 'none'}."
        )
    return {path: (found[path], scheme) for path, scheme in schemes.items() if scheme}


@contextmanager
def in_layer(path: str) -> Iterator[None]:
    """Add the layer's path to a ValueError that is raised inside the block."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"cannot quantize {path}: {error}") from error


def weight_rows(layer: Linear | Embedding) -> Array:
    """Return the weight of a layer with one row for each output or token."""
    return layer.weight if isinstance(layer, Embedding) else layer.weight.T


def quantized_layer(layer: Linear | Embedding, packed: PackedMatrix) -> QuantizedLinear | QuantizedEmbedding:
    """Return the layer that takes the place of `layer`, with `packed` as its weight."""
    return QuantizedEmbedding(packed) if isinstance(layer, Embedding) else QuantizedLinear(packed, layer.bias)


def bytes_in_memory(model: Any) -> int:
    """Return the size of a model's arrays in bytes."""
    return sum(leaf.nbytes for leaf in jax.tree.leaves(model))
