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

import json
import re
from collections import Counter, defaultdict
from heapq import heapify, heappop, heappush
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bpe import BPETokenizer, Pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

GPT2, PYTHON = RULES = ("gpt2-unicode16", "python-re")  # how to split words; a file without a rule has the second
MERGED = -1  # in place of an id that was merged into its left neighbour, and around each word; part of no pair
CACHED_WORDS, CACHED_LENGTH = 2**16, 32  # 16 MB of ordinary words, 71 MB in the worst case


# `re` has no `\p{L}`, and its own classes change with each Python. So these are in a file: Unicode 16, as in
# `tokenizers`. Characters above U+FFFF (astral) stand apart, since `re` searches their ranges one by one.
_RANGES = json.loads(Path(__file__).with_name("unicode16.json").read_text(encoding="utf-8"))
_ASTRAL = r"\U00010000-\U0010ffff"


def _run_of(characters: str, astral: str) -> str:
    return rf"(?:[{characters}]+|(?=[{_ASTRAL}])[{astral}]+)++"


SPACE = _RANGES["space"]  # \s
LETTERS = _run_of(_RANGES["letters"], _RANGES["astral_letters"])  # \p{L}+
NUMBERS = _run_of(_RANGES["numbers"], _RANGES["astral_numbers"])  # \p{N}+
OTHERS = _run_of(  # [^\s\p{L}\p{N}]+
    "^" + SPACE + _RANGES["letters"] + _RANGES["numbers"] + _ASTRAL,
    r"^\0-\uffff" + _RANGES["astral_letters"] + _RANGES["astral_numbers"],
)
WORD = {  # Each character belongs to exactly one match.
    GPT2: re.compile(
        rf"""'(?:s|t|re|ve|m|ll|d)       # the end of don't, we'll, ...
        | [ ]?{LETTERS}                  # letters, with the space before them
        | [ ]?{NUMBERS}                  # numbers
        | [ ]?{OTHERS}                   # all other characters but white space
        | [{SPACE}]+(?![^{SPACE}])     # white space, except its last character, which belongs to the next word
        | [{SPACE}]+""",
        re.VERBOSE,
    ),
    # The rule before: \d leaves out ², Ⅷ and the like, and \s has U+001C to U+001F.
    PYTHON: re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"),
}


def split_words(text: str, rule: str = GPT2) -> Iterator[str]:
    """Split `text` into words, in order; joined together they are `text` again."""
    return map(re.Match.group, WORD[rule].finditer(text))


def learn_merges(words: Mapping[str, int], merges: int) -> list[Pair]:
    """Return the pairs to merge, given the count of each different word.

    The order is that of the plain `learn_merges`: highest count first, then smaller ids. No two merges give the same
    bytes: a merge happens everywhere at once, so equal bytes between equal borders are always split the same way.
    """
    linked = LinkedWords(words)
    counts: defaultdict[Pair, int] = defaultdict(int)
    where: defaultdict[Pair, list[int]] = defaultdict(list)  # the positions of the pair, now or before a merge
    for i, (pair, count) in enumerate(zip(pairwise(linked.ids), linked.counts, strict=False)):
        if MERGED not in pair:
            counts[pair] += count
            where[pair].append(i)
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
        for pair, position, change in merge_in_place(linked, best, sorted(where.pop(best)), new):
            counts[pair] += change
            if change > 0:  # only pairs with the new id grow, so no pair is queued twice
                where[pair].append(position)
                new_pairs.add(pair)
        for pair in new_pairs:
            if counts[pair] > 0:  # 0 if a neighbouring merge has removed the pair again
                heappush(queue, (-counts[pair], pair))
    return learned


class LinkedWords:
    """All different words in one list of ids, linked, so that a merge costs as much as there are places to change.

    A word of 100,000 letters, or a text in a script without spaces, takes no longer than many short words.
    """

    def __init__(self, words: Mapping[str, int]) -> None:
        self.ids: list[int] = [MERGED]
        self.counts: list[int] = [0]  # at each position, the count of its word
        for word, count in words.items():
            data = word.encode()
            self.ids += [*data, MERGED]
            self.counts += [count] * (len(data) + 1)
        self.previous = list(range(-1, len(self.ids) - 1))
        self.following = list(range(1, len(self.ids) + 1))


def merge_in_place(words: LinkedWords, pair: Pair, positions: Iterable[int], new: int) -> list[tuple[Pair, int, int]]:
    """Replace each `pair` at the ascending `positions` with `new`, and return the changes of the pairs' counts.

    A change is a pair, its position, and the change. Positions at which the pair has been merged away are skipped.
    """
    ids, previous, following = words.ids, words.previous, words.following
    left, right = pair
    changes: list[tuple[Pair, int, int]] = []
    for i in positions:
        second = following[i]
        if ids[i] != left or ids[second] != right:
            continue
        ids[i], ids[second] = new, MERGED
        before, after = previous[i], following[second]
        following[i], previous[after] = after, i
        count = words.counts[i]
        if (neighbour := ids[before]) != MERGED:
            changes += ((neighbour, left), before, -count), ((neighbour, new), before, count)
        if (neighbour := ids[after]) != MERGED:
            changes += ((right, neighbour), second, -count), ((new, neighbour), i, count)
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

    def __init__(self, merges: Iterable[Sequence[int]], special: Iterable[str] = (), rule: str = GPT2) -> None:
        super().__init__(merges, special)
        if rule not in RULES:
            raise ValueError(f"it splits words by the rule {rule!r}, and this minitorch knows {' and '.join(RULES)}")
        self.rule = rule
        self._ids_of = _WordCache(self.merges)

    @staticmethod
    def _learn(text: str, merges: int) -> list[Pair]:
        return learn_merges(Counter(split_words(text)), merges)

    def _encode(self, text: str) -> list[int]:
        return list(chain.from_iterable(map(self._ids_of.__getitem__, split_words(text, self.rule))))

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "rule": self.rule}
