"""Tiny tasks with known answers, on which a model learns within seconds.

Points in the plane for classifiers, and sequences for language models: NumPy arrays, functions of the seed alone, for
`epochs`.
"""

from __future__ import annotations

import numpy as np

from .._numbers import check_whole

Points = tuple[np.ndarray, np.ndarray]
Sequences = tuple[np.ndarray, np.ndarray, np.ndarray]


def xor(count: int, *, seed: int = 0) -> Points:
    """Return points `(count, 2)` from -1 to 1, with label 1 where their signs differ: no line separates the classes."""
    x = np.random.default_rng(check_whole("seed", seed, 0)).uniform(-1, 1, (check_whole("count", count), 2))
    return x.astype(np.float32), (x[:, 0] * x[:, 1] < 0).astype(np.int32)


def moons(count: int, *, noise: float = 0.1, seed: int = 0) -> Points:
    """Return two interleaved half circles of radius 1, `(count, 2)`, with normal noise; labels alternate 0, 1."""
    rng, count = np.random.default_rng(check_whole("seed", seed, 0)), check_whole("count", count)
    labels = np.arange(count, dtype=np.int32) % 2
    angle = rng.uniform(0, np.pi, count)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    x = np.where(labels[:, None] == 0, upper, [1.0, 0.5] - upper)
    return (x + noise * rng.normal(size=x.shape)).astype(np.float32), labels


def spirals(count: int, *, arms: int = 3, noise: float = 0.02, seed: int = 0) -> Points:
    """Return `arms` spirals `(count, 2)` from the centre to radius 1 after one turn; labels cycle."""
    rng, count = np.random.default_rng(check_whole("seed", seed, 0)), check_whole("count", count)
    arms = check_whole("arms", arms)
    labels = np.arange(count, dtype=np.int32) % arms
    radius = rng.uniform(0, 1, count)
    angle = 2 * np.pi * (radius + labels / arms)
    x = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return (x + noise * rng.normal(size=x.shape)).astype(np.float32), labels


def copying(count: int, *, length: int, symbols: int, seed: int = 0) -> Sequences:
    """Return random symbols, a separator, and the same symbols: inputs, next tokens, mask, each `(count, 2 * length)`.

    Symbols are `0..symbols - 1`, the separator is `symbols`. The mask is true on the half that can be predicted.
    """
    question = _symbols(count, length, symbols, seed)
    return _sequences(question, question, symbols)


def reversing(count: int, *, length: int, symbols: int, seed: int = 0) -> Sequences:
    """Return the sequences of `copying` with the copy reversed."""
    question = _symbols(count, length, symbols, seed)
    return _sequences(question, question[:, ::-1], symbols)


def modular_addition(modulus: int) -> Points:
    """Return all `modulus ** 2` sums: inputs `(a, b, =)` `(modulus ** 2, 3)`, labels `(a + b) % modulus`.

    The id of `=` is `modulus`. The task of Power et al., arXiv 2201.02177, on grokking: train on a random part of the
    table, and validate on the rest.
    """
    modulus = check_whole("modulus", modulus, most=2**15)  # Their squares are int32.
    a, b = np.divmod(np.arange(modulus**2, dtype=np.int32), modulus)
    return np.column_stack([a, b, np.full_like(a, modulus)]), (a + b) % modulus


def _symbols(count: int, length: int, symbols: int, seed: int) -> np.ndarray:
    shape = check_whole("count", count), check_whole("length", length)
    return np.random.default_rng(check_whole("seed", seed, 0)).integers(0, check_whole("symbols", symbols), shape)


def _sequences(question: np.ndarray, answer: np.ndarray, separator: int) -> Sequences:
    count, length = question.shape
    row = np.column_stack([question, np.full(count, separator), answer]).astype(np.int32)  # (count, 2 * length + 1)
    mask = np.tile(np.arange(2 * length) >= length, (count, 1))
    return row[:, :-1], row[:, 1:], mask
