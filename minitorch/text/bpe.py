"""Plain byte-pair encoding: unlike the byte tokenizer it gives frequent pairs an id of their own.

Start from bytes. Find the most frequent pair of neighbouring ids, replace it everywhere with a new id, and repeat.
Gage, "A New Algorithm for Data Compression" (1994); for language models Sennrich et al., arXiv:1508.07909.

Every merge passes over the whole text twice, which takes a second for a megabyte. The next file gives the same result
hundreds of times as fast; this one is its slow twin, to read and to test against.
"""

from __future__ import annotations

import operator
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from .._numbers import whole
from .tokenizer import Tokenizer, check_special, check_training_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Pair = tuple[int, int]


def count_pairs(ids: Sequence[int]) -> Counter[Pair]:
    """Count the pairs of neighbouring ids; overlaps count, so `a a a` has `(a, a)` twice."""
    return Counter(pairwise(ids))


def replace_pair(ids: Sequence[int], pair: Pair, new: int) -> list[int]:
    """Return `ids` with each `pair` replaced by `new`, from left to right."""
    out: list[int] = []
    i = 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


def learn_merges(text: str, merges: int) -> list[Pair]:
    """Return the pairs to merge: the most frequent first, the smaller ids among equally frequent pairs.

    Merge `i` creates the id `256 + i`. There are fewer than `merges` if the whole text becomes a single id.
    """
    ids: list[int] = list(text.encode())
    learned: list[Pair] = []
    while len(learned) < merges and len(ids) > 1:
        counts = count_pairs(ids)
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        ids = replace_pair(ids, best, 256 + len(learned))
        learned.append(best)
    return learned


class BPETokenizer(Tokenizer):
    """Ids 0..255 are bytes, id `256 + i` joins the two ids `merges[i]`; special tokens follow."""

    kind = "bpe"

    def __init__(self, merges: Iterable[Sequence[int]], special: Iterable[str] = ()) -> None:
        vocab = [bytes([b]) for b in range(256)]
        self.merges: dict[Pair, int] = {}
        for new, pair in enumerate(merges, start=256):
            left, right = map(operator.index, pair)  # Python's, because NumPy's cannot be saved.
            if not (0 <= left < new and 0 <= right < new) or (left, right) in self.merges:
                raise ValueError(
                    f"merge {new - 256} is the pair ({left}, {right}), which was merged before or names an id of "
                    f"{new} or more; give the merges in the order in which they were learned"
                )
            self.merges[left, right] = new
            vocab.append(vocab[left] + vocab[right])
        super().__init__(vocab, special)

    @classmethod
    def train(cls, text: str, vocab_size: int, special: Iterable[str] = ()) -> Self:
        """Learn merges from `text` until there are `vocab_size` ids, special tokens included.

        Stops early when no pair is left to merge; the tokenizer's `vocab_size` is then smaller.

        Raises:
          ValueError: `vocab_size` is too small for the 256 bytes and the special tokens, or `text` is empty.
        """
        check_training_text(text)
        names = check_special(special)
        if (size := whole(vocab_size)) is None:
            raise TypeError(f"vocab_size must be a whole number, not {vocab_size!r}")
        merges = size - 256 - len(names)
        if merges < 0:
            raise ValueError(
                f"vocab_size {vocab_size} is too small: 256 bytes and {len(names)} special tokens need "
                f"{256 + len(names)} ids, and each merge one more"
            )
        return cls(cls._learn(text, merges), names)

    @staticmethod
    def _learn(text: str, merges: int) -> list[Pair]:
        return learn_merges(text, merges)

    def _encode(self, text: str) -> list[int]:
        """Apply the merges in the order in which they were learned."""
        ids: list[int] = list(text.encode())
        while known := [pair for pair in count_pairs(ids) if pair in self.merges]:
            earliest = min(known, key=self.merges.__getitem__)
            ids = replace_pair(ids, earliest, self.merges[earliest])
        return ids

    def to_dict(self) -> dict[str, Any]:
        return {"merges": [list(pair) for pair in self.merges], **super().to_dict()}
