"""Copies are found, and the few ways of solving an exercise are not taken for copies."""

from minitorch_course.grading.similarity import MIN_NGRAMS, fingerprint, similar_submissions

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


def test_names_comments_and_docstrings_do_not_count():
    assert fingerprint([COPY]) == fingerprint([OWN])
    assert len(fingerprint([OWN])) > MIN_NGRAMS


def test_a_copy_is_found_both_ways():
    prints = {"a": fingerprint([OWN]), "b": fingerprint([REFERENCE]), "c": fingerprint([COPY])}
    assert similar_submissions(prints, fingerprint([REFERENCE])) == {"a": [("c", 100)], "b": [], "c": [("a", 100)]}


def test_a_copy_with_a_few_changes_is_found():
    changed = OWN.replace("value != 0.0", "value")
    [(other, percent)] = similar_submissions({"a": fingerprint([OWN]), "b": fingerprint([changed])}, [])["a"]
    assert other == "b"
    assert 80 <= percent < 100


def test_the_reference_in_many_hands_is_no_copy():
    prints = {f"s{i}": fingerprint([REFERENCE]) for i in range(3)}
    assert not any(similar_submissions(prints, fingerprint([REFERENCE])).values())


def test_what_a_large_part_of_a_class_has_is_no_copy():
    prints = {f"s{i}": fingerprint([OWN]) for i in range(10)}
    assert not any(similar_submissions(prints, []).values())


def test_short_work_is_not_compared():
    prints = {name: fingerprint(["def f(x):\n    return x + 1"]) for name in "ab"}
    assert not any(similar_submissions(prints, []).values())


def test_code_that_does_not_parse_has_no_fingerprint():
    assert fingerprint(["def f(:", "\0", "(" * 1000, "-" * 100_000 + "1", "%%bash\nls"]) == []
