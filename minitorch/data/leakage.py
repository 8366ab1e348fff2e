"""Leakage: passages of the training text that are also in the validation text.

Exact copies of whole documents are easy to find. A copied *passage* inside other text is not, and it lowers the
validation loss unnoticed. A rolling hash compares every window of the validation text with blocks of the training text
(Karp & Rabin 1987; one side in blocks as in rsync, Tridgell 1999): the cost is one sort and one search, not all pairs.

White space and case are dropped first, since a re-wrapped or re-indented copy is still a copy. Two kinds of repetition
are ordinary: a short line repeated many times, and boilerplate (such as a licence header) that is in the training text
more than once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PASSAGE = 400  # characters without white space: about 80 English words, or 12 lines of code
BLOCK = PASSAGE // 2  # a shared passage of 2 * BLOCK - 1 characters always contains one whole aligned block
BOILERPLATE = 2000  # characters: the longest passage that counts as boilerplate
_BASE = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2**64


@dataclass(frozen=True)
class SharedPassage:
    """A passage that is in both texts: `(start, stop)` in each, in characters, and whether it is ordinary."""

    train: tuple[int, int]
    validation: tuple[int, int]
    ordinary: bool


def shared_passages(train: str, validation: str) -> list[SharedPassage]:
    """Find the passages of at least `PASSAGE` characters, white space not counted, in both texts: 10 MB per second."""
    a, where_a = _squeeze(train)
    b, where_b = _squeeze(validation)
    if min(len(a), len(b)) < PASSAGE:
        return []
    hashes = _window_hashes(a)
    runs = _common_runs(a, b, hashes)
    seen = _least_counts(hashes, [(i, i + n) for i, _, n in runs])
    return [
        SharedPassage(
            (int(where_a[i]), int(where_a[i + n - 1]) + 1),
            (int(where_b[j]), int(where_b[j + n - 1]) + 1),
            _is_periodic(a[i : i + n], hashes[i : i + BLOCK]) or (n <= BOILERPLATE and count > 1),
        )
        for (i, j, n), count in zip(runs, seen, strict=True)
    ]


def _squeeze(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the code points without white space, ASCII letters in lower case, and their offsets in `text`."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    where = np.flatnonzero((codes > ord(" ")) & (codes != 0xA0) & (codes != 0x3000))
    kept = codes[where]
    upper = (kept >= ord("A")) & (kept <= ord("Z"))
    return kept + 32 * upper.astype(np.uint32), where


def _window_hashes(codes: np.ndarray) -> np.ndarray:
    """Return `sum_k codes[i + k] * BASE**k` modulo 2**64 for each window of BLOCK codes, from prefix sums."""
    powers = _powers(_BASE, len(codes))
    prefix = np.concatenate([np.zeros(1, np.uint64), np.cumsum(codes * powers, dtype=np.uint64)])
    return (prefix[BLOCK:] - prefix[:-BLOCK]) * _powers(pow(_BASE, -1, 2**64), len(codes) - BLOCK + 1)


def _powers(base: int, count: int) -> np.ndarray:
    factors = np.full(count, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)


def _common_runs(a: np.ndarray, b: np.ndarray, hashes: np.ndarray) -> list[tuple[int, int, int]]:
    """`(start in a, start in b, length)` of runs of at least PASSAGE codes, left to right in b."""
    blocks, first = np.unique(hashes[::BLOCK], return_index=True)
    windows = _window_hashes(b)
    slot = np.minimum(np.searchsorted(blocks, windows), len(blocks) - 1)
    runs, done = [], 0
    for j in np.flatnonzero(blocks[slot] == windows).tolist():
        if j < done:
            continue
        i = int(first[slot[j]]) * BLOCK
        left = _common_prefix(a[:i][::-1], b[done:j][::-1])
        right = _common_prefix(a[i:], b[j:])  # codes are compared, so a hash collision does no harm
        if left + right >= PASSAGE:
            runs.append((i - left, j - left, left + right))
            done = j + right
    return runs


def _common_prefix(a: np.ndarray, b: np.ndarray) -> int:
    """Return the length of the common prefix. Compares growing pieces, so that a short prefix costs little."""
    n, start, step = min(len(a), len(b)), 0, 1024
    while start < n:
        stop = min(start + step, n)
        differ = np.flatnonzero(a[start:stop] != b[start:stop])
        if len(differ):
            return start + int(differ[0])
        start, step = stop, step * 2
    return n


def _least_counts(hashes: np.ndarray, runs: list[tuple[int, int]]) -> np.ndarray:
    """Return for each run the smallest count, in the text, of its first, middle and last window."""
    picks = np.array([(i, (i + j - BLOCK) // 2, j - BLOCK) for i, j in runs], dtype=np.int64).reshape(-1, 3)
    wanted, inverse = np.unique(hashes[picks], return_inverse=True)
    if not len(wanted):
        return np.zeros(0, np.int64)
    slot = np.minimum(np.searchsorted(wanted, hashes), len(wanted) - 1)
    counts = np.bincount(slot[wanted[slot] == hashes], minlength=len(wanted))
    return counts[inverse].reshape(-1, 3).min(axis=1)


def _is_periodic(passage: np.ndarray, hashes: np.ndarray) -> bool:
    """Return whether a passage repeats one short piece. `hashes` are those of its first BLOCK windows."""
    again = np.flatnonzero(hashes[1:] == hashes[0])
    if not len(again):
        return False
    period = int(again[0]) + 1
    return bool(np.array_equal(passage[period:], passage[:-period]))
