"""Tokenizers: text to numbers and back, from the simplest to the one that language models use.

Read `tokenizer` (what all share), then `bytes`, `char`, `bpe`, `regex_bpe`, each one idea more than the file before;
then `chat` (conversations) and `factory` (what a training run calls). Imports nothing of minitorch but `_files`.
"""

from .bpe import BPETokenizer
from .bytes import ByteTokenizer
from .char import CharTokenizer
from .chat import CHAT_TOKENS, Message, encode_chat, encode_prompt
from .factory import load_tokenizer, train_tokenizer
from .regex_bpe import RegexBPETokenizer
from .tokenizer import END_OF_TEXT, Tokenizer

__all__ = [
    "CHAT_TOKENS",
    "END_OF_TEXT",
    "BPETokenizer",
    "ByteTokenizer",
    "CharTokenizer",
    "Message",
    "RegexBPETokenizer",
    "Tokenizer",
    "encode_chat",
    "encode_prompt",
    "load_tokenizer",
    "train_tokenizer",
]
