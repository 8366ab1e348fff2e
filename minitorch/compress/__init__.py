"""Compression: smaller models by distillation, pruning and quantization.

Read `distill` (a small model learns from a large one), `prune` and `structured_prune` (remove weights, or whole parts),
and `moe` (many weights, few used per token). Then quantization: `scheme`, `packed` and `quantize` (few bits per
weight), `gptq` and `qat` (lose less), `gguf` (llama.cpp's formats), and `report` (compare the results).
"""

from . import distill, gguf, moe, prune, structured_prune
from .gptq import quantize_gptq
from .packed import PackedMatrix
from .qat import fake_quantize, prepare_qat
from .quantize import RECIPES, QuantizedEmbedding, QuantizedLinear, QuantRecipe, bytes_in_memory, quantize
from .report import Comparison, compare
from .scheme import Scheme

__all__ = [
    "RECIPES",
    "Comparison",
    "PackedMatrix",
    "QuantRecipe",
    "QuantizedEmbedding",
    "QuantizedLinear",
    "Scheme",
    "bytes_in_memory",
    "compare",
    "distill",
    "fake_quantize",
    "gguf",
    "moe",
    "prepare_qat",
    "prune",
    "quantize",
    "quantize_gptq",
    "structured_prune",
]
