"""An autodiff and transformer library from scratch on JAX arrays.

    import minitorch as mt

    model = mt.models.GPT.init(key, mt.models.GPTConfig(vocab=65, context=64, layers=4, heads=4, width=128))
    loss, grads = mt.value_and_grad(lambda model: mt.nn.cross_entropy(model(ids), targets))(model)

The parts, in the order to read them: `autodiff`, `ops`, `nn`, `optim`, `text`, `data`, `models`, `train`,
`compress`, `finetune`, `infer`, `cli`.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # Importing `typing` takes most of the time before the command line can answer Ctrl-C.
if TYPE_CHECKING:
    from typing import Any

    from . import autodiff, compress, data, finetune, infer, models, nn, ops, optim, text, train
    from .autodiff import check_grads, checkpoint, from_jax, grad, jvp, stop_gradient, value_and_grad, vjp

__version__ = "0.1.0"

__all__ = [
    "autodiff",
    "check_grads",
    "checkpoint",
    "compress",
    "data",
    "finetune",
    "from_jax",
    "grad",
    "infer",
    "jvp",
    "models",
    "nn",
    "ops",
    "optim",
    "stop_gradient",
    "text",
    "train",
    "value_and_grad",
    "vjp",
]


_AUTODIFF = {"check_grads", "checkpoint", "from_jax", "grad", "jvp", "stop_gradient", "value_and_grad", "vjp"}


def __getattr__(name: str) -> Any:
    """Import a part at its first use, so that `minitorch --help` does not wait for JAX."""
    if name in _AUTODIFF:
        return getattr(importlib.import_module(".autodiff", __name__), name)
    if name in __all__:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'minitorch' has no attribute {name!r}. It has: {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
