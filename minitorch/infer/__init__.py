"""How does a model talk? It draws one token, reads it, and draws the next.

Read `sample` (which token), `naive` (the whole idea, slowly), `generate` (the same tokens, from a cache), and `text`
(for people).
"""

from .generate import generate, stream
from .naive import generate_naive, window_start
from .sample import Sampler, draw, min_p, temperature, top_k, top_p
from .text import decode_pieces, printable, prompt_ids, stream_text

__all__ = [
    "Sampler",
    "decode_pieces",
    "draw",
    "generate",
    "generate_naive",
    "min_p",
    "printable",
    "prompt_ids",
    "stream",
    "stream_text",
    "temperature",
    "top_k",
    "top_p",
    "window_start",
]
