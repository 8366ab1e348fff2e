"""Tokenizers from a name on the command line, and from a file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from .._suggest import did_you_mean
from .bpe import BPETokenizer
from .bytes import ByteTokenizer
from .char import CharTokenizer
from .regex_bpe import PYTHON, RegexBPETokenizer
from .tokenizer import FORMAT, VERSION, Tokenizer, check_training_text

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = {cls.kind: cls for cls in (ByteTokenizer, CharTokenizer, BPETokenizer, RegexBPETokenizer)}


def train_tokenizer(spec: str, text: str, special: Iterable[str] = ()) -> Tokenizer:
    """Train a tokenizer on `text`: `spec` is `char`, `byte` or `bpe:N` with `N` ids, special tokens included.

    Raises:
      ValueError: another `spec`, an empty `text`, or an `N` too small for 256 bytes and the special tokens.
    """
    check_training_text(text)
    if spec == "char":
        return CharTokenizer.train(text, special)
    if spec == "byte":
        return ByteTokenizer(special)
    if size := re.fullmatch(r"bpe:([0-9]{1,9})", str(spec)):
        return RegexBPETokenizer.train(text, int(size[1]), special)
    raise ValueError(
        f"unknown tokenizer {spec!r}; use char, byte or bpe:N with N the number of ids, such as bpe:4096."
        f"{did_you_mean(spec, ('char', 'byte', 'bpe:4096'))}"
    )


def load_tokenizer(path: str | Path) -> Tokenizer:
    """Load the tokenizer that `tokenizer.save(path)` wrote.

    Raises:
      FileNotFoundError: the file does not exist.
      ValueError: the file is truncated, or is not a tokenizer.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"cannot find the tokenizer file {path}; a run keeps its own in RUN/tokenizer.json")
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(state, dict) or state.pop("format", None) != FORMAT:
            raise ValueError(f'it has no "format": "{FORMAT}"')
        if (version := state.pop("version", None)) != VERSION:
            raise ValueError(f"it is of version {version}, and this minitorch reads version {VERSION}")
        if (kind := state.pop("kind", None)) not in KINDS:
            raise ValueError(f"its kind is {kind!r}, not one of {', '.join(KINDS)}")
        if kind == RegexBPETokenizer.kind:
            state.setdefault("rule", PYTHON)
        return KINDS[kind](**state)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(
            f"cannot read {path} as a tokenizer: {error}; the file was truncated, or written by another "
            "program or version, so copy it again or train it again"
        ) from error
