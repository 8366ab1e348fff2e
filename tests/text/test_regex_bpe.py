"""Comparison with the Rust package `tokenizers` and with the plain twin."""

from __future__ import annotations

import argparse
import heapq
import inspect
import json
import string
import textwrap
from collections import Counter

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch.text import BPETokenizer, RegexBPETokenizer, bpe, regex_bpe
from minitorch.text.regex_bpe import learn_merges, merge_in_place, split_words

CODE = "".join(inspect.getsource(module) for module in (argparse, heapq, string, textwrap))
LANGUAGES = (
    "The quick brown fox doesn't jump; it's lazy, we'll see. Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich. "
    "Voix ambiguë d'un cœur qui préfère les jattes de kiwis. Съешь же ещё этих мягких французских булок. "
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. いろはにほへと ちりぬるを。"
    "天地玄黃,宇宙洪荒。 नमस्ते दुनिया! مرحبا بالعالم 👋🏽👩‍👩‍👧 1234 ٣٤ x² \n\n\t  end\u00a0\u2028"
)
few_letters = st.text(alphabet="ab", max_size=30)
any_text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


def rust_bpe(text: str, vocab_size: int) -> tokenizers.Tokenizer:
    """Train in Rust on our words. Byte `b` is given as the character `b`, so that its alphabet has our ids."""
    rust = tokenizers.Tokenizer(tokenizers.models.BPE())
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=[chr(b) for b in range(256)], show_progress=False
    )
    rust.train_from_iterator([as_rust(word) for word in split_words(text)], trainer)
    return rust


def as_rust(word: str) -> str:
    return word.encode().decode("latin-1")


def rust_merges(rust: tokenizers.Tokenizer) -> list[tuple[int, int]]:
    ids = rust.get_vocab()
    return [(ids[left], ids[right]) for left, right in json.loads(rust.to_str())["model"]["merges"]]


def assert_same_as_rust(text: str, vocab_size: int, other: str = "") -> None:
    ours, rust = RegexBPETokenizer.train(text, vocab_size), rust_bpe(text, vocab_size)
    assert list(ours.merges) == rust_merges(rust)
    assert {as_piece: i for i, as_piece in enumerate(ours.vocab)} == {
        piece.encode("latin-1"): i for piece, i in rust.get_vocab().items()
    }
    for words in (split_words(text), split_words(other)):
        for word in set(words):
            assert ours.encode(word) == rust.encode(as_rust(word)).ids


@pytest.mark.parametrize("text", [CODE, LANGUAGES * 2, CODE + LANGUAGES * 40], ids=["code", "languages", "both"])
def test_merges_and_ids_are_those_of_the_rust_package(text: str) -> None:
    assert_same_as_rust(text, 1256, other=LANGUAGES + inspect.getsource(json))


@settings(max_examples=25, deadline=None)
@given(st.one_of(few_letters, st.text(alphabet="abc 'd\n", max_size=60), any_text).filter(bool), st.integers(256, 300))
def test_merges_and_ids_are_those_of_the_rust_package_for_any_text(text: str, vocab_size: int) -> None:
    assert_same_as_rust(text, vocab_size, other="abba aab baa")


@settings(max_examples=40, deadline=None)
@given(few_letters, st.integers(0, 20))
def test_training_equals_its_slow_twin(text: str, merges: int) -> None:
    assert learn_merges({text: 3}, merges) == bpe.learn_merges(text, merges)


@settings(max_examples=40, deadline=None)
@given(few_letters, few_letters)
def test_encoding_a_word_equals_its_slow_twin(trained_on: str, word: str) -> None:
    merges = bpe.learn_merges(trained_on, 20)
    assert RegexBPETokenizer(merges).encode(word) == BPETokenizer(merges).encode(word)


def test_updated_counts_equal_a_recount() -> None:
    ids = [1, 1, 1, 2, 1, 2, 1, 1, 2, 2]
    counts = bpe.count_pairs(ids)
    for pair, change in merge_in_place(ids, (1, 2), 9):
        counts[pair] += change
    assert ids == bpe.replace_pair([1, 1, 1, 2, 1, 2, 1, 1, 2, 2], (1, 2), 9)
    del counts[1, 2]
    assert +counts == bpe.count_pairs(ids)


def test_every_learned_id_encodes_its_own_bytes_and_no_two_ids_have_the_same() -> None:
    tokenizer = RegexBPETokenizer.train(CODE, 2000)
    assert len(set(tokenizer.vocab)) == tokenizer.vocab_size == 2000
    for i, piece in enumerate(tokenizer.vocab):
        assert regex_bpe.encode_word(piece, tokenizer.merges) == [i]


@settings(deadline=None)
@given(any_text)
def test_words_joined_are_the_text(text: str) -> None:
    words = list(split_words(text))
    assert "".join(words) == text
    assert all(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I don't, we'll", ["I", " don", "'t", ",", " we", "'ll"]),
        ("x = 10**2", ["x", " =", " 10", "**", "2"]),
        ("a_b __c", ["a", "_", "b", " __", "c"]),
        ("if x:\n        y", ["if", " x", ":", "\n       ", " y"]),
        ("a  \n", ["a", "  \n"]),
        ("東京 città", ["東京", " città"]),
    ],
)
def test_words_are_cut_where_gpt2_cuts_them(text: str, words: list[str]) -> None:
    assert list(split_words(text)) == words


@pytest.mark.parametrize("text", [CODE, LANGUAGES.replace("²", "")], ids=["code", "languages"])
def test_words_are_those_of_the_rust_package(text: str) -> None:
    """The Rust pattern also counts ² and other non-decimal digits as digits; the two agree on everything else."""
    rust = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    # Its offsets give the words; the bytes in the strings that come with them are renamed.
    assert list(split_words(text)) == [text[start:stop] for _, (start, stop) in rust.pre_tokenize_str(text)]


def test_special_tokens_change_no_merge_and_no_count_of_ids() -> None:
    plain = RegexBPETokenizer.train(LANGUAGES, 400)
    special = RegexBPETokenizer.train(LANGUAGES, 402, ["<a>", " fox"])
    assert special.merges == plain.merges
    assert special.special == {"<a>": 400, " fox": 401}
    assert special.encode(LANGUAGES) == plain.encode(LANGUAGES)


def test_a_word_of_many_letters_is_encoded() -> None:
    """A new search for the earliest merge after each merge would take minutes."""
    tokenizer = RegexBPETokenizer([(97, 97), (256, 256), (257, 98)])
    assert tokenizer.encode("a" * 199_999) == [257] * 49_999 + [256, 97]


def test_the_cache_of_words_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regex_bpe, "CACHED_WORDS", 10)
    tokenizer = RegexBPETokenizer.train(CODE, 300)
    text = " ".join(map(str, range(100))) + " " + "x" * 100
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert 0 < len(tokenizer._ids_of) <= 10
    assert max(map(len, tokenizer._ids_of)) < 100


def test_the_same_text_gives_the_same_merges_whatever_the_order_of_its_words() -> None:
    words = Counter(split_words(CODE))
    assert learn_merges(words, 200) == learn_merges(dict(sorted(words.items())), 200)
