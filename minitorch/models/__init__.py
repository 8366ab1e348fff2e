"""Models: one family per file, with an axis glossary on top.

Read `mlp`, `convnet`, then `transformer` and its two families, `gpt` and `llama`; last `moe`, mixtures of experts. Each
model has a frozen configuration with named presets, and `Model.init(key, config)` returns a model with initial weights.
`protocol` says what a model of your own needs.
"""

from . import moe
from .config import Config
from .convnet import ConvNet, ConvNetConfig
from .gpt import GPT, GPTConfig
from .llama import Llama, LlamaConfig
from .mlp import MLP, MLPConfig
from .protocol import Decoder, LanguageModel
from .transformer import Transformer, TransformerConfig

__all__ = [
    "GPT",
    "MLP",
    "Config",
    "ConvNet",
    "ConvNetConfig",
    "Decoder",
    "GPTConfig",
    "LanguageModel",
    "Llama",
    "LlamaConfig",
    "MLPConfig",
    "Transformer",
    "TransformerConfig",
    "moe",
]
