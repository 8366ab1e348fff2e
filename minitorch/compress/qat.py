"""Quantization-aware training: train with quantized weights in the forward pass.

    learner = compress.prepare_qat(model, recipe)   # trains as the model did
    small = compress.quantize(learner, recipe)      # its linear layers compute what the learner's computed

Rounding has slope 0 almost everywhere, which would stop training. The backward pass treats it as the identity: the
straight-through estimator (Bengio et al., arXiv 1308.3432).
"""

from __future__ import annotations

from typing import Any, TypeVar

import jax

from .. import ops
from ..autodiff import primitive
from ..nn import Linear, paths, static
from .packed import quantize_rows
from .quantize import QuantRecipe, in_layer, select_layers, weight_rows
from .scheme import Scheme, check_matrix, dequantize, quantize_unchecked

T = TypeVar("T")


@jax.custom_jvp
def _straight_through(x: Any, rounded: Any) -> Any:
    """Return `rounded`, with the derivative of `x`."""
    return rounded


_straight_through.defjvps(lambda t, y, x, rounded: t, None)


@primitive(lambda g, y, x, scheme: g)
def fake_quantize(x: Any, scheme: Scheme) -> Any:
    """Quantize and dequantize a matrix (R, I). The cotangent passes unchanged."""
    rounded = dequantize(quantize_unchecked(jax.lax.stop_gradient(x), scheme), scheme)
    return _straight_through(x, rounded.astype(x.dtype))


@primitive(lambda g, y, x: g)
def fake_quantize_rows(x: Any) -> Any:
    """Quantize and dequantize activations (..., I) as a dynamic scheme does. The cotangent passes unchanged."""
    codes, scale, _ = quantize_rows(jax.lax.stop_gradient(x).reshape(-1, x.shape[-1]))
    return _straight_through(x, (codes * scale).reshape(x.shape).astype(x.dtype))


class FakeQuantizedLinear(Linear):
    """`nn.Linear` that computes with its quantized weight and trains the weight in full precision."""

    scheme: Scheme = static(default=Scheme())

    def __call__(self, x: Any) -> Any:
        """Return x @ fake_quantize(weight) + bias: (..., inputs) to (..., outputs)."""
        x = fake_quantize_rows(x) if self.scheme.dynamic else x
        return Linear(ops.transpose(fake_quantize(ops.transpose(self.weight), self.scheme)), self.bias)(x)


def prepare_qat(model: T, recipe: QuantRecipe) -> T:
    """Return `model` with fake quantization in the linear layers that `recipe` selects.

    Embeddings train without it: at 8 bits they lose too little.

    Raises:
      ValueError: as `quantize` does, or the recipe selects no linear layer.
    """
    selected = select_layers(model, recipe).items()
    linear = {path: (layer, scheme) for path, (layer, scheme) in selected if isinstance(layer, Linear)}
    if not linear:
        raise ValueError(
            "the recipe selects only embeddings, which train without quantization: select one of"
            f" {', '.join(paths.find(model, kind=Linear))}."
        )
    for path, (layer, scheme) in linear.items():
        with in_layer(path):
            check_matrix(weight_rows(layer), scheme)
    learners = {path: FakeQuantizedLinear(layer.weight, layer.bias, scheme) for path, (layer, scheme) in linear.items()}
    return paths.replace(model, learners)
