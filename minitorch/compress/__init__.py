"""How do models get small?

Read `distill` (a small model learns from a large one), `prune` and `shrink` (what can go), `lora` and `finetune` (a few
numbers learn), `moe` (many numbers, of which few are asked). Then how numbers are kept in few bits: `rounding` and
`blocks`, `packed` (to compute with them), `quantize`, `qat` and `gptq` (to lose less by it), `report` (was it worth
it?).
"""

from . import distill, moe, prune, structured_prune
from .gptq import quantize_gptq
from .packed import Packed
from .qat import fake_quantize, prepare
from .quantize import RECIPES, QuantizedEmbedding, QuantizedLinear, Recipe, bytes_in_memory, quantize
from .report import Report, report
from .scheme import Scheme

__all__ = [
    "RECIPES",
    "Packed",
    "QuantizedEmbedding",
    "QuantizedLinear",
    "Recipe",
    "Report",
    "Scheme",
    "bytes_in_memory",
    "distill",
    "fake_quantize",
    "moe",
    "prepare",
    "prune",
    "quantize",
    "quantize_gptq",
    "report",
    "structured_prune",
]
