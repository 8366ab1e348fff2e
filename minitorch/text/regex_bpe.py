"""Byte-pair encoding as language models use it: unlike the plain one it never merges across the border of a word.

A regular expression first cuts the text into words. That keeps `dog`, `dog.` and `dog!` from becoming three unrelated
ids (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.2). It also makes everything
fast, since a text of a million characters has only some ten thousand different words:

* training counts pairs over the different words, each weighted by how often it occurs, and after a merge recounts only
  around the places that changed;
* encoding works a word out once and then remembers it.

Merges and ids are those of the Rust package `tokenizers` for the same words.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import chain, pairwise

from .bpe import BPETokenizer, Pair

# GPT-2's rule in the words of the standard library: each character belongs to exactly one match.
WORD = re.compile(
    r"""'(?:s|t|re|ve|m|ll|d)   # the end of don't, we'll, ...
    | [ ]?[^\W\d_]+             # letters, with the space before them
    | [ ]?\d+                   # digits
    | [ ]?(?:[^\s\w]|_)+        # all that is no letter, digit or white space
    | \s+(?!\S)                 # white space, but its last character is left for the word that follows
    | \s+""",
    re.VERBOSE,
)
GONE = -1  # stands where an id was merged into its left neighbour; part of no pair
CACHED_WORDS, CACHED_LENGTH = 2**16, 32  # 16 MB of ordinary words, 71 MB of the worst


def split_words(text: str) -> Iterator[str]:
    """The words of `text` in order; joined together they are `text` again."""
    return map(re.Match.group, WORD.finditer(text))


def learn_merges(words: Mapping[str, int], merges: int) -> list[Pair]:
    """The pairs to merge, given each different word and how often it occurs.

    Same order as the plain `learn_merges`: highest count first, then smaller ids. No two merges make the same bytes:
    merges happen everywhere at once, so equal bytes between the same borders are always cut in the same way.
    """
    ids = [list(word.encode()) for word in words]
    times = list(words.values())
    counts: defaultdict[Pair, int] = defaultdict(int)
    where: defaultdict[Pair, set[int]] = defaultdict(set)  # the words that hold the pair, or once held it
    for number, word in enumerate(ids):
        for pair in pairwise(word):
            counts[pair] += times[number]
            where[pair].add(number)
    queue = [(-count, pair) for pair, count in counts.items()]
    heapify(queue)
    learned: list[Pair] = []
    while queue and len(learned) < merges:
        negative, best = heappop(queue)
        if counts[best] != -negative:  # its count has fallen since: let it queue again, further back
            if counts[best] > 0:
                heappush(queue, (-counts[best], best))
            continue
        new = 256 + len(learned)
        learned.append(best)
        born: set[Pair] = set()
        for number in where.pop(best):
            for pair, change in merge_in_place(ids[number], best, new):
                counts[pair] += change * times[number]
                if change > 0:  # only pairs with the new id grow, so no pair is ever queued twice
                    where[pair].add(number)
                    born.add(pair)
        for pair in born:
            if counts[pair] > 0:  # one that a neighbouring merge took away again has none
                heappush(queue, (-counts[pair], pair))
    return learned


def merge_in_place(ids: list[int], pair: Pair, new: int) -> list[tuple[Pair, int]]:
    """Write `new` for each `pair` in `ids`; returns by how much which pairs have become more or fewer."""
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


def merge_word(word: bytes, merges: Mapping[Pair, int]) -> list[int]:
    """Ids of one word: the earliest learned pair first, of equal ones the leftmost.

    A queue of candidates over a linked list takes n log n steps, so a word of a megabyte does no harm.
    """
    length = len(word)
    ids = [*word, GONE]  # ids[length] and ids[-1] are beyond the word on either side
    previous = list(range(-1, length))
    following = list(range(1, length + 1))
    # One number `new * length + place` orders candidates by age of the merge, then by place.
    queue = [new * length + i for i, pair in enumerate(pairwise(ids)) if (new := merges.get(pair))]
    heapify(queue)
    while queue:
        new, i = divmod(heappop(queue), length)
        gone = following[i]
        if merges.get((ids[i], ids[gone])) != new:  # one of the two has been merged meanwhile
            continue
        ids[i], ids[gone] = new, GONE
        before, after = previous[i], following[gone]
        following[i], previous[after] = after, i
        if merged := merges.get((ids[before], new)):
            heappush(queue, merged * length + before)
        if merged := merges.get((new, ids[after])):
            heappush(queue, merged * length + i)
    return [i for i in ids if i != GONE]


class _WordCache(dict[str, list[int]]):
    """Word to ids; works out a missing word. Never iterated, so threads may share it."""

    def __init__(self, merges: Mapping[Pair, int]) -> None:
        super().__init__()
        self.merges = merges

    def __missing__(self, word: str) -> list[int]:
        ids = merge_word(word.encode(), self.merges)
        if len(word) <= CACHED_LENGTH:
            if len(self) >= CACHED_WORDS:
                self.clear()
            self[word] = ids
        return ids


class RegexBPETokenizer(BPETokenizer):
    """`BPETokenizer` within words; what `bpe:N` means on the command line."""

    kind = "regex_bpe"

    def __init__(self, merges: Iterable[Sequence[int]], special: Iterable[str] = ()) -> None:
        super().__init__(merges, special)
        self._ids_of = _WordCache(self.merges)

    @staticmethod
    def _learn(text: str, merges: int) -> list[Pair]:
        return learn_merges(Counter(split_words(text)), merges)

    def _encode(self, text: str) -> list[int]:
        return list(chain.from_iterable(map(self._ids_of.__getitem__, split_words(text))))
