"""How does a model learn to live with few bits? It is trained with its weights rounded, and learns the weights beneath.

    learner = compress.prepare(model, recipe)     # trains as the model did
    small = compress.quantize(learner, recipe)    # its linear layers compute what the learner's computed

Rounding has slope 0 almost everywhere, which would teach nothing: the gradient passes through as if it were not there
(the straight-through estimator of Bengio et al., arXiv 1308.3432), by a rule of this library as any other.
"""

from __future__ import annotations

from typing import Any, TypeVar

import jax

from .. import ops
from ..autodiff import primitive
from ..nn import Linear, paths, static
from .packed import encode_rows
from .quantize import Recipe, blame, layers, rows_of
from .scheme import Scheme, check, decode, encode_unchecked

T = TypeVar("T")


@jax.custom_jvp
def _straight_through(x: Any, rounded: Any) -> Any:
    """`rounded` in value, and `x` in every derivative."""
    return rounded


_straight_through.defjvps(lambda t, y, x, rounded: t, None)


@primitive(lambda g, y, x, scheme: g)
def fake_quantize(x: Any, scheme: Scheme) -> Any:
    """A matrix (R, I) rounded and turned back into numbers; its cotangent passes unchanged."""
    rounded = decode(encode_unchecked(jax.lax.stop_gradient(x), scheme), scheme)
    return _straight_through(x, rounded.astype(x.dtype))


@primitive(lambda g, y, x: g)
def fake_quantize_rows(x: Any) -> Any:
    """Activations (..., I) as a dynamic scheme rounds them, and turned back; their cotangent passes unchanged."""
    codes, scale, _ = encode_rows(jax.lax.stop_gradient(x).reshape(-1, x.shape[-1]))
    return _straight_through(x, (codes * scale).reshape(x.shape).astype(x.dtype))


class RoundedLinear(Linear):
    """`nn.Linear` that computes with its weight rounded."""

    scheme: Scheme = static(default=Scheme())

    def __call__(self, x: Any) -> Any:
        x = fake_quantize_rows(x) if self.scheme.dynamic else x
        return Linear(ops.transpose(fake_quantize(ops.transpose(self.weight), self.scheme)), self.bias)(x)


def prepare(model: T, recipe: Recipe) -> T:
    """`model` with the linear layers that `recipe` names computing with rounded weights.

    Embeddings learn as they are: in 8 bits they lose too little to be worth it.

    Raises:
      ValueError: as `quantize` does, or the recipe names no linear layer.
    """
    chosen = layers(model, recipe).items()
    linear = {path: (layer, scheme) for path, (layer, scheme) in chosen if isinstance(layer, Linear)}
    if not linear:
        raise ValueError(
            "the recipe names embeddings only, and those learn as they are: name one of"
            f" {', '.join(paths.find(model, kind=Linear))}."
        )
    for path, (layer, scheme) in linear.items():
        with blame(path):
            check(rows_of(layer), scheme)
    return paths.replace(
        model, {path: RoundedLinear(layer.weight, layer.bias, scheme) for path, (layer, scheme) in linear.items()}
    )
