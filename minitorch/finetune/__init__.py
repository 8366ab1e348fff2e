"""Fine-tuning: a base model learns to answer.

Read `lora` (train few numbers), `chat_data` (conversations and pairs of answers), `trainable` (a whole model or
adapters), then `sft` (learn from examples) and `dpo` (learn from preferences).
"""

from . import chat_data, dpo, lora, sft
from .trainable import LoRAConfig

__all__ = ["LoRAConfig", "chat_data", "dpo", "lora", "sft"]
