"""Long copies are found at any position; short lines, notices and equality by chance are ignored."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch.data.leakage import BLOCK, PASSAGE, _window_hashes, shared_passages


def prose(seed: int, characters: int, line: int = 70) -> str:
    """Return lines of words that differ for every seed."""
    draw, words, size = random.Random(seed), [], 0
    while size < characters:
        words.append("".join(draw.choices("etaoinshrdlucmfw", k=draw.randint(2, 9))))
        size += len(words[-1]) + 1
    text = " ".join(words)[:characters]
    return "\n".join(text[i : i + line] for i in range(0, len(text), line))


TRAIN, OTHER, COPIED = prose(1, 30_000), prose(2, 20_000), prose(3, 1500)


def test_independent_texts_share_nothing():
    assert shared_passages(TRAIN, OTHER) == []


@settings(max_examples=20, deadline=None)
@given(at=st.integers(0, len(TRAIN)), into=st.integers(0, len(OTHER)))
def test_a_copied_passage_is_found_exactly_at_any_position(at, into):
    train = TRAIN[:at] + "<" + COPIED + ">" + TRAIN[at:]
    validation = OTHER[:into] + "[" + COPIED + "]" + OTHER[into:]
    (found,) = shared_passages(train, validation)
    assert not found.ordinary
    assert train[slice(*found.train)] == validation[slice(*found.validation)] == COPIED


def test_rewrapping_indenting_and_case_do_not_hide_a_copy():
    disguised = "\n    ".join(COPIED.upper().split())
    (found,) = shared_passages(TRAIN + COPIED, OTHER + disguised)
    assert (TRAIN + COPIED)[slice(*found.train)] == COPIED


@pytest.mark.parametrize(("squeezed", "count"), [(PASSAGE - 1, 0), (PASSAGE, 1)])
def test_only_passages_of_the_minimal_length_count(squeezed, count):
    copied = "".join(COPIED.split())[:squeezed]
    assert len(shared_passages(f"{TRAIN}<{copied}>", f"{OTHER}[{copied}]{OTHER}")) == count


def test_two_passages_are_two():
    one, two = COPIED[:700], COPIED[750:]
    found = shared_passages(f"{one}<{TRAIN}>{two}", f"({two}){OTHER}[{one}]")
    assert len(found) == 2


def test_short_lines_repeated_many_times_are_ordinary():
    assert all(p.ordinary for p in shared_passages("hello world\n" * 900, "hello world\n" * 100))
    assert all(p.ordinary for p in shared_passages("a" * 9000, "a" * 1000))


def test_a_notice_that_is_twice_in_train_is_ordinary_and_one_that_is_once_is_not():
    notice = COPIED[:900]
    twice = shared_passages(f"{notice}<{TRAIN}>{notice}", f"{OTHER}[{notice}]")
    once = shared_passages(f"{notice}<{TRAIN}>", f"{OTHER}[{notice}]")
    assert [p.ordinary for p in twice] == [True]
    assert [p.ordinary for p in once] == [False]


def test_a_long_copy_is_a_leak_even_if_it_is_in_train_twice():
    page = prose(4, 4000)
    (found,) = shared_passages(f"{page}<{TRAIN}>{page}", f"{OTHER}[{page}]")
    assert not found.ordinary


def test_texts_too_short_for_a_passage_share_none():
    assert shared_passages("abc", TRAIN) == shared_passages(TRAIN, "") == []


def test_window_hashes_equal_their_definition():
    codes = np.random.default_rng(0).integers(0, 0x110000, BLOCK + 5).astype(np.uint32)
    base, words = 0x9E3779B97F4A7C15, codes.tolist()
    wanted = [sum(words[i + k] * base**k for k in range(BLOCK)) % 2**64 for i in range(6)]
    assert _window_hashes(codes).tolist() == wanted
