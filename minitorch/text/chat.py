"""The chat format: a conversation as one row of ids, with a mask for the ids that the model should learn to write.

Each message is `<|role|> content <|end|>`. Content is encoded as ordinary text, so a user who types `<|assistant|>`
gets the ids of its characters and not the special token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .tokenizer import Tokenizer

ROLES = ("system", "user", "assistant")
CHAT_TOKENS = (*(f"<|{role}|>" for role in ROLES), "<|end|>")
"""The special tokens that a tokenizer needs for conversations."""


class Message(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


def encode_chat(tokenizer: Tokenizer, messages: Sequence[Message]) -> tuple[list[int], list[bool]]:
    """Return the ids `(T,)` and the mask `(T,)` of a conversation, for supervised fine-tuning.

    The mask is true on the assistant's content and on the `<|end|>` after it. It belongs to the targets, so shift it
    with the ids: `x, y, m = ids[:-1], ids[1:], mask[1:]`.

    Raises:
      ValueError: the tokenizer lacks some of `CHAT_TOKENS`, or a message is not `{"role": ..., "content": ...}`.
    """
    if missing := [name for name in CHAT_TOKENS if name not in tokenizer.special]:
        raise ValueError(
            f"the tokenizer has no special token {', '.join(missing)}; train it with special=CHAT_TOKENS, "
            "or add them to this tokenizer's special tokens, which changes no other id"
        )
    if not messages:
        raise ValueError('the conversation is empty; give at least one {"role": "user", "content": "..."}')
    ids: list[int] = []
    mask: list[bool] = []
    for i, message in enumerate(messages):
        _check_message(i, message)
        content = [*tokenizer.encode(message["content"]), tokenizer.special["<|end|>"]]
        ids += [tokenizer.special[f"<|{message['role']}|>"], *content]
        mask += [False, *[message["role"] == "assistant"] * len(content)]
    return ids, mask


def encode_prompt(tokenizer: Tokenizer, messages: Sequence[Message]) -> list[int]:
    """Return the ids `(T,)` of a conversation and the `<|assistant|>` token; generate from them until `<|end|>`."""
    return [*encode_chat(tokenizer, messages)[0], tokenizer.special["<|assistant|>"]]


def _check_message(i: int, message: Message) -> None:
    if not isinstance(message, dict) or message.keys() != {"role", "content"}:
        raise ValueError(f'message {i} is {message!r}; write {{"role": "user", "content": "..."}}')
    if message["role"] not in ROLES:
        raise ValueError(f"message {i} has role {message['role']!r}; use one of {', '.join(ROLES)}")
    if not isinstance(message["content"], str):
        raise TypeError(f"message {i} has content of type {type(message['content']).__name__}; give a str")
