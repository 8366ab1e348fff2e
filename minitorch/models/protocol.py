"""What a model needs so that `train`, `evaluate` and `generate` can use it. Any pytree of arrays that fits will do.

Axes: B batch, T time, V vocabulary.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float, Integer

from .._types import Array


class Sizes(Protocol):
    """The sizes of a language model that others read."""

    @property
    def vocab(self) -> int:
        """Number of token ids."""
        ...

    @property
    def context(self) -> int:
        """Largest number of tokens in one call."""
        ...


@runtime_checkable
class LanguageModel(Protocol):
    """What `train.train` and `train.evaluate` need: a pytree of floating-point arrays, such as an `nn.Module`."""

    @property
    def config(self) -> Sizes:
        """The sizes; a static field of the module."""
        ...

    def __call__(self, ids: Integer[Array, "B T"]) -> Float[Array, "B T V"]:
        """Return logits for the token that follows each; those of a position depend on no later token."""
        ...


@runtime_checkable
class Decoder(LanguageModel, Protocol):
    """What `infer.generate` needs in addition: to continue a text without reading it again."""

    def init_cache(self, batch: int) -> list[Any]:
        """Return an empty cache for `batch` texts: dataclasses with a field `position`, such as `nn.KVCache`."""
        ...

    def decode(self, ids: Integer[Array, "B T"], cache: list[Any]) -> tuple[Float[Array, "B T V"], list[Any]]:
        """Return logits for T tokens that follow those in the cache, and the cache with these tokens."""
        ...


def check_language_model(model: Any, *also: str) -> None:
    """Raise TypeError, with all that is missing, if `model` lacks a part of `LanguageModel` or an attribute `also`."""
    missing = [name for name in ("config.vocab", "config.context", "__call__", *also) if not _has(model, name)]
    if missing:
        raise TypeError(
            f"{type(model).__name__} is not a language model: it has no {', '.join(missing)}. models.LanguageModel says"
            " what training and evaluation need, and models.Decoder what generation needs."
        )


def _has(model: Any, name: str) -> bool:
    try:
        attrgetter(name)(model)
    except AttributeError:
        return False
    return True
