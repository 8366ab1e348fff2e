import json

import numpy as np
import pytest

from minitorch.data import DataError
from minitorch.finetune import chat_data
from minitorch.text import CharTokenizer

LETTERS = "abcdefghijklmnopqrstuvwxyz ?.\n"
A, B = ([{"role": "user", "content": q}, {"role": "assistant", "content": "b"}] for q in ("a", "a" * 40))


@pytest.fixture(scope="module")
def tokenizer():
    return chat_data.with_chat_tokens(CharTokenizer.train(LETTERS))


def write(path, *rows):
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


def test_chat_tokens_are_added_once_and_leave_the_other_ids():
    plain = CharTokenizer.train(LETTERS)
    tokenizer = chat_data.with_chat_tokens(plain)
    assert tokenizer.vocab_size == plain.vocab_size + 4
    assert tokenizer.encode("abc") == plain.encode("abc")
    assert chat_data.with_chat_tokens(tokenizer) is tokenizer


def test_conversations_are_read_with_their_places_and_encoded_in_rows(tokenizer, tmp_path):
    conversations = chat_data.read_conversations(write(tmp_path / "x.jsonl", {"messages": A}, {"messages": [*A, *A]}))
    assert [c.place for c in conversations] == ["x.jsonl, line 1", "x.jsonl, line 2"]
    ids, mask = chat_data.encode_conversations(tokenizer, conversations, 9)
    assert ids.shape == mask.shape == (2, 10)
    assert tokenizer.decode(np.asarray(ids[0])[np.asarray(mask[0])]) == "b<|end|>"
    assert (ids[0, 6:] == 0).all()
    assert mask.sum(axis=1).tolist() == [2, 2]  # The second answer of the longer conversation is cut off.


def test_the_masks_of_preferences_cover_the_last_answer_only(tokenizer, tmp_path):
    pairs = chat_data.read_preferences(
        write(tmp_path / "x.jsonl", {"messages": [*A, A[0]], "chosen": "yes", "rejected": "no"})
    )
    assert [e.messages[-1]["content"] for e in pairs[0]] == ["yes", "no"]
    for (ids, mask), answer in zip(chat_data.encode_preferences(tokenizer, pairs, 15), ("yes", "no"), strict=True):
        assert tokenizer.decode(np.asarray(ids[0])[np.asarray(mask[0])]) == f"{answer}<|end|>"


def test_a_line_that_is_not_a_conversation_is_named(tmp_path):
    path = tmp_path / "x.jsonl"
    with pytest.raises(FileNotFoundError, match=r"no file .*x.jsonl: give a file of JSON Lines"):
        chat_data.read_conversations(path)
    with pytest.raises(DataError, match=r"x.jsonl, line 2 has no field 'messages' that is a list, only 'text'"):
        chat_data.read_conversations(write(path, {"messages": []}, {"text": "a"}))
    with pytest.raises(DataError, match=r"x.jsonl, line 1 has no field 'chosen' that is a str"):
        chat_data.read_preferences(write(path, {"messages": []}))


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([{"role": "robot", "content": "a"}], r"x.jsonl, line 1: message 0 has role 'robot'; use one of"),
        (B, r"x.jsonl, line 1: the assistant says nothing within the first 17 tokens"),
    ],
)
def test_a_conversation_that_cannot_be_encoded_is_named(tokenizer, tmp_path, messages, message):
    conversations = chat_data.read_conversations(write(tmp_path / "x.jsonl", {"messages": messages}))
    with pytest.raises(ValueError, match=message):
        chat_data.encode_conversations(tokenizer, conversations, 16)


def test_a_single_conversation_is_too_few(tokenizer, tmp_path):
    conversations = chat_data.read_conversations(write(tmp_path / "x.jsonl", {"messages": A}))
    encoded = chat_data.encode_conversations(tokenizer, conversations, 16)
    with pytest.raises(ValueError, match=r"x.jsonl holds 1 conversations, but at least two are needed"):
        chat_data.prepare_conversations("x.jsonl", conversations, encoded, tokenizer)
