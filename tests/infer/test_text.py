import jax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch.infer import decode_stream, generate, stream_text
from minitorch.models import GPT, GPTConfig
from minitorch.text import ByteTokenizer, CharTokenizer

BYTES = ByteTokenizer(["<|end|>"])
KEY = jax.random.key(5)


@pytest.fixture(scope="module")
def model(untrained):
    return untrained(GPT, GPTConfig(vocab=257, context=16, layers=1, heads=1, width=8))


def test_no_piece_holds_half_a_character():
    ids = [[b] for b in "aé€😀\n".encode()]
    assert list(decode_stream(BYTES, ids)) == ["a", "é", "€", "😀", "\n"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=4) | st.text(max_size=2).map(lambda s: s.encode("utf-8", "replace"))))
def test_pieces_join_to_what_the_tokenizer_decodes(pieces):
    assert "".join(decode_stream(BYTES, [list(p) for p in pieces])) == BYTES.decode(list(b"".join(pieces)))


def test_text_is_the_decoded_ids_without_prompt_and_stop_token(model):
    free = generate(model, [BYTES.encode("ab")], 40, key=KEY)[0]
    assert "".join(stream_text(model, BYTES, "ab", 40, key=KEY)) == BYTES.decode(free)
    stop = int(free[20])
    shown = "".join(stream_text(model, BYTES, "ab", 40, key=KEY, stop=stop))
    assert shown == BYTES.decode(free[: list(free).index(stop)])


def test_an_empty_prompt_is_a_line_break_that_is_not_shown(model):
    started, empty = ("".join(stream_text(model, BYTES, prompt, 20, key=KEY)) for prompt in ("\n", ""))
    assert started == empty


def test_special_tokens_in_a_prompt_are_plain_text(model):
    spelled = generate(model, [list(b"<|end|>")], 5, key=KEY)[0]
    assert "".join(stream_text(model, BYTES, "<|end|>", 5, key=KEY)) == BYTES.decode(spelled)


def test_prompts_that_cannot_be_encoded_are_rejected_with_advice(model):
    with pytest.raises(ValueError, match="the tokenizer has 256 ids and the model 257: take both from one run"):
        stream_text(model, ByteTokenizer(), "a", 5, key=KEY)
    letters = CharTokenizer("".join(map(chr, range(97, 97 + 257))))
    with pytest.raises(ValueError, match="an empty prompt stands for a line break, which this tokenizer does not know"):
        stream_text(model, letters, "", 5, key=KEY)
    with pytest.raises(ValueError, match="character 'A'"):
        stream_text(model, letters, "A", 5, key=KEY)
