from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

import pytest

from minitorch.text import (
    BPETokenizer,
    ByteTokenizer,
    CharTokenizer,
    RegexBPETokenizer,
    Tokenizer,
    load_tokenizer,
    train_tokenizer,
)

if TYPE_CHECKING:
    from pathlib import Path

TEXT = 'It\'s "quoted" \\ 東京 \u2028\x00 the the the\r\n'


def test_the_spec_chooses_the_tokenizer() -> None:
    assert train_tokenizer("char", TEXT) == CharTokenizer.train(TEXT)
    assert train_tokenizer("byte", TEXT) == ByteTokenizer()
    assert train_tokenizer("bpe:260", TEXT) == RegexBPETokenizer.train(TEXT, 260)
    assert train_tokenizer("bpe:260", TEXT, ["<|end|>"]).vocab_size == 260


@pytest.mark.parametrize("spec", ["", "bpe", "bpe:", "bpe:many", "bpe:-1", "bpe:1_000", "bpe:260 ", "word", None])
def test_an_unknown_spec_is_rejected(spec) -> None:
    with pytest.raises(ValueError, match=r"unknown tokenizer .*; use char, byte or bpe:N"):
        train_tokenizer(spec, TEXT)


@pytest.mark.parametrize("spec", ["char", "byte", "bpe:300"])
def test_an_empty_training_text_is_rejected(spec: str) -> None:
    with pytest.raises(ValueError, match="the training text is empty"):
        train_tokenizer(spec, "")


def test_a_vocabulary_too_small_for_the_bytes_is_rejected() -> None:
    with pytest.raises(ValueError, match="vocab_size 100 is too small"):
        train_tokenizer("bpe:100", TEXT)


@pytest.mark.parametrize(
    "tokenizer",
    [
        ByteTokenizer(["<|end|>", "ß\n"]),
        CharTokenizer.train(TEXT, ["<|end|>"]),
        BPETokenizer.train(TEXT, 262, ["<|end|>"]),
        RegexBPETokenizer.train(TEXT, 262, ["<|end|>"]),
    ],
    ids=lambda t: t.kind,
)
def test_a_saved_tokenizer_loads_as_it_was(tokenizer: Tokenizer, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    loaded = load_tokenizer(str(path))
    assert loaded == tokenizer
    assert type(loaded) is type(tokenizer)
    assert loaded.encode(TEXT + "<|end|>", allow_special=True) == tokenizer.encode(TEXT + "<|end|>", allow_special=True)
    assert loaded.special == tokenizer.special
    assert os.listdir(tmp_path) == ["tokenizer.json"]


def test_a_failed_save_leaves_the_old_file_and_no_partial_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tokenizer.json"
    ByteTokenizer(["<|old|>"]).save(path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        CharTokenizer.train(TEXT).save(path)
    assert load_tokenizer(path) == ByteTokenizer(["<|old|>"])
    assert os.listdir(tmp_path) == ["tokenizer.json"]


def test_saving_where_no_file_can_be_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=r"it is a folder; write .*tokenizer\.json"):
        ByteTokenizer().save(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"the folder .*missing does not exist; create it first"):
        ByteTokenizer().save(tmp_path / "missing" / "tokenizer.json")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"cannot find the tokenizer file .*RUN/tokenizer\.json"):
            load_tokenizer(path)


def saved(tmp_path: Path) -> tuple[Path, bytes]:
    path = tmp_path / "tokenizer.json"
    RegexBPETokenizer.train(TEXT, 262, ["<|end|>"]).save(path)
    return path, path.read_bytes()


def test_a_truncated_file_is_rejected_wherever_it_ends(tmp_path: Path) -> None:
    path, whole = saved(tmp_path)
    for length in range(0, len(whole) - 2, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cannot read .*tokenizer\.json as a tokenizer: .*truncated"):
            load_tokenizer(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, 'it has no "format": "minitorch-tokenizer"'),
        ({"version": 2}, "it is of version 2, and this minitorch reads version 1"),
        ({"kind": "wordpiece"}, "its kind is 'wordpiece', not one of byte, char, bpe, regex_bpe"),
        ({"merges": [[97]]}, "not enough values"),
        ({"merges": [["a", "b"]]}, "'str' object cannot be interpreted as an integer"),
        ({"merges": [[97.0, 98.0]]}, "'float' object cannot be interpreted as an integer"),
        ({"merges": None}, "not iterable"),
        ({"merges": [[97, 300]]}, "merge 0 is the pair"),
        ({"special": ["<a>", "<a>"]}, "special token '<a>' is given twice"),
        ({"rule": "gpt9"}, "it splits words by the rule 'gpt9', and this minitorch knows gpt2-unicode16 and python-re"),
        ({"more": 1}, "more"),
    ],
)
def test_a_file_with_foreign_content_is_rejected(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path, whole = saved(tmp_path)
    path.write_text(json.dumps({**json.loads(whole), **change}), encoding="utf-8")
    with pytest.raises(ValueError, match=f"cannot read .*{message}"):
        load_tokenizer(path)


def test_a_file_from_before_rules_had_names_keeps_its_ids(tmp_path: Path) -> None:
    path, whole = saved(tmp_path)
    state = json.loads(whole)
    assert state.pop("rule") == "gpt2-unicode16"
    path.write_text(json.dumps(state), encoding="utf-8")
    old = load_tokenizer(path)
    assert old == RegexBPETokenizer(state["merges"], state["special"], rule="python-re")
    old.save(path)
    assert load_tokenizer(path) == old


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[1, 2]", b'"text"', b"hello", b"[" * 100_000])
def test_a_file_that_is_something_else_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot read .* as a tokenizer"):
        load_tokenizer(path)
