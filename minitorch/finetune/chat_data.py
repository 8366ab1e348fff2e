"""From files of conversations to rows of ids, in which every token knows whether it is one to learn.

A line of JSON holds `{"messages": [{"role": "user", "content": "..."}, ...]}`; one of a pair of answers has beside the
messages so far `"chosen"` and `"rejected"`, what the assistant should and should not have said then.

Axes: N conversations, T time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..data import Corpus, DataError, read_jsonl, split, token_array, validate
from ..data.problems import Problem
from ..text import CHAT_TOKENS, Message, Tokenizer, encode_chat
from ..train.prepare import Prepared


class Talk(NamedTuple):
    """A conversation, and where it was found."""

    place: str
    messages: list[Message]


class Pair(NamedTuple):
    """One conversation with two endings."""

    better: Talk
    worse: Talk


class Encoded(NamedTuple):
    """Conversations as ids, padded with 0; the mask is true on what is to be learned. Shift both by one."""

    ids: jax.Array  # (N, T + 1) int32
    mask: jax.Array  # (N, T + 1) booleans


def read_talks(path: str | Path) -> list[Talk]:
    """The conversations of a file. Raises FileNotFoundError, or DataError that names the line."""
    path = Path(path)
    return [Talk(place, _field(place, row, "messages", list)) for place, row in _rows(path)]


def read_pairs(path: str | Path) -> list[Pair]:
    """The conversations with two endings of a file. Raises as `read_talks` does."""
    pairs = []
    for place, row in _rows(Path(path)):
        so_far = _field(place, row, "messages", list)
        endings = [_field(place, row, name, str) for name in ("chosen", "rejected")]
        pairs.append(Pair(*(Talk(place, [*so_far, Message(role="assistant", content=e)]) for e in endings)))
    return pairs


def _rows(path: Path) -> list[tuple[str, dict[str, Any]]]:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}: give one of JSON Lines, with a conversation on each line.")
    return [(f"{path.name}, line {i}", row) for i, row in enumerate(read_jsonl(path), 1)]


def _field(place: str, row: dict[str, Any], name: str, kind: type) -> Any:
    if not isinstance(value := row.get(name), kind):
        what = f"has no field {name!r} that is a {kind.__name__}, only {', '.join(map(repr, row)) or 'none'}"
        raise DataError(Problem("schema", place, what))
    return value


def with_chat_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """`tokenizer` with the tokens of the chat format; all its other ids stay as they are."""
    missing = [name for name in CHAT_TOKENS if name not in tokenizer.special]
    fields = tokenizer.fields()
    return type(tokenizer)(**{**fields, "special": [*fields["special"], *missing]}) if missing else tokenizer


def encode_talks(tokenizer: Tokenizer, talks: Sequence[Talk], context: int) -> Encoded:
    """Conversations in rows of `context` + 1 ids; what is longer is cut at the end.

    Raises ValueError, with its place, for one that cannot be encoded, or in which no word of the assistant is left.
    """
    return _padded([_encode(tokenizer, talk, context, 0) for talk in talks], context)


def encode_pairs(tokenizer: Tokenizer, pairs: Sequence[Pair], context: int) -> tuple[Encoded, Encoded]:
    """The better and the worse endings, of which the last answer counts. Raises as `encode_talks` does."""

    def encode(talk: Talk) -> tuple[list[int], list[bool]]:
        so_far = talk.messages[:-1]
        return _encode(tokenizer, talk, context, len(encode_chat(tokenizer, so_far)[0]) if so_far else 0)

    better, worse = ([encode(getattr(pair, side)) for pair in pairs] for side in Pair._fields)
    return _padded(better, context), _padded(worse, context)


def _encode(tokenizer: Tokenizer, talk: Talk, context: int, learn_from: int) -> tuple[list[int], list[bool]]:
    try:
        ids, mask = encode_chat(tokenizer, talk.messages)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{talk.place}: {error}") from error
    mask = [False] * learn_from + mask[learn_from:]
    if not any(mask[1 : context + 1]):
        raise ValueError(
            f"{talk.place}: no word of the assistant stands within the first {context + 1} tokens: shorten what comes"
            " before it, leave the line out, or take a model with a larger context."
        )
    return ids[: context + 1], mask[: context + 1]


def _padded(rows: list[tuple[list[int], list[bool]]], context: int) -> Encoded:
    ids, mask = np.zeros((len(rows), context + 1), np.int32), np.zeros((len(rows), context + 1), bool)
    for i, (row, learned) in enumerate(rows):
        ids[i, : len(row)], mask[i, : len(row)] = row, learned
    return Encoded(jnp.asarray(ids), jnp.asarray(mask))


def prepare_chats(
    name: str, talks: Sequence[Talk], encoded: Encoded, tokenizer: Tokenizer
) -> tuple[Prepared, Encoded, Encoded]:
    """The data of a run, and its conversations to train and, the last tenth, to validate with.

    Raises ValueError for fewer than two conversations, or some that stand on both sides (`data.DataError`).
    """
    if len(talks) < 2:
        raise ValueError(
            f"{name} holds {len(talks)} conversations: at least one is to train, and one to validate with."
        )
    texts = tuple("\n".join(message["content"] for message in talk.messages) for talk in talks)
    places = tuple(talk.place for talk in talks)
    corpus = Corpus(Path(name).name, texts, source=f"local file {Path(name).name}", places=places)
    parts = split(corpus)
    report, cut = validate(*parts), len(parts[0].documents)
    train, validation = (Encoded(*(x[part] for x in encoded)) for part in (slice(cut), slice(cut, None)))
    read, told = _flat(tokenizer, talks[:cut]), np.asarray(validation.ids)[np.asarray(validation.mask)]
    flat = [token_array(ids, tokenizer.vocab_size) for ids in (read, told)]  # The loss is of answers alone.
    return Prepared(corpus, parts, report, tokenizer, *flat), train, validation


def _flat(tokenizer: Tokenizer, talks: Sequence[Talk]) -> list[int]:
    """All their ids in a row, for counting."""
    return [i for talk in talks for i in encode_chat(tokenizer, talk.messages)[0]]
