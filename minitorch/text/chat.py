"""The chat format: a conversation as one row of ids, and which of them a model should learn to write.

Each message is `<|role|> content <|end|>`. Content is encoded as ordinary text, so a user who types `<|assistant|>`
gets the characters of it and not the token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

from .tokenizer import Tokenizer

ROLES = ("system", "user", "assistant")
CHAT_TOKENS = (*(f"<|{role}|>" for role in ROLES), "<|end|>")
"""The special tokens that a tokenizer needs for conversations."""


class Message(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


def encode_chat(tokenizer: Tokenizer, messages: Sequence[Message]) -> tuple[list[int], list[bool]]:
    """Ids `(T,)` and mask `(T,)` of a conversation, for supervised fine-tuning.

    The mask is true on the assistant's words and the `<|end|>` after them: what the model is to write, its stop
    included. It belongs to the targets, so shift it with the ids: `x, y, m = ids[:-1], ids[1:], mask[1:]`.
    Raises ValueError if the tokenizer has no `CHAT_TOKENS` or a message is not `{"role": ..., "content": ...}`.
    """
    if missing := [name for name in CHAT_TOKENS if name not in tokenizer.special]:
        raise ValueError(
            f"the tokenizer has no special token {', '.join(missing)}; train it with special=CHAT_TOKENS, "
            "or give the tokenizer you have these too, which changes none of its other ids"
        )
    if not messages:
        raise ValueError('the conversation is empty; give at least one {"role": "user", "content": "..."}')
    ids: list[int] = []
    mask: list[bool] = []
    for number, message in enumerate(messages):
        _check_message(number, message)
        said = [*tokenizer.encode(message["content"]), tokenizer.special["<|end|>"]]
        ids += [tokenizer.special[f"<|{message['role']}|>"], *said]
        mask += [False, *[message["role"] == "assistant"] * len(said)]
    return ids, mask


def encode_prompt(tokenizer: Tokenizer, messages: Sequence[Message]) -> list[int]:
    """Ids `(T,)` that ask for the assistant's next message: generate until `<|end|>`."""
    return [*encode_chat(tokenizer, messages)[0], tokenizer.special["<|assistant|>"]]


def _check_message(number: int, message: Message) -> None:
    if not isinstance(message, dict) or message.keys() != {"role", "content"}:
        raise ValueError(f'message {number} is {message!r}; write {{"role": "user", "content": "..."}}')
    if message["role"] not in ROLES:
        raise ValueError(f"message {number} has role {message['role']!r}; use one of {', '.join(ROLES)}")
    if not isinstance(message["content"], str):
        raise TypeError(f"message {number} has content of type {type(message['content']).__name__}; give a str")
