"""Generation: sample a token, append it to the text, and repeat.

Read `sample` (choose a token), `naive` (the whole loop, slowly), `generate` (the same tokens, from a cache), and `text`
(from text to text).
"""

from .generate import generate, stream
from .naive import generate_naive, window_start
from .sample import Sampler, greedy, min_p, sample, temperature, top_k, top_p
from .text import decode_stream, printable, prompt_ids, stream_text

__all__ = [
    "Sampler",
    "decode_stream",
    "generate",
    "generate_naive",
    "greedy",
    "min_p",
    "printable",
    "prompt_ids",
    "sample",
    "stream",
    "stream_text",
    "temperature",
    "top_k",
    "top_p",
    "window_start",
]
