"""Copies are found, and the few ways of solving an exercise are not taken for copies."""

import sys
from pathlib import Path

import pytest

from minitorch_course.grading.similarity import MAX_NGRAMS, MIN_NGRAMS, Class, fingerprint

sys.path.insert(0, str(Path(__file__).parent))
from rings import ClassMaker

REFERENCE = """
def backward(tape, g):
    grads = {id(tape[-1].out): g}
    for step in reversed(tape):
        for x, dx in zip(step.inputs, step.rule(grads.pop(id(step.out)))):
            grads[id(x)] = grads.get(id(x), 0) + dx
    return grads
"""
OWN = """
def backward(tape, g):
    cotangents = [0.0] * len(tape)
    cotangents[-1] = g
    row = len(tape) - 1
    while row >= 0:
        entry = tape[row]
        received = cotangents[row]
        slopes = entry.rule(received, *entry.values)
        for position, target in enumerate(entry.args):
            if isinstance(target, int) and target >= 0:
                cotangents[target] = cotangents[target] + slopes[position]
        row -= 1
    return {name: value for name, value in zip(tape.names, cotangents) if value != 0.0}
"""
COPY = OWN.replace("cotangents", "c").replace("received", "what_came").replace("row -= 1", "row -= 1  # up")
COPY = COPY.replace("def backward(tape, g):", 'def backward(tape, g):\n    """Mine, all mine."""')


@pytest.fixture(scope="module")
def maker():
    return ClassMaker()


def similar(prints, reference=()):
    return Class(prints, [], fingerprint(reference)).similar()


def test_names_comments_and_docstrings_do_not_count():
    assert fingerprint([COPY]) == fingerprint([OWN])
    assert len(fingerprint([OWN])) > MIN_NGRAMS


@pytest.mark.parametrize(
    "cells",
    [
        [f"%%time\n{OWN}"],
        [f"{OWN}\n%matplotlib inline"],
        ["!ls", OWN],
        [f"x = !true\n{OWN}"],
        ["", f"# only a comment\n{OWN}"],
    ],
)
def test_magics_and_other_cells_do_not_hide_a_copy(cells):
    assert similar({"a": fingerprint([OWN]), "b": fingerprint(cells)})["a"] == [("b", 100)]


def test_a_copy_is_found_both_ways():
    prints = {"a": fingerprint([OWN]), "b": fingerprint([REFERENCE]), "c": fingerprint([COPY])}
    assert similar(prints, [REFERENCE]) == {"a": [("c", 100)], "b": [], "c": [("a", 100)]}


def test_a_copy_with_a_few_changes_is_found():
    changed = OWN.replace("value != 0.0", "value")
    [(other, percent)] = similar({"a": fingerprint([OWN]), "b": fingerprint([changed])})["a"]
    assert other == "b"
    assert 80 <= percent < 100


def test_the_reference_in_many_hands_is_no_copy():
    prints = {f"s{i}": fingerprint([REFERENCE]) for i in range(3)}
    assert not any(similar(prints, [REFERENCE]).values())


def test_one_exercise_that_a_large_part_of_a_class_solves_alike_is_no_copy():
    prints = {f"s{i}": fingerprint([OWN]) for i in range(10)}
    assert not any(similar(prints).values())


def test_short_work_is_not_compared():
    prints = {name: fingerprint(["def f(x):\n    return x + 1"]) for name in "ab"}
    assert not any(similar(prints).values())


def test_code_that_does_not_parse_has_no_fingerprint():
    assert fingerprint(["def f(:", "\0", "(" * 1000, "-" * 100_000 + "1"]) == []


def test_a_huge_submission_has_a_bounded_fingerprint_that_still_compares():
    many = [f"def f{i}(x):\n    return x.a{i} * {i} + x.b{i}" for i in range(3000)]
    one, other = fingerprint(many), fingerprint(many[::-1])
    assert one == other
    assert len(one) == MAX_NGRAMS
    assert similar({"a": one, "b": other})["a"] == [("b", 100)]


@pytest.mark.parametrize("size", range(2, 11))
@pytest.mark.parametrize("students", [14, 40])
def test_a_ring_of_verbatim_copies_is_found_whole(maker, students, size):
    made, _ = maker.make(students, (), seed=size)
    ring = {f"s{i:03}" for i in range(size)}
    whole = maker.styles[1 + size % 4]
    made |= {name: [*whole.values()] for name in ring}
    found = maker.compare(made).similar()
    assert all({other for other, _ in found[name]} == ring - {name} for name in ring)


def test_who_copies_the_public_reference_is_named(maker):
    copied = [f"%%time\n{code}" for code in maker.reference.values()]
    honest, _ = maker.make(10, (), seed=3)
    likes = maker.compare({"copied": copied, **honest}).like_reference()
    assert likes.keys() >= {"copied"}
    assert not likes.keys() & {f"s{i:03}" for i in range(10)}


@pytest.mark.costly
def test_disguised_rings_are_found_and_honest_look_alikes_are_not(maker):
    """The numbers in docs/teach.md; `python tests/course/grading/rings.py` prints them by the size of the ring."""
    for ring in (2, 4, 10):
        precision, _, students = maker.measure(40, (ring,), range(5))
        print(f"rings of {ring} in 40: precision {precision:.2f}, students found {students:.2f}")
        assert precision >= 0.8
        assert students >= 0.7
