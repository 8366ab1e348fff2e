"""Comparison with the Rust package `tokenizers` and with the plain twin."""

from __future__ import annotations

import argparse
import heapq
import inspect
import json
import random
import re
import string
import sys
import textwrap
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import tokenizers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from minitorch.text import BPETokenizer, RegexBPETokenizer, bpe, regex_bpe
from minitorch.text.regex_bpe import MERGED, PYTHON, LinkedWords, learn_merges, merge_in_place, split_words

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.mark.parametrize("pair", [(1, 2), (1, 1), (2, 1)])
def test_updated_counts_equal_a_recount(pair: tuple[int, int]) -> None:
    ids = [1, 1, 1, 2, 1, 2, 1, 1, 2, 2, 1, 1, 1, 1]
    counts, words = bpe.count_pairs(ids), LinkedWords({bytes(ids).decode(): 1})
    for changed, _, change in merge_in_place(words, pair, range(len(words.ids) - 1), 9):
        counts[changed] += change
    merged = bpe.replace_pair(ids, pair, 9)
    assert [i for i in words.ids if i != MERGED] == merged
    del counts[pair]
    assert +counts == bpe.count_pairs(merged)


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
        ("x² Ⅷ½", ["x", "²", " Ⅷ½"]),
        ("a\x1cb", ["a", "\x1c", "b"]),
    ],
)
def test_words_are_cut_where_gpt2_cuts_them(text: str, words: list[str]) -> None:
    assert list(split_words(text)) == words


def rust_words(text: str) -> list[str]:
    """Return GPT-2's words. The offsets give them; the bytes in the strings that come with them are renamed."""
    rust = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    return [text[start:stop] for _, (start, stop) in rust.pre_tokenize_str(text)]


@settings(max_examples=100, deadline=None)
@example(CODE)
@example(LANGUAGES)
@given(any_text)
def test_words_are_those_of_the_rust_package(text: str) -> None:
    assert list(split_words(text)) == rust_words(text)


EVERY_CHARACTER = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
CONTEXTS = ["{}", "a{}", "1{}", "!{}", " {}a", "{} ", "'{}", "\n{}"]


def assert_same_words_for(characters: list[str], context: str) -> None:
    for start in range(0, len(characters), 50_000):
        text = "".join(map(context.format, characters[start : start + 50_000]))
        assert list(split_words(text)) == rust_words(text)


@pytest.mark.parametrize("context", CONTEXTS)
def test_words_are_those_of_the_rust_package_around_each_kind_of_character(context: str) -> None:
    """All numbers, signs, spaces and unassigned characters next to a letter, and each end of a range of letters."""
    categories = ["L", *(unicodedata.category(c)[0] for c in EVERY_CHARACTER), "L"]
    neighbours = zip(EVERY_CHARACTER, *(categories[i:] for i in range(3)), strict=False)
    assert_same_words_for(
        [c for c, before, own, after in neighbours if own in "NZPS" or not before == own == after], context
    )


@pytest.mark.costly
@pytest.mark.parametrize("context", CONTEXTS[:4])
def test_words_are_those_of_the_rust_package_for_every_character(context: str) -> None:
    assert_same_words_for(EVERY_CHARACTER, context)


def test_the_classes_are_those_of_unicode_whatever_version_python_has() -> None:
    """What is assigned in this Python's Unicode keeps its class; what is not yet must not depend on Python."""
    text = "".join(c for c in EVERY_CHARACTER if unicodedata.category(c) != "Cn")
    for kind, pattern in (("L", regex_bpe.LETTERS), ("N", regex_bpe.NUMBERS)):
        found = set("".join(re.findall(pattern, text)))
        assert found == {c for c in text if unicodedata.category(c)[0] == kind}


def test_special_tokens_change_no_merge_and_no_count_of_ids() -> None:
    plain = RegexBPETokenizer.train(LANGUAGES, 400)
    special = RegexBPETokenizer.train(LANGUAGES, 402, ["<a>", " fox"])
    assert special.merges == plain.merges
    assert special.special == {"<a>": 400, " fox": 401}
    assert special.encode(LANGUAGES) == plain.encode(LANGUAGES)


def lines_run(function: Callable[[], object]) -> int:
    """Return the number of lines of Python that a call executes: the same on every machine, unlike its time."""
    count, outer = 0, sys.gettrace()

    def trace(frame: object, event: str, arg: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(outer)
    return count


LONG_WORDS = {
    "one letter": "a" * 4000,
    "twelve letters": "".join(random.Random(0).choices("etaoinshrdlu", k=4000)),
    "Chinese without spaces": "".join(map(chr, random.Random(0).choices(range(0x4E00, 0x4E40), k=4000))),
    "no spaces": "".join(map(chr, random.Random(0).choices([*range(97, 123), *range(0x1F600, 0x1F640)], k=4000))),
}


@pytest.mark.parametrize("text", LONG_WORDS.values(), ids=LONG_WORDS.keys())
def test_twice_the_text_and_twice_the_merges_take_twice_the_work(text: str) -> None:
    """A pass over a whole word for each merge would take four times the work."""

    def train(text: str, merges: int) -> int:
        return lines_run(lambda: RegexBPETokenizer.train(text, 256 + merges))

    assert train(text, 400) < 2.8 * train(text[:2000], 200)
    one, other = (RegexBPETokenizer.train(text, 656) for _ in range(2))
    assert lines_run(lambda: one.encode(text * 2)) < 2.8 * lines_run(lambda: other.encode(text))


def test_a_word_of_many_letters_is_trained_on_and_encoded() -> None:
    """A new search for the earliest merge after each merge would take minutes."""
    tokenizer = RegexBPETokenizer([(97, 97), (256, 256), (257, 98)])
    assert tokenizer.encode("a" * 199_999) == [257] * 49_999 + [256, 97]
    assert list(RegexBPETokenizer.train("a" * 100_000, 259).merges) == [(97, 97), (256, 256), (257, 257)]


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


def test_a_tokenizer_by_the_old_rule_keeps_its_ids() -> None:
    """Files without a rule were written with the one of Python's own classes."""
    old, new = RegexBPETokenizer([(194, 178), (120, 256)], rule=PYTHON), RegexBPETokenizer([(194, 178), (120, 256)])
    assert list(split_words("x 1²\x1c", PYTHON)) == ["x", " 1", "²", "\x1c"]
    assert list(split_words("x 1²\x1c")) == ["x", " 1²", "\x1c"]
    assert old != new
    assert RegexBPETokenizer(**old.to_dict()) == old
