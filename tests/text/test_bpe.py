from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.text import BPETokenizer, RegexBPETokenizer, load_tokenizer
from minitorch.text.bpe import count_pairs, learn_merges, replace_pair

every = pytest.mark.parametrize("cls", [BPETokenizer, RegexBPETokenizer])


def test_pairs_are_counted_with_their_overlaps() -> None:
    assert count_pairs([1, 1, 1, 2]) == {(1, 1): 2, (1, 2): 1}
    assert count_pairs([1]) == {}


def test_pairs_are_replaced_from_left_to_right() -> None:
    assert replace_pair([1, 1, 1, 2, 1, 1], (1, 1), 9) == [9, 1, 2, 9]
    assert replace_pair([1, 2, 1], (2, 1), 9) == [1, 9]
    assert replace_pair([1, 2], (2, 2), 9) == [1, 2]


@every
def test_the_worked_example(cls: type[BPETokenizer]) -> None:
    """aaabdaaabac -> ZabdZabac (Z=aa) -> ZYdZYac (Y=ab) -> XdXac (X=ZY), the example of Wikipedia."""
    tokenizer = cls.train("aaabdaaabac", 259)
    a, b, c, d, z, y, x = *b"abcd", 256, 257, 258
    assert tokenizer.merges == {(a, a): z, (a, b): y, (z, y): x}
    assert tokenizer.encode("aaabdaaabac") == [x, d, x, a, c]
    assert tokenizer.decode([x, d, x, a, c]) == "aaabdaaabac"
    assert tokenizer.vocab[x] == b"aaab"


def test_of_equally_frequent_pairs_the_one_with_smaller_ids_is_merged_first() -> None:
    assert learn_merges("dcba", 3) == [(ord("b"), ord("a")), (ord("c"), 256), (ord("d"), 257)]


def test_the_plain_tokenizer_merges_across_words_and_the_other_does_not() -> None:
    text = "of the of the"
    assert b"of the" in BPETokenizer.train(text, 400).vocab
    assert max(RegexBPETokenizer.train(text, 400).vocab, key=len) == b" the"


@every
def test_training_stops_early_when_nothing_is_left_to_merge(cls: type[BPETokenizer]) -> None:
    tokenizer = cls.train("abab", 1000, ["<|end|>"])
    assert tokenizer.vocab_size == 256 + 2 + 1
    assert tokenizer.special == {"<|end|>": 258}
    assert cls.train("a", 1000).vocab_size == 256


@every
def test_a_vocabulary_of_the_bytes_alone_is_allowed(cls: type[BPETokenizer]) -> None:
    assert cls.train("hello hello", 257, ["<|end|>"]).encode("hello") == list(b"hello")


@every
def test_a_vocabulary_too_small_for_the_bytes_is_rejected(cls: type[BPETokenizer]) -> None:
    with pytest.raises(ValueError, match="vocab_size 255 is too small: 256 bytes and 0 special tokens need 256 ids"):
        cls.train("hello", 255)
    with pytest.raises(ValueError, match="256 bytes and 2 special tokens need 258 ids"):
        cls.train("hello", 257, ["<a>", "<b>"])


@pytest.mark.parametrize("size", [300.0, "300", True])
@every
def test_a_vocabulary_size_that_is_not_a_whole_number_is_rejected(cls: type[BPETokenizer], size) -> None:
    with pytest.raises(TypeError, match="vocab_size must be a whole number"):
        cls.train("hello", size)


@pytest.mark.parametrize("number", [np.int64, np.uint16, np.int32, lambda n: np.asarray(n), jnp.asarray])
@every
def test_whole_numbers_of_numpy_and_jax_are_whole_numbers(cls: type[BPETokenizer], number, tmp_path) -> None:
    tokenizer = cls.train("aaabdaaabac", number(258))
    assert tokenizer == cls.train("aaabdaaabac", 258)
    same = cls([(number(left), number(right)) for left, right in tokenizer.merges])
    same.save(tmp_path / "tokenizer.json")
    assert load_tokenizer(tmp_path / "tokenizer.json") == tokenizer
    assert same.decode([number(97), number(256)]) == "aaa"


@every
def test_a_text_with_nothing_to_learn_is_rejected(cls: type[BPETokenizer]) -> None:
    with pytest.raises(ValueError, match="the training text is empty"):
        cls.train("", 300)
    with pytest.raises(ValueError, match="surrogate"):
        cls.train("a\udc00", 300)
    with pytest.raises(TypeError, match="text must be a str, not list"):
        cls.train(["a"], 300)  # type: ignore[arg-type]


@pytest.mark.parametrize("merges", [[(97, 256)], [(97, 98), (97, 98)], [(-1, 5)]])
@every
def test_merges_that_cannot_have_been_learned_are_rejected(cls: type[BPETokenizer], merges) -> None:
    with pytest.raises(ValueError, match=rf"merge {len(merges) - 1} is the pair .* order in which they were learned"):
        cls(merges)
