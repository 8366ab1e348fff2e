from __future__ import annotations

import pytest

from minitorch.text import CharTokenizer


def test_the_ids_are_places_in_the_sorted_set_of_characters() -> None:
    tokenizer = CharTokenizer.train("hello, 東")
    assert tokenizer.decode(range(tokenizer.vocab_size)) == " ,ehlo東"
    assert tokenizer.encode("hole") == [3, 5, 4, 2]


def test_an_unknown_character_is_named_with_its_position() -> None:
    tokenizer = CharTokenizer.train("hello")
    with pytest.raises(ValueError, match=r"'é' \(U\+00E9\) at position 4 is not among the 4 characters.*'byte'"):
        tokenizer.encode("hellé")


def test_the_position_counts_special_tokens_before_it() -> None:
    tokenizer = CharTokenizer.train("hello", ["<|end|>"])
    with pytest.raises(ValueError, match="position 9 "):
        tokenizer.encode("<|end|>he!", allow_special=True)
    with pytest.raises(ValueError, match=r"'<' .* at position 2 "):
        tokenizer.encode("he<|end|>")


def test_a_text_with_nothing_to_learn_is_rejected() -> None:
    with pytest.raises(ValueError, match="the training text is empty"):
        CharTokenizer.train("")
    with pytest.raises(ValueError, match="surrogate"):
        CharTokenizer.train("a\ud800")


def test_a_vocabulary_with_a_character_twice_is_rejected() -> None:
    with pytest.raises(ValueError, match="a character is given twice in 'aba'"):
        CharTokenizer("aba")
