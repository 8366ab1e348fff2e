"""How does a base model learn to answer?

Read `lora` (a few numbers learn), `chat_data` (conversations and pairs of answers), then `sft` (to answer as shown, and
as people prefer).
"""

from . import chat_data, lora, sft

__all__ = ["chat_data", "lora", "sft"]
