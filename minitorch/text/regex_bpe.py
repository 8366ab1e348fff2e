"""Byte-pair encoding as language models use it: unlike plain BPE it never merges across the border of a word.

A regular expression first cuts the text into words. That keeps `dog`, `dog.` and `dog!` from becoming three unrelated
ids (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.2). It also makes everything
fast, since a text of a million characters has only about ten thousand different words:

* training counts pairs over the different words, each weighted by its count, and updates the counts after a merge only
  around the places that changed;
* encoding computes the ids of a word once and caches them.

Merges and ids equal those of the Rust package `tokenizers` for the same words.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from heapq import heapify, heappop, heappush
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from .bpe import BPETokenizer, Pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# GPT-2's pattern in the syntax of the standard library: each character belongs to exactly one match.
WORD = re.compile(
    r"""'(?:s|t|re|ve|m|ll|d)   # the end of don't, we'll, ...
    | [ ]?[^\W\d_]+             # letters, with the space before them
    | [ ]?\d+                   # digits
    | [ ]?(?:[^\s\w]|_)+        # all other characters but white space
    | \s+(?!\S)                 # white space, except its last character, which belongs to the next word
    | \s+""",
    re.VERBOSE,
)
MERGED = -1  # in place of an id that was merged into its left neighbour; part of no pair
CACHED_WORDS, CACHED_LENGTH = 2**16, 32  # 16 MB of ordinary words, 71 MB in the worst case


def split_words(text: str) -> Iterator[str]:
    """Split `text` into words, in order; joined together they are `text` again."""
    return map(re.Match.group, WORD.finditer(text))


def learn_merges(words: Mapping[str, int], merges: int) -> list[Pair]:
    """Return the pairs to merge, given the count of each different word.

    The order is that of the plain `learn_merges`: highest count first, then smaller ids. No two merges give the same
    bytes: a merge happens everywhere at once, so equal bytes between equal borders are always split the same way.
    """
    ids = [list(word.encode()) for word in words]
    word_counts = list(words.values())
    counts: defaultdict[Pair, int] = defaultdict(int)
    where: defaultdict[Pair, set[int]] = defaultdict(
        set
    )  # the words that contain the pair, or contained it before a merge
    for word_id, word in enumerate(ids):
        for pair in pairwise(word):
            counts[pair] += word_counts[word_id]
            where[pair].add(word_id)
    queue = [(-count, pair) for pair, count in counts.items()]
    heapify(queue)
    learned: list[Pair] = []
    while queue and len(learned) < merges:
        negative, best = heappop(queue)
        if counts[best] != -negative:  # the count has fallen since: queue the pair again, further back
            if counts[best] > 0:
                heappush(queue, (-counts[best], best))
            continue
        new = 256 + len(learned)
        learned.append(best)
        new_pairs: set[Pair] = set()
        for word_id in where.pop(best):
            for pair, change in merge_in_place(ids[word_id], best, new):
                counts[pair] += change * word_counts[word_id]
                if change > 0:  # only pairs with the new id grow, so no pair is queued twice
                    where[pair].add(word_id)
                    new_pairs.add(pair)
        for pair in new_pairs:
            if counts[pair] > 0:  # 0 if a neighbouring merge has removed the pair again
                heappush(queue, (-counts[pair], pair))
    return learned


def merge_in_place(ids: list[int], pair: Pair, new: int) -> list[tuple[Pair, int]]:
    """Replace each `pair` in `ids` with `new`, and return the changes of the pairs' counts."""
    left, right = pair
    changes: list[tuple[Pair, int]] = []
    i, end, kept = 0, len(ids), 0
    while i < end:
        here = ids[i]
        i += 1
        if here == left and i < end and ids[i] == right:
            i += 1
            if kept:
                before = ids[kept - 1]
                changes += ((before, left), -1), ((before, new), 1)
            if i < end:
                after = ids[i]
                changes += ((right, after), -1), ((new, after), 1)
            here = new
        ids[kept] = here
        kept += 1
    del ids[kept:]
    return changes


def encode_word(word: bytes, merges: Mapping[Pair, int]) -> list[int]:
    """Return the ids of one word: merge the pair that was learned first, the leftmost among equal pairs, and repeat.

    A queue of candidates over a linked list takes O(n log n) steps, so even a word of a megabyte is fast.
    """
    length = len(word)
    ids = [*word, MERGED]  # ids[length] and ids[-1] lie outside of the word, on either side
    previous = list(range(-1, length))
    following = list(range(1, length + 1))
    # The number `new * length + position` orders candidates by merge, then by position.
    queue = [new * length + i for i, pair in enumerate(pairwise(ids)) if (new := merges.get(pair))]
    heapify(queue)
    while queue:
        new, i = divmod(heappop(queue), length)
        second = following[i]
        if merges.get((ids[i], ids[second])) != new:  # one of the two has been merged since
            continue
        ids[i], ids[second] = new, MERGED
        before, after = previous[i], following[second]
        following[i], previous[after] = after, i
        if merged := merges.get((ids[before], new)):
            heappush(queue, merged * length + before)
        if merged := merges.get((new, ids[after])):
            heappush(queue, merged * length + i)
    return [i for i in ids if i != MERGED]


class _WordCache(dict[str, list[int]]):
    """A cache from words to their ids. It is never iterated, so threads may share it."""

    def __init__(self, merges: Mapping[Pair, int]) -> None:
        super().__init__()
        self.merges = merges

    def __missing__(self, word: str) -> list[int]:
        ids = encode_word(word.encode(), self.merges)
        if len(word) <= CACHED_LENGTH:
            if len(self) >= CACHED_WORDS:
                self.clear()
            self[word] = ids
        return ids


class RegexBPETokenizer(BPETokenizer):
    """`BPETokenizer` within words: `bpe:N` on the command line."""

    kind = "regex_bpe"

    def __init__(self, merges: Iterable[Sequence[int]], special: Iterable[str] = ()) -> None:
        super().__init__(merges, special)
        self._ids_of = _WordCache(self.merges)

    @staticmethod
    def _learn(text: str, merges: int) -> list[Pair]:
        return learn_merges(Counter(split_words(text)), merges)

    def _encode(self, text: str) -> list[int]:
        return list(chain.from_iterable(map(self._ids_of.__getitem__, split_words(text))))
