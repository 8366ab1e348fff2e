"""Layers.

Read `module` (a layer is a pytree) and `paths` (its parts by name), `init`, then the layers from `linear` to `conv`,
`losses`, `mean` and `precision`; last `hooks`, and `structure`, a model as JSON. `Linear.init(key, inputs, outputs)`
creates a layer, `layer(x)` applies it.
"""

from . import hooks, init, paths, structure
from .activation import elu, gelu, leaky_relu, relu, relu_squared, sigmoid, silu, softplus, tanh
from .attention import Attention
from .conv import Conv
from .dropout import Dropout
from .embedding import Embedding
from .kv_cache import KVCache
from .linear import Linear
from .losses import accuracy, cross_entropy, mse
from .mean import masked_mean
from .module import Module, static
from .norm import LayerNorm, RMSNorm
from .precision import at_least_float32, cast
from .rope import rope

__all__ = [
    "Attention",
    "Conv",
    "Dropout",
    "Embedding",
    "KVCache",
    "LayerNorm",
    "Linear",
    "Module",
    "RMSNorm",
    "accuracy",
    "at_least_float32",
    "cast",
    "cross_entropy",
    "elu",
    "gelu",
    "hooks",
    "init",
    "leaky_relu",
    "masked_mean",
    "mse",
    "paths",
    "relu",
    "relu_squared",
    "rope",
    "sigmoid",
    "silu",
    "softplus",
    "static",
    "structure",
    "tanh",
]
