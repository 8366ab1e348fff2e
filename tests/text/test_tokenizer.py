"""The behaviour that all tokenizers share: round trips, special tokens, decoding, errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch.text import BPETokenizer, ByteTokenizer, CharTokenizer, RegexBPETokenizer, Tokenizer

SAMPLE = "Don't panic: naïve cafés, Ωmega, 東京 and 👩‍👩‍👧 cost 42 €.\n\tThe end  \n"
SPECIAL = ["<|end|>", "<|end|>x", "é"]
TOKENIZERS = [
    ByteTokenizer(SPECIAL),
    CharTokenizer.train(SAMPLE + "<|end>x", SPECIAL),
    BPETokenizer.train(SAMPLE * 3, 290, SPECIAL),
    RegexBPETokenizer.train(SAMPLE * 3, 290, SPECIAL),
]
ANY_TEXT = [TOKENIZERS[0], *TOKENIZERS[2:]]
every = pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=lambda t: t.kind)


@every
def test_text_survives_a_round_trip(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(SAMPLE)
    assert tokenizer.decode(ids) == SAMPLE
    assert all(type(i) is int and 0 <= i < tokenizer.vocab_size for i in ids)


@pytest.mark.parametrize("tokenizer", ANY_TEXT, ids=lambda t: t.kind)
@settings(deadline=None, max_examples=60)
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_unicode_text_round_trips(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.decode(tokenizer.encode(text, allow_special=True)) == text


@every
def test_the_empty_text_has_no_ids(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("") == []
    assert tokenizer.decode([]) == ""


@every
def test_special_tokens_are_the_last_ids_in_the_order_given(tokenizer: Tokenizer) -> None:
    assert list(tokenizer.special) == SPECIAL
    assert list(tokenizer.special.values()) == list(range(tokenizer.vocab_size - 3, tokenizer.vocab_size))
    assert tokenizer.decode(tokenizer.special.values()) == "".join(SPECIAL)


@every
def test_special_tokens_in_a_text_are_ordinary_text_unless_allowed(tokenizer: Tokenizer) -> None:
    text = "cafés<|end|>The end<|end|>"
    plain, parsed = tokenizer.encode(text), tokenizer.encode(text, allow_special=True)
    assert not set(plain) & set(tokenizer.special.values())
    assert [i for i in parsed if i in tokenizer.special.values()] == [
        tokenizer.special[s] for s in ("é", "<|end|>", "<|end|>")
    ]
    assert tokenizer.decode(plain) == tokenizer.decode(parsed) == text


@every
def test_the_longest_special_token_wins(tokenizer: Tokenizer) -> None:
    special = tokenizer.special
    assert tokenizer.encode("<|end|>x<|end|>", allow_special=True) == [special["<|end|>x"], special["<|end|>"]]


@every
def test_decode_takes_arrays(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(SAMPLE)
    assert tokenizer.decode(np.array(ids, np.uint16)) == SAMPLE
    assert tokenizer.decode(list(np.array(ids))) == SAMPLE


@pytest.mark.parametrize("tokenizer", ANY_TEXT, ids=lambda t: t.kind)
def test_bytes_that_are_not_utf8_decode_to_the_replacement_character(tokenizer: Tokenizer) -> None:
    cut = [0x61, *"é".encode()[:1], 0x62]
    assert tokenizer.decode(cut) == "a\ufffdb"
    assert tokenizer.decode_bytes(cut) == b"a\xc3b"


@pytest.mark.parametrize("bad", [-1, 10**9])
@every
def test_an_id_out_of_range_is_rejected(tokenizer: Tokenizer, bad: int) -> None:
    with pytest.raises(ValueError, match=rf"id {bad} at position 2 is outside 0\.\.{tokenizer.vocab_size - 1}"):
        tokenizer.decode([1, 2, bad, 3])


@pytest.mark.parametrize(
    ("ids", "what"),
    [
        (7, "not int"),
        ("12", "not str"),
        ([1.0], "not list"),
        (np.zeros((2, 3), int), r"not ndarray of shape \(2, 3\).*decode each row"),
        (np.zeros(3), r"not ndarray of shape \(3,\)"),
    ],
)
def test_ids_that_are_not_a_row_of_whole_numbers_are_rejected(ids, what: str) -> None:
    with pytest.raises(TypeError, match=what):
        TOKENIZERS[0].decode(ids)


@every
def test_text_that_is_not_a_str_is_rejected(tokenizer: Tokenizer) -> None:
    with pytest.raises(TypeError, match=r"text must be a str, not bytes; .*decode\('utf-8'\)"):
        tokenizer.encode(b"abc")  # type: ignore[arg-type]


@every
def test_half_a_surrogate_pair_is_rejected_with_a_way_to_repair_it(tokenizer: Tokenizer) -> None:
    broken = "é<|end|>\ud83d\ude00 \ud83d"
    with pytest.raises(ValueError, match=r"U\+D83D\) at position 8 is half of a surrogate pair.*repair"):
        tokenizer.encode(broken, allow_special=True)
    assert broken.encode("utf-16", "surrogatepass").decode("utf-16", "replace") == "é<|end|>😀 \ufffd"


@pytest.mark.parametrize(
    ("special", "error", "message"),
    [
        (["<a>", "<b>", "<a>"], ValueError, "special token '<a>' is given twice"),
        (["<a>", ""], ValueError, "special token 1 is the empty string"),
        ("<a>", TypeError, r"not the string '<a>'; write \['<a>'\]"),
        ([3], TypeError, "special token 0 is 3, not a str"),
        (["\ud800"], ValueError, "surrogate"),
    ],
)
def test_bad_special_tokens_are_rejected(special, error: type[Exception], message: str) -> None:
    for make in (ByteTokenizer, lambda special: BPETokenizer.train("ab", 300, special)):
        with pytest.raises(error, match=message):
            make(special)


def test_a_special_token_may_contain_the_syntax_of_regular_expressions() -> None:
    tokenizer = ByteTokenizer([".*", "(a|b"])
    assert tokenizer.encode("c.*(a|b", allow_special=True) == [ord("c"), 256, 257]


def test_tokenizers_are_equal_when_built_from_the_same_fields() -> None:
    merges = [(97, 98)]
    assert RegexBPETokenizer(merges) == RegexBPETokenizer(merges)
    assert RegexBPETokenizer(merges) != BPETokenizer(merges)
    assert RegexBPETokenizer(merges) != RegexBPETokenizer(merges, ["<a>"])
    assert repr(ByteTokenizer(["<a>"])) == "ByteTokenizer(vocab_size=257, special=['<a>'])"


@every
def test_more_special_tokens_move_no_other_id(tokenizer: Tokenizer) -> None:
    larger = type(tokenizer)(**{**tokenizer.to_dict(), "special": [*SPECIAL, "<new>"]})
    assert larger.encode(SAMPLE, allow_special=True) == tokenizer.encode(SAMPLE, allow_special=True)
    assert larger.special["<new>"] == tokenizer.vocab_size
